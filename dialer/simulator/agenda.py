"""What is to happen later, on the simulator's clock: campaigns that dial, webhooks, sessions that run out."""

import asyncio
import heapq
from collections.abc import Callable
from itertools import count

Action = Callable[[float], None]
"""What happens, given the moment it was planned for, in unix seconds."""


class Agenda:
    """Actions in order of time. Whoever looks at the clock lets those happen that are due, each at its own time."""

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
