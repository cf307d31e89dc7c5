"""A clock that stands still until it is told to move."""

import asyncio
import heapq
from collections.abc import Coroutine
from itertools import count
from typing import Any, TypeVar

T = TypeVar("T")

START = 1_790_000_000.0
"""Monday 2026-09-21 14:13:20 UTC."""


class ManualClock:
    """Virtual time. Sleepers wake in the order of their moments, each at exactly its own moment."""

    def __init__(self, start: float = START) -> None:
        self._start = self._now = start
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._turns = count()

    def now(self) -> float:
        """Unix seconds."""
        return self._now

    def monotonic(self) -> float:
        """Seconds since the clock was made."""
        return self._now - self._start

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock was moved that far."""
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now + max(0.0, seconds), next(self._turns), woken))
        if seconds <= 0:
            self._wake()
        await woken

    def skip(self, seconds: float) -> None:
        """Move time on at once; sleepers that are due run when the event loop does."""
        self._now += seconds
        self._wake()

    async def advance(self, seconds: float) -> None:
        """Move time on, stopping at every sleeper's moment to let it run."""
        end = self._now + seconds
        await _settled()
        while (moment := self._next()) is not None and moment <= end:
            self._now = max(self._now, moment)
            self._wake()
            await _settled()
        self._now = end

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run ``work`` to its end, jumping from one sleeper's moment to the next.

        Raises RuntimeError when it waits for something that no clock will bring.
        """
        task = asyncio.ensure_future(work)
        await _settled()
        while not task.done():
            moment = self._next()
            if moment is None:
                task.cancel()
                raise RuntimeError("everybody waits and nobody sleeps")
            self._now = max(self._now, moment)
            self._wake()
            await _settled()
        return task.result()

    def _next(self) -> float | None:
        while self._sleepers and self._sleepers[0][2].done():
            heapq.heappop(self._sleepers)
        return self._sleepers[0][0] if self._sleepers else None

    def _wake(self) -> None:
        while self._sleepers and self._sleepers[0][0] <= self._now:
            woken = heapq.heappop(self._sleepers)[2]
            if not woken.done():
                woken.set_result(None)


async def _settled() -> None:
    """Let everybody run who can, until all wait."""
    ready = getattr(asyncio.get_running_loop(), "_ready", None)
    await asyncio.sleep(0)
    for _ in range(100_000):
        if not ready:
            return
        await asyncio.sleep(0)
