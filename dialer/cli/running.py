"""run and worker: what stays in the foreground."""

import asyncio
import shlex
import sys
from contextlib import AsyncExitStack, ExitStack, suppress
from pathlib import Path

import structlog
import uvloop

from config import Settings
from dialer.adapters.campaign_file import Overrides, read_campaign
from dialer.adapters.local.private_home import make_private
from dialer.adapters.local.simulator_process import local_simulator
from dialer.bootstrap import App, open_app, open_list, open_redis, reach_redis
from dialer.cli.bars import CountedSource, open_bar
from dialer.cli.lists import UNUSABLE
from dialer.cli.opening import settings as load
from dialer.cli.opening import tell_if_new
from dialer.cli.printing import print_import, print_json, say
from dialer.cli.progress import Progress, open_progress
from dialer.cli.report_table import print_report
from dialer.cli.stopping import INTERRUPTED, Stop, end_within
from dialer.control_room import operator
from dialer.domain.campaign import CampaignSpec, CampaignStatus
from dialer.domain.limits import UNLIMITED
from dialer.errors import UsageError
from dialer.list_access import REHEARSAL, SOURCE, import_list, name_of, standing_limits
from dialer.pipeline.report import import_document
from dialer.ports import ContactSource
from dialer.provider_access import require_key
from jobs.health import forget_the_gone, heartbeat_file
from jobs.worker import DRAIN_S, serve, unwell

log = structlog.get_logger()

REHEARSAL_TIMES: dict[str, float] = {
    "redial_scale": 0.0005,
    "reconcile_interval_s": 1.0,
    "max_call_s": 60.0,
    "unknown_horizon_s": 90.0,
}
QUICK_CALLS = ("--ring-s", "0.5,2", "--no-answer-ring-s", "2,3", "--talk-s", "1,4", "--log-delay-s", "1")
LOOK_S = 0.2
OWED_FOR_S = 10.0
"""How long a finished campaign is kept open for what the log may still add to its calls."""
OVER = {
    CampaignStatus.FINISHED: 0,
    CampaignStatus.CANCELLED: 1,
    CampaignStatus.HALTED: 3,
}
IN_REVIEW = OVER[CampaignStatus.HALTED]
"""The exit code when all that is left waits for somebody's word."""
STOP_WITHIN_S = DRAIN_S + 8.0
"""What is on the wire is waited for; what stands in a lock, a query or a thread is not."""
CLOSE_WITHIN_S = 8.0
GOES_ON = "interrupted: the same command goes on where this stopped"


def run_campaign(
    path: Path | None, file: Path | None, overrides: Overrides, encoding: str | None, *, as_json: bool
) -> int:
    """Dial a list until every contact is final; answers the exit code."""
    settings = load()
    rehearsal = file is None and overrides.provider is None
    defaults = ({"name": name_of(path)} if file is None and path else {}) | (REHEARSAL if rehearsal else {})
    if file is None and path is None:
        raise UsageError("no list: give CONTACTS, or a campaign file with a [source]")
    spec = read_campaign(file, overrides, defaults, UNLIMITED if rehearsal else standing_limits(settings))
    if rehearsal:
        settings = _rehearse(settings, spec)
    require_key(settings, spec.provider)
    open_list(path, spec, encoding)  # a list that cannot be meant is refused before anything is started
    make_private(settings.home)
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
    stop = Stop(STOP_WITHIN_S)
    stop.cuts = asyncio.current_task()
    try:
        with ExitStack() as stack:
            redis_url = stack.enter_context(open_redis(settings))
            await reach_redis(redis_url, wait=False)
            simulator = stack.enter_context(local_simulator(QUICK_CALLS)) if spec.provider == "simulator" else ""
            async with open_app(settings, redis_url, simulator) as app:
                tell_if_new(app.ledger)
                source = open_list(path, spec, encoding)
                usable = await _import(app, spec, source, path, as_json=as_json)
                stop.cuts = None
                code = await _work_until_over(app, spec.handle, spec.provider, stop) or (0 if usable else UNUSABLE)
                document = await app.report.document(spec.handle)
    except asyncio.CancelledError:
        if not stop.asked.is_set():
            raise
        say(GOES_ON)
        return INTERRUPTED
    # A terminal that has gone away must not hide what came of the campaign: the exit code says it.
    with suppress(OSError) if code == INTERRUPTED else ExitStack():
        if as_json:
            print_json(document | {"notes": list(source.notes)})
        else:
            print_report(document)
    if code == INTERRUPTED:
        say(GOES_ON)
    return code


async def _import(app: App, spec: CampaignSpec, source: ContactSource, path: Path | None, *, as_json: bool) -> bool:
    """Answers whether any row of the list can be used."""
    with open_bar(f"reading {path.name if path else SOURCE}", quiet=as_json) as bar:
        counted = CountedSource(source, bar)
        campaign, counts = await import_list(app.settings, app.ledger, spec, counted, str(path or SOURCE), operator())
    if not as_json:
        print_import(import_document(counts) | {"waits": counts.waits}, source.notes)
        sys.stdout.flush()
    if campaign.status is CampaignStatus.HALTED:
        await app.control.move(spec.handle, "start")
    return counts.usable


async def _work_until_over(app: App, name: str, account: str, stop: Stop) -> int:
    if (await app.ledger.campaign(name)).status is CampaignStatus.FINISHED and not await _owed(app, account):
        return 0
    if stop.asked.is_set():
        return INTERRUPTED
    working = asyncio.create_task(serve(app, stop.asked))
    try:
        with open_progress(app.ledger, app.clock, name) as progress:
            code = await _watch(app, name, account, working, stop.asked, progress)
    finally:
        stop.asked.set()
        await working
        end_within(CLOSE_WITHIN_S)
    return code


async def _watch(
    app: App, name: str, account: str, working: "asyncio.Task[None]", stop: asyncio.Event, progress: Progress
) -> int:
    before, owed_until = CampaignStatus.RUNNING, None
    while not working.done() and not stop.is_set():
        status = (await app.ledger.campaign(name)).status
        if status is CampaignStatus.FINISHED:
            # What was said in the last calls may still come, and be a wish to be called back.
            calls, now = await _owed(app, account), app.clock.monotonic()
            owed_until = now + OWED_FOR_S if owed_until is None else owed_until
            if not calls or now >= owed_until:
                _say_owed(calls)
                return 0
        elif status in OVER:
            return OVER[status]
        elif status is CampaignStatus.RUNNING and (left := await _left_in_review(app, name)):
            _say_in_review(name, left)
            return IN_REVIEW
        else:
            owed_until = None
        if status not in (before, CampaignStatus.FINISHED):
            _tell_status(name, status)
            before = status
        with suppress(OSError):  # nobody reads it any more
            await progress.show()
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), LOOK_S)
    return INTERRUPTED if stop.is_set() else 1


def _tell_status(name: str, status: CampaignStatus) -> None:
    match status:
        case CampaignStatus.PAUSED:
            say(f"{name} is paused: it goes on with `dialer resume {shlex.quote(name)}`, here or elsewhere")
        case CampaignStatus.SCHEDULED:
            say(f"{name} is scheduled: it waits for its start, or for `dialer start {shlex.quote(name)}`")
        case _:
            say(f"{name} is {status}")


async def _left_in_review(app: App, name: str) -> int:
    """How many calls wait for a person's word, where nothing else is left to do and the log had its time."""
    campaign = await app.ledger.campaign(name)
    return await app.ledger.left_in_review(campaign.campaign_id, app.clock.now() - app.settings.max_call_s)


def _say_in_review(name: str, left: int) -> None:
    say(f"{name}: all that is left is in review ({left}): say what it was with `dialer review {shlex.quote(name)}`")


async def _owed(app: App, account: str) -> int:
    return (await app.ledger.owed(account)).calls


def _say_owed(calls: int) -> None:
    if calls:
        say(
            f"for {calls} calls the provider may still say what was said in them: `dialer worker`, or the same command "
            "again, reads it"
        )


async def _open_watched(settings: Settings, redis_url: str, ending: asyncio.Event, stack: AsyncExitStack) -> App:
    """A worker's house, and the port where it is asked how it is, if there is to be one."""
    if not settings.metrics_port:
        return await stack.enter_async_context(open_app(settings, redis_url))
    from dialer.watching import Watch

    watch = Watch(settings)
    app = await stack.enter_async_context(open_app(settings, redis_url, meter=watch.meter))
    watch.name_accounts(app.providers)
    watch.ask("worker", lambda: ("ending",) if ending.is_set() else unwell(app))
    await stack.enter_async_context(watch.answering())
    return app


def run_worker() -> int:
    """Dial what is queued until SIGTERM; answers the exit code."""
    settings = load()
    make_private(settings.home)

    async def work() -> None:
        stop = Stop(STOP_WITHIN_S)
        stop.cuts = asyncio.current_task()
        try:
            with open_redis(settings) as redis_url:
                await reach_redis(redis_url, wait=True)
                async with AsyncExitStack() as stack:
                    app = await _open_watched(settings, redis_url, stop.asked, stack)
                    if app.ledger.made_at:
                        log.warning("ledger.made", at=app.ledger.made_at)
                    stop.cuts = None
                    forget_the_gone(settings.home)
                    await serve(app, stop.asked, heartbeat_file(settings.home))
                    end_within(CLOSE_WITHIN_S)
        except asyncio.CancelledError:
            if not stop.asked.is_set():
                raise

    uvloop.run(work())
    return 0
