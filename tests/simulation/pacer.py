"""The pacer of the fakes, with a Redis behind it that forgets, and a door for each process."""

from collections.abc import Mapping, Sequence

from dialer.errors import QueueUnavailable
from dialer.ports import Limits, OldLines, PaceState
from tests.fakes.clock import ManualClock
from tests.fakes.pacer import LEAD_S, MemoryGrant, MemoryPacer, _Account
from tests.simulation.faults import Faults
from tests.simulation.life import Life

COLD_START_S = 1.005
NO_LINE_S = 3.0


class ForgetfulPacer(MemoryPacer):
    """Looks again when it can pay, and starts cold after a flush, as the one in Redis."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(clock)
        self._forgotten: list[_Account] = []

    def flush(self) -> None:
        """Everything is gone; grants given before hold until somebody configures anew."""
        self._forgotten += self._accounts.values()
        self._accounts = {}

    async def configure(self, account: str, limits: Limits, campaigns: Mapping[int, Limits]) -> int | None:
        at = self._account(account)
        if at.limits is None:
            for old in self._forgotten:
                old.epoch += 1
            self._forgotten = []
            at.next_slot = self._clock.monotonic() + COLD_START_S
        return await super().configure(account, limits, campaigns)

    async def acquire(self, account: str, campaign_id: int, attempt_id: int, patience_s: float) -> MemoryGrant | None:
        deadline = self._clock.monotonic() + patience_s
        while True:
            at = self._account(account)
            grant = self._grant(at, campaign_id, attempt_id)
            left = deadline - self._clock.monotonic()
            if grant is not None or left <= 0:
                return grant
            await self._clock.sleep(min(self._pause(at, campaign_id), left))

    def _pause(self, at: _Account, campaign_id: int) -> float:
        due = max(at.next_slot, at.campaign_slot.get(campaign_id, at.next_slot), at.braked_until)
        early = due - LEAD_S - self._clock.monotonic()
        return early if early > 0 else NO_LINE_S


class LifeGrant:
    """A grant in the hands of one process."""

    def __init__(self, grant: MemoryGrant, life: Life) -> None:
        self._grant, self._life = grant, life

    async def slot(self) -> bool:
        await self._life.sleep(self._grant.due - self._life.clock.monotonic())
        return await self._grant.slot()

    @property
    def valid(self) -> bool:
        self._life.check()
        return self._grant.valid


class LifePacer:
    """The pacer as one process sees it."""

    def __init__(self, pacer: ForgetfulPacer, life: Life, faults: Faults) -> None:
        self._pacer, self._life, self._faults = pacer, life, faults
        self._dice = faults.dice(f"{life.name}:pacer")

    async def configure(self, account: str, limits: Limits, campaigns: Mapping[int, Limits]) -> int | None:
        self._reach()
        lines = await self._pacer.configure(account, limits, campaigns)
        await self._life.rest()
        return lines

    async def acquire(self, account: str, campaign_id: int, attempt_id: int, patience_s: float) -> LifeGrant | None:
        self._life.check()
        return await self._given(await self._pacer.acquire(account, campaign_id, attempt_id, patience_s))

    async def again(self, account: str, campaign_id: int, attempt_id: int, patience_s: float) -> LifeGrant | None:
        self._life.check()
        return await self._given(await self._pacer.again(account, campaign_id, attempt_id, patience_s))

    async def release(self, account: str, attempt_ids: Sequence[int]) -> None:
        self._life.check()
        await self._pacer.release(account, attempt_ids)
        await self._life.rest()

    async def brake(self, account: str, seconds: float) -> None:
        self._life.check()
        await self._pacer.brake(account, seconds)
        await self._life.rest()

    async def hold(self, account: str, lines: Mapping[int, tuple[int, float]]) -> None:
        self._reach()
        await self._pacer.hold(account, lines)
        await self._life.rest()

    async def old_lines(self, account: str, cursor: int) -> OldLines:
        self._reach()
        found = await self._pacer.old_lines(account, cursor)
        await self._life.rest()
        return found

    async def drop(self, account: str, attempt_ids: Sequence[int], granted_before: float) -> None:
        self._reach()
        await self._pacer.drop(account, attempt_ids, granted_before)
        await self._life.rest()

    async def restored(self, account: str) -> None:
        self._reach()
        await self._pacer.restored(account)
        await self._life.rest()

    async def state(self, account: str) -> PaceState:
        self._reach()
        return await self._pacer.state(account)

    async def _given(self, grant: MemoryGrant | None) -> LifeGrant | None:
        await self._life.rest()
        return LifeGrant(grant, self._life) if grant is not None else None

    def _reach(self) -> None:
        self._life.check()
        if self._life.mortal and self._faults.strikes(self._dice, self._faults.rates.redis_down, "redis down"):
            raise QueueUnavailable("Redis cannot be reached: drawn")
