"""The loops of a process on a machine that is busy with other work: it hears late of its own renewals."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from dialer.adapters.ledger import SqlLedger
from dialer.errors import LedgerUnavailable
from dialer.pipeline.keep_loops import LATE_S, LEASE_S, RENEW_S, KeepLoops, Loop
from tests.fakes.clock import ManualClock
from tests.memory_ledger import memory_ledger

TAKEN_OVER_WITHIN_S = 5.0


@dataclass
class LateLeases:
    """The leases of a ledger, whose answers this process gets ``by_s`` seconds late, or not at all."""

    ledger: SqlLedger
    clock: ManualClock
    by_s: float = 0.0
    broken: bool = False

    async def hold_leases(self, names: Sequence[str], holder: str, lease_s: float) -> set[str]:
        if self.broken:
            raise LedgerUnavailable("out of reach")
        held = await self.ledger.hold_leases(names, holder, lease_s)
        await self.clock.sleep(self.by_s)
        return held

    async def free_leases(self, names: Sequence[str], holder: str) -> None:
        await self.ledger.free_leases(names, holder)


@dataclass
class Rounds:
    """A loop whose rounds last ``lasts_s``, and the moments at which they began, were done and were cut off."""

    clock: ManualClock
    lasts_s: float
    begun: list[float] = field(default_factory=list)
    done: list[float] = field(default_factory=list)
    cut_off: list[float] = field(default_factory=list)

    async def tick(self) -> float:
        self.begun.append(self.clock.monotonic())
        try:
            await self.clock.sleep(self.lasts_s)
        except asyncio.CancelledError:
            self.cut_off.append(self.clock.monotonic())
            raise
        self.done.append(self.clock.monotonic())
        return 0.5

    @property
    def loop(self) -> Loop:
        return Loop("feeder", self.tick, 60.0)


@pytest.fixture
def ledger(clock: ManualClock) -> SqlLedger:
    return memory_ledger(clock)


@asynccontextmanager
async def running(leases: LateLeases, rounds: Rounds) -> AsyncIterator[None]:
    room = KeepLoops(leases, leases.clock, "one")
    task = asyncio.create_task(room.run([rounds.loop]))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


@pytest.mark.parametrize("by_s", [LEASE_S - 0.1, LEASE_S + 0.1, 2 * LEASE_S])
async def test_a_renewal_that_comes_late_keeps_the_loop_nobody_else_took(
    clock: ManualClock, ledger: SqlLedger, by_s: float
) -> None:
    leases, rounds = LateLeases(ledger, clock), Rounds(clock, 2.0)
    async with running(leases, rounds):
        await clock.advance(1.0)
        leases.by_s = by_s
        await clock.advance(60.0)
    assert len(rounds.done) >= 23, "one after the other, as if the machine were free"
    assert len(rounds.cut_off) <= 1, "the one that was under way when the process ended"


async def test_whoever_hears_late_that_another_has_the_loop_stops_then(clock: ManualClock, ledger: SqlLedger) -> None:
    leases, rounds = LateLeases(ledger, clock), Rounds(clock, 30.0)
    async with running(leases, rounds):
        await clock.advance(0.1)
        leases.by_s = LEASE_S + 0.2
        await clock.advance(RENEW_S + LEASE_S)
        assert await ledger.hold_leases(["feeder"], "two", 60.0) == {"feeder"}
        await clock.advance(2 * leases.by_s)
        assert rounds.cut_off == [pytest.approx(RENEW_S + 2 * leases.by_s, abs=0.2)]
        await clock.advance(20.0)
    assert len(rounds.begun) == 1


@pytest.mark.parametrize("by_s", [0.0, 1000.0])
async def test_whoever_hears_nothing_stops(clock: ManualClock, ledger: SqlLedger, by_s: float) -> None:
    """Out of reach for certain: before anybody else can hold the loop. Without an answer: in the end."""
    leases, rounds = LateLeases(ledger, clock), Rounds(clock, 50.0)
    async with running(leases, rounds):
        await clock.advance(0.1)
        leases.by_s, leases.broken = by_s, not by_s
        await clock.advance(LEASE_S + RENEW_S + LATE_S)
        (stopped_at,) = rounds.cut_off
    assert stopped_at <= LEASE_S + RENEW_S + (LATE_S if by_s else 0.0)
    assert len(rounds.begun) == 1


async def test_who_was_frozen_longer_than_anybody_waits_does_not_go_on(clock: ManualClock, ledger: SqlLedger) -> None:
    leases, rounds = LateLeases(ledger, clock), Rounds(clock, 50.0)
    async with running(leases, rounds):
        await clock.advance(0.1)
        clock.skip(LEASE_S + RENEW_S)
        assert await ledger.hold_leases(["feeder"], "two", 60.0) == {"feeder"}
        await clock.advance(RENEW_S)
        assert len(rounds.cut_off) == 1


async def test_a_process_that_is_gone_is_followed_within_five_seconds(clock: ManualClock, ledger: SqlLedger) -> None:
    assert await ledger.hold_leases(["feeder"], "killed", LEASE_S) == {"feeder"}
    rounds = Rounds(clock, 0.1)
    async with running(LateLeases(ledger, clock), rounds):
        await clock.advance(TAKEN_OVER_WITHIN_S)
        assert LEASE_S <= rounds.begun[0] <= TAKEN_OVER_WITHIN_S
