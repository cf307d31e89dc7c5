"""Opens the pools, joins rooms to plumbing, closes in reverse order."""

import asyncio
import os
import platform
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import SystemRandom

import structlog
from arq.connections import ArqRedis
from redis.asyncio import Redis
from redis.exceptions import AuthenticationError, BusyLoadingError, RedisError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from config import Settings, SettingsError, fill_url
from dialer.adapters.ledger import SqlLedger
from dialer.adapters.lists.contacts import Table, TableContacts
from dialer.adapters.lists.csv_table import CsvTable
from dialer.adapters.lists.rejects_file import RejectsFile
from dialer.adapters.local.embedded_redis import embedded_redis, running_server
from dialer.adapters.local.simulator_process import local_simulator
from dialer.adapters.local.system_clock import SystemClock
from dialer.adapters.pacing import RedisPacer
from dialer.adapters.pacing.timing import Timing
from dialer.adapters.providers.vaanivoice.hooks_in import ACCOUNT as HOOKED
from dialer.adapters.queue.arq_queue import ArqQueue, arq_redis, pacing_redis
from dialer.adapters.queue.counted_retry import tell_failures
from dialer.adapters.queue.feeder_bell import FeederBell
from dialer.adapters.queue.log_bell import LogBell
from dialer.adapters.queue.send_marks import KeptMarks
from dialer.control_room import dialing_times, open_ledger, operator
from dialer.domain.act import By
from dialer.domain.campaign import SIMULATOR, CampaignSpec, CampaignStatus
from dialer.domain.campaign_name import file_stem
from dialer.domain.outlook import Outlook, outlook_of
from dialer.errors import LedgerUnavailable, QueueUnavailable, UsageError
from dialer.pipeline.control_campaign import ControlCampaign
from dialer.pipeline.enqueue_due import EnqueueDue
from dialer.pipeline.import_contacts import ImportContacts, OpenRejects
from dialer.pipeline.keep_calendar import KeepCalendar
from dialer.pipeline.keep_lines import KeepLines
from dialer.pipeline.keep_loops import KeepLoops, Loop
from dialer.pipeline.log_rounds import LogRounds
from dialer.pipeline.notice_restore import NoticeRestore
from dialer.pipeline.place_call import PlaceCall
from dialer.pipeline.pulse import Pulse
from dialer.pipeline.read_source import ReadSource
from dialer.pipeline.reconcile_calls import ReconcileCalls
from dialer.pipeline.report import ReportCampaign
from dialer.pipeline.what_limits import WhatLimits
from dialer.ports import CallProvider, Clock
from dialer.ports.meter import UNMETERED, Meter
from dialer.provider_access import account_limits, has_key, open_providers

log = structlog.get_logger()

LINE_MARGIN_S = 60.0
FEEDER = "feeder"
FEED_EVERY_S, FEEDER_WITHIN_S = 0.5, 30.0
CALENDAR_EVERY_S, CALENDAR_WITHIN_S = 1.0, 60.0
SOURCES_WITHIN_S = 4 * 3600.0
"""The longest time one reading of a source may take."""
READER_WITHIN_S = 600.0
WATCH_S = 0.5
"""How often it is noted how far the ledger is, while it is written."""
WORKBOOKS = frozenset({".xlsx", ".xlsm", ".xls", ".xlsb", ".ods"})


@dataclass(frozen=True)
class App:
    """Everything a worker needs, joined."""

    settings: Settings
    clock: Clock
    ledger: SqlLedger
    redis: ArqRedis
    pacer: RedisPacer
    providers: Mapping[str, CallProvider]
    feeder: EnqueueDue
    place_call: PlaceCall
    reconcilers: Mapping[str, ReconcileCalls]
    control: ControlCampaign
    calendar: KeepCalendar
    loops: KeepLoops
    bell: FeederBell
    report: ReportCampaign
    restores: Mapping[str, NoticeRestore]
    simulator_url: str = ""
    pulse: Pulse = field(default_factory=Pulse)

    async def keep_loops(self) -> None:
        """Hold the loops of the fleet that nobody else holds, until cancelled."""
        readers = [self._reader(account) for account in self.reconcilers]
        calendar = [
            Loop("calendar", self._keep_calendar, CALENDAR_WITHIN_S),
            Loop("sources", self._read_sources, SOURCES_WITHIN_S),
        ]
        await self.loops.run([Loop(FEEDER, self._feed, FEEDER_WITHIN_S, self.bell.wait), *calendar, *readers])

    def _reader(self, account: str) -> Loop:
        bell = LogBell(self.redis, self.ledger.identity, account, self.clock) if account == HOOKED else None
        rounds = LogRounds(self.reconcilers[account], self.settings.reconcile_interval_s, bell)
        return Loop(f"reader:{account}", rounds.tick, READER_WITHIN_S, rounds.rest)

    def not_fed_for_s(self) -> float:
        """How long this process holds the feeder without a tick that got through; 0 when another holds it."""
        now = self.clock.monotonic()
        if not self.loops.holds(FEEDER) or self.pulse.fed_at is None:
            self.pulse.fed_at = now
        return now - self.pulse.fed_at

    async def _feed(self) -> float:
        try:
            await self.feeder.tick()
        except (LedgerUnavailable, QueueUnavailable) as unavailable:
            self.pulse.why = str(unavailable)
            raise
        self.pulse.fed_at, self.pulse.why = self.clock.monotonic(), ""
        return FEED_EVERY_S

    async def _keep_calendar(self) -> float:
        await self.calendar.tick()
        return CALENDAR_EVERY_S

    async def keep_watch(self) -> None:
        """See to it that no account is dialed whose ledger is older than what was done since, until cancelled."""
        watching = [self._watch(account, restore) for account, restore in self.restores.items()]
        # A worker without a key for any account does the rest of its work, and does not end.
        await asyncio.gather(*watching, asyncio.Event().wait())

    async def _watch(self, account: str, restore: NoticeRestore) -> None:
        while True:
            try:
                await restore.look()
            except (QueueUnavailable, LedgerUnavailable) as unavailable:
                log.warning("restore.not_compared", account=account, error=str(unavailable))
            except Exception:
                # Until it is known how far the ledger is, its account is not dialed; the others are.
                log.exception("restore.not_compared", account=account)
            await self.clock.sleep(WATCH_S)

    async def _read_sources(self) -> float:
        await self.calendar.read_sources()
        return CALENDAR_EVERY_S


@contextmanager
def open_redis(settings: Settings) -> Iterator[str]:
    """The URL of the Redis to use: the configured one, else an embedded one."""
    if settings.redis_url:
        yield settings.redis_url
        return
    with embedded_redis(settings.home, settings.redis_server) as url:
        yield url


async def ring_feeder(settings: Settings, ledger: SqlLedger) -> None:
    """Let whichever worker feeds look now, if there is one."""
    async with _some_redis(settings) as redis:
        if redis is not None:
            await FeederBell(redis, ledger.identity, ledger.clock).ring()


async def ring_reader(settings: Settings, ledger: SqlLedger, account: str) -> None:
    """Let whichever worker reads this account's log do so soon, if there is one."""
    async with _some_redis(settings) as redis:
        if redis is not None:
            await LogBell(redis, ledger.identity, account, ledger.clock).ring()


@asynccontextmanager
async def _some_redis(settings: Settings) -> AsyncIterator["Redis | None"]:
    """The fleet's Redis; None where there is none yet."""
    url = settings.redis_url or running_server(settings.home)
    redis = pacing_redis(url) if url else None
    try:
        yield redis
    finally:
        if redis is not None:
            await redis.aclose()


@asynccontextmanager
async def open_report(settings: Settings, ledger: SqlLedger) -> AsyncIterator[ReportCampaign]:
    """The reader's room; without a Redis it reports what the ledger knows."""
    async with open_pacer(settings, ledger) as pacer:
        yield report_room(settings, ledger, pacer)


@asynccontextmanager
async def open_pacer(settings: Settings, ledger: SqlLedger) -> AsyncIterator[RedisPacer | None]:
    """The pacer of the fleet, to be asked; None where there is no Redis yet."""
    async with AsyncExitStack() as stack:
        pacer, redis = None, await stack.enter_async_context(_some_redis(settings))
        if redis is not None:
            pacer = RedisPacer(redis, f"dialer:{ledger.identity}", time.monotonic)
            stack.push_async_callback(pacer.aclose)
        yield pacer


def may_use(settings: Settings, account: str) -> bool:
    """Whether calls can be placed at it."""
    return account == SIMULATOR or has_key(settings, account)


def report_room(settings: Settings, ledger: SqlLedger, pacer: RedisPacer | None) -> ReportCampaign:
    """The reader's room over a pacer that may be missing."""
    pace_of = pacer.state if pacer else None
    limits = WhatLimits(ledger, ledger.clock, account_limits(settings), partial(may_use, settings), pace_of)
    return ReportCampaign(ledger, pacer, limits)


async def reach_redis(url: str, *, wait: bool) -> None:
    """Ask Redis for a sign of life, before anything hangs on it. Raises QueueUnavailable.

    ``wait``: one that is merely away may come later; one that lets nobody in never gets better by itself.
    """
    redis = pacing_redis(url)
    try:
        await redis.ping()
    except BusyLoadingError:
        return
    except (RedisError, OSError) as broken:
        away = isinstance(broken, OSError | RedisConnectionError | RedisTimeoutError)
        if wait and away and not isinstance(broken, AuthenticationError):
            log.warning("redis.unreachable", error=str(broken))
            return
        raise QueueUnavailable(
            f"Redis cannot be used ({broken}). See DIALER_REDIS_URL, and whether it runs; `dialer doctor` looks again"
        ) from None
    finally:
        await redis.aclose()


def open_import(settings: Settings, ledger: SqlLedger, spec: CampaignSpec, by: By) -> ImportContacts:
    """The producer's room; rejects go to a file in the home directory."""
    return ImportContacts(ledger, rejects_in(settings.home, spec.name), outlook_now(spec), by)


def outlook_now(spec: CampaignSpec) -> Outlook:
    """What people of a list can look forward to from this moment."""
    return outlook_of(spec, SystemClock().now())


def open_reader(settings: Settings, ledger: SqlLedger) -> ReadSource:
    """The room that reads a campaign's source; rejects go to a file in the home directory."""

    def rejects(name: str) -> OpenRejects:
        return rejects_in(settings.home, name)

    return ReadSource(ledger, ledger.clock, rejects, f"{platform.node()}:{os.getpid()}")


def open_list(path: Path | None, spec: CampaignSpec, encoding: str | None = None) -> TableContacts:
    """The list of a campaign as a stream: the file at ``path``, by its ending, else the campaign's source.

    Raises UsageError when there is neither, or both.
    """
    if path is not None and spec.source.url:
        raise UsageError("the campaign has a [source]: leave CONTACTS away, or take the source out of the file")
    if path is None:
        return open_source(spec)
    table: Table = CsvTable(path, spec.columns.phone, encoding)
    if path.suffix.lower() in WORKBOOKS:
        from dialer.adapters.lists.workbook_table import WorkbookTable

        table = WorkbookTable(path, spec.columns)
    return TableContacts(table, spec.columns, spec.region, reminder=spec.reminder)


def open_source(spec: CampaignSpec) -> TableContacts:
    """The campaign's source, its address filled from the environment. Raises UsageError."""
    if not spec.source.url:
        raise UsageError("no list: give CONTACTS, or a campaign file with a [source]")
    from dialer.adapters.lists.database_table import DatabaseTable

    source = spec.source
    try:
        url, filled = fill_url(source.url)
    except SettingsError as unset:
        raise UsageError(str(unset)) from None
    table = DatabaseTable(
        url,
        source.query,
        timeout_s=source.timeout_s,
        max_rows=source.max_rows,
        template=source.url,
        filled=filled,
    )
    return TableContacts(table, spec.columns, spec.region, reminder=spec.reminder)


def rejects_in(home: Path, name: str, ending: str = "") -> "RejectsAt":
    """Opens the file that a campaign's rejected rows go to; no two campaigns share one."""
    return RejectsAt(home / "rejects" / f"{file_stem(name)}{ending}.csv")


@dataclass(frozen=True)
class RejectsAt:
    """Opens ``path`` for rejected rows."""

    path: Path

    def __call__(self, header: tuple[str, ...]) -> RejectsFile:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return RejectsFile(self.path, header)


@asynccontextmanager
async def open_app(
    settings: Settings, redis_url: str, simulator_url: str = "", meter: Meter = UNMETERED
) -> AsyncIterator[App]:
    """A worker's whole house. ``simulator_url`` serves campaigns whose provider is the simulator."""
    async with AsyncExitStack() as stack:
        ledger = await stack.enter_async_context(open_ledger(settings))
        if not simulator_url and await _needs_simulator(ledger):
            simulator_url = stack.enter_context(local_simulator())
        redis, pacing = arq_redis(redis_url), pacing_redis(redis_url)
        stack.push_async_callback(redis.aclose)
        stack.push_async_callback(pacing.aclose)
        if meter is not UNMETERED:
            tell_failures(redis, meter.redis_failed)
            tell_failures(pacing, meter.redis_failed)
            ledger.people.store.meter = meter
        yield await _join(settings, ledger, redis, pacing, simulator_url, stack, meter)


async def _join(
    settings: Settings,
    ledger: SqlLedger,
    redis: ArqRedis,
    pacing: "object",
    simulator_url: str,
    stack: AsyncExitStack,
    meter: Meter,
) -> App:
    worker = f"{platform.node()}:{os.getpid()}"
    clock, times = ledger.clock, dialing_times(settings)
    line_life_s = settings.max_call_s + LINE_MARGIN_S
    # The pacer sleeps by the event loop's clock, which is this one.
    pacer = RedisPacer(pacing, f"dialer:{ledger.identity}", time.monotonic, Timing(line_life_s=line_life_s))  # type: ignore[arg-type]
    stack.push_async_callback(pacer.aclose)
    providers = open_providers(settings, clock, simulator_url, ledger)
    for provider in providers.values():
        stack.push_async_callback(provider.aclose)
    reconcilers, restores = {}, {}
    for account, provider in providers.items():
        room = ReconcileCalls(
            ledger, ledger, provider, pacer, clock, settings.unknown_horizon_s, settings.redial_scale, meter=meter
        )
        marks = KeptMarks(redis, settings.home, f"{ledger.identity}:{account}")
        reconcilers[account], restores[account] = room, NoticeRestore(room, marks, settings.reconcile_interval_s)
    feeder = EnqueueDue(
        ledger, ledger,
        ArqQueue(redis, ledger.identity, clock),
        pacer,
        clock,
        account_limits(settings),
        KeepLines(ledger, pacer, clock, line_life_s),
        lease_s=times.lease_s,
        may_dial=lambda account: account not in restores or restores[account].may_dial,
    )  # fmt: skip
    return App(
        settings=settings, clock=clock, ledger=ledger, redis=redis, pacer=pacer, providers=providers, feeder=feeder,
        place_call=PlaceCall(ledger, pacer, providers, clock, SystemRandom(), times, worker, meter=meter),
        reconcilers=reconcilers,
        control=ControlCampaign(ledger, ledger, clock, times.send_within_s, by=operator()),
        calendar=KeepCalendar(ledger, ledger, clock, open_reader(settings, ledger), open_source),
        loops=KeepLoops(ledger, clock, f"{worker}:{SystemRandom().getrandbits(32):08x}"),
        bell=FeederBell(redis, ledger.identity, clock),
        report=report_room(settings, ledger, pacer),
        restores=restores,
        simulator_url=simulator_url,
    )  # fmt: skip


async def _needs_simulator(ledger: SqlLedger) -> bool:
    over = (CampaignStatus.FINISHED, CampaignStatus.CANCELLED)
    return any(c.spec.provider == "simulator" and c.status not in over for c in await ledger.campaigns())
