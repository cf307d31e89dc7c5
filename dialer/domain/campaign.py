"""One calling effort: who, when, from which number, how fast and how often."""

from dataclasses import dataclass, field
from enum import StrEnum

from dialer.domain.calling_window import CallingWindow
from dialer.domain.limits import UNLIMITED, PersonLimits
from dialer.domain.redial import RedialPolicy
from dialer.domain.suppression import OptOut
from dialer.domain.time_zones import known_zones


class CampaignStatus(StrEnum):
    """Where a campaign is."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    RUNNING = "running"
    PAUSED = "paused"
    FINISHED = "finished"
    CANCELLED = "cancelled"
    HALTED = "halted"
    """Stopped by the program (key refused, no credit, budget); ``halt_reason`` says why and how to go on."""


S = CampaignStatus
OVER = frozenset({S.FINISHED, S.CANCELLED})

SIMULATOR = "simulator"
"""The provider of rehearsals: it calls nobody."""
REHEARSAL = "rehearsal:"

CAMPAIGN_TRANSITIONS: dict[str, tuple[frozenset[CampaignStatus], CampaignStatus]] = {
    "start": (frozenset({S.DRAFT, S.SCHEDULED, S.RUNNING, S.HALTED}), S.RUNNING),
    "pause": (frozenset({S.DRAFT, S.SCHEDULED, S.RUNNING, S.PAUSED, S.HALTED}), S.PAUSED),
    "resume": (frozenset({S.PAUSED, S.RUNNING}), S.RUNNING),
    "cancel": (frozenset(S) - {S.FINISHED}, S.CANCELLED),
    "halt": (frozenset({S.RUNNING, S.SCHEDULED, S.HALTED}), S.HALTED),
    "finish": (frozenset({S.RUNNING, S.SCHEDULED, S.PAUSED, S.HALTED}), S.FINISHED),
    "reopen": (frozenset({S.DRAFT, S.FINISHED}), S.RUNNING),
    "schedule": (frozenset({S.DRAFT, S.SCHEDULED, S.PAUSED, S.HALTED, S.FINISHED}), S.SCHEDULED),
}
"""Each verb: the statuses it is allowed from, and the one it leads to."""


@dataclass(frozen=True, slots=True)
class Pace:
    """``calls_per_second`` and ``concurrent_calls`` (0: none); ``weight`` shares the account."""

    calls_per_second: float = 1.0
    concurrent_calls: int = 10
    weight: int = 1


@dataclass(frozen=True, slots=True)
class ContactColumns:
    """Which columns of the list hold what; an empty name is guessed from common headers.

    ``trust_timezone``: the zone that the list gives holds even where the number is from another.
    """

    phone: str = ""
    name: str = ""
    timezone: str = ""
    region: str = ""
    key: str = ""
    variables: tuple[str, ...] = ("*",)
    sheet: str = ""
    """Which sheet of a workbook; needed only where several hold something."""
    state: str = ""
    postal_code: str = ""
    trust_timezone: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """A database to read the list from: a SQLAlchemy URL, a query, and a cron expression for reading it again.

    ``timeout_s``: how long the query may take for its next row; ``max_rows``: how many it may answer.
    """

    url: str = ""
    query: str = ""
    refresh: str = ""
    timeout_s: float = 600.0
    max_rows: int = 5_000_000


@dataclass(frozen=True, slots=True)
class Schedule:
    """When to start and stop dialing, in unix seconds; None: no bound.

    ``repeat`` is a cron expression: everybody is dialed again in a round of its own. ``timezone`` (IANA) is that of
    this expression and of the source's.
    """

    start: float | None = None
    end: float | None = None
    repeat: str = ""
    timezone: str = ""


@dataclass(frozen=True, slots=True)
class Reminder:
    """Attempts relative to an appointment: the column with its time, and the seconds before it, longest first.

    ``timezone`` (IANA) is that of times without one, where the list names no zone for the person.
    """

    event: str = ""
    before_s: tuple[float, ...] = ()
    timezone: str = ""


@dataclass(frozen=True, slots=True)
class CampaignSpec:
    """What the campaign file (and overrides) say. Durations are seconds, cost is in provider units.

    ``region`` and ``timezone`` are defaults for contacts whose list gives none: an ISO 3166 code for
    numbers in national format, an IANA zone for persons whose number does not show it.
    """

    name: str
    agent: str
    provider: str = "vaanivoice"
    caller_ids: tuple[str, ...] = ()
    columns: ContactColumns = field(default_factory=ContactColumns)
    region: str = ""
    timezone: str = ""
    window: CallingWindow = field(default_factory=CallingWindow)
    pace: Pace = field(default_factory=Pace)
    redial: RedialPolicy = field(default_factory=RedialPolicy)
    limits: PersonLimits = field(default_factory=PersonLimits)
    source: Source = field(default_factory=Source)
    schedule: Schedule = field(default_factory=Schedule)
    reminder: Reminder = field(default_factory=Reminder)
    opt_out: OptOut = field(default_factory=OptOut)
    max_cost: float = 0.0

    @property
    def is_rehearsal(self) -> bool:
        """Whether nobody is called. Rehearsals and real campaigns know nothing of each other."""
        return self.provider == SIMULATOR

    @property
    def handle(self) -> str:
        """The name by which exactly this campaign is found: a rehearsal may have the name of a real one."""
        return REHEARSAL + self.name if self.is_rehearsal else self.name

    @property
    def limits_people(self) -> bool:
        """Whether it matters how often a person was called before."""
        return self.limits != UNLIMITED or self.window.rules != "off" or self.redial.other_hour

    def zones_of(self, contact_zones: tuple[str, ...]) -> tuple[str, ...]:
        """The contact's own zones, or the campaign's where the number shows none."""
        return known_zones(contact_zones) or ((self.timezone,) if self.timezone else ())

    @property
    def cron_zone(self) -> str:
        """The zone that cron expressions are read in; "" when the campaign declares none."""
        own = self.window.zone if self.window.zone != "contact" else ""
        return self.schedule.timezone or own or self.timezone

    @property
    def goes_on(self) -> bool:
        """Whether more people may come by themselves: the source is read again, or everybody is dialed again."""
        return bool(self.source.refresh or self.schedule.repeat)

    def ended(self, now: float) -> bool:
        """Whether the campaign's end has come, at ``now`` (unix seconds)."""
        return self.schedule.end is not None and now >= self.schedule.end


def verb_now(verb: str, spec: CampaignSpec, status: CampaignStatus, now: float) -> str:
    """The verb that ``verb`` amounts to now: before its start, a campaign is scheduled rather than set running.

    Only ``start`` runs it before its time. A recurring campaign never runs itself: its rounds do.
    """
    if status is S.RUNNING or verb not in (("resume", "reopen") if status is S.PAUSED else ("start", "reopen")):
        return verb
    early = spec.schedule.start is not None and now < spec.schedule.start
    return "schedule" if spec.schedule.repeat or (early and verb != "start") else verb


def is_over(spec: CampaignSpec, status: CampaignStatus, now: float, *, fed: bool) -> bool:
    """Whether a campaign whose contacts are all final is finished; ``fed``: it was given a list."""
    return spec.ended(now) or (status is S.RUNNING and fed and not spec.goes_on)


def hours_changed(before: CampaignSpec, after: CampaignSpec) -> bool:
    """Whether a contact that waits for an opening may wait for the wrong one. Reminders plan themselves again."""
    same = (before.window, before.timezone) == (after.window, after.timezone)
    return not same and not after.reminder.event
