"""What only the real pacer has: a Redis that dies, forgets or stands still, and several that share it."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from itertools import count, pairwise

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from dialer.adapters.pacing import RedisPacer
from dialer.adapters.pacing.timing import Timing
from dialer.errors import QueueUnavailable
from dialer.ports import Limits
from tests.fakes.pacer import restore
from tests.redis_server import RedisServer, running_redis
from tests.virtual_time import CLOCK_KEYS, REDIS_TIME, RedisFollower, VirtualClock, running_virtual_loop

pytestmark = pytest.mark.virtual_time
ACCOUNT = "simulator"
FREE = Limits(0, 0)
CLOCK = VirtualClock()


@pytest.fixture
def server() -> Iterator[RedisServer]:
    with running_redis() as running:
        yield running


@pytest_asyncio.fixture
async def follower(server: RedisServer) -> AsyncIterator[RedisFollower]:
    """The same server, over a connection outside of the loop."""
    made = RedisFollower(running_virtual_loop(), server.url)
    yield made
    made.close()


@pytest_asyncio.fixture
async def client(server: RedisServer, follower: RedisFollower) -> AsyncIterator["Redis"]:
    del follower
    made = Redis.from_url(server.url)
    yield made
    await made.aclose()


def pacer_over(client: "Redis") -> RedisPacer:
    """One process's."""
    return RedisPacer(client, "t", CLOCK.monotonic, redis_time=REDIS_TIME)


@pytest_asyncio.fixture
async def pacer(client: "Redis") -> AsyncIterator[RedisPacer]:
    made = pacer_over(client)
    yield made
    await made.aclose()


@pytest_asyncio.fixture
async def others(server: RedisServer, client: "Redis") -> AsyncIterator[list[RedisPacer]]:
    """The pacers of two more processes, each over a connection of its own."""
    del client
    clients = [Redis.from_url(server.url) for _ in range(2)]
    made = [pacer_over(own) for own in clients]
    yield made
    for pacer, own in zip(made, clients, strict=True):
        await pacer.aclose()
        await own.aclose()


async def ready(pacer: RedisPacer, rate: float, lines: int = 0) -> None:
    await pacer.configure(ACCOUNT, Limits(rate, lines), {1: FREE})
    await restore(pacer, ACCOUNT, {})


async def dial(
    pacer: RedisPacer, seconds: float, first: int = 1, waiters: int = 16, told: list[float] | None = None
) -> list[float]:
    """Dial for ``seconds``; the monotonic moments of sending, also added to ``told`` as they come."""
    sent: list[float] = [] if told is None else told
    end, numbers = CLOCK.monotonic() + seconds, count(first)

    async def work() -> None:
        while (left := end - CLOCK.monotonic()) > 0:
            attempt_id = next(numbers)
            grant = await pacer.acquire(ACCOUNT, 1, attempt_id, left)
            while grant is not None and not (await grant.slot() and grant.valid):
                grant = await pacer.again(ACCOUNT, 1, attempt_id, max(0.0, end - CLOCK.monotonic()))
            if grant is not None:
                sent.append(CLOCK.monotonic())
            await asyncio.sleep(0)

    await asyncio.gather(*(work() for _ in range(waiters)))
    return sorted(sent)


async def keep_configured(pacer: RedisPacer, rate: float) -> None:
    """What the feeder and the reconciler do every second, more often here."""
    while True:
        try:
            await ready(pacer, rate)
        except QueueUnavailable:
            await asyncio.sleep(0)
        await asyncio.sleep(0.1)


def worst_second(moments: Sequence[float]) -> int:
    return max(sum(first <= moment < first + 1 for moment in moments) for first in moments)


def longest_gap(moments: Sequence[float]) -> float:
    return max(after - before for before, after in pairwise(moments))


async def test_a_restart_that_forgets_everything_makes_no_burst(
    server: RedisServer, follower: RedisFollower, pacer: RedisPacer
) -> None:
    await ready(pacer, 20)
    feeding = asyncio.create_task(keep_configured(pacer, 20))
    dialing = asyncio.create_task(dial(pacer, 3.6))
    await asyncio.wait([dialing], timeout=1.4)
    server.kill()
    server.start()
    follower.settle()
    back = CLOCK.monotonic()
    sent = await dialing
    feeding.cancel()
    assert worst_second(sent) <= 20
    first_after = min(moment for moment in sent if moment > back + 0.2)
    assert 0.9 <= first_after - back <= 1.6
    assert sum(moment > back + 1.5 for moment in sent) >= 6


async def test_a_flush_in_the_middle_makes_no_burst(follower: RedisFollower, pacer: RedisPacer) -> None:
    await ready(pacer, 20)
    feeding = asyncio.create_task(keep_configured(pacer, 20))
    dialing = asyncio.create_task(dial(pacer, 3.0))
    await asyncio.wait([dialing], timeout=1.5)
    follower.flush()
    sent = await dialing
    feeding.cancel()
    assert worst_second(sent) <= 20
    assert longest_gap(sent) <= 1.6


async def test_a_redis_that_stands_still_stops_calls_and_nothing_bursts(
    server: RedisServer, follower: RedisFollower, pacer: RedisPacer
) -> None:
    await ready(pacer, 20)
    dialing = asyncio.create_task(dial(pacer, 3.6))
    await asyncio.wait([dialing], timeout=1.5)
    assert server.process is not None
    stopped = CLOCK.monotonic()
    with follower.standing_still(server.process.pid):
        await asyncio.wait([dialing], timeout=1.0)
    sent = await dialing
    assert worst_second(sent) <= 20
    assert not [moment for moment in sent if stopped + 0.6 < moment < stopped + 0.95]
    assert sum(moment > stopped + 1.3 for moment in sent) >= 15


async def test_processes_share_a_limit_and_a_killed_one_takes_few_slots_along(
    pacer: RedisPacer, others: list[RedisPacer]
) -> None:
    await ready(pacer, 20)
    first: list[float] = []
    killed_one = asyncio.create_task(dial(others[0], 3.8, 1_000_000, told=first))
    other_one = asyncio.create_task(dial(others[1], 3.8, 2_000_000))
    await asyncio.wait([killed_one, other_one], timeout=2.3)
    killed_one.cancel()
    killed = CLOCK.monotonic()
    second = await other_one
    assert len(first) >= 5 and len(second) >= 5
    assert worst_second(sorted(first + second)) <= 20
    assert sum(killed < moment <= killed + 1.0 for moment in second) >= 16


async def test_a_paced_grant_costs_about_one_command(pacer: RedisPacer) -> None:
    await ready(pacer, 25)
    before = pacer.commands
    sent = await dial(pacer, 2.6)
    assert len(sent) >= 35
    assert (pacer.commands - before) / len(sent) <= 1.5


async def test_free_grants_cost_next_to_none(pacer: RedisPacer) -> None:
    await ready(pacer, 0)
    first = await pacer.acquire(ACCOUNT, 1, 1, 1)
    assert first is not None
    before = pacer.commands
    for attempt_id in range(2, 2002):
        grant = await pacer.acquire(ACCOUNT, 1, attempt_id, 1)
        assert grant is not None and await grant.slot() and grant.valid
    assert pacer.commands - before <= 2


async def test_free_grants_end_when_redis_is_gone(server: RedisServer, pacer: RedisPacer) -> None:
    await ready(pacer, 0)
    grant = await pacer.acquire(ACCOUNT, 1, 1, 1)
    assert grant is not None
    server.kill()
    gone = CLOCK.monotonic()
    while grant is not None and CLOCK.monotonic() - gone < 3:
        grant = await pacer.acquire(ACCOUNT, 1, 2, 0.3)
        if grant is not None and not await grant.slot():
            break
        await asyncio.sleep(0.01)
    assert CLOCK.monotonic() - gone <= 1.5
    with pytest.raises(QueueUnavailable):
        await pacer.state(ACCOUNT)
    with pytest.raises(QueueUnavailable):
        await pacer.configure(ACCOUNT, FREE, {1: FREE})


async def test_a_wait_outlives_an_outage(server: RedisServer, follower: RedisFollower, pacer: RedisPacer) -> None:
    await ready(pacer, 0, lines=1)
    server.kill()
    waiting = asyncio.create_task(pacer.acquire(ACCOUNT, 1, 1, 10))
    short = await pacer.acquire(ACCOUNT, 1, 2, 0.2)
    await pacer.brake(ACCOUNT, 1.0)
    await pacer.release(ACCOUNT, [5])
    assert short is None and not waiting.done()
    server.start()
    follower.settle()
    await ready(pacer, 0, lines=1)
    grant = await waiting
    assert grant is not None and await grant.slot()


async def test_a_release_that_failed_is_repeated(
    client: "Redis", pacer: RedisPacer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ready(pacer, 0, lines=1)
    assert await pacer.acquire(ACCOUNT, 1, 1, 1) is not None

    async def refuse(*_: object) -> None:
        raise ConnectionError

    with monkeypatch.context() as outage:
        outage.setattr(client, "execute_command", refuse)
        await pacer.release(ACCOUNT, [1])
    assert await pacer.acquire(ACCOUNT, 1, 2, 3) is not None


async def test_a_freed_line_reaches_another_process_at_once(pacer: RedisPacer, others: list[RedisPacer]) -> None:
    await ready(pacer, 0, lines=1)
    assert await pacer.acquire(ACCOUNT, 1, 1, 1) is not None
    for attempt_id in (2, 3, 4):
        waiting = asyncio.create_task(others[0].acquire(ACCOUNT, 1, attempt_id, 5))
        done, _ = await asyncio.wait([waiting], timeout=0.1)
        assert not done
        freed = CLOCK.monotonic()
        await pacer.release(ACCOUNT, [attempt_id - 1])
        assert await waiting is not None
        assert CLOCK.monotonic() == freed


async def test_a_brake_reaches_every_process_at_once(pacer: RedisPacer, others: list[RedisPacer]) -> None:
    await ready(pacer, 20)
    dialing = [asyncio.create_task(dial(one, 3.0, n * 1_000_000)) for n, one in enumerate(others, 1)]
    await asyncio.wait(dialing, timeout=1.8)
    braked = CLOCK.monotonic()
    await pacer.brake(ACCOUNT, 0.8)
    sent = sorted(moment for part in await asyncio.gather(*dialing) for moment in part)
    assert sum(moment < braked for moment in sent) >= 5
    assert not [moment for moment in sent if braked < moment < braked + 0.8]
    resumed = [moment for moment in sent if moment >= braked + 0.8]
    assert sum(moment < resumed[0] + 0.1 for moment in resumed) <= 3


async def test_a_grant_for_at_once_is_void_before_its_line_can_be_given_away(client: "Redis") -> None:
    stood_still_s = 0.0
    timing = Timing(young_s=5.0, deaf_s=60.0)
    pacer = RedisPacer(client, "t", lambda: CLOCK.monotonic() + stood_still_s, timing, REDIS_TIME)
    await ready(pacer, 0, 1)
    grant = await pacer.acquire(ACCOUNT, 1, 1, 1.0)
    assert grant is not None and await grant.slot()
    stood_still_s = timing.young_s - 1
    assert not await grant.slot()
    await pacer.aclose()


async def test_redis_holds_ids_and_numbers_only(client: "Redis", pacer: RedisPacer) -> None:
    await ready(pacer, 50, lines=9)
    grant = await pacer.acquire(ACCOUNT, 1, 77, 3)
    assert grant is not None and await grant.slot()
    keys = {key.decode() for key in await client.keys("*")} - set(CLOCK_KEYS)
    assert keys and all(key.startswith(f"t:{{{ACCOUNT}}}:") for key in keys)


async def test_a_redis_clock_that_was_set_back_costs_a_second_and_no_burst(client: "Redis", pacer: RedisPacer) -> None:
    await ready(pacer, 20)
    dialing = asyncio.create_task(dial(pacer, 3.0))
    await asyncio.wait([dialing], timeout=1.4)
    ahead = int((CLOCK.now() + 20) * 1_000_000)
    await client.hset(f"t:{{{ACCOUNT}}}:s", "hi", str(ahead))  # type: ignore[misc]
    sent = await dialing
    assert worst_second(sent) <= 20
    assert 0.9 <= longest_gap(sent) <= 1.3


async def test_lines_go_to_whoever_asks_whatever_the_campaign(pacer: RedisPacer) -> None:
    await pacer.configure(ACCOUNT, Limits(0, 6), {1: FREE, 2: FREE})
    await restore(pacer, ACCOUNT, {})
    numbers, calls = count(1), {1: 0, 2: 0}
    end = CLOCK.monotonic() + 1.5

    async def work(campaign_id: int) -> None:
        while (left := end - CLOCK.monotonic()) > 0:
            attempt_id = next(numbers)
            if await pacer.acquire(ACCOUNT, campaign_id, attempt_id, left) is None:
                continue
            calls[campaign_id] += 1
            await asyncio.sleep(0.03)
            await pacer.release(ACCOUNT, [attempt_id])

    await asyncio.gather(*(work(campaign) for campaign, many in ((1, 20), (2, 5)) for _ in range(many)))
    assert calls[1] + calls[2] >= 120
    # 20 of 25 who ask; which campaign has how many asking is decided where they are queued.
    assert 0.75 <= calls[1] / (calls[1] + calls[2]) <= 0.85


async def test_an_attempt_older_than_all_who_wait_goes_first(pacer: RedisPacer) -> None:
    """What a dead worker had waiting does not line up once more behind those who came later."""
    await ready(pacer, 0, lines=1)
    held = await pacer.acquire(ACCOUNT, 1, 1, 5.0)
    assert held is not None
    served: list[int] = []

    async def wait(attempt_id: int) -> None:
        grant = await pacer.acquire(ACCOUNT, 1, attempt_id, 5.0)
        assert grant is not None
        served.append(attempt_id)
        await pacer.release(ACCOUNT, [attempt_id])

    waiting = [asyncio.create_task(wait(attempt_id)) for attempt_id in (21, 22, 23, 7)]
    await asyncio.sleep(0)
    await pacer.release(ACCOUNT, [1])
    await asyncio.gather(*waiting)
    assert served == [7, 21, 22, 23]


async def test_closing_ends_even_while_the_listener_connects(client: "Redis") -> None:
    """redis-py may swallow a cancellation that meets it while it connects."""
    for _ in range(20):
        made = pacer_over(client)
        await made.state(ACCOUNT)
        await asyncio.wait_for(made.aclose(), 2)
