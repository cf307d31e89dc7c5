"""A bare place-call job on other queues, and bare request loops: what `side_by_side.py` runs beside the dialer.

    python jobs.py QUEUE work REDIS_URL PROVIDER_URL AT_ONCE
    python jobs.py QUEUE enqueue REDIS_URL FIRST COUNT
    python jobs.py httpx-loop|aiohttp-loop work - PROVIDER_URL AT_ONCE   (counts of calls to make come on stdin)

Runs in an environment of its own (`requirements.lock`); imports nothing of the dialer. Each job is one POST with one
client for all of them, as each project's own page shows it, and nothing else: no ledger, no gate, no pace.
"""

import asyncio
import logging
import sys
import threading

import httpx

HEADERS = {"X-API-Key": "benchmark"}
FIRST_NUMBER = 9_000_000_000


def body(number: int) -> dict:
    person = {"contact_number": f"+91{FIRST_NUMBER + number}", "name": f"Person {number}"}
    return {"agent_id": "agent-1", **person, "metadata": {"city": "Pune"}}


class Caller:
    """One asynchronous httpx client for all jobs of a process."""

    def __init__(self, url: str) -> None:
        self.url, self.client = f"{url}/api/trigger-call/", httpx.AsyncClient(trust_env=False)

    async def call(self, number: int) -> None:
        (await self.client.post(self.url, json=body(number), headers=HEADERS)).raise_for_status()


class BlockingCaller:
    """One httpx client for all threads of a process; httpx.Client is safe for that."""

    def __init__(self, url: str) -> None:
        self.url, self.client = f"{url}/api/trigger-call/", httpx.Client(trust_env=False)

    def call(self, number: int) -> None:
        self.client.post(self.url, json=body(number), headers=HEADERS).raise_for_status()


def saq_work(redis_url: str, provider: str, at_once: int) -> None:
    import uvloop
    from redis.asyncio import Redis
    from saq import Worker
    from saq.queue.redis import RedisQueue

    async def run() -> None:
        caller = Caller(provider)

        async def place(ctx: dict, *, number: int) -> None:
            await caller.call(number)

        queue = RedisQueue(Redis.from_url(redis_url))
        await Worker(queue, functions=[("place", place)], concurrency=at_once).start()

    uvloop.run(run())


def saq_enqueue(redis_url: str, numbers: range) -> None:
    from redis.asyncio import Redis
    from saq.queue.redis import RedisQueue

    async def run() -> None:
        queue = RedisQueue(Redis.from_url(redis_url))
        await queue.connect()
        for number in numbers:
            await queue.enqueue("place", number=number)

    asyncio.run(run())


def _taskiq(redis_url: str, provider: str = ""):
    from taskiq_redis import ListQueueBroker

    broker, caller = ListQueueBroker(redis_url), Caller(provider)

    @broker.task(task_name="place")
    async def place(number: int) -> None:
        await caller.call(number)

    return broker, place


def taskiq_work(redis_url: str, provider: str, at_once: int) -> None:
    import uvloop
    from taskiq.api import run_receiver_task

    async def run() -> None:
        broker, _ = _taskiq(redis_url, provider)
        broker.is_worker_process = True
        await run_receiver_task(broker, max_async_tasks=at_once, run_startup=True)

    uvloop.run(run())


def taskiq_enqueue(redis_url: str, numbers: range) -> None:
    async def run() -> None:
        broker, place = _taskiq(redis_url)
        await broker.startup()
        for number in numbers:
            await place.kiq(number)

    asyncio.run(run())


def _celery(redis_url: str, provider: str = ""):
    from celery import Celery

    app, caller = Celery("rival", broker=redis_url.replace("unix://", "redis+socket://")), BlockingCaller(provider)
    app.conf.update(task_ignore_result=True, worker_prefetch_multiplier=4, broker_connection_retry_on_startup=True)

    @app.task(name="place")
    def place(number: int) -> None:
        caller.call(number)

    return app, place


def celery_work(redis_url: str, provider: str, at_once: int) -> None:
    app, _ = _celery(redis_url, provider)
    app.worker_main(
        [
            "worker",
            "--pool=threads",
            f"--concurrency={min(at_once, 16)}",
            "--loglevel=ERROR",
            "--without-heartbeat",
            "--without-gossip",
            "--without-mingle",
        ]
    )


def celery_enqueue(redis_url: str, numbers: range) -> None:
    _, place = _celery(redis_url)
    for number in numbers:
        place.delay(number)


def _dramatiq(redis_url: str, provider: str = ""):
    import dramatiq
    from dramatiq.brokers.redis import RedisBroker

    broker, caller = RedisBroker(url=redis_url), BlockingCaller(provider)
    dramatiq.set_broker(broker)

    @dramatiq.actor(actor_name="place")
    def place(number: int) -> None:
        caller.call(number)

    return broker, place


def dramatiq_work(redis_url: str, provider: str, at_once: int) -> None:
    from dramatiq import Worker

    broker, _ = _dramatiq(redis_url, provider)
    Worker(broker, worker_threads=min(at_once, 16)).start()
    threading.Event().wait()


def dramatiq_enqueue(redis_url: str, numbers: range) -> None:
    _, place = _dramatiq(redis_url)
    for number in numbers:
        place.send(number)


async def _loop(call, at_once: int) -> None:
    made = 0
    while line := await asyncio.to_thread(sys.stdin.readline):
        left = iter(range(made, made + int(line)))
        made += int(line)

        async def work() -> None:
            for number in left:  # noqa: B023 - all share what is left of this line
                await call(number)

        await asyncio.gather(*(work() for _ in range(at_once)))


def httpx_loop(redis_url: str, provider: str, at_once: int) -> None:
    import uvloop

    async def run() -> None:
        await _loop(Caller(provider).call, at_once)

    uvloop.run(run())


def aiohttp_loop(redis_url: str, provider: str, at_once: int) -> None:
    import aiohttp
    import uvloop

    async def run() -> None:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

            async def call(number: int) -> None:
                async with session.post(f"{provider}/api/trigger-call/", json=body(number), headers=HEADERS) as answer:
                    await answer.read()
                    answer.raise_for_status()

            await _loop(call, at_once)

    uvloop.run(run())


WORK = {
    "saq": saq_work, "taskiq": taskiq_work, "celery": celery_work, "dramatiq": dramatiq_work,
    "httpx-loop": httpx_loop, "aiohttp-loop": aiohttp_loop,
}  # fmt: skip
ENQUEUE = {"saq": saq_enqueue, "taskiq": taskiq_enqueue, "celery": celery_enqueue, "dramatiq": dramatiq_enqueue}

if __name__ == "__main__":
    logging.basicConfig(level=logging.ERROR)
    name, verb, redis, *rest = sys.argv[1:]
    if verb == "work":
        WORK[name](redis, rest[0], int(rest[1]))
    else:
        ENQUEUE[name](redis, range(int(rest[0]), int(rest[0]) + int(rest[1])))
