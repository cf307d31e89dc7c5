"""The bell that wakes the feeder, over a real Redis."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from dialer.adapters.local.embedded_redis import embedded_redis, running_server
from dialer.adapters.local.system_clock import SystemClock
from dialer.adapters.queue.feeder_bell import FeederBell
from tests.acceptance.conftest import OpenHome, OpenProvider, open_home, open_provider
from tests.acceptance.dialer_process import dialing, until, write_list
from tests.fakes.clock import ManualClock
from tests.redis_server import RedisServer, running_redis

__all__ = ["open_home", "open_provider"]

LONG_S = 3600.0
"""Nobody waits so long: whoever returns was rung for."""


@pytest_asyncio.fixture
async def client() -> AsyncIterator["Redis"]:
    with running_redis() as server:
        made = Redis.from_url(server.url)
        yield made
        await made.aclose()


@pytest.mark.parametrize("rung_first", [True, False])
async def test_who_waits_is_woken(client: "Redis", rung_first: bool) -> None:
    bell = FeederBell(client, "ledger", SystemClock())
    if rung_first:
        await bell.ring()
    waiting = asyncio.create_task(bell.wait(LONG_S))
    if not rung_first:
        await bell.ring()
    await waiting


async def test_many_strokes_are_one(client: "Redis") -> None:
    bell = FeederBell(client, "ledger", SystemClock())
    for _ in range(3):
        await bell.ring()
    await bell.wait(LONG_S)
    assert not await client.exists("dialer:ledger:bell")


async def test_another_ledgers_feeder_hears_nothing(client: "Redis") -> None:
    await FeederBell(client, "other", SystemClock()).ring()
    await FeederBell(client, "ledger", SystemClock()).wait(0.05)
    assert await client.exists("dialer:other:bell")


async def test_without_redis_the_feeder_rests_as_usual(clock: ManualClock) -> None:
    with running_redis() as server:
        gone: RedisServer = server
    redis = Redis.from_url(gone.url)
    bell = FeederBell(redis, "ledger", clock)
    await bell.ring()
    begun = clock.monotonic()
    await clock.run(bell.wait(0.5))
    assert clock.monotonic() - begun == pytest.approx(0.5)
    await redis.aclose()


def test_a_home_tells_where_its_server_is(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert running_server(home) == ""
    with embedded_redis(home) as url:
        assert running_server(home) == url
    assert running_server(home) == ""


def test_a_command_that_adds_people_rings(open_provider: OpenProvider, open_home: OpenHome) -> None:
    with running_redis() as server:
        home = open_home(open_provider(), DIALER_REDIS_URL=server.url)
        home.command("enqueue", str(write_list(home.path / "list.csv", 1)), *dialing())
        redis = Redis.from_url(server.url)

        async def rung() -> list[bytes]:
            try:
                keys: list[bytes] = await redis.keys("dialer:*:bell")
                return keys
            finally:
                await redis.aclose()

        assert len(asyncio.run(rung())) == 1
        home.start("worker")
        until(lambda: home.glance()["contacts"]["pending"] == 0, "the call of who was added")
