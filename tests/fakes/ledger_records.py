"""What the in-memory ledger remembers, and how an attempt moves."""

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from dialer.domain.attempt import LIVE, WAITING, Actor, AttemptState, allowed
from dialer.domain.campaign import CampaignStatus
from dialer.domain.contact import OPEN_CONTACTS, ContactStatus, NewContact
from dialer.domain.contact_plan import Called, after_call
from dialer.domain.disposition import Disposition
from dialer.domain.limits import Made
from dialer.domain.redial import Redial, Settle
from dialer.domain.suppression import names_of
from dialer.errors import LedgerUnavailable
from dialer.ports import (
    Campaign,
    Clock,
    Denied,
    Event,
    ImportCounts,
    LogScan,
    Matched,
    SendOutcome,
    SourceState,
    Suppression,
)


@dataclass(slots=True, eq=False)
class Person:
    """A contact."""

    contact_id: int
    campaign_id: int
    new: NewContact
    status: ContactStatus
    due_at: float | None
    disposition: Disposition | None = None
    attempts: int = 0
    last_attempt_at: float | None = None
    duration_s: float | None = None
    call_id: str | None = None
    waits_for: str = ""
    planned_for: float | None = None
    reading: int = 0
    gone: bool = False

    @property
    def is_open(self) -> bool:
        return self.status in OPEN_CONTACTS


@dataclass(slots=True, eq=False)
class Try:
    """An attempt."""

    attempt_id: int
    campaign_id: int
    person: Person
    number_of: int
    due_at: float
    reason: str
    state: AttemptState = AttemptState.PLANNED
    dispatch: int = 0
    lease_until: float = 0.0
    token: str = ""
    answer_due_at: float = 0.0
    dialed_at: float | None = None
    ended_at: float | None = None
    duration_s: float | None = None
    call_id: str | None = None
    cost: float | None = None
    disposition: Disposition | None = None
    events: list[Event] = field(default_factory=list)

    @property
    def phone(self) -> str:
        return self.person.new.phone


@dataclass(slots=True)
class Agenda:
    """Who is due when. An entry counts only while its moment is still the true one."""

    entries: list[tuple[float, int]] = field(default_factory=list)

    def add(self, due_at: float, id_: int) -> None:
        heapq.heappush(self.entries, (due_at, id_))

    def due(self, now: float) -> Iterator[tuple[float, int]]:
        """Takes out what is due, earliest first."""
        while self.entries and self.entries[0][0] <= now:
            yield heapq.heappop(self.entries)


@dataclass(slots=True)
class Reading:
    """Who reads a source, and what came of it."""

    number: int = 0
    lease_until: float | None = None
    state: SourceState = field(default_factory=SourceState)


class Records:
    """Dictionaries in place of tables; ids count from 1 in order of creation."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.unavailable = False
        """Set it to make every verb and every look fail with LedgerUnavailable."""
        self._campaigns: dict[int, Campaign] = {}
        self._ids: dict[str, int] = {}
        self._people: dict[int, Person] = {}
        self._known: dict[tuple[str, int], Person] = {}
        self._tries: dict[int, Try] = {}
        self._numbered: dict[tuple[int, int], Try] = {}
        self._in_state: dict[AttemptState, dict[int, Try]] = {state: {} for state in AttemptState}
        self._live_phones: set[str] = set()
        self._fresh: dict[int, Agenda] = {}
        self._planned: dict[int, Agenda] = {}
        self._suppressions: dict[tuple[str, int], Suppression] = {}
        self._suppressed_once: set[str] = set()
        self._log: dict[tuple[str, str], Matched] = {}
        self._began: dict[int, float] = {}
        self._seen: dict[str, float] = {}
        self._log_facts: dict[str, dict[str, str]] = {}
        self._denied: list[tuple[str, Denied]] = []
        self._passages: list[tuple[str, Try, int]] = []
        self._answers: dict[tuple[int, int], tuple[float, SendOutcome]] = {}
        self._halted_at: dict[str, int] = {}
        self._imports: dict[tuple[int, str], ImportCounts] = {}
        self._readings: dict[int, Reading] = {}
        self._scans: dict[str, list[LogScan]] = {}

    def _now(self) -> float:
        if self.unavailable:
            raise LedgerUnavailable("the ledger is closed")
        return self._clock.now()

    def _of_campaign(self, campaign_id: int, *states: AttemptState) -> list[Try]:
        found = [t for state in states for t in self._in_state[state].values() if t.campaign_id == campaign_id]
        return sorted(found, key=lambda t: t.attempt_id)

    def _new_try(self, person: Person, number_of: int, due_at: float, reason: str) -> Try:
        made = Try(len(self._tries) + 1, person.campaign_id, person, number_of, due_at, reason)
        self._tries[made.attempt_id] = self._numbered[person.contact_id, number_of] = made
        self._in_state[made.state][made.attempt_id] = made
        self._planned[made.campaign_id].add(due_at, made.attempt_id)
        return made

    def _move(self, moved: Try, after: AttemptState, actor: Actor, reason: str, told: str = "") -> bool:
        """Move an attempt if the table allows it, and append the event (``told``: its own words)."""
        before = moved.state
        if not allowed(before, after, actor):
            return False
        del self._in_state[before][moved.attempt_id]
        moved.state, moved.reason = after, reason
        self._in_state[after][moved.attempt_id] = moved
        if before not in LIVE and after in LIVE:
            assert moved.phone not in self._live_phones
            self._live_phones.add(moved.phone)
        elif before in LIVE and after not in LIVE:
            self._live_phones.remove(moved.phone)
        if after is AttemptState.PLANNED:
            self._planned[moved.campaign_id].add(moved.due_at, moved.attempt_id)
        moved.events.append(Event(moved.attempt_id, self._clock.now(), actor, before, after, told or reason))
        return True

    def _suppressed_by(self, phone: str, campaign_id: int) -> str:
        keys = [(name, owner) for owner in (0, campaign_id) for name in names_of(phone)]
        return next((self._suppressions[key].reason for key in keys if key in self._suppressions), "")

    def _made(self, new: NewContact) -> list[Made]:
        """What was called of a person, by key or by number, over all campaigns."""
        told = {row.attempt_id for row in self._log.values()}
        return [
            Made(t.dialed_at, t.state, t.disposition, t.ended_at)
            for t in self._tries.values()
            if t.dialed_at is not None
            and (t.person.new.person == new.person or t.phone == new.phone)
            and (t.state is not AttemptState.REFUSED or t.attempt_id in told)
        ]

    def _end_waiting(self, waiting: Iterable[Try], actor: Actor, reason: str) -> None:
        for ended in list(waiting):
            self._move(ended, AttemptState.CANCELLED, actor, reason)
            ended.ended_at = self._clock.now()

    def _close(self, person: Person, status: ContactStatus, why: str = "") -> None:
        person.status, person.due_at, person.waits_for = status, None, why

    def _has_live(self, person: Person) -> bool:
        return any(t.state in LIVE for t in self._tries_of(person))

    def _tries_of(self, person: Person) -> list[Try]:
        """Attempts of a contact are numbered from 1 without a gap."""
        found, number_of = [], 1
        while (one := self._numbered.get((person.contact_id, number_of))) is not None:
            found.append(one)
            number_of += 1
        return found

    def _follow_up(self, spent: Try, follow: Redial | Settle, disposition: Disposition) -> None:
        """Plan the redial, or settle the contact and end what still waits for it."""
        person, campaign = spent.person, self._campaigns[spent.campaign_id]
        if isinstance(follow, Redial) and follow.most:
            came_to = sum(t.disposition is disposition for t in self._tries_of(person))
            follow = Settle(ContactStatus.EXHAUSTED) if came_to >= follow.most else follow
        follow, why = after_call(campaign.spec, follow, _called(spent, self._clock.now()), self._clock.now())
        if isinstance(follow, Redial):
            if campaign.status is not CampaignStatus.CANCELLED:
                self._redial(spent, follow.due_at, why or follow.why or f"redial after {disposition}", disposition)
                return
            follow, why = Settle(ContactStatus.CANCELLED), ""
        late = person.status in (ContactStatus.EXHAUSTED, ContactStatus.EXPIRED)
        if person.is_open or (late and follow.status is ContactStatus.REACHED):
            self._close(person, follow.status, why)
            person.disposition, person.duration_s, person.call_id = disposition, spent.duration_s, spent.call_id
            waiting = [t for t in self._tries_of(person) if t.state in WAITING]
            self._end_waiting(waiting, Actor.RECONCILER, f"contact {follow.status}")

    def _redial(self, spent: Try, due_at: float, why: str, disposition: Disposition) -> None:
        person = spent.person
        if not person.is_open:
            return
        person.status, person.planned_for = ContactStatus.ACTIVE, person.new.event_at
        person.disposition, person.duration_s, person.call_id = disposition, spent.duration_s, spent.call_id
        if (person.contact_id, spent.number_of + 1) not in self._numbered:
            self._new_try(person, spent.number_of + 1, due_at, why)


def _called(spent: Try, now: float) -> Called:
    who, called_at = spent.person, now if spent.dialed_at is None else spent.dialed_at
    new = who.new
    return Called(new.zones, new.places, new.event_at, who.planned_for, who.gone, called_at, spent.number_of)
