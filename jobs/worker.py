"""The arq worker that places calls, and beside it those loops of the fleet that no other process holds.

``arq jobs.worker.WorkerSettings`` runs the same; ``dialer worker`` adds a clean drain on SIGTERM, riding out a Redis
outage, and a heartbeat file for health checks.
"""

import asyncio
import json
import os
import platform
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import structlog
from arq.connections import RedisSettings
from arq.worker import Function, Worker, func
from redis.exceptions import RedisError

from config import load_settings
from config.logs import configure_logs
from dialer.adapters.arq_queue import DIAL_QUEUE, deserialize, serialize
from dialer.adapters.cancelling import cancelled
from dialer.bootstrap import App, open_app, open_redis
from dialer.errors import LedgerUnavailable, UsageError
from jobs.place_call import place_call

log = structlog.get_logger()

JOB_TIMEOUT_S = 150
DRAIN_S = 45.0
POLL_S = 0.1
END_S = 2.0
HEARTBEAT_S = 2.0
STALE_HEARTBEAT_S = 15.0

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

    async def _poll_iteration(self) -> None:
        try:
            await super()._poll_iteration()
        except (RedisError, OSError) as broken:
            log.warning("redis.unreachable", queue=self.queue_name, error=str(broken))
            await asyncio.sleep(0.5)

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
    """Say in a file that this process's loop turns and that it reaches its ledger and its Redis."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    while True:
        try:
            await app.ledger.waiting_in_queue()
            await app.redis.ping()
            _write_heartbeat(path, app.clock.now())
        except (RedisError, OSError, LedgerUnavailable) as broken:
            log.warning("worker.unhealthy", error=str(broken))
        await app.clock.sleep(HEARTBEAT_S)


def _write_heartbeat(path: Path, now: float) -> None:
    path.write_text(json.dumps({"at": now}))


def heartbeat_file(home: Path) -> Path:
    """Where the worker on this host says that it is well."""
    return home / "health" / f"{platform.node()}.json"


def is_healthy(home: Path, now: float) -> bool:
    """Whether the worker on this host said so lately."""
    try:
        at = float(json.loads(heartbeat_file(home).read_text())["at"])
    except (OSError, ValueError, KeyError):
        return False
    return 0 <= now - at <= STALE_HEARTBEAT_S


async def _startup(ctx: dict[str, Any]) -> None:
    """For ``arq jobs.worker.WorkerSettings``: open the house, and hold loops beside arq's own worker."""
    settings = load_settings()
    configure_logs(level=settings.log_level, fmt=settings.log_format, secrets=settings.secrets)
    stack = AsyncExitStack()
    url = stack.enter_context(open_redis(settings))
    app = await stack.enter_async_context(open_app(settings, url))
    ctx.update(app=app, stack=stack, background=_beside(app))


def _beside(app: App) -> Sequence["asyncio.Task[None]"]:
    return [asyncio.create_task(app.keep_loops()), asyncio.create_task(app.place_call.keep_leases())]


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
