"""A worker, or an operator, that opens the real app and ends itself at the nth passing of a named point."""

import asyncio
import os
import signal
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path

import uvloop

from config import Settings, load_settings
from config.logs import configure_logs
from dialer.adapters.ledger.engines import open_engine
from dialer.adapters.ledger.postgresql_engine import PostgresqlEngine
from dialer.adapters.ledger.sqlite_engine import SqliteEngine
from dialer.adapters.ledger.store import Store, _Ask
from dialer.adapters.ledger.transaction import Transaction
from dialer.adapters.local.system_clock import SystemClock
from dialer.bootstrap import App, open_app
from dialer.errors import UsageError
from dialer.pipeline.dialing_times import DialingTimes
from dialer.ports import Suppression
from dialer.simulator.options import Options
from dialer.simulator.server import Simulator
from jobs.worker import serve

KILLED = 137
ON_THE_WIRE = "place.on_the_wire"
ON_THE_WIRE_S = 0.03
"""So long after the first byte the request has arrived and its answer has not."""
TIMES = DialingTimes(
    patience_s=4.0,
    send_within_s=0.8,
    answer_within_s=4.5,
    lease_s=1.5,
    retry_s=0.1,
    redial_scale=1.0,
    record_for_s=5.0,
)
SHORT_PATIENCE_S = 0.2
"""For the points of handing back: shorter than any wait for a line."""
SETTINGS = {
    "DIALER_VAANIVOICE_API_KEY": "fake-key-of-the-tests",
    "DIALER_RECONCILE_INTERVAL_S": "0.3",
    "DIALER_PROVIDER_TIMEOUT_S": "3",
    "DIALER_UNKNOWN_HORIZON_S": "5",
    "DIALER_MAX_CALL_S": "3",
    "DIALER_LOG_FORMAT": "json",
}


@dataclass(frozen=True)
class Orders:
    """What a process is to do. ``point`` is where it ends at its ``nth`` passing; "" for never."""

    home: Path
    name: str
    ledger_url: str
    redis_url: str
    provider_url: str
    point: str = ""
    nth: int = 1
    suppress: tuple[str, ...] = ()
    """With numbers: an operator, who pauses, suppresses them, and resumes; else a worker."""


class Fate:
    """Counts the passings of a point and ends the process at the right one, as SIGKILL would."""

    def __init__(self, point: str, nth: int) -> None:
        self.point, self.nth = point, nth
        self._lock = threading.Lock()
        self._passed: Counter[str] = Counter()

    def passing(self, point: str) -> None:
        """Told by the rooms and by the store."""
        if self.point == ON_THE_WIRE and point == "place.first_byte":
            if self._is_due(ON_THE_WIRE):
                asyncio.get_running_loop().call_later(ON_THE_WIRE_S, os._exit, KILLED)
        elif point == self.point and self._is_due(point):
            os._exit(KILLED)

    def _is_due(self, point: str) -> bool:
        with self._lock:
            self._passed[point] += 1
            return self._passed[point] == self.nth


class _WatchedEngine:
    """An engine that tells when a writing transaction is about to be committed, and when it was."""

    def __init__(self, engine: SqliteEngine | PostgresqlEngine, told: Callable[[str], None]) -> None:
        self._engine, self._told = engine, told
        self.snapshot, self.close_writer, self.close_reader = engine.snapshot, engine.close_writer, engine.close_reader

    @contextmanager
    def writing(self, *, serial: bool) -> Iterator[Transaction]:
        with self._engine.writing(serial=serial) as transaction:
            yield transaction
            self._told("before")
        self._told("after")


class WatchedStore(Store):
    """A store with a point before and one after the COMMIT of each verb: ``commit.before.VERB``."""

    def __init__(self, url: str, fate: Fate) -> None:
        self._fate = fate
        self._verbs: list[str] = []
        super().__init__(_WatchedEngine(open_engine(url), self._pass), SystemClock())  # type: ignore[arg-type]

    def _run(self, transaction: Transaction, group: list[_Ask]) -> None:
        self._verbs = sorted({ask.verb.__name__ for ask in group})
        super()._run(transaction, group)

    def _pass(self, moment: str) -> None:
        for verb in self._verbs:
            self._fate.passing(f"commit.{moment}.{verb}")


async def watched(app: App, url: str, fate: Fate) -> App:
    """The same house, with every room and the store telling their points."""
    times = replace(TIMES, patience_s=SHORT_PATIENCE_S) if "hand_back" in fate.point else TIMES
    plain, app.ledger._store = app.ledger._store, WatchedStore(url, fate)
    await plain.aclose()
    return replace(
        app,
        place_call=replace(app.place_call, times=times, passing=fate.passing),
        feeder=replace(app.feeder, lease_s=TIMES.lease_s, passing=fate.passing),
        reconcilers={name: replace(room, passing=fate.passing) for name, room in app.reconcilers.items()},
        control=replace(app.control, send_within_s=TIMES.send_within_s, passing=fate.passing),
    )


def provide(options: Options, told: "Connection[str, str]") -> None:
    """The body of a provider's process; tells its address."""

    async def serve_for_ever() -> None:
        simulator = Simulator(options)
        async with simulator.listening():
            told.send(simulator.url)
            await asyncio.Event().wait()

    uvloop.run(serve_for_ever())


def run(orders: Orders) -> None:
    """The body of the process."""
    out = os.open(orders.home / f"{orders.name}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(out, 1)
    os.dup2(out, 2)
    os.chdir(orders.home)
    os.environ.update(SETTINGS)
    os.environ.update(
        DIALER_HOME=str(orders.home),
        DIALER_DATABASE_URL=orders.ledger_url,
        DIALER_REDIS_URL=orders.redis_url,
        DIALER_VAANIVOICE_BASE_URL=orders.provider_url,
    )
    settings = load_settings()
    configure_logs(level="info", fmt="json")
    uvloop.run(_operate(settings, orders) if orders.suppress else _work(settings, orders))
    sys.exit(0)


async def _work(settings: Settings, orders: Orders) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with open_app(settings, orders.redis_url) as app:
        await serve(await watched(app, orders.ledger_url, Fate(orders.point, orders.nth)), stop)


async def _operate(settings: Settings, orders: Orders) -> None:
    async with open_app(settings, orders.redis_url) as opened:
        app = await watched(opened, orders.ledger_url, Fate(orders.point, orders.nth))
        try:
            await app.control.move("list", "pause")
        except UsageError:
            return  # the campaign is over
        clock = SystemClock()
        (orders.home / "acknowledged").open("a").write(f"pause {clock.now()}\n")
        await app.control.suppress([Suppression(phone, "asked us to stop") for phone in orders.suppress])
        (orders.home / "acknowledged").open("a").write(f"suppress {clock.now()}\n")
        await app.control.move("list", "resume")
