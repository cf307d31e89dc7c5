"""The arithmetic of pacing: how far apart calls are, how a rate recovers, how many lines a rate needs."""

import math
from dataclasses import dataclass

GUARD_US = 5_000
"""Each interval is stretched so that a rolling second keeps its count when a call is late by up to this much."""

CUT = 0.85
RECOVERY_S = 30.0
FLOOR = 0.25
"""Of the configured rate. Refusals that come by chance, and not of the rate, would drive a lower one down to it."""
BACK_OFF_FIRST_S = 1.0
BACK_OFF_LONGEST_S = 60.0


def interval_us(calls_per_second: float, guard_us: int = GUARD_US) -> int:
    """Microseconds from one call to the next, rounded up; 0 when there is no limit (rate 0)."""
    if calls_per_second <= 0:
        return 0
    return math.ceil((1_000_000 + guard_us) / calls_per_second)


def window(calls_per_second: float, guard_us: int = GUARD_US) -> tuple[int, int]:
    """``(n, us)``: at most n calls in any ``us`` microseconds; (0, 0) when there is no limit."""
    if calls_per_second <= 0:
        return 0, 0
    calls = max(1, math.floor(calls_per_second))
    return calls, calls * interval_us(calls_per_second, guard_us)


def multiplier(before: float, seconds: float) -> float:
    """The part of the configured rate in use ``seconds`` after a brake ended; ``before``: the part at the brake.

    Cubic: 85 % of ``before`` at first, back at ``before`` after 30 s, flat there, then probing upwards to 1.
    """
    bend = (max(0.0, seconds) / RECOVERY_S - 1.0) ** 3
    return min(1.0, max(FLOOR, before * (1.0 + (1.0 - CUT) * bend)))


@dataclass(slots=True)
class BackOff:
    """How long to stop an account whose provider names no time: 1 s, doubling to 60 s while nothing gets through.

    Refusals that arrive while it is stopped report the same event again and count once.
    """

    last_s: float = 0.0
    until: float = -math.inf

    def refused(self, now: float) -> float:
        """Seconds to stop from ``now`` on; 0 when it is stopped already."""
        if now < self.until:
            return 0.0
        self.last_s = min(BACK_OFF_LONGEST_S, 2 * self.last_s) if self.last_s else BACK_OFF_FIRST_S
        self.until = now + self.last_s
        return self.last_s

    def accepted(self) -> None:
        """A call got through: the next refusal starts from the beginning."""
        self.last_s = 0.0


def holding_s(answer_rate: float, talk_s: float, ring_s: float) -> float:
    """Mean seconds a call holds its line; ``answer_rate`` is between 0 and 1."""
    return answer_rate * talk_s + (1.0 - answer_rate) * ring_s


def lines_needed(calls_per_second: float, mean_holding_s: float) -> int:
    """Lines in use at that rate, by Little's law, rounded up."""
    return math.ceil(calls_per_second * mean_holding_s)


def line_limited_rate(lines: int, mean_holding_s: float) -> float:
    """Calls per second that keep ``lines`` lines busy, by Little's law; 0 when no line limits (0 lines)."""
    return lines / mean_holding_s if lines > 0 and mean_holding_s > 0 else 0.0
