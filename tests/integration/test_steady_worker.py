"""arq's worker as we use it: it starts without INFO, and its slots outlive a failing Redis."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from arq.connections import ArqRedis
from arq.constants import in_progress_key_prefix
from redis.exceptions import ConnectionError as RedisConnectionError

from dialer.adapters.queue.arq_queue import DIAL_QUEUE, arq_redis
from jobs.worker import COMMON, FUNCTIONS, SteadyWorker
from tests.redis_server import running_redis


@pytest_asyncio.fixture
async def redis() -> AsyncIterator[ArqRedis]:
    """A Redis of its own."""
    with running_redis() as server:
        opened = arq_redis(server.url)
        yield opened
        await opened.aclose(close_connection_pool=True)


def worker(redis: ArqRedis, **more: Any) -> SteadyWorker:
    return SteadyWorker(redis_pool=redis, handle_signals=False, **COMMON | more)


async def test_a_slot_that_redis_failed_is_given_back(redis: ArqRedis) -> None:
    class Failing(ArqRedis):
        """Answers everything but the start of a job."""

        def pipeline(self, *_: Any, **__: Any) -> Any:
            raise RedisConnectionError("gone")

    failing = Failing(redis.connection_pool)
    dial = worker(failing, queue_name=DIAL_QUEUE, functions=FUNCTIONS, max_jobs=3)
    for _ in range(10):
        with pytest.raises(RedisConnectionError):
            await dial.start_jobs([b"one", b"two"])
    assert dial.job_counter == 0
    await asyncio.wait_for(dial.sem.acquire(), 1)


async def test_a_worker_starts_without_the_right_to_ask_for_info(redis: ArqRedis) -> None:
    await redis.execute_command("ACL", "SETUSER", "default", "-info")  # type: ignore[no-untyped-call]
    dial = worker(redis, queue_name=DIAL_QUEUE, functions=FUNCTIONS, burst=True)
    await dial.async_run()
    assert dial.jobs_failed == 0


async def test_a_job_that_somebody_runs_is_not_asked_after_again(redis: ArqRedis) -> None:
    asked: list[Any] = []

    class Watched(ArqRedis):
        """Notes for which jobs a transaction was begun."""

        def pipeline(self, *words: Any, **more: Any) -> Any:
            asked.append(words)
            return super().pipeline(*words, **more)

    await redis.set(in_progress_key_prefix + "theirs", b"1")
    dial = worker(Watched(redis.connection_pool), queue_name=DIAL_QUEUE, functions=FUNCTIONS, max_jobs=3)
    mine = dial.tasks["mine"] = asyncio.create_task(asyncio.Event().wait())
    await dial.start_jobs([b"theirs", b"mine"])
    assert (asked, dial.job_counter) == ([], 0)
    await dial.start_jobs([b"theirs", b"mine", b"nobody's"])
    assert len(asked) == 1, "arq looks whether it is there still"
    mine.cancel()
