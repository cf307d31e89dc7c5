"""When a contact is due, by all that its campaign says: the reminders, the end, and what the source says of it."""

from dataclasses import dataclass

from dialer.domain.campaign import CampaignSpec
from dialer.domain.contact import ContactStatus
from dialer.domain.opening import UNKNOWN_ZONE, Closed, Open, window_at
from dialer.domain.redial import Redial, Settle
from dialer.domain.reminder import MOVED, Moment, NoMoment, Opening, after_reminder, next_reminder

GONE = "no longer in the source"
ENDED = "the campaign has ended"
UNCALLABLE = frozenset({ContactStatus.INVALID, ContactStatus.SUPPRESSED, ContactStatus.CANCELLED})


@dataclass(frozen=True, slots=True)
class Called:
    """What the ledger knows of a contact when a call to it is over. Times are unix seconds.

    ``planned_for`` is the appointment that the call was planned for; ``gone``: the source has it no longer.
    """

    zones: tuple[str, ...]
    places: tuple[str, ...]
    event_at: float | None
    planned_for: float | None
    gone: bool
    called_at: float
    number_of: int


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


def after_call(spec: CampaignSpec, follow: Redial | Settle, who: Called, now: float) -> tuple[Redial | Settle, str]:
    """What really follows a call, where the redial rules say ``follow``; and the reason, if it is another."""
    if isinstance(follow, Settle) and follow.status in UNCALLABLE:
        return follow, ""
    ended = spec.schedule.end is not None and now >= spec.schedule.end
    if who.gone or ended:
        if isinstance(follow, Settle):
            return follow, ""
        return (Settle(ContactStatus.CANCELLED), GONE) if who.gone else (Settle(ContactStatus.EXPIRED), ENDED)
    if not spec.reminder.event or who.event_at is None:
        return follow, ""
    if who.planned_for != who.event_at:
        return _moved(spec, follow, who, now)
    opening, left = opening_of(spec, who.zones, who.places), spec.redial.max_attempts - who.number_of
    return after_reminder(follow, spec.reminder.before_s, who.event_at, opening, now, who.called_at, left)


def _moved(spec: CampaignSpec, follow: Redial | Settle, who: Called, now: float) -> tuple[Redial | Settle, str]:
    """The appointment was moved during the call: what was said is about another time."""
    match first_due(spec, who.zones, who.places, who.event_at, now, called_at=now):
        case Moment(at, why):
            return Redial(at), f"{MOVED}: {why}"
        case NoMoment(why):
            return (follow, "") if isinstance(follow, Settle) else (Settle(ContactStatus.EXPIRED), why)
