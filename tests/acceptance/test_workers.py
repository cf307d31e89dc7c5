"""Workers that share, stop, die, and lose their Redis."""

import signal

import pytest

from tests.acceptance.conftest import OpenHome, OpenProvider
from tests.acceptance.dialer_process import Home, Provider, Running, clock, dialing, finals, stays, until, write_list
from tests.redis_server import RedisServer

pytestmark = pytest.mark.acceptance

RATE = 25


def enqueue(home: Home, count: int) -> None:
    home.command("enqueue", str(write_list(home.path / "list.csv", count)), *dialing(rate=RATE))


def recorded(worker: Running) -> int:
    """Calls this worker placed, by its debug log."""
    return worker.err.read_text().count('"result": "Placed"')


def assert_all_once(home: Home, provider: Provider, count: int, unsure: int = 0) -> None:
    """Nobody twice, everybody final; up to ``unsure`` intents of a killed worker may never have left."""
    books = provider.books()
    assert {len(one) for one in books.by_number().values()} == {1}
    assert count - unsure <= len(books.calls) <= count
    assert books.most_in_a_second() <= RATE + 1
    report = home.report()
    assert finals(report) == count
    assert report["unconfirmed"] == count - len(books.calls)
    outcomes = {call["to"]: call["outcome"] for call in books.calls}
    told = {row["phone"]: row["disposition"] for row in home.export()}
    assert {phone: told[phone] for phone in outcomes} == outcomes


def test_two_workers_share_one_postgresql_and_one_redis(
    open_provider: OpenProvider, open_home: OpenHome, own_redis: RedisServer, database: str
) -> None:
    provider = open_provider()
    shared = {"DIALER_REDIS_URL": own_redis.url, "DIALER_DATABASE_URL": database, "DIALER_LOG_LEVEL": "debug"}
    here, there = open_home(provider, **shared), open_home(provider, **shared)
    workers = [here.start("worker"), there.start("worker")]
    enqueue(here, 250)
    here.until_status("finished")
    assert_all_once(here, provider, 250)
    assert min(recorded(worker) for worker in workers) > 20
    assert sum(recorded(worker) for worker in workers) == 250
    for worker in workers:
        worker.signal(signal.SIGTERM)
    assert [worker.ended(15).code for worker in workers] == [0, 0]


def test_a_terminated_worker_finishes_what_is_on_the_wire(
    open_provider: OpenProvider, open_home: OpenHome, own_redis: RedisServer
) -> None:
    provider = open_provider("--answer-s=0.2,0.6")
    home = open_home(provider, DIALER_REDIS_URL=own_redis.url)
    enqueue(home, 120)
    first = home.start("worker")
    until(lambda: provider.placed() >= 40, "40 calls")
    first.signal(signal.SIGTERM)
    assert first.ended(5).code == 0
    states = home.report()["attempts"]
    assert (states["dialing"], states["unknown"]) == (0, 0)
    assert 40 <= provider.placed() < 110
    home.start("worker")
    home.until_status("finished")
    assert_all_once(home, provider, 120)


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
    first.ended(5)
    home.start("worker")
    before, since = provider.placed(), clock.monotonic()
    until(lambda: provider.placed() > before + 2, "calls by the second worker", 15)
    assert clock.monotonic() - since < 12
    home.until_status("finished", 100)
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
    until(lambda: provider.placed() > before, "the first call after the outage", 15)
    home.until_status("finished")
    assert all(worker.alive for worker in workers)
    assert_all_once(home, provider, 200)


def test_ten_seconds_without_redis(open_provider: OpenProvider, open_home: OpenHome, own_redis: RedisServer) -> None:
    provider = open_provider()
    outage(provider, own_redis, open_home(provider, DIALER_REDIS_URL=own_redis.url), 10)


def test_thirty_seconds_without_redis(open_provider: OpenProvider, open_home: OpenHome, own_redis: RedisServer) -> None:
    provider = open_provider()
    outage(provider, own_redis, open_home(provider, DIALER_REDIS_URL=own_redis.url), 30)
