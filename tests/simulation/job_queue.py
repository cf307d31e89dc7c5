"""A queue that loses, repeats and delays what it is given."""

from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from dialer.errors import QueueUnavailable
from dialer.ports import QueuedAttempt
from tests.fakes.clock import ManualClock
from tests.simulation.faults import Faults
from tests.simulation.life import Life

Deliver = Callable[[Sequence[QueuedAttempt]], bool]


class LossyQueue:
    """Redis as a doorbell. ``deliver`` hands a slice to some worker; False when none is there."""

    def __init__(
        self, clock: ManualClock, faults: Faults, spawn: Callable[[Coroutine[Any, Any, None]], object]
    ) -> None:
        self._clock, self._faults, self._spawn = clock, faults, spawn
        self._dice = faults.dice("queue")
        self._flushes = 0
        self.deliver: Deliver = lambda _slice: False

    def flush(self) -> None:
        """Whatever is on its way is gone."""
        self._flushes += 1

    def ring(self, attempts: Sequence[QueuedAttempt]) -> None:
        """Take attempts, in slices."""
        rest = list(attempts)
        while rest:
            size = self._dice.randint(1, 4)
            part, rest = rest[:size], rest[size:]
            self._send(part)

    def _send(self, part: Sequence[QueuedAttempt]) -> None:
        faults, rates, dice = self._faults, self._faults.rates, self._dice
        if faults.strikes(dice, rates.job_lost, "job lost"):
            return
        self._spawn(self._bring(part, self._delay()))
        if faults.strikes(dice, rates.job_repeated, "job repeated"):
            self._spawn(self._bring(part, dice.choice((0.0, dice.uniform(0.0, 60.0)))))

    def _delay(self) -> float:
        if self._faults.strikes(self._dice, self._faults.rates.job_delayed, "job delayed"):
            return self._dice.uniform(0.5, 60.0)
        return self._dice.uniform(0.0, 0.1)

    async def _bring(self, part: Sequence[QueuedAttempt], delay_s: float) -> None:
        flushes = self._flushes
        await self._clock.sleep(delay_s)
        while flushes == self._flushes and not self.deliver(part):
            await self._clock.sleep(0.5)


class LifeQueue:
    """The queue as one process reaches it."""

    def __init__(self, queue: LossyQueue, life: Life, faults: Faults) -> None:
        self._queue, self._life, self._faults = queue, life, faults
        self._dice = faults.dice(f"{life.name}:queue")

    async def enqueue(self, attempts: Sequence[QueuedAttempt]) -> None:
        await self._life.rest()
        if self._faults.strikes(self._dice, self._faults.rates.redis_down, "redis down"):
            raise QueueUnavailable("Redis cannot be reached: drawn")
        self._queue.ring(attempts)
