"""Time, handed in: everything the simulator says about a call is computed from the books and ``now``."""

import time
from typing import Protocol


class Clock(Protocol):
    """What the simulator asks of a clock."""

    def now(self) -> float:
        """Unix seconds, UTC."""
        ...


class RealClock:
    """The machine's clock."""

    def now(self) -> float:
        """Unix seconds, UTC."""
        return time.time()  # noqa: TID251 - this is the one place the machine's clock is read


class VirtualClock:
    """A clock that stands still until it is told to advance, for tests that must not wait."""

    def __init__(self, start: float = 1_790_000_000.0) -> None:
        self._now = start

    def now(self) -> float:
        """Unix seconds, UTC."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass at once; time never runs backwards."""
        if seconds < 0:
            raise ValueError("time does not run backwards")
        self._now += seconds
