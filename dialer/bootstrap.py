"""Opens the pools, joins rooms to plumbing, closes in reverse order."""

import asyncio
import os
import platform
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import SystemRandom

import structlog
from arq.connections import ArqRedis

from config import Settings, SettingsError, fill_url
from dialer.adapters.arq_queue import ArqQueue, arq_redis, pacing_redis
from dialer.adapters.csv_contacts import CsvContacts
from dialer.adapters.embedded_redis import embedded_redis
from dialer.adapters.local_simulator import local_simulator
from dialer.adapters.redis_pacer import RedisPacer
from dialer.adapters.redis_pacer.timing import Timing
from dialer.adapters.rejects_file import RejectsFile
from dialer.adapters.send_marks import KeptMarks
from dialer.adapters.sql_ledger import SqlLedger
from dialer.adapters.system_clock import SystemClock
from dialer.control_room import dialing_times, open_ledger
from dialer.domain.campaign import CampaignSpec, CampaignStatus
from dialer.domain.outlook import Outlook, outlook_of
from dialer.errors import LedgerUnavailable, QueueUnavailable, UsageError
from dialer.pipeline.control_campaign import ControlCampaign
from dialer.pipeline.enqueue_due import EnqueueDue
from dialer.pipeline.import_contacts import ImportContacts, OpenRejects
from dialer.pipeline.keep_calendar import KeepCalendar
from dialer.pipeline.notice_restore import NoticeRestore
from dialer.pipeline.place_call import PlaceCall
from dialer.pipeline.read_log import next_look_s
from dialer.pipeline.read_source import ReadSource
from dialer.pipeline.reconcile_calls import ReconcileCalls, Reconciled
from dialer.ports import CallProvider, Clock, ContactSource
from dialer.provider_access import account_limits, open_providers

log = structlog.get_logger()

LINE_MARGIN_S = 60.0
WATCH_S = 0.5
"""How often it is noted how far the ledger is, while it is written."""
WORKBOOKS = frozenset({".xlsx", ".xlsm"})


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
    restores: Mapping[str, NoticeRestore]
    feeding: asyncio.Lock = field(default_factory=asyncio.Lock)
    reading: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def feed(self, for_s: float = 0.0) -> None:
        """One tick of the feeder, and another ``for_s`` seconds later; skipped while one is still running here."""
        if self.feeding.locked():
            return
        async with self.feeding:
            await self._tick()
            if for_s > 0:
                await self.clock.sleep(for_s)
                await self._tick()

    async def _tick(self) -> None:
        try:
            await self.feeder.tick()
        except (QueueUnavailable, LedgerUnavailable) as unavailable:
            log.warning("feeder.skipped", error=str(unavailable))

    async def keep_watch(self) -> None:
        """See to it that no account is dialed whose ledger is older than what was done since, until cancelled."""
        await asyncio.gather(*(self._watch(account, restore) for account, restore in self.restores.items()))

    async def _watch(self, account: str, restore: NoticeRestore) -> None:
        while True:
            could = restore.may_dial
            try:
                await restore.look()
            except (QueueUnavailable, LedgerUnavailable) as unavailable:
                log.warning("restore.not_compared", account=account, error=str(unavailable))
            if restore.may_dial and not could:
                await self.feed()
            await self.clock.sleep(WATCH_S)

    async def keep_calendar(self) -> None:
        """One tick of the calendar."""
        try:
            await self.calendar.tick()
        except LedgerUnavailable as unavailable:
            log.warning("calendar.skipped", error=str(unavailable))

    async def read_sources(self) -> None:
        """Read the sources that are due; skipped while some are still being read here."""
        if self.reading.locked():
            return
        async with self.reading:
            try:
                await self.calendar.read_sources()
            except LedgerUnavailable as unavailable:
                log.warning("calendar.skipped", error=str(unavailable))

    async def reconcile(self, for_s: float = 0.0) -> None:
        """Read the log of every account that is due, again and again until ``for_s`` seconds have passed.

        Workers share one timetable in Redis: whoever comes first when a reading is due does it.
        """
        end = self.clock.monotonic() + for_s
        while True:
            for account, reconciler in self.reconcilers.items():
                if await self._is_due(account):
                    await self._read_log(account, reconciler)
            left = end - self.clock.monotonic()
            if left <= 0:
                return
            await self.clock.sleep(min(left, self.settings.reconcile_interval_s / 4, 0.25))

    async def _read_log(self, account: str, reconciler: ReconcileCalls) -> None:
        try:
            done = await reconciler.tick()
        except LedgerUnavailable as unavailable:
            log.warning("reconciler.skipped", account=account, error=str(unavailable))
            return
        turn, now = self._turn(account), self.clock.now()
        before = float(await self.redis.set(f"{turn}-at", now, ex=3600, get=True) or now)
        # While lines are short, a call that is over holds up another: read twice as often.
        again_s = 0.4 * self.settings.reconcile_interval_s if done.scarce else self._again_s(done, now - before)
        again_s = max(again_s, reconciler.trouble.rest_s(self.settings.reconcile_interval_s))
        await self.redis.pexpire(turn, _ms(again_s))

    def _again_s(self, done: Reconciled, elapsed_s: float) -> float:
        page_size = done.rows / max(1, done.pages)
        return next_look_s(0.9 * self.settings.reconcile_interval_s, elapsed_s, done.news, page_size)

    async def _is_due(self, account: str) -> bool:
        period_ms = _ms(0.9 * self.settings.reconcile_interval_s)
        return bool(await self.redis.set(self._turn(account), b"1", px=period_ms, nx=True))

    def _turn(self, account: str) -> str:
        return f"dialer:{self.ledger.identity}:{account}:log-read"


def _ms(seconds: float) -> int:
    return max(50, int(seconds * 1000))


@contextmanager
def open_redis(settings: Settings) -> Iterator[str]:
    """The URL of the Redis to use: the configured one, else an embedded one."""
    if settings.redis_url:
        yield settings.redis_url
        return
    with embedded_redis(settings.home, settings.redis_server) as url:
        yield url


def open_import(settings: Settings, ledger: SqlLedger, spec: CampaignSpec) -> ImportContacts:
    """The producer's room; rejects go to a file in the home directory."""
    return ImportContacts(ledger, rejects_in(settings.home, spec.name), outlook_now(spec))


def outlook_now(spec: CampaignSpec) -> Outlook:
    """What people of a list can look forward to from this moment."""
    return outlook_of(spec, SystemClock().now())


def open_reader(settings: Settings, ledger: SqlLedger) -> ReadSource:
    """The room that reads a campaign's source; rejects go to a file in the home directory."""

    def rejects(name: str) -> OpenRejects:
        return rejects_in(settings.home, name)

    return ReadSource(ledger, SystemClock(), rejects, f"{platform.node()}:{os.getpid()}")


def open_list(path: Path | None, spec: CampaignSpec, encoding: str | None = None) -> ContactSource:
    """The list of a campaign as a stream: the file at ``path``, by its ending, else the campaign's source.

    Raises UsageError when there is neither, or both.
    """
    if path is not None and spec.source.url:
        raise UsageError("the campaign has a [source]: leave CONTACTS away, or take the source out of the file")
    if path is None:
        return open_source(spec)
    if path.suffix.lower() in WORKBOOKS:
        from dialer.adapters.excel_contacts import ExcelContacts

        return ExcelContacts(path, spec.columns, spec.region, reminder=spec.reminder)
    return CsvContacts(path, spec.columns, spec.region, encoding, reminder=spec.reminder)


def open_source(spec: CampaignSpec) -> ContactSource:
    """The campaign's source, its address filled from the environment. Raises UsageError."""
    if not spec.source.url:
        raise UsageError("no list: give CONTACTS, or a campaign file with a [source]")
    from dialer.adapters.database_contacts import DatabaseContacts

    try:
        url = fill_url(spec.source.url)
    except SettingsError as unset:
        raise UsageError(str(unset)) from None
    return DatabaseContacts(url, spec.source.query, spec.columns, spec.region, reminder=spec.reminder)


def rejects_in(home: Path, name: str) -> "_OpenRejects":
    """Opens the file that a campaign's rejected rows go to."""
    return _OpenRejects(home / "rejects" / f"{''.join(c if c.isalnum() else '-' for c in name)}.csv")


@dataclass(frozen=True)
class _OpenRejects:
    path: Path

    def __call__(self, header: tuple[str, ...]) -> RejectsFile:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return RejectsFile(self.path, header)


@asynccontextmanager
async def open_app(settings: Settings, redis_url: str, simulator_url: str = "") -> AsyncIterator[App]:
    """A worker's whole house. ``simulator_url`` serves campaigns whose provider is the simulator."""
    async with AsyncExitStack() as stack:
        ledger = await stack.enter_async_context(open_ledger(settings))
        if not simulator_url and await _needs_simulator(ledger):
            simulator_url = stack.enter_context(local_simulator())
        redis, pacing = arq_redis(redis_url), pacing_redis(redis_url)
        stack.push_async_callback(redis.aclose)
        stack.push_async_callback(pacing.aclose)
        yield await _join(settings, ledger, redis, pacing, simulator_url, stack)


async def _join(
    settings: Settings,
    ledger: SqlLedger,
    redis: ArqRedis,
    pacing: "object",
    simulator_url: str,
    stack: AsyncExitStack,
) -> App:
    clock, times = SystemClock(), dialing_times(settings)
    line_life_s = settings.max_call_s + LINE_MARGIN_S
    # The pacer sleeps by the event loop's clock, which is this one.
    pacer = RedisPacer(pacing, f"dialer:{ledger.identity}", time.monotonic, Timing(line_life_s=line_life_s))  # type: ignore[arg-type]
    stack.push_async_callback(pacer.aclose)
    providers = open_providers(settings, clock, simulator_url)
    for provider in providers.values():
        stack.push_async_callback(provider.aclose)
    reconcilers = {
        account: ReconcileCalls(
            ledger, ledger, provider, pacer, clock, settings.unknown_horizon_s, settings.redial_scale
        )
        for account, provider in providers.items()
    }
    restores = {
        account: NoticeRestore(
            room, KeptMarks(redis, settings.home, f"{ledger.identity}:{account}"), settings.reconcile_interval_s
        )
        for account, room in reconcilers.items()
    }
    return App(
        settings=settings,
        clock=clock,
        ledger=ledger,
        redis=redis,
        pacer=pacer,
        providers=providers,
        feeder=EnqueueDue(
            ledger,
            ledger,
            ArqQueue(redis, ledger.identity, clock),
            pacer,
            clock,
            account_limits(settings),
            line_life_s,
            lease_s=times.lease_s,
            may_dial=lambda account: account not in restores or restores[account].may_dial,
        ),
        place_call=PlaceCall(
            ledger,
            pacer,
            providers,
            clock,
            SystemRandom(),
            times,
            worker=f"{platform.node()}:{os.getpid()}",
        ),
        reconcilers=reconcilers,
        control=ControlCampaign(ledger, ledger, clock, times.send_within_s),
        calendar=KeepCalendar(ledger, ledger, clock, open_reader(settings, ledger), open_source),
        restores=restores,
    )


async def _needs_simulator(ledger: SqlLedger) -> bool:
    over = (CampaignStatus.FINISHED, CampaignStatus.CANCELLED)
    return any(c.spec.provider == "simulator" and c.status not in over for c in await ledger.campaigns())
