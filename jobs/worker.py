"""The arq worker that places calls, and beside it those loops of the fleet that no other process holds.

``arq jobs.worker.WorkerSettings`` runs the same; ``dialer worker`` adds a clean drain on SIGTERM, riding out a Redis
outage, and a heartbeat file for health checks.
"""

import asyncio
import os
import platform
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import structlog
from arq.connections import RedisSettings
from arq.constants import in_progress_key_prefix
from arq.utils import poll
from arq.worker import Function, Worker, func
from redis.exceptions import RedisError

from config import load_settings
from config.logs import configure_logs
from dialer.adapters.queue.arq_queue import DIAL_QUEUE, deserialize, serialize
from dialer.adapters.queue.cancelling import cancelled
from dialer.bootstrap import App, open_app, open_redis
from dialer.errors import LedgerNewer, LedgerUnavailable, UsageError
from jobs.health import STALE_S, uptime_s, write_heartbeat
from jobs.place_call import place_call

log = structlog.get_logger()

JOB_TIMEOUT_S = 150
DRAIN_S = 45.0
POLL_S = 0.1
END_S = 2.0
HEARTBEAT_S = 2.0
BEAT_WITHIN_S = 5.0
FED_WITHIN_S = 15.0
"""A worker whose feeder did not get through a tick for so long dials nothing, whatever else is well."""

FUNCTIONS: list[Function] = [func(place_call, max_tries=1, keep_result=0, timeout=JOB_TIMEOUT_S)]
COMMON: dict[str, Any] = {
    "max_tries": 1,
    "keep_result": 0,
    "log_results": False,
    "poll_delay": POLL_S,
    "queue_read_limit": 2000,
    "job_serializer": serialize,
    "job_deserializer": deserialize,
    "health_check_interval": 10,
}


class SteadyWorker(Worker):
    """arq's worker, which by itself ends with the first failing Redis command."""

    async def main(self) -> None:
        """As arq's, without the look at INFO before it: Redis may come late, or not allow it."""
        self.ctx["redis"] = self.pool
        async for _ in poll(self.poll_delay_s):
            await self._poll_iteration()
            if self.burst and not await self.pool.zcard(self.queue_name):
                await asyncio.gather(*self.tasks.values())
                return

    async def _poll_iteration(self) -> None:
        try:
            await super()._poll_iteration()
        except (RedisError, OSError) as broken:
            log.warning("redis.unreachable", queue=self.queue_name, error=str(broken))
            await asyncio.sleep(0.5)

    async def start_jobs(self, job_ids: list[bytes]) -> None:
        """One by one: what arq took for a job that Redis then failed to start is given back."""
        for job_id in await self._not_started(job_ids):
            if self.job_counter >= self.max_jobs:
                return
            before = self.job_counter
            try:
                await super().start_jobs([job_id])
            except (RedisError, OSError):
                if self.job_counter > before and job_id.decode() not in self.tasks:
                    self._release_sem_dec_counter_on_complete()
                raise

    async def _not_started(self, job_ids: Sequence[bytes]) -> list[bytes]:
        """A job stays in the queue until it is done; arq would ask after each of them, at each poll of each worker."""
        others = [job_id for job_id in job_ids if job_id.decode() not in self.tasks]
        if not others:
            return []
        started = await self.pool.mget([in_progress_key_prefix + job_id.decode() for job_id in others])
        return [job_id for job_id, by in zip(others, started, strict=True) if by is None]

    async def end(self) -> None:
        """Cut off what still runs; the calls themselves are done, and the ledger knows of them."""
        for task in self.tasks.values():
            task.cancel()
        if self.tasks:
            # arq notes each end in Redis, and would wait as long as that is away.
            await asyncio.wait(self.tasks.values(), timeout=END_S)


async def serve(app: App, stop: asyncio.Event, heartbeat: Path | None = None) -> None:
    """Work until ``stop`` is set, then finish what is on the wire and hand back the rest."""
    name = f"{platform.node()}:{os.getpid()}"
    dial = _worker(app, DIAL_QUEUE, name, functions=FUNCTIONS, max_jobs=200, job_timeout=JOB_TIMEOUT_S)
    loops = asyncio.create_task(app.keep_loops())
    background: list[asyncio.Task[Any]] = [
        asyncio.create_task(dial.async_run()),
        loops,
        asyncio.create_task(app.place_call.keep_leases()),
        asyncio.create_task(app.keep_watch()),
    ]
    if heartbeat is not None:
        background.append(asyncio.create_task(_beat(app, heartbeat)))
    stopped = asyncio.create_task(stop.wait())
    try:
        log.info("worker.started", worker=name, accounts=sorted(app.providers))
        await asyncio.wait([*background, stopped], return_when=asyncio.FIRST_COMPLETED)
        dial.allow_pick_jobs = False
        await cancelled([loops])
        await app.place_call.stop(DRAIN_S)
        log.info("worker.stopped", worker=name)
        for task in background:
            if task.done() and not task.cancelled():
                task.result()
    finally:
        await cancelled([*background, stopped])
        await dial.end()


def _worker(app: App, queue: str, name: str, **options: Any) -> SteadyWorker:
    return SteadyWorker(
        queue_name=queue,
        redis_pool=app.redis,
        handle_signals=False,
        health_check_key=f"{queue}:health:{name}",
        ctx={"app": app},
        **COMMON,
        **options,
    )


async def _beat(app: App, path: Path) -> None:
    """Note, and say in a file, that this process can write to its ledger and its Redis, and does what it does for all.

    Raises LedgerNewer once a newer program upgraded the ledger.
    """
    well_at: float | None = None
    while True:
        app.pulse.ailing, why = await _ailment(app)
        app.pulse.looked_at = app.clock.monotonic()
        if not why:
            well_at = uptime_s()
        else:
            log.warning("worker.unhealthy", error=why)
        try:
            write_heartbeat(path, well_at, why)
        except OSError as broken:
            log.warning("worker.unhealthy", error=str(broken))
        await app.clock.sleep(HEARTBEAT_S)


async def _ailment(app: App) -> tuple[str, str]:
    """Which part is not well, and why; empty where all is."""
    if app.not_fed_for_s() > FED_WITHIN_S:
        return "feeder", f"nothing is handed over to be dialed: {app.pulse.why or 'the feeder gets through no tick'}"
    part = "ledger"
    try:
        async with asyncio.timeout(BEAT_WITHIN_S):
            await app.ledger.beat()
            part = "redis"
            await app.redis.set(f"dialer:{app.ledger.identity}:beat", b"1", ex=60)
    except LedgerNewer:
        raise
    except TimeoutError:
        return part, f"its {part} took longer than {BEAT_WITHIN_S:g} s"
    except (RedisError, OSError, LedgerUnavailable) as broken:
        return part, str(broken)
    return "", ""


def unwell(app: App) -> Sequence[str]:
    """The parts of this process that are not well; a look costs nothing."""
    return app.pulse.unwell(app.clock.monotonic(), STALE_S)


async def _startup(ctx: dict[str, Any]) -> None:
    """For ``arq jobs.worker.WorkerSettings``: open the house, and hold loops beside arq's own worker."""
    os.environ["PYTHONSAFEPATH"] = "1"  # no process of ours takes a module from the working directory
    settings = load_settings()
    configure_logs(level=settings.log_level, fmt=settings.log_format, secrets=settings.secrets)
    stack = AsyncExitStack()
    url = stack.enter_context(open_redis(settings))
    app = await stack.enter_async_context(open_app(settings, url))
    ctx.update(app=app, stack=stack, background=_beside(app))


def _beside(app: App) -> Sequence["asyncio.Task[None]"]:
    beside = (app.keep_loops(), app.place_call.keep_leases(), app.keep_watch())
    return [asyncio.create_task(work) for work in beside]


async def _shutdown(ctx: dict[str, Any]) -> None:
    background = ctx.get("background", ())
    await cancelled(background)
    if "stack" in ctx:
        await ctx["stack"].aclose()


def __getattr__(name: str) -> type:
    """``WorkerSettings`` is made when arq asks for it, so that importing this module reads no option."""
    if name != "WorkerSettings":
        raise AttributeError(name)
    url = load_settings().redis_url
    if not url:
        raise UsageError("arq needs a Redis that others can reach: set DIALER_REDIS_URL (or use `dialer worker`)")
    return type(
        "WorkerSettings",
        (),
        COMMON
        | {
            "functions": FUNCTIONS,
            "queue_name": DIAL_QUEUE,
            "redis_settings": RedisSettings.from_dsn(url),
            "on_startup": _startup,
            "on_shutdown": _shutdown,
            "max_jobs": 200,
            "job_timeout": JOB_TIMEOUT_S,
            "job_completion_wait": int(DRAIN_S),
        },
    )
