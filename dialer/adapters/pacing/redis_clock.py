"""How far Redis's clock is from ours, bounded by every answer."""

import math
from dataclasses import dataclass, field

SURE_S = 0.005
GENERATION_S = 10.0


@dataclass(slots=True)
class _Bounds:
    lowest: float = -math.inf
    highest: float = math.inf

    def narrow(self, low: float, high: float) -> None:
        self.lowest, self.highest = max(self.lowest, low), min(self.highest, high)


@dataclass(slots=True)
class RedisClock:
    """Turns Redis's microseconds into our monotonic seconds; never early, late by at most an answer's way back."""

    _young: _Bounds = field(default_factory=_Bounds)
    _old: _Bounds = field(default_factory=_Bounds)
    _began: float = 0.0

    def note(self, sent: float, now_us: int, got: float) -> bool:
        """Take in an answer; False when it proves that Redis's clock was set (the bounds then start over)."""
        low, high = sent - now_us / 1e6, got - now_us / 1e6
        lowest, highest = self._both()
        if low > highest + SURE_S or high < lowest - SURE_S:
            self._young, self._old, self._began = _Bounds(low, high), _Bounds(), got
            return False
        if got - self._began > GENERATION_S:
            # Old bounds are forgotten, for two hosts' clocks drift apart.
            self._old, self._young, self._began = self._young, _Bounds(), got
        self._young.narrow(low, high)
        return True

    def local(self, redis_us: int) -> float:
        """The monotonic moment of a Redis time."""
        return redis_us / 1e6 + self._both()[1]

    @property
    def spread(self) -> float:
        """Seconds that ``local`` may be late by, at most."""
        lowest, highest = self._both()
        return max(0.0, highest - lowest)

    def _both(self) -> tuple[float, float]:
        young, old = self._young, self._old
        return max(young.lowest, old.lowest), min(young.highest, old.highest)
