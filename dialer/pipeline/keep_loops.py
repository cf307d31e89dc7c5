"""What one process of the fleet does for all: feed, keep the calendar, read sources, read each account's log.

Each of these loops is held by one process under a lease in the ledger, and runs in a task of its own: one that hangs
or fails holds up no other. The holder renews its lease; when its process stops, freezes or is cut off, another
takes the loop over.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import structlog

from dialer.errors import LedgerUnavailable, QueueUnavailable
from dialer.ports import Clock, Leases

log = structlog.get_logger()

LEASE_S, RENEW_S = 2.0, 0.5
"""Long enough for a few renewals that fail, and short enough for others to go on within five seconds."""
STOP_MARGIN_S = 0.5
"""So long before its lease ends a process that could not renew it stops: nobody else can hold it yet."""
LATE_S = 10.0
"""So long a process goes on that has not heard yet whether its lease was renewed.

On a machine that is busy with other work the answer comes late, and most often it is that nobody else took the loop.
A process that hears that another has it stops at once.
"""
FIRST_REST_S, LONGEST_REST_S = 1.0, 30.0
FREE_WITHIN_S = 1.0


@dataclass(frozen=True, slots=True)
class Loop:
    """``tick`` does one round, which must end ``within_s`` seconds, and answers the seconds to the next one.

    ``rest`` waits so long, or less; None: nothing shortens it.
    """

    name: str
    tick: Callable[[], Awaitable[float]]
    within_s: float
    rest: Callable[[float], Awaitable[None]] | None = None


@dataclass
class KeepLoops:
    """The room of a worker that may hold loops. ``holder`` names this process; what it holds is gone with it."""

    leases: Leases
    clock: Clock
    holder: str
    lease_s: float = LEASE_S
    held_until: dict[str, float] = field(default_factory=dict)
    """Loop -> the monotonic moment up to which nobody else can run it."""
    late_s: float = 0.0
    """How much longer this process runs what it has not been refused."""
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, loops: Sequence[Loop]) -> None:
        """Hold what is free of these loops and run it, until cancelled; then others may take over at once."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._renew([loop.name for loop in loops]))
                for loop in loops:
                    group.create_task(self._keep(loop))
        finally:
            await self._free()

    async def _renew(self, names: list[str]) -> None:
        every_s = min(RENEW_S, self.lease_s / 4)
        while True:
            asked_at = self.clock.monotonic()
            try:
                held = await self.leases.hold_leases(names, self.holder, self.lease_s)
            except LedgerUnavailable as unavailable:
                log.warning("loops.not_renewed", error=str(unavailable))
                self.late_s = 0.0
            else:
                self.held_until = dict.fromkeys(held, asked_at + self.lease_s - STOP_MARGIN_S)
                self.late_s = LATE_S
            self._changed.set()
            self._changed = asyncio.Event()
            # A late answer is made up for by asking again at once.
            await self.clock.sleep(max(0.0, asked_at + every_s - self.clock.monotonic()))

    async def _keep(self, loop: Loop) -> None:
        rest_s = FIRST_REST_S
        while True:
            while self._left_s(loop.name) <= 0:
                await self._changed.wait()
            try:
                next_s = await self._round(loop)
            except (LedgerUnavailable, QueueUnavailable) as unavailable:
                log.warning("loop.skipped", loop=loop.name, error=str(unavailable))
                next_s = FIRST_REST_S
            except Exception:
                log.exception("loop.failed", loop=loop.name)
                next_s, rest_s = rest_s, min(LONGEST_REST_S, 2 * rest_s)
            else:
                rest_s = FIRST_REST_S
            await (loop.rest or self.clock.sleep)(next_s)

    async def _round(self, loop: Loop) -> float:
        """One round, ended when the lease is lost or the time for it is over."""
        tick = asyncio.ensure_future(loop.tick())
        lost = asyncio.ensure_future(self._lost(loop))
        try:
            await asyncio.wait({tick, lost}, return_when=asyncio.FIRST_COMPLETED)
            if tick.done():
                return tick.result()
            log.warning("loop.cut_off", loop=loop.name, why=lost.result())
            return 0.0
        finally:
            for task in (tick, lost):
                task.cancel()
            await asyncio.wait({tick, lost})

    async def _lost(self, loop: Loop) -> str:
        end = self.clock.monotonic() + loop.within_s
        while (left_s := min(self._left_s(loop.name), end - self.clock.monotonic())) > 0:
            await self._news(left_s)
        return "lease lost" if self._left_s(loop.name) <= 0 else f"not done within {loop.within_s:g} s"

    async def _news(self, within_s: float) -> None:
        """Wait for news of the leases, or until the time is up."""
        waits = [asyncio.ensure_future(wait) for wait in (self._changed.wait(), self.clock.sleep(within_s))]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    def holds(self, name: str) -> bool:
        """Whether this process may run the loop now."""
        return self._left_s(name) > 0

    def _left_s(self, name: str) -> float:
        return self.held_until.get(name, -math.inf) + self.late_s - self.clock.monotonic()

    async def _free(self) -> None:
        held = [name for name in self.held_until if self.holds(name)]
        if not held:
            return
        try:
            async with asyncio.timeout(FREE_WITHIN_S):
                await self.leases.free_leases(held, self.holder)
        except (LedgerUnavailable, TimeoutError) as unavailable:
            log.warning("loops.not_freed", error=str(unavailable))
