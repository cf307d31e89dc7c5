"""The loops of a fleet, held under leases in a real ledger by rooms that know nothing of each other."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field

import pytest
import pytest_asyncio

from dialer.adapters.ledger import SqlLedger
from dialer.adapters.local.system_clock import SystemClock
from dialer.errors import LedgerUnavailable
from dialer.pipeline.keep_loops import KeepLoops, Loop
from tests.fakes.clock import ManualClock

LEASE_S = 1.2
PATIENCE_S = 60.0


@dataclass
class Rounds:
    """Counts the rounds of a loop, over every process that runs it."""

    at_once: int = 0
    most_at_once: int = 0
    by_holder: dict[str, int] = field(default_factory=dict)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def loop(self, name: str, holder: str, within_s: float = 60.0, hangs: bool = False) -> Loop:
        async def tick() -> float:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            self.by_holder[holder] = self.by_holder.get(holder, 0) + 1
            self.news.set()
            try:
                await asyncio.sleep(0)
                if hangs:
                    await asyncio.Event().wait()
                return 0.05
            finally:
                self.at_once -= 1
                self.ended.set()

        return Loop(name, tick, within_s)

    async def of(self, holder: str, count: int = 1) -> None:
        """Wait for so many rounds of one process."""
        async with asyncio.timeout(PATIENCE_S):
            while self.by_holder.get(holder, 0) < count:
                self.news.clear()
                await self.news.wait()


@pytest_asyncio.fixture
async def ledger(ledger_url: str) -> AsyncIterator[SqlLedger]:
    opened = await SqlLedger.open(ledger_url, SystemClock())
    yield opened
    with suppress(LedgerUnavailable):
        await opened.aclose()


@asynccontextmanager
async def process(ledger: SqlLedger, holder: str, *loops: Loop) -> AsyncIterator["asyncio.Task[None]"]:
    room = KeepLoops(ledger, SystemClock(), holder, LEASE_S)
    task = asyncio.create_task(room.run(loops))
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])


async def test_one_process_runs_a_loop_and_another_takes_it_over_when_it_stops(ledger: SqlLedger) -> None:
    rounds = Rounds()
    async with AsyncExitStack() as stack:
        async with process(ledger, "one", rounds.loop("feeder", "one")):
            await rounds.of("one", 3)
            await stack.enter_async_context(process(ledger, "two", rounds.loop("feeder", "two")))
            await rounds.of("one", rounds.by_holder["one"] + 3)
        await rounds.of("two", 3)
    assert rounds.most_at_once == 1


async def test_a_process_that_is_gone_without_a_word_is_followed_by_another(ledger: SqlLedger) -> None:
    rounds = Rounds()
    assert await ledger.hold_leases(["feeder"], "killed", LEASE_S) == {"feeder"}
    async with process(ledger, "two", rounds.loop("feeder", "two")):
        await rounds.of("two", 3)
    assert await ledger.hold_leases(["feeder"], "three", LEASE_S) == {"feeder"}, "it was freed"


async def test_a_loop_that_hangs_or_fails_holds_up_no_other(ledger: SqlLedger) -> None:
    hanging, failing, healthy = Rounds(), Rounds(), Rounds()

    async def fail() -> float:
        failing.by_holder["one"] = failing.by_holder.get("one", 0) + 1
        raise ZeroDivisionError("an odd row")

    loops = [
        hanging.loop("reader:deaf", "one", hangs=True),
        Loop("sources", fail, 60.0),
        healthy.loop("reader:other", "one"),
    ]
    async with process(ledger, "one", *loops):
        await healthy.of("one", 20)
    assert (hanging.by_holder, hanging.at_once) == ({"one": 1}, 0)
    assert failing.by_holder["one"] >= 1


async def test_a_round_that_takes_too_long_is_cut_off_and_begun_again(ledger: SqlLedger) -> None:
    rounds = Rounds()
    async with process(ledger, "one", rounds.loop("reader:deaf", "one", within_s=0.05, hangs=True)):
        await rounds.of("one", 3)
    assert rounds.most_at_once == 1


async def test_whoever_cannot_renew_stops(ledger: SqlLedger) -> None:
    """Its ledger is out of reach: others may hold the loop by now."""
    rounds = Rounds()
    async with process(ledger, "one", rounds.loop("reader", "one", hangs=True)):
        await rounds.of("one")
        assert rounds.at_once == 1
        await ledger.aclose()
        async with asyncio.timeout(PATIENCE_S):
            await rounds.ended.wait()


@pytest.mark.parametrize("set_back_s", [1.0, 3 * 3600.0])
async def test_a_lease_of_before_the_clock_was_set_back_ends(ledger_url: str, set_back_s: float) -> None:
    clock = ManualClock()
    ledger = await SqlLedger.open(ledger_url, clock)
    try:
        assert await ledger.hold_leases(["feeder"], "one", 3.0) == {"feeder"}
        assert await ledger.hold_leases(["feeder"], "two", 3.0) == set()
        clock.skip(-set_back_s)
        taken = await ledger.hold_leases(["feeder"], "two", 3.0)
        assert taken == ({"feeder"} if set_back_s > 60 else set())
        clock.skip(4.0 + set_back_s)
        assert await ledger.hold_leases(["feeder", "calendar"], "three", 3.0) == {"feeder", "calendar"}
    finally:
        await ledger.aclose()
