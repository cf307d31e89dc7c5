"""What only the real pacer has: a Redis that dies, forgets or stands still, and several processes."""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from itertools import count, pairwise
from pathlib import Path

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from dialer.adapters.redis_pacer import RedisPacer
from dialer.adapters.redis_pacer.timing import Timing
from dialer.errors import QueueUnavailable
from dialer.ports import Limits
from tests.redis_server import RedisServer, running_redis
from tests.wall_clock import WALL_CLOCK

pytestmark = WALL_CLOCK
ACCOUNT = "simulator"
FREE = Limits(0, 0)
ROOT = Path(__file__).resolve().parents[2]
WORKER = f"""
import asyncio, json, sys, time
sys.path.insert(0, {str(ROOT)!r})
from tests.integration.test_redis_pacer import dial
from redis.asyncio import Redis
from dialer.adapters.redis_pacer import RedisPacer

async def main(url, prefix, seconds, first):
    client = Redis.from_url(url)
    pacer = RedisPacer(client, prefix, time.monotonic)
    await dial(pacer, float(seconds), int(first), echo=True)
    await pacer.aclose()
    await client.aclose()

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.fixture
def server() -> Iterator[RedisServer]:
    with running_redis() as running:
        yield running


@pytest_asyncio.fixture
async def client(server: RedisServer) -> AsyncIterator["Redis"]:
    made = Redis.from_url(server.url)
    yield made
    await made.aclose()


@pytest_asyncio.fixture
async def pacer(client: "Redis") -> AsyncIterator[RedisPacer]:
    made = RedisPacer(client, "t", time.monotonic)
    yield made
    await made.aclose()


async def ready(pacer: RedisPacer, rate: float, lines: int = 0) -> None:
    await pacer.configure(ACCOUNT, Limits(rate, lines), {1: FREE})
    await pacer.restore(ACCOUNT, {})


async def dial(pacer: RedisPacer, seconds: float, first: int = 1, waiters: int = 16, echo: bool = False) -> list[float]:
    """Dial for ``seconds``; the monotonic moments of sending, also printed as they come with ``echo``."""
    sent: list[float] = []
    end, numbers = time.monotonic() + seconds, count(first)

    async def work() -> None:
        while (left := end - time.monotonic()) > 0:
            attempt_id = next(numbers)
            grant = await pacer.acquire(ACCOUNT, 1, attempt_id, left)
            while grant is not None and not (await grant.slot() and grant.valid):
                grant = await pacer.again(ACCOUNT, 1, attempt_id, max(0.0, end - time.monotonic()))
            if grant is not None:
                sent.append(time.monotonic())
                if echo:
                    print(json.dumps(sent[-1]), flush=True)
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


async def processes(url: str, many: int, seconds: float) -> list[asyncio.subprocess.Process]:
    return [
        await asyncio.create_subprocess_exec(
            *[sys.executable, "-c", WORKER, url, "t", str(seconds), str(1 + number * 1_000_000)],
            stdout=asyncio.subprocess.PIPE,
        )
        for number in range(many)
    ]


async def moments(worker: asyncio.subprocess.Process) -> list[float]:
    out, _ = await worker.communicate()
    return [float(json.loads(line)) for line in out.splitlines()]


async def test_a_restart_that_forgets_everything_makes_no_burst(server: RedisServer, pacer: RedisPacer) -> None:
    await ready(pacer, 20)
    feeding = asyncio.create_task(keep_configured(pacer, 20))
    dialing = asyncio.create_task(dial(pacer, 3.6))
    await asyncio.wait([dialing], timeout=1.4)
    server.kill()
    server.start()
    back = time.monotonic()
    sent = await dialing
    feeding.cancel()
    assert worst_second(sent) <= 20
    first_after = min(moment for moment in sent if moment > back + 0.2)
    assert 0.9 <= first_after - back <= 1.6
    assert sum(moment > back + 1.5 for moment in sent) >= 6


async def test_a_flush_in_the_middle_makes_no_burst(client: "Redis", pacer: RedisPacer) -> None:
    await ready(pacer, 20)
    feeding = asyncio.create_task(keep_configured(pacer, 20))
    dialing = asyncio.create_task(dial(pacer, 3.0))
    await asyncio.wait([dialing], timeout=1.5)
    await client.flushall()
    sent = await dialing
    feeding.cancel()
    assert worst_second(sent) <= 20
    assert longest_gap(sent) <= 1.6


async def test_a_redis_that_stands_still_stops_calls_and_nothing_bursts(server: RedisServer, pacer: RedisPacer) -> None:
    await ready(pacer, 20)
    dialing = asyncio.create_task(dial(pacer, 3.6))
    await asyncio.wait([dialing], timeout=1.5)
    assert server.process is not None
    os.kill(server.process.pid, signal.SIGSTOP)
    stopped = time.monotonic()
    await asyncio.wait([dialing], timeout=1.0)
    os.kill(server.process.pid, signal.SIGCONT)
    sent = await dialing
    assert worst_second(sent) <= 20
    assert not [moment for moment in sent if stopped + 0.6 < moment < stopped + 0.95]
    assert sum(moment > stopped + 1.3 for moment in sent) >= 15


async def test_processes_share_a_limit_and_a_killed_one_takes_few_slots_along(
    server: RedisServer, pacer: RedisPacer
) -> None:
    await ready(pacer, 20)
    workers = await processes(server.url, 2, 3.8)
    reads = [asyncio.create_task(moments(worker)) for worker in workers]
    await asyncio.wait(reads, timeout=2.3)
    workers[0].kill()
    killed = time.monotonic()
    first, second = await asyncio.gather(*reads)
    assert len(first) >= 5 and len(second) >= 5
    assert worst_second(sorted(first + second)) <= 20
    after = [moment for moment in first + second if killed < moment <= killed + 1.0]
    assert len(after) >= 16


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
    before, cpu = pacer.commands, time.process_time()
    for attempt_id in range(2, 2002):
        grant = await pacer.acquire(ACCOUNT, 1, attempt_id, 1)
        assert grant is not None and await grant.slot() and grant.valid
    assert (time.process_time() - cpu) / 2000 <= 0.0001
    assert pacer.commands - before <= 2


async def test_free_grants_end_when_redis_is_gone(server: RedisServer, pacer: RedisPacer) -> None:
    await ready(pacer, 0)
    grant = await pacer.acquire(ACCOUNT, 1, 1, 1)
    assert grant is not None
    server.kill()
    gone = time.monotonic()
    while grant is not None and time.monotonic() - gone < 3:
        grant = await pacer.acquire(ACCOUNT, 1, 2, 0.3)
        if grant is not None and not await grant.slot():
            break
        await asyncio.sleep(0.01)
    assert time.monotonic() - gone <= 1.5
    with pytest.raises(QueueUnavailable):
        await pacer.state(ACCOUNT)
    with pytest.raises(QueueUnavailable):
        await pacer.configure(ACCOUNT, FREE, {1: FREE})


async def test_a_wait_outlives_an_outage(server: RedisServer, pacer: RedisPacer) -> None:
    await ready(pacer, 0, lines=1)
    server.kill()
    waiting = asyncio.create_task(pacer.acquire(ACCOUNT, 1, 1, 10))
    short = await pacer.acquire(ACCOUNT, 1, 2, 0.2)
    await pacer.brake(ACCOUNT, 1.0)
    await pacer.release(ACCOUNT, [5])
    assert short is None and not waiting.done()
    server.start()
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


async def test_a_freed_line_reaches_another_process_at_once(server: RedisServer, pacer: RedisPacer) -> None:
    await ready(pacer, 0, lines=1)
    assert await pacer.acquire(ACCOUNT, 1, 1, 1) is not None
    far_client = Redis.from_url(server.url)
    far = RedisPacer(far_client, "t", time.monotonic)
    for attempt_id in (2, 3, 4):
        waiting = asyncio.create_task(far.acquire(ACCOUNT, 1, attempt_id, 5))
        done, _ = await asyncio.wait([waiting], timeout=0.1)
        assert not done
        freed = time.monotonic()
        await pacer.release(ACCOUNT, [attempt_id - 1])
        assert await waiting is not None
        assert time.monotonic() - freed < 0.05
    await far.aclose()
    await far_client.aclose()


async def test_a_brake_reaches_every_process_within_milliseconds(server: RedisServer, pacer: RedisPacer) -> None:
    await ready(pacer, 20)
    workers = await processes(server.url, 2, 3.0)
    reads = [asyncio.create_task(moments(worker)) for worker in workers]
    await asyncio.wait(reads, timeout=1.8)
    braked = time.monotonic()
    await pacer.brake(ACCOUNT, 0.8)
    sent = sorted(moment for part in await asyncio.gather(*reads) for moment in part)
    assert sum(moment < braked for moment in sent) >= 5
    assert not [moment for moment in sent if braked + 0.02 < moment < braked + 0.79]
    resumed = [moment for moment in sent if moment >= braked + 0.79]
    assert sum(moment < resumed[0] + 0.1 for moment in resumed) <= 3


async def test_a_grant_for_at_once_is_void_before_its_line_can_be_given_away(client: "Redis") -> None:
    stood_still_s = 0.0
    timing = Timing(young_s=5.0, deaf_s=60.0)
    pacer = RedisPacer(client, "young", lambda: time.monotonic() + stood_still_s, timing)
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
    keys = [key.decode() for key in await client.keys("*")]
    assert keys and all(key.startswith(f"t:{{{ACCOUNT}}}:") for key in keys)


async def test_a_redis_clock_that_was_set_back_costs_a_second_and_no_burst(client: "Redis", pacer: RedisPacer) -> None:
    await ready(pacer, 20)
    dialing = asyncio.create_task(dial(pacer, 3.0))
    await asyncio.wait([dialing], timeout=1.4)
    seconds, _ = await client.time()
    await client.hset(f"t:{{{ACCOUNT}}}:s", "hi", (seconds + 20) * 1_000_000)  # type: ignore[misc]
    sent = await dialing
    assert worst_second(sent) <= 20
    assert 0.9 <= longest_gap(sent) <= 1.3


async def test_campaigns_that_want_lines_get_equal_parts(pacer: RedisPacer) -> None:
    await pacer.configure(ACCOUNT, Limits(0, 6), {1: FREE, 2: FREE})
    await pacer.restore(ACCOUNT, {})
    numbers, calls = count(1), {1: 0, 2: 0}
    end = time.monotonic() + 1.5

    async def work(campaign_id: int) -> None:
        while (left := end - time.monotonic()) > 0:
            attempt_id = next(numbers)
            if await pacer.acquire(ACCOUNT, campaign_id, attempt_id, left) is None:
                continue
            calls[campaign_id] += 1
            await asyncio.sleep(0.03)
            await pacer.release(ACCOUNT, [attempt_id])

    await asyncio.gather(*(work(campaign) for campaign, many in ((1, 20), (2, 5)) for _ in range(many)))
    assert calls[1] + calls[2] >= 120
    assert 0.4 <= calls[1] / (calls[1] + calls[2]) <= 0.65


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
        made = RedisPacer(client, "t", time.monotonic)
        await made.state(ACCOUNT)
        await asyncio.wait_for(made.aclose(), 2)
