"""The bell that has the log read earlier, over a real Redis."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from dialer.adapters.local.system_clock import SystemClock
from dialer.adapters.queue.feeder_bell import FeederBell
from dialer.adapters.queue.log_bell import LogBell
from tests.fakes.clock import ManualClock
from tests.redis_server import running_redis

LONG_S = 3600.0
"""Nobody waits so long: whoever returns was rung for."""


@pytest_asyncio.fixture
async def client() -> AsyncIterator["Redis"]:
    with running_redis() as server:
        made = Redis.from_url(server.url, socket_timeout=5)
        yield made
        await made.aclose()


@pytest.mark.parametrize("rung_first", [True, False])
async def test_who_waits_is_woken(client: "Redis", rung_first: bool) -> None:
    bell = LogBell(client, "ledger", "vaanivoice", SystemClock())
    if rung_first:
        await bell.ring()
    waiting = asyncio.create_task(bell.wait(LONG_S))
    if not rung_first:
        await bell.ring()
    assert await waiting


async def test_nobody_elses_bell_wakes_and_a_wait_ends_by_itself(client: "Redis") -> None:
    await LogBell(client, "ledger", "vaani", SystemClock()).ring()
    await LogBell(client, "other", "vaanivoice", SystemClock()).ring()
    await FeederBell(client, "ledger", SystemClock()).ring()
    for within_s in (0.05, 0.0, -1.0, 1e-9):
        assert not await LogBell(client, "ledger", "vaanivoice", SystemClock()).wait(within_s)


async def test_without_redis_a_wait_lasts_as_usual(clock: ManualClock) -> None:
    with running_redis() as server:
        gone = server
    redis = Redis.from_url(gone.url)
    bell = LogBell(redis, "ledger", "vaanivoice", clock)
    await bell.ring()
    begun = clock.monotonic()
    assert not await clock.run(bell.wait(7.0))
    assert clock.monotonic() - begun == pytest.approx(7.0)
    await redis.aclose()
