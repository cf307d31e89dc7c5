"""When to call a person about an appointment, and when no more.

Each moment of ``[reminder] before`` is moved on to the next one at which a call may start, never past the event; two
that come to the same moment are one. A moment that had passed when the appointment became known is made up for as
soon as a call may start, unless the person was called already. Redials fill what ``max_attempts`` leaves beside the
moments that are still to come, and never pass the event either.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dialer.domain.contact import ContactStatus
from dialer.domain.gate import PASSED
from dialer.domain.redial import Redial, Settle

Opening = Callable[[float], float | None]
"""The first moment from a given one on (unix seconds) at which a call may start; None when there is none in sight."""

NO_HOUR = "no open hour is left before the appointment"
NOTHING_LEFT = "no reminder is left before the appointment"
MOVED = "the appointment was moved"

FINAL = frozenset({ContactStatus.REACHED, ContactStatus.SUPPRESSED, ContactStatus.INVALID, ContactStatus.CANCELLED})
"""What a call may come to that no reminder follows."""


@dataclass(frozen=True, slots=True)
class Moment:
    """Call at ``at`` (unix seconds); ``why`` says which reminder it is, and which others are left out."""

    at: float
    why: str


@dataclass(frozen=True, slots=True)
class NoMoment:
    """There is no reminder to make, and why."""

    why: str


def next_reminder(
    before_s: Sequence[float], event_at: float, opening: Opening, now: float, called_at: float | None = None
) -> Moment | NoMoment:
    """The next reminder of an appointment. All times are unix seconds.

    ``called_at`` is when the person was last called: reminders up to then are done. None: not called yet.
    """
    coming, shut = _coming(before_s, event_at, opening, now, called_at)
    if not coming:
        return NoMoment(PASSED if now >= event_at else NO_HOUR if shut else NOTHING_LEFT)
    at = min(coming)
    left_out = f"; left out for want of an open hour: {', '.join(map(span, shut))} before" if shut else ""
    return Moment(at, f"{span(coming[at])} before the appointment{left_out}")


def after_reminder(
    follow: Redial | Settle,
    before_s: Sequence[float],
    event_at: float,
    opening: Opening,
    now: float,
    called_at: float,
    attempts_left: int,
) -> tuple[Redial | Settle, str]:
    """What really follows a call, where the rules for any campaign say ``follow``; and the reason.

    ``attempts_left`` is how many more the contact may have; the reminders still to come have the first right to them.
    """
    if isinstance(follow, Settle) and follow.status in FINAL:
        return follow, ""
    coming, shut = _coming(before_s, event_at, opening, now, called_at)
    redial_at = opening(max(follow.due_at, now)) if isinstance(follow, Redial) else None
    if redial_at is not None and attempts_left > len(coming) and redial_at < min([event_at, *coming]):
        return Redial(redial_at), ""
    if coming:
        at = min(coming)
        return Redial(at), f"{span(coming[at])} before the appointment"
    if isinstance(follow, Settle):
        return follow, ""
    return Settle(ContactStatus.EXPIRED), PASSED if now >= event_at else NO_HOUR if shut else NOTHING_LEFT


def _coming(
    before_s: Sequence[float], event_at: float, opening: Opening, now: float, called_at: float | None
) -> tuple[dict[float, float], list[float]]:
    """Moment -> the reminder it stands for (the one nearest the event); and the reminders that are left out."""
    coming: dict[float, float] = {}
    shut: list[float] = []
    for before in sorted(before_s, reverse=True):
        meant = opening(event_at - before)
        if meant is not None and called_at is not None and meant <= called_at:
            continue
        at = None if meant is None else opening(max(meant, now))
        if at is None or at >= event_at:
            shut.append(before)
        else:
            coming[at] = before
    return coming, shut


def span(seconds: float) -> str:
    """``"24h"``, ``"90m"``, ``"45s"``: the largest unit that leaves no fraction."""
    for unit, size in (("d", 86400.0), ("h", 3600.0), ("m", 60.0)):
        if seconds >= size and seconds % size == 0 and not (unit == "d" and seconds == size):
            return f"{seconds / size:g}{unit}"
    return f"{seconds:g}s"
