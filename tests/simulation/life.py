"""A process that can die or stand still at any moment."""

import asyncio
from collections.abc import Callable, Coroutine
from random import Random
from typing import Any

from tests.fakes.clock import ManualClock
from tests.simulation.faults import Faults


class Killed(BaseException):
    """The process is gone: whatever its code still does has no effect."""


class Life:
    """One process from start to death. Every port handed to its rooms asks it first."""

    def __init__(self, name: str, clock: ManualClock, faults: Faults, dice: Random) -> None:
        self.name, self.clock, self._faults, self._dice = name, clock, faults, dice
        self.dead = False
        self.mortal = True
        self.held_until = 0.0
        self.on_error: Callable[[str, BaseException], None] = lambda _name, _error: None
        self._tasks: dict[asyncio.Task[Any], None] = {}

    def check(self) -> None:
        """Raises Killed for a dead process."""
        if self.dead:
            raise Killed(self.name)

    async def rest(self) -> None:
        """Go on only when alive and not standing still."""
        self.check()
        while (left := self.held_until - self.clock.now()) > 0:
            await self.clock.sleep(left)
            self.check()

    async def sleep(self, seconds: float) -> None:
        """Sleep as a process does: a stopped one wakes late, a dead one never."""
        self.check()
        if seconds > 0:
            await self.clock.sleep(seconds)
        await self.rest()

    def passing(self, point: str) -> None:
        """The checkpoint of every room: sometimes the last one."""
        self.check()
        if self.mortal and self._faults.strikes(self._dice, self._faults.rates.dies_at_point, "killed at a point"):
            self._faults.happened[f"at {point}"] += 1
            self.kill()
            raise Killed(f"{self.name} at {point}")

    def stall(self, seconds: float) -> None:
        """Stand still from now on."""
        self.held_until = max(self.held_until, self.clock.now() + seconds)

    def kill(self) -> None:
        """Nothing of this process happens any more."""
        self.dead = True
        for task in list(self._tasks):
            if task is not asyncio.current_task():
                task.cancel()

    def spawn(self, work: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
        """Run ``work`` in this process."""
        task = asyncio.ensure_future(work)
        self._tasks[task] = None
        task.add_done_callback(self._over)
        return task

    @property
    def busy(self) -> int:
        """How many tasks run in it."""
        return len(self._tasks)

    def _over(self, task: "asyncio.Task[Any]") -> None:
        del self._tasks[task]
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self.on_error(self.name, error)


class WorldClock(ManualClock):
    """Time always moves on: at this size of number, the smallest differences add nothing."""

    async def sleep(self, seconds: float) -> None:
        """Wait a microsecond at least, or not at all."""
        await super().sleep(max(seconds, 1e-6) if seconds > 0 else 0.0)


class LifeClock:
    """The clock of one process."""

    def __init__(self, life: Life) -> None:
        self._life = life

    def now(self) -> float:
        self._life.check()
        return self._life.clock.now()

    def monotonic(self) -> float:
        self._life.check()
        return self._life.clock.monotonic()

    async def sleep(self, seconds: float) -> None:
        await self._life.sleep(seconds)
