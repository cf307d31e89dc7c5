"""Workers that share a campaign, and stop."""

import signal

import pytest

from tests.acceptance.conftest import OpenHome, OpenProvider
from tests.acceptance.dialer_process import until
from tests.acceptance.worker_steps import assert_all_once, enqueue, recorded
from tests.redis_server import RedisServer

pytestmark = pytest.mark.acceptance


def test_two_workers_share_one_postgresql_and_one_redis(
    open_provider: OpenProvider, open_home: OpenHome, own_redis: RedisServer, empty_database: str
) -> None:
    provider = open_provider()
    shared = {"DIALER_REDIS_URL": own_redis.url, "DIALER_DATABASE_URL": empty_database, "DIALER_LOG_LEVEL": "debug"}
    here, there = open_home(provider, **shared), open_home(provider, **shared)
    workers = [here.start("worker"), there.start("worker")]
    until(lambda: all("worker.started" in worker.err.read_text() for worker in workers), "both workers")
    enqueue(here, 250)
    here.until_status("finished")
    assert_all_once(here, provider, 250)
    assert min(recorded(worker) for worker in workers) > 0
    assert sum(recorded(worker) for worker in workers) == 250
    for worker in workers:
        worker.signal(signal.SIGTERM)
    assert [worker.ended().code for worker in workers] == [0, 0]


def test_a_terminated_worker_finishes_what_is_on_the_wire(
    open_provider: OpenProvider, open_home: OpenHome, own_redis: RedisServer
) -> None:
    provider = open_provider("--answer-s=0.2,0.6")
    home = open_home(provider, DIALER_REDIS_URL=own_redis.url)
    enqueue(home, 300)
    first = home.start("worker")
    until(lambda: provider.placed() >= 40, "40 calls")
    first.signal(signal.SIGTERM)
    assert first.ended().code == 0
    states = home.report()["attempts"]
    assert (states["dialing"], states["unknown"]) == (0, 0)
    assert 40 <= provider.placed() < 300
    home.start("worker")
    home.until_status("finished")
    assert_all_once(home, provider, 300)
