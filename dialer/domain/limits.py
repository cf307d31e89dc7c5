"""How often one person may be called, over all campaigns.

Pure: the caller brings what was called before, read in the same critical section that reserves the next call.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from dialer.domain.attempt import LIVE, AttemptState
from dialer.domain.calling_window import CallingWindow
from dialer.domain.country_rules import AttemptCap, caps_for
from dialer.domain.disposition import Disposition

DAY_S = 86_400.0
SETTLE_S = 60.0
"""A phone may ring up to this long after its intent was written, and the first call of a rolling period may have
rung late while the next one rings at once: each period is so much longer."""
ON_THE_WIRE_S = 60.0
FREE_AT = ": free at "
"""Stands in the reason between what limits a person and until when."""


@dataclass(frozen=True, slots=True)
class PersonLimits:
    """Most attempts on one person in any rolling day, 7 days and 30 days, and ever; 0: no limit.

    ``silence_s``: seconds without a call after a conversation, ``refusal_silence_s`` after a call was turned down,
    ``spacing_s`` after any call. The person is the key of the list where it has one, else the number.
    """

    per_day: int = 2
    per_7_days: int = 3
    per_30_days: int = 6
    lifetime: int = 10
    silence_s: float = 0.0
    refusal_silence_s: float = 0.0
    spacing_s: float = 0.0


UNLIMITED = PersonLimits(0, 0, 0, 0)

PRESETS: dict[str, PersonLimits] = {
    "default": PersonLimits(),
    # 12 CFR 1006.14: 7 in 7 days for each debt, then none for 7 days after a conversation.
    "reg_f": PersonLimits(0, 7, 0, 0, silence_s=7 * DAY_S),
    # Florida, Oklahoma: 3 in 24 h; federal: 3 prerecorded calls in 30 days to a home.
    "us_strict": PersonLimits(3, 0, 3, 0),
    # Code de la consommation D223-9: 4 in 30 days, none for 60 days after a refusal. A log does not say whether
    # a conversation was one, so each counts.
    "fr": PersonLimits(0, 0, 4, 0, silence_s=60 * DAY_S, refusal_silence_s=60 * DAY_S),
    # Ofcom: 72 h after a dropped or silent call. A log does not say which were, so each counts.
    "uk": PersonLimits(0, 0, 0, 0, spacing_s=3 * DAY_S),
    # Two for each appointment; what comes after it is up to [reminder].
    "reminder": PersonLimits(2, 0, 0, 0),
}
"""``[limits] preset``; explicit keys stand above it."""


@dataclass(frozen=True, slots=True)
class Made:
    """An attempt that counts: not one that provably placed nothing. Times are unix seconds."""

    dialed_at: float
    state: AttemptState
    disposition: Disposition | None = None
    ended_at: float | None = None

    @property
    def over_at(self) -> float:
        """When it was over, if known."""
        return max(self.dialed_at, self.ended_at or 0.0)


@dataclass(frozen=True, slots=True)
class Wait:
    """A limit is reached; the person may be called again at ``until`` (unix seconds)."""

    until: float
    why: str


@dataclass(frozen=True, slots=True)
class Spent:
    """The person may never be called again."""

    why: str


def place_caps(window: CallingWindow, places: tuple[str, ...]) -> tuple[AttemptCap, ...]:
    """The caps that the country rules set for a person who may be in ``places``."""
    return caps_for(places, window.also_rules) if window.rules != "off" else ()


def cap_on(
    limits: PersonLimits, made: Sequence[Made], now: float, caps: Sequence[AttemptCap] = ()
) -> Wait | Spent | None:
    """Whether a person with these calls must be left alone at ``now``, and until when; None: may be called.

    ``caps`` are those of the rules of the places where the person may be; all of them hold beside ``limits``.

    A call that is on the wire counts, but may yet turn out not placed: nobody is put off for long, or for good,
    because of it.
    """
    if not made or (limits == UNLIMITED and not caps):
        return None
    settled = [one for one in made if one.state is not AttemptState.DIALING]
    capped = _cap(limits, settled, now, caps)
    if capped is None and len(settled) < len(made) and _cap(limits, made, now, caps) is not None:
        return Wait(now + ON_THE_WIRE_S, "another call to this person is being placed")
    if capped is None and limits.silence_s and any(one.state in LIVE for one in made):
        return Wait(now + ON_THE_WIRE_S, "another call to this person is open")
    return capped


def _cap(limits: PersonLimits, made: Sequence[Made], now: float, caps: Sequence[AttemptCap]) -> Wait | Spent | None:
    if 0 < limits.lifetime <= len(made):
        return Spent(f"{_calls(len(made))} already: the lifetime limit is {limits.lifetime}")
    waits = [wait for wait in (*_too_many(limits, made, caps), *_too_soon(limits, made)) if wait.until > now]
    if not waits:
        return None
    last = max(waits, key=lambda wait: wait.until)
    return Wait(last.until, f"{last.why}{FREE_AT}{datetime.fromtimestamp(last.until, UTC):%Y-%m-%d %H:%M} UTC")


def _too_many(limits: PersonLimits, made: Sequence[Made], caps: Sequence[AttemptCap]) -> Iterable[Wait]:
    newest_first = sorted((one.dialed_at for one in made), reverse=True)
    periods = [
        (limits.per_day, DAY_S, ""),
        (limits.per_7_days, 7 * DAY_S, ""),
        (limits.per_30_days, 30 * DAY_S, ""),
        *((cap.attempts, cap.within_s, f" ({cap.rule})") for cap in caps),
    ]
    for most, within_s, rule in periods:
        if 0 < most <= len(newest_first):
            why = f"{_calls(most)} in {_span(within_s)} already{rule}"
            yield Wait(newest_first[most - 1] + within_s + SETTLE_S, why)


def _too_soon(limits: PersonLimits, made: Sequence[Made]) -> Iterable[Wait]:
    for one in made:
        if limits.spacing_s:
            yield Wait(one.dialed_at + limits.spacing_s + SETTLE_S, f"called less than {_span(limits.spacing_s)} ago")
        if limits.silence_s and one.disposition is Disposition.ANSWERED:
            yield Wait(one.over_at + limits.silence_s, f"silence of {_span(limits.silence_s)} after a conversation")
        if limits.refusal_silence_s and one.disposition is Disposition.REJECTED:
            yield Wait(
                one.over_at + limits.refusal_silence_s, f"silence of {_span(limits.refusal_silence_s)} after a refusal"
            )


def _calls(count: int) -> str:
    return "1 call" if count == 1 else f"{count} calls"


def _span(seconds: float) -> str:
    """In the largest unit that is whole."""
    for unit_s, unit in ((DAY_S, "days"), (3600.0, "h"), (60.0, "min")):
        if seconds >= 2 * unit_s and seconds % unit_s == 0:
            return f"{seconds / unit_s:g} {unit}"
    return f"{seconds:g} s"
