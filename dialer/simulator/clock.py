"""Time, handed in, and what is to happen later: campaigns that dial, webhooks, sessions that run out."""

import asyncio
import heapq
import time
from collections.abc import Callable
from itertools import count
from typing import Protocol

Action = Callable[[float], None]
"""What happens, given the moment it was planned for, in unix seconds."""


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


class Agenda:
    """Actions in order of time. Looking at the clock runs those that are due, each at its own time."""

    def __init__(self) -> None:
        self._planned: list[tuple[float, int, Action]] = []
        self._order = count()
        self.filled = asyncio.Event()

    def at(self, when: float, action: Action) -> None:
        """Plan ``action`` for ``when``, unix seconds; what is planned first for one moment happens first."""
        heapq.heappush(self._planned, (when, next(self._order), action))
        self.filled.set()

    def run(self, now: float) -> None:
        """Let everything happen that is due by ``now``, also what is planned meanwhile."""
        while self._planned and self._planned[0][0] <= now:
            when, _, action = heapq.heappop(self._planned)
            action(when)
        if not self._planned:
            self.filled.clear()
