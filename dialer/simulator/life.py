"""The life of one call, planned whole when it is accepted and read back lazily (wire contract, section 3.14).

accepted -> dialing -> ringing -> answered -> ended. A busy or failed call never rings; a rejected or unanswered
one rings and is not answered; a machine's pick-up looks answered, and short.
"""

from dataclasses import dataclass
from random import Random

from dialer.simulator.options import Options, Range

RINGS = frozenset({"answered", "voicemail", "no_answer", "rejected"})
PICKED_UP = frozenset({"answered", "voicemail"})


@dataclass(frozen=True, slots=True)
class Life:
    """When each thing happens, in unix seconds; None for what never does."""

    outcome: str
    accepted_at: float
    dialing_at: float
    ringing_at: float | None
    answered_at: float | None
    ended_at: float

    @property
    def talk_s(self) -> float:
        """Seconds between pick-up and end; 0 when nobody picked up."""
        return 0.0 if self.answered_at is None else self.ended_at - self.answered_at

    def state(self, now: float) -> str:
        """``accepted``, ``dialing``, ``ringing``, ``answered`` or ``ended``."""
        if now >= self.ended_at:
            return "ended"
        if self.answered_at is not None and now >= self.answered_at:
            return "answered"
        if self.ringing_at is not None and now >= self.ringing_at:
            return "ringing"
        return "dialing" if now >= self.dialing_at else "accepted"


def plan(options: Options, dice: Random, to: str, accepted_at: float) -> Life:
    """Draw the whole life of a call to ``to``; the same dice draw the same life."""
    outcome = _outcome(options, dice, to)
    dialing = accepted_at + _between(dice, options.start_delay_s)
    reached = dialing + _between(dice, options.dial_s)
    ringing = reached if outcome in RINGS else None
    stopped = reached if ringing is None else reached + _between(dice, _ring(options, outcome))
    answered = stopped if outcome in PICKED_UP else None
    talk = _between(dice, options.voicemail_s if outcome == "voicemail" else options.talk_s)
    ended = stopped if answered is None else answered + talk
    return Life(outcome, accepted_at, dialing, ringing, answered, ended)


def _outcome(options: Options, dice: Random, to: str) -> str:
    drawn = dice.choices(list(options.outcomes), list(options.outcomes.values()))[0]
    endings = [ending for ending in options.outcome_by_number if to.endswith(ending)]
    return options.outcome_by_number[max(endings, key=len)] if endings else drawn


def _ring(options: Options, outcome: str) -> Range:
    return options.no_answer_ring_s if outcome == "no_answer" else options.ring_s


def _between(dice: Random, bounds: Range) -> float:
    return dice.uniform(*bounds)
