"""CPU of a call's whole life, its outcome included: the dialer next to a bare arq job that only places, in one run.

python benchmarks/whole_life.py [--calls 2000] [--rounds 3] [--engines sqlite,postgresql] [--history N] [--json]
                                [--profile FILE [--py-spy PATH]]

As ``cost_per_call.py``, but the provider's log shows every call as over at once, and what is counted is the worker
until its last call is settled: fed, placed, recorded, read in the log, and its redial planned or its contact final.
Every other call is answered. ``--history`` fills the ledger first with so many calls made before. Printed beside the
CPU: the time that the worker spent under the writer's lock (on PostgreSQL the gate's, commits included) for each call.
"""

import argparse
import json
import signal
import sqlite3
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, nullcontext
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from mmap import mmap
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import psycopg
import uvloop

from benchmarks.cost_per_call import ROOT, WARM_UP, Cost, DialerSide, bare_round, line, measured, provider, until
from dialer.adapters.ledger.engines import open_engine
from dialer.adapters.ledger.migrate import prepare
from dialer.adapters.ledger.postgresql_engine import PostgresqlEngine
from dialer.adapters.ledger.spec_text import write_spec
from dialer.adapters.ledger.sqlite_engine import SqliteEngine
from dialer.adapters.ledger.transaction import Transaction
from dialer.domain.campaign import CampaignSpec
from tests.postgres_server import fresh_database, postgres_server
from tests.redis_server import redis_server

GOALS = {"sqlite": 0.75, "postgresql": 1.2}
"""CPU of the worker, as a share of the bare job's."""
LOCK_GOAL_MS = 1.2
OLD_S = 40 * 86_400.0
SERIES = {
    "sqlite": "(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {many}) SELECT i FROM n) AS n",
    "postgresql": "generate_series(1, {many}) AS n(i)",
}
HISTORY = (
    """
INSERT INTO contacts (id, campaign_id, phone, name, zones, places, list_row, status, disposition, attempts)
SELECT i, 1, '+9180' || (10000000 + i), 'Person', 'Asia/Kolkata', 'IN', i, 'reached', 'answered', 1 FROM {series}
""",
    """
INSERT INTO attempts (id, campaign_id, contact_id, number_of, phone, person, account, state, disposition, dispatch,
    due_at, token, dialed_at, ended_at, call_id, cost)
SELECT i, 1, i, 1, '+9180' || (10000000 + i), '+9180' || (10000000 + i), 'vaanivoice', 'ended', 'answered', 1,
    {at}, 'old-' || i, {at}, {at} + 30, 'old-call-' || i, 1.0 FROM {series}
""",
    """
INSERT INTO sends (id, attempt_id, account, token, class, started_at, answered_at, http_status, requests)
SELECT i, i, 'vaanivoice', 'old-' || i, 'placed', {at}, {at} + 1, 200, 1 FROM {series}
""",
    """
INSERT INTO events (id, attempt_id, at, actor, before, after, reason)
SELECT i, i, {at}, 'reconciler', 'placed', 'ended', 'answered: completed (call id)' FROM {series}
""",
    """
INSERT INTO log_rows (account, call_id, attempt_id, evidence, started_at, ended_at, duration_s, raw_status, disposition,
    cost, first_seen_at)
SELECT 'vaanivoice', 'old-call-' || i, i, 'call id', {at}, {at} + 30, 20, 'completed', 'answered', 1.0, {at} + 40
FROM {series}
""",
)


@dataclass(frozen=True, slots=True)
class Life:
    """One round of the dialer."""

    engine: str
    cost: Cost
    lock_ms_per_call: float


@dataclass(frozen=True)
class WholeLife(DialerSide):
    """A home whose calls are followed until their outcomes are settled. ``database_url``: "" for SQLite."""

    database_url: str = ""
    history: int = 0

    @property
    def environment(self) -> dict[str, str]:
        settings = {"DIALER_RECONCILE_INTERVAL_S": "5"}
        if self.database_url:
            settings["DIALER_DATABASE_URL"] = self.database_url
        return super().environment | settings

    @property
    def ledger_url(self) -> str:
        return self.database_url or f"sqlite:///{self.home / 'ledger.db'}"

    def recorded(self) -> int:
        """Calls of which the outcome is in the ledger."""
        asked = f"SELECT count(*) FROM attempts WHERE id > {self.history} AND state = 'ended'"
        if not self.database_url:
            with closing(sqlite3.connect(f"file:{self.home / 'ledger.db'}?mode=ro", uri=True)) as reader:
                return int(reader.execute(asked).fetchone()[0])
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            row = connection.execute(asked.encode()).fetchone()
            return int(row[0]) if row else 0


def row_of(call_id: str, request: Any) -> bytes:
    """The row of a call that is over as soon as it was placed, in the shape of vaanivoice's log."""
    now, phone = time.time(), request["contact_number"]
    picked_up = int(phone[-9:]) % 2
    talk: dict[str, Any] = {"call_status": "no-answer", "user_picked_up_at": None, "call_entity": {}}
    if picked_up:
        talk = {
            "call_status": "completed",
            "user_picked_up_at": _iso(now + 0.1),
            "call_summary": "The agent greeted the contact, who answered.",
            "call_entity": {"interested": "yes", "city": "Pune"},
        }
    row = {
        "call_id": call_id,
        "agent_id": request["agent_id"],
        "agent_name": "Agent",
        "to_number": phone,
        "from_number": "+911140000000",
        "direction": "outbound",
        "Start_time": _iso(now),
        "End_time": _iso(now + 0.2),
        "duration_ms": 200,
        "call_metadata": request["metadata"],
        "call_cost": 0.75,
        "recording_api": f"/api/recording/{call_id}",
        "post_processing_status": "completed",
    }
    return json.dumps(row | talk).encode()


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()


def fill(url: str, many: int) -> None:
    """A migrated ledger in which ``many`` calls of a campaign that is over stand, each answered once."""
    prepare(url)
    kind = "sqlite" if url.startswith("sqlite") else "postgresql"
    words = {"series": SERIES[kind].format(many=many), "at": f"({time.time() - OLD_S} + i * 0.1)"}
    spec = write_spec(CampaignSpec("old", "agent-1"))
    with open_engine(url).writing(serial=True) as ledger:
        ledger.run(
            "INSERT INTO campaigns (name, account, spec, status, created_at) VALUES ('old', 'vaanivoice', :spec, "
            "'finished', :at)",
            {"spec": spec, "at": time.time() - OLD_S},
        )
        for statement in HISTORY:
            ledger.run(statement.format(**words))
        if kind == "postgresql":
            for table in ("contacts", "attempts", "sends", "events"):
                ledger.run(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))")


class Stopwatch:
    """Seconds that another process adds up in a file."""

    def __init__(self, path: Path) -> None:
        path.write_bytes(path.read_bytes() if path.exists() else bytes(8))
        with path.open("r+b") as file:
            self._map = mmap(file.fileno(), 8)

    @property
    def seconds(self) -> float:
        return float(struct.unpack("d", self._map[:8])[0])

    def add(self, seconds: float) -> None:
        self._map[:8] = struct.pack("d", self.seconds + seconds)


def timed_worker(path: Path) -> None:
    """``dialer worker`` in this process, which adds up in the file how long it is inside the writer's lock."""
    from dialer.cli import main as dialer

    watch = Stopwatch(path)
    for engine in (SqliteEngine, PostgresqlEngine):
        _time_writing(engine, watch)
    sys.argv = ["dialer", "worker"]
    dialer()


def _time_writing(engine: type[SqliteEngine] | type[PostgresqlEngine], watch: Stopwatch) -> None:
    writing = engine.writing

    @contextmanager
    def timed(self: Any, *, serial: bool) -> Iterator[Transaction]:
        began = time.perf_counter()
        try:
            with writing(self, serial=serial) as transaction:
                began = time.perf_counter()
                yield transaction
        finally:
            if serial:
                watch.add(time.perf_counter() - began)

    engine.writing = timed  # type: ignore[method-assign]


async def life_round(engine: str, server_url: str, calls: int, history: int, profile: list[str]) -> Life:
    """One round of the dialer on a fresh ledger."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="dialer-bench-")))
        url = stack.enter_context(redis_server())
        database = stack.enter_context(fresh_database(server_url, f"life_{time.time_ns()}")) if server_url else ""
        async with provider(row_of) as server:
            side = WholeLife(home, url, server, database_url=database, history=history)
            if history:
                fill(side.ledger_url, history)
            await side.enqueue(0, WARM_UP)
            command = [sys.executable, __file__, "--worker", str(home / "lock")]
            watch = Stopwatch(home / "lock")
            worker = subprocess.Popen(command, env=side.environment, cwd=ROOT, stdout=subprocess.DEVNULL)  # noqa: ASYNC220
            try:
                await until(lambda: side.recorded() == WARM_UP, "the dialer's warm-up", 0.1)
                before = watch.seconds
                cost = await measured(f"dialer, {engine}", worker.pid, server, calls, profile=profile, side=side)
                return Life(engine, cost, (watch.seconds - before) / calls * 1000)
            finally:
                worker.send_signal(signal.SIGTERM)
                worker.wait(60)


async def compare(given: argparse.Namespace, profile: list[str]) -> tuple[list[Life], list[Cost]]:
    """Rounds of each engine and of the bare job, in turns."""
    lives, bare = [], []
    with postgres_server() if "postgresql" in given.engines else nullcontext("") as postgres:
        for _ in range(given.rounds):
            for engine in given.engines:
                server = postgres if engine == "postgresql" else ""
                lives.append(await life_round(engine, server, given.calls, given.history, profile))
                print(
                    line(lives[-1].cost),
                    f"{lives[-1].lock_ms_per_call:.3f} ms in the lock",
                    file=sys.stderr,
                    flush=True,
                )
            bare.append(await bare_round(given.calls, given.bare_jobs))
            print(line(bare[-1]), file=sys.stderr, flush=True)
    return lives, bare


def summary(lives: list[Life], bare: list[Cost]) -> dict[str, Any]:
    """Medians of each engine and of the bare job, and each engine's CPU as a share of the bare job's."""
    placed = statistics.median(cost.cpu_ms_per_call for cost in bare)
    told: dict[str, Any] = {"bare_cpu_ms": round(placed, 3)}
    for engine in dict.fromkeys(life.engine for life in lives):
        own = [life for life in lives if life.engine == engine]
        cpu = statistics.median(life.cost.cpu_ms_per_call for life in own)
        told[engine] = {
            "cpu_ms": round(cpu, 3),
            "ratio": round(cpu / placed, 3),
            "ratio_goal": GOALS[engine],
            "lock_ms": round(statistics.median(life.lock_ms_per_call for life in own), 3),
            "calls_per_s": round(statistics.median(life.cost.calls_per_s for life in own), 1),
        }
    return told


def main() -> None:
    """Run and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--calls", type=int, default=2000, help="calls of each side in a round")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--engines", type=lambda text: text.split(","), default=list(GOALS))
    options.add_argument("--history", type=int, default=0, help="calls that were made before")
    options.add_argument("--bare-jobs", type=int, default=100, help="jobs the bare worker runs at once")
    options.add_argument("--profile", metavar="FILE", help="py-spy's raw stacks of the dialer's worker")
    options.add_argument("--py-spy", default="py-spy", help="where py-spy is")
    options.add_argument("--json", action="store_true", help="print one JSON document on stdout")
    options.add_argument("--worker", type=Path, metavar="FILE", help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.worker:
        timed_worker(given.worker)
        return
    spy = [given.py_spy, "record", "-r", "500", "-d", "600", "-f", "raw", "-o", given.profile] if given.profile else []
    lives, bare = uvloop.run(compare(given, spy))
    told = summary(lives, bare)
    if given.json:
        print(json.dumps(told | {"rounds": [*map(asdict, lives), *map(asdict, bare)]}))
        return
    print(f"bare arq + httpx, places only: {told['bare_cpu_ms']:.3f} ms CPU a call")
    for engine in given.engines:
        own = told[engine]
        print(
            f"{engine:10} {own['cpu_ms']:.3f} ms CPU a call = {own['ratio']:.2f} of the bare job "
            f"(goal {own['ratio_goal']}), {own['lock_ms']:.3f} ms in the writer's lock "
            f"(goal on PostgreSQL {LOCK_GOAL_MS}), {own['calls_per_s']:,.0f} calls/s"
        )


if __name__ == "__main__":
    main()
