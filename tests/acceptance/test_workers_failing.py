"""Workers that die, or lose their Redis."""

import signal

import pytest

from tests.acceptance.conftest import OpenHome, OpenProvider
from tests.acceptance.dialer_process import Home, Provider, stays, until
from tests.acceptance.worker_steps import assert_all_once, enqueue
from tests.redis_server import RedisServer

pytestmark = pytest.mark.acceptance


def test_a_killed_workers_rest_is_taken_over(
    open_provider: OpenProvider, open_home: OpenHome, own_redis: RedisServer
) -> None:
    provider = open_provider("--answer-s=0.2,0.6")
    home = open_home(
        provider,
        DIALER_REDIS_URL=own_redis.url,
        DIALER_PROVIDER_TIMEOUT_S="2",
        DIALER_UNKNOWN_HORIZON_S="12",
        DIALER_MAX_CALL_S="6",
    )
    enqueue(home, 150)
    first = home.start("worker")
    until(lambda: provider.placed() >= 30, "30 calls")
    first.signal(signal.SIGKILL)
    first.ended()
    home.start("worker")
    before = provider.placed()
    until(lambda: provider.placed() > before + 2, "calls by the second worker")
    home.until_status("finished")
    assert_all_once(home, provider, 150, unsure=5)


def outage(provider: Provider, own_redis: RedisServer, home: Home, for_s: float) -> None:
    """Redis dies in the middle of a campaign and comes back empty; both workers stay and go on."""
    enqueue(home, 200)
    workers = [home.start("worker"), home.start("worker")]
    until(lambda: provider.placed() >= 50, "50 calls")
    own_redis.kill()
    assert stays(lambda: all(worker.alive for worker in workers), for_s)
    before = provider.placed()
    assert before < 200
    own_redis.start()
    until(lambda: provider.placed() > before, "the first call after the outage")
    home.until_status("finished")
    assert all(worker.alive for worker in workers)
    assert_all_once(home, provider, 200)


def test_thirty_seconds_without_redis(open_provider: OpenProvider, open_home: OpenHome, own_redis: RedisServer) -> None:
    provider = open_provider()
    outage(provider, own_redis, open_home(provider, DIALER_REDIS_URL=own_redis.url), 30)
