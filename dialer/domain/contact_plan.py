"""When a contact is due, by all that its campaign says: the reminders, the end, and what the source says of it."""

from dataclasses import dataclass
from enum import Enum

from dialer.domain.campaign import CampaignSpec
from dialer.domain.contact import OPEN_CONTACTS, ContactStatus, NewContact
from dialer.domain.gate import ENDED
from dialer.domain.opening import UNKNOWN_ZONE, Closed, Open, window_at
from dialer.domain.redial import Redial, Settle
from dialer.domain.reminder import MOVED, Moment, NoMoment, Opening, after_reminder, next_reminder

GONE = "no longer in the source"
STOPPED = "stopped by the operator"
UNCALLABLE = frozenset({ContactStatus.INVALID, ContactStatus.SUPPRESSED, ContactStatus.CANCELLED})


@dataclass(frozen=True, slots=True)
class Called:
    """What the ledger knows of a contact when a call to it is over. Times are unix seconds.

    ``planned_for`` is the appointment that the call was planned for; ``gone``: the source has it no longer.
    ``came_to_this``: how many of its attempts came to what the call came to. ``stopped``: an operator said meanwhile
    that this person is called no more.
    """

    zones: tuple[str, ...]
    places: tuple[str, ...]
    event_at: float | None
    planned_for: float | None
    gone: bool
    called_at: float
    attempts_made: int
    came_to_this: int = 0
    stopped: bool = False


def opening_of(spec: CampaignSpec, zones: tuple[str, ...], places: tuple[str, ...]) -> Opening:
    """The person's calling window. Who has no known zone is left to the feeder, which holds and shows them."""

    def opening(at: float) -> float | None:
        match window_at(spec.window, spec.zones_of(zones), at, places):
            case Open():
                return at
            case Closed(None, reason) if reason == UNKNOWN_ZONE:
                return at
            case Closed(opens_at, _):
                return opens_at

    return opening


def first_due(
    spec: CampaignSpec,
    zones: tuple[str, ...],
    places: tuple[str, ...],
    event_at: float | None,
    now: float,
    called_at: float | None = None,
) -> Moment | NoMoment:
    """When to call a person next; at once where no appointment says otherwise. ``called_at`` as for next_reminder."""
    if not spec.reminder.event or event_at is None:
        return Moment(now, "")
    return next_reminder(spec.reminder.before_s, event_at, opening_of(spec, zones, places), now, called_at)


def what_follows(
    spec: CampaignSpec, follow: Redial | Settle, who: Called, now: float, *, cancelled: bool
) -> tuple[Redial | Settle, str]:
    """As ``after_call``; who came to the same too often is given up, and a ``cancelled`` campaign plans nothing."""
    if isinstance(follow, Redial) and follow.most and who.came_to_this >= follow.most:
        follow = Settle(ContactStatus.EXHAUSTED)
    follow, why = after_call(spec, follow, who, now)
    return (Settle(ContactStatus.CANCELLED), "") if cancelled and isinstance(follow, Redial) else (follow, why)


def after_call(spec: CampaignSpec, follow: Redial | Settle, who: Called, now: float) -> tuple[Redial | Settle, str]:
    """What really follows a call, where the redial rules say ``follow``; and the reason, if it is another."""
    if isinstance(follow, Settle) and follow.status in UNCALLABLE:
        return follow, ""
    ended = spec.schedule.end is not None and now >= spec.schedule.end
    if who.gone or who.stopped or ended:
        if isinstance(follow, Settle):
            return follow, ""
        if who.gone or who.stopped:
            return Settle(ContactStatus.CANCELLED), STOPPED if who.stopped else GONE
        return Settle(ContactStatus.EXPIRED), ENDED
    if not spec.reminder.event or who.event_at is None:
        return follow, ""
    if who.planned_for != who.event_at:
        return _moved(spec, follow, who, now)
    opening, left = opening_of(spec, who.zones, who.places), spec.redial.max_attempts - who.attempts_made
    return after_reminder(follow, spec.reminder.before_s, who.event_at, opening, now, who.called_at, left)


def _moved(spec: CampaignSpec, follow: Redial | Settle, who: Called, now: float) -> tuple[Redial | Settle, str]:
    """The appointment was moved during the call: what was said is about another time."""
    match first_due(spec, who.zones, who.places, who.event_at, now, called_at=now):
        case Moment(at, why):
            return Redial(at), f"{MOVED}: {why}"
        case NoMoment(why):
            return (follow, "") if isinstance(follow, Settle) else (Settle(ContactStatus.EXPIRED), why)


class Replan(Enum):
    """What happens to a changed contact's plan, where it is not planned afresh."""

    KEEP = "keep"
    """What waits, waits on."""
    LATER = "later"
    """Not even the data is taken over now; the next reading finds it changed again."""


@dataclass(frozen=True, slots=True)
class Renewal:
    """A contact that the source has changed. ``key`` and ``status`` are from before, and
    ``attempts``, unless another person has the number now, who had none.

    ``moved``: its appointment has another time; ``elsewhere``: it may be in other zones or places; ``gone``: the source
    had lost it; ``busy``: a call is open; ``dialing``: and may yet turn out not placed; ``stopped``: an operator said
    that this person is called no more.
    """

    key: str
    moved: bool
    elsewhere: bool
    status: ContactStatus
    attempts: int
    gone: bool
    busy: bool
    dialing: bool
    stopped: bool = False

    def after(self, plan: Moment | NoMoment) -> ContactStatus:
        """The contact's status once it is planned so."""
        if isinstance(plan, Moment):
            return ContactStatus.ACTIVE if self.attempts else ContactStatus.PENDING
        return ContactStatus.EXPIRED if self.status in OPEN_CONTACTS else self.status


def renewal_of(spec: CampaignSpec, before: Renewal, new: NewContact, now: float) -> Moment | NoMoment | Replan:
    """Whether what a contact waits for is planned afresh.

    Another key is another person, who is called from the start. A moved appointment gets its reminders again, also
    if the person was reached about the former time; reminders that had passed are made up for only where nobody called
    yet. Who came back into the source after being cancelled is called again.
    """
    another = before.key != new.key
    if before.status in (ContactStatus.SUPPRESSED, ContactStatus.INVALID) or (before.stopped and not another):
        return Replan.KEEP
    if before.busy:
        return Replan.LATER if another or before.dialing else Replan.KEEP
    back = before.gone and before.status is ContactStatus.CANCELLED
    reminds = bool(spec.reminder.event)
    waits = before.status in OPEN_CONTACTS
    if not (
        another
        or back
        or (reminds and before.moved)
        or (waits and before.elsewhere and (reminds or not before.attempts))
    ):
        return Replan.KEEP
    called_at = now if before.attempts else None
    return first_due(spec, new.zones, new.places, new.event_at, now, called_at)
