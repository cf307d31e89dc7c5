"""The doorbell in Redis: what is planted there runs nothing, and no hand-over is taken for an older one."""

import asyncio
import json
import pickle
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from arq.connections import ArqRedis
from arq.constants import in_progress_key_prefix, job_key_prefix, retry_key_prefix

from dialer.adapters.local.system_clock import SystemClock
from dialer.adapters.queue.arq_queue import DIAL_QUEUE, ArqQueue, arq_redis
from dialer.adapters.queue.cancelling import cancelled
from dialer.ports import QueuedAttempt
from jobs.worker import COMMON, FUNCTIONS, SteadyWorker
from tests.redis_server import running_redis

FIRST = QueuedAttempt(7, 1, 1, "vaanivoice")
AGAIN = replace(FIRST, dispatch=2)


@pytest_asyncio.fixture
async def redis() -> AsyncIterator[ArqRedis]:
    """A Redis of its own: the queue's name is the same everywhere."""
    with running_redis() as server:
        opened = arq_redis(server.url)
        yield opened
        await opened.aclose(close_connection_pool=True)


def queue(redis: ArqRedis) -> ArqQueue:
    return ArqQueue(redis, "ledger-1", SystemClock())


def worker(redis: ArqRedis, run: Callable[[list[list[Any]]], None], *, burst: bool) -> SteadyWorker:
    """A worker whose jobs are handed to ``run``; with ``burst`` it ends when nothing lies there."""

    async def place_call(ctx: dict[str, Any], identity: str, handed: list[list[Any]]) -> None:
        run(handed)

    return SteadyWorker(
        functions=[replace(FUNCTIONS[0], coroutine=place_call)],
        queue_name=DIAL_QUEUE,
        redis_pool=redis,
        handle_signals=False,
        burst=burst,
        **COMMON | {"poll_delay": 0.01},
    )


async def worked(redis: ArqRedis) -> list[Any]:
    """What a worker runs of what lies there."""
    ran: list[Any] = []
    await worker(redis, ran.extend, burst=True).async_run()
    return ran


async def test_what_is_rung_is_run_once(redis: ArqRedis) -> None:
    await queue(redis).enqueue([FIRST])
    await queue(redis).enqueue([FIRST])
    assert await worked(redis) == [[7, 1, 1, "vaanivoice"]]
    assert await worked(redis) == []


async def test_a_hand_over_is_run_though_a_worker_died_with_the_one_before(redis: ArqRedis) -> None:
    await queue(redis).enqueue([FIRST])
    (job_id,) = await redis.zrange(DIAL_QUEUE, 0, -1)
    await redis.psetex(retry_key_prefix + job_id.decode(), 60_000, 1)  # what is left of a worker that took it
    assert await worked(redis) == []
    await queue(redis).enqueue([AGAIN])
    assert await worked(redis) == [[7, 2, 1, "vaanivoice"]]


async def test_a_hand_over_does_not_wait_for_the_mark_of_a_worker_that_was_killed(redis: ArqRedis) -> None:
    await queue(redis).enqueue([FIRST])
    (job_id,) = await redis.zrange(DIAL_QUEUE, 0, -1)
    await redis.psetex(in_progress_key_prefix + job_id.decode(), 60_000, 1)
    await queue(redis).enqueue([AGAIN])
    ran: asyncio.Queue[Any] = asyncio.Queue()
    working = asyncio.create_task(worker(redis, ran.put_nowait, burst=False).async_run())
    assert await asyncio.wait_for(ran.get(), 20) == [[7, 2, 1, "vaanivoice"]]
    await cancelled([working])


async def test_a_job_is_json(redis: ArqRedis) -> None:
    await queue(redis).enqueue([FIRST])
    (job_id,) = await redis.zrange(DIAL_QUEUE, 0, -1)
    job = await redis.get(job_key_prefix + job_id.decode())
    assert job is not None
    assert json.loads(job)["a"] == ["ledger-1", [[7, 1, 1, "vaanivoice"]]]


class _Trap:
    """Unpickling it makes a file."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.file,)


async def test_what_is_planted_in_redis_runs_nothing(redis: ArqRedis, tmp_path: Path) -> None:
    planted = pickle.dumps({"t": 1, "f": "place_call", "a": (_Trap(tmp_path / "sprung"),), "k": {}, "et": 1})
    await redis.psetex(job_key_prefix + "planted", 60_000, planted)
    await redis.zadd(DIAL_QUEUE, {"planted": 1})
    assert await worked(redis) == []
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize(
    "planted", [b"", b"null", b"{}", b'{"f": "os.system", "a": ["true"], "k": {}, "t": 1, "et": 1}']
)
async def test_nonsense_is_passed_over(redis: ArqRedis, planted: bytes) -> None:
    await redis.psetex(job_key_prefix + "planted", 60_000, planted)
    await redis.zadd(DIAL_QUEUE, {"planted": 1})
    await queue(redis).enqueue([FIRST])
    assert await worked(redis) == [[7, 1, 1, "vaanivoice"]]
