"""The gate: may this attempt be dialed at this moment?

Pure: the ledger reads the facts inside one critical section, asks, and applies the verdict in the same
transaction, so nothing can change between the question and the intent.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from dialer.domain.attempt import AttemptState
from dialer.domain.calling_window import CallingWindow
from dialer.domain.campaign import CampaignStatus
from dialer.domain.limits import UNLIMITED, Made, PersonLimits, Spent, Wait, cap_on, place_caps
from dialer.domain.opening import Closed, Open, window_at
from dialer.domain.other_hour import next_other_hour

PASSED = "the appointment has passed"
ENDED = "the campaign has ended"
REACHED_ELSEWHERE = "the person was reached on another number"
UNSIGHTED_OPENING_S = 24 * 3600.0
BUSY_NUMBER_S = 60.0


@dataclass(frozen=True, slots=True)
class GateFacts:
    """What the ledger knows about an attempt at the moment of dialing."""

    state: AttemptState
    dispatch: int
    due_at: float
    campaign_status: CampaignStatus
    suppressed_by: str
    """Why the number is suppressed; empty when it is not."""
    number_is_live: bool
    """Whether another call to the number is open."""
    zones: tuple[str, ...]
    window: CallingWindow
    places: tuple[str, ...] = ()
    limits: PersonLimits = UNLIMITED
    made: Sequence[Made] = ()
    """What was called before of this person, over all campaigns."""
    other_hour: bool = False
    """Whether no hour of the day is tried twice."""
    event_at: float | None = None
    """The appointment that the call is about."""
    ends_at: float | None = None
    """When the campaign ends."""
    person_is_live: bool = False
    """Whether a call to another number of the person is open."""
    person_reached: bool = False
    """Whether the person was reached on another number of the campaign, about the same."""


@dataclass(frozen=True, slots=True)
class Admit:
    """Dial now; ``why`` is recorded with the attempt."""

    why: str


@dataclass(frozen=True, slots=True)
class Defer:
    """Not now: try again at ``until`` (unix seconds). Nothing is spent."""

    until: float
    why: str
    clock: str = ""
    """What the clocks said, for the event."""


@dataclass(frozen=True, slots=True)
class Suppress:
    """The number is on the suppression list: the attempt and its contact end here."""

    why: str


@dataclass(frozen=True, slots=True)
class Exhaust:
    """The person may never be called again: the attempt and its contact end here."""

    why: str


@dataclass(frozen=True, slots=True)
class Expire:
    """It is too late for the call: the attempt and its contact end here."""

    why: str


@dataclass(frozen=True, slots=True)
class Settle:
    """The call is not needed any more: the attempt and its contact end here."""

    why: str


@dataclass(frozen=True, slots=True)
class Stale:
    """This hand-over is void (already dialed, taken back, or handed over again). Nothing happens."""

    why: str


Verdict = Admit | Defer | Suppress | Exhaust | Expire | Settle | Stale


class Question(Protocol):
    """What a worker asks with: the number of its hand-over, and until when its line is its own."""

    @property
    def dispatch(self) -> int: ...
    @property
    def granted_until(self) -> float: ...


def judge(facts: GateFacts, question: Question, now: float) -> Verdict:
    """Decide about one attempt at ``now`` (unix seconds)."""
    if facts.state is not AttemptState.QUEUED or facts.dispatch != question.dispatch:
        return Stale(f"attempt is {facts.state}, dispatch {facts.dispatch}")
    if facts.suppressed_by:
        return Suppress(f"suppressed: {facts.suppressed_by}")
    if facts.person_reached:
        return Settle(REACHED_ELSEWHERE)
    if late := _too_late(facts, now):
        return Expire(late)
    if facts.campaign_status is not CampaignStatus.RUNNING:
        return Defer(now, f"campaign {facts.campaign_status}")
    if now > question.granted_until:
        return Defer(now, "its worker stood still: the line may be gone")
    if facts.number_is_live:
        return Defer(now + BUSY_NUMBER_S, "another call to this number is open")
    if facts.person_is_live:
        return Defer(now + BUSY_NUMBER_S, "another call to this person is open")
    if facts.due_at > now:
        return Defer(facts.due_at, "not due yet")
    match window_at(facts.window, facts.zones, now, facts.places):
        case Closed(opens_at, reason, clock):
            return Defer(opens_at if opens_at is not None else now + UNSIGHTED_OPENING_S, reason, clock)
        case Open(why):
            pass
    return _left_alone(facts, now) or Admit(why)


def _left_alone(facts: GateFacts, now: float) -> Defer | Exhaust | None:
    """What was called before may speak against it."""
    match cap_on(facts.limits, facts.made, now, place_caps(facts.window, facts.places)):
        case Wait(until, reason):
            return Defer(until, reason)
        case Spent(reason):
            return Exhaust(reason)
        case None:
            another = _another_hour(facts, now)
            return None if another is None else Defer(another, "called at this hour of the day before")


def _another_hour(facts: GateFacts, now: float) -> float | None:
    if not facts.other_hour or not facts.made:
        return None

    def is_open(at: float) -> bool:
        return isinstance(window_at(facts.window, facts.zones, at, facts.places), Open)

    zone = (*facts.window.zones_of(facts.zones), "UTC")[0]
    return next_other_hour((made.dialed_at for made in facts.made), zone, now, is_open)


def _too_late(facts: GateFacts, now: float) -> str:
    if facts.event_at is not None and now >= facts.event_at:
        return PASSED
    return ENDED if facts.ends_at is not None and now >= facts.ends_at else ""
