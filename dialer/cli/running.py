"""run and worker: what stays in the foreground."""

import asyncio
import os
import signal
from collections.abc import Coroutine
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import uvloop

from config import Settings
from dialer.adapters.campaign_file import Overrides, read_campaign
from dialer.adapters.cancelling import cancelled
from dialer.adapters.local_simulator import local_simulator
from dialer.adapters.system_clock import SystemClock
from dialer.bootstrap import App, open_app, open_list, open_redis
from dialer.cli.lists import SOURCE, import_list, standing_limits
from dialer.cli.opening import settings as load
from dialer.cli.printing import print_import, print_json, print_report, say
from dialer.cli.progress import Progress, open_progress
from dialer.domain.campaign import CampaignSpec, CampaignStatus
from dialer.domain.limits import UNLIMITED
from dialer.errors import UsageError
from dialer.pipeline.report import ReportCampaign, import_document
from dialer.provider_access import require_key
from jobs.worker import heartbeat_file, is_healthy, serve

T = TypeVar("T")

REHEARSAL = {
    "provider": "simulator",
    "agent": "rehearsal",
    "window": "always",
    "rate": 25.0,
    "concurrency": 200,
    "max_attempts": 2,
    "person_limits": UNLIMITED,
}
REHEARSAL_TIMES: dict[str, float] = {
    "redial_scale": 0.0005,
    "reconcile_interval_s": 1.0,
    "max_call_s": 60.0,
    "unknown_horizon_s": 90.0,
}
QUICK_CALLS = ("--ring-s", "0.5,2", "--no-answer-ring-s", "2,3", "--talk-s", "1,4", "--log-delay-s", "1")
ONE_PRESS_S = 0.5
"""Signals closer together than this are one: `timeout` and some shells send each twice."""
LOOK_S = 0.2
OVER = {
    CampaignStatus.FINISHED: 0,
    CampaignStatus.CANCELLED: 1,
    CampaignStatus.HALTED: 3,
}
INTERRUPTED = 130


def run_campaign(
    path: Path | None, file: Path | None, overrides: Overrides, encoding: str | None, *, as_json: bool
) -> int:
    """Dial a list until every contact is final; answers the exit code."""
    settings = load()
    rehearsal = file is None and overrides.provider is None
    defaults = ({"name": path.stem} if file is None and path else {}) | (REHEARSAL if rehearsal else {})
    if file is None and path is None:
        raise UsageError("no list: give CONTACTS, or a campaign file with a [source]")
    spec = read_campaign(file, replace(overrides, defaults=defaults | standing_limits(settings)))
    if rehearsal:
        settings = _rehearse(settings, spec)
    require_key(settings, spec.provider)
    open_list(path, spec, encoding)  # a list that cannot be meant is refused before anything is started
    return uvloop.run(_run(settings, spec, path, encoding, as_json=as_json))


def _rehearse(settings: Settings, spec: CampaignSpec) -> Settings:
    say(
        "dialing the built-in simulator, not people: no --campaign and no --provider was given "
        f"({spec.pace.calls_per_second:g} calls/s, {spec.pace.concurrent_calls} lines, redials at once)"
    )
    chosen = settings.model_fields_set
    return settings.model_copy(update={name: s for name, s in REHEARSAL_TIMES.items() if name not in chosen})


async def _run(
    settings: Settings, spec: CampaignSpec, path: Path | None, encoding: str | None, *, as_json: bool
) -> int:
    stop = _stop_on_signals()
    with ExitStack() as stack:
        redis_url = stack.enter_context(open_redis(settings))
        simulator = stack.enter_context(local_simulator(QUICK_CALLS)) if spec.provider == "simulator" else ""
        async with open_app(settings, redis_url, simulator) as app:
            source = open_list(path, spec, encoding)
            work = import_list(settings, app.ledger, spec, source, str(path or SOURCE))
            imported = await _unless_stopped(work, stop)
            if imported is None:
                say("interrupted: the same command goes on where this stopped")
                return INTERRUPTED
            campaign, counts = imported
            if not as_json:
                print_import(import_document(counts) | {"waits": counts.waits}, source.notes)
            if campaign.status is CampaignStatus.HALTED:
                await app.control.move(spec.name, "start")
            code = await _work_until_over(app, spec.name, stop)
            document = await ReportCampaign(app.ledger, app.pacer).document(spec.name)
    if as_json:
        print_json(document)
    else:
        print_report(document)
    if code == INTERRUPTED:
        say("interrupted: the same command goes on where this stopped")
    return code


async def _unless_stopped(work: Coroutine[Any, Any, T], stop: asyncio.Event) -> T | None:
    """What ``work`` answers; None when it was cut off, because a list or its source may take for ever."""
    working, stopped = asyncio.create_task(work), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({working, stopped}, return_when=asyncio.FIRST_COMPLETED)
        return await working if working.done() else None
    finally:
        await cancelled([working, stopped])


async def _work_until_over(app: App, name: str, stop: asyncio.Event) -> int:
    if (await app.ledger.campaign(name)).status is CampaignStatus.FINISHED:
        return 0
    working = asyncio.create_task(serve(app, stop))
    try:
        with open_progress(app, name) as progress:
            code = await _watch(app, name, working, stop, progress)
    finally:
        stop.set()
        await working
    return code


async def _watch(app: App, name: str, working: "asyncio.Task[None]", stop: asyncio.Event, progress: Progress) -> int:
    while not working.done() and not stop.is_set():
        status = (await app.ledger.campaign(name)).status
        if status in OVER:
            return OVER[status]
        await progress.show()
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), LOOK_S)
    return INTERRUPTED if stop.is_set() else 1


def _stop_on_signals() -> asyncio.Event:
    """The first signal stops cleanly, the second at once."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    pressed: list[float] = []

    def stop_or_force() -> None:
        pressed.append(loop.time())
        if pressed[-1] - pressed[0] > ONE_PRESS_S:
            os._exit(INTERRUPTED)
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop_or_force)
    return stop


def run_worker() -> int:
    """Dial what is queued until SIGTERM; answers the exit code."""
    settings = load()

    async def work() -> None:
        stop = _stop_on_signals()
        with open_redis(settings) as redis_url:
            async with open_app(settings, redis_url) as app:
                await serve(app, stop, heartbeat_file(settings.home))

    uvloop.run(work())
    return 0


def check_worker() -> int:
    """Whether the worker on this host said lately that it is well."""
    well = is_healthy(load().home, SystemClock().now())
    say("worker: well" if well else "worker: no word from it lately")
    return 0 if well else 1
