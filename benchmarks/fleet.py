"""One, two and four workers on one ledger, on both engines, with many calls made before and without, in one run.

python benchmarks/fleet.py [--calls 2000] [--rounds 1] [--workers 1,2,4] [--engines postgresql,sqlite]
    [--history 1000000] [--json]

Workers are ``dialer worker`` on a fresh ledger and a Valkey of its own, without rate or line limit, against a provider
in this process that answers at once. PostgreSQL flushes each commit to disk. CPU is user and system time of all
workers, and of the server with its backends, from idle until the last call is recorded. ``--history`` fills so many
calls, their contacts, sends, log rows and events before the workers start, in one run of each engine more, with the
first number of workers.
"""

import argparse
import asyncio
import json
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import psycopg
import uvloop

from benchmarks.cost_per_call import FIRST_NUMBER, WARM_UP, DialerSide, cpu_s, provider, start, until
from tests.postgres_server import fresh_database, postgres_server
from tests.redis_server import redis_server

POSTGRESQL, SQLITE = "postgresql", "sqlite"
DURABLE = ("-c", "fsync=on", "-c", "full_page_writes=on", "-c", "shared_buffers=256MB", "-c", "max_wal_size=4GB")

RECORDED = """
SELECT count(*) FROM attempts
WHERE campaign_id IN (SELECT id FROM campaigns WHERE status = 'running') AND state = 'placed'
"""
NUMBERS = "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {count})"
HISTORY = (
    """INSERT INTO campaigns (name, account, spec, status, created_at, started_at, finished_at)
    SELECT 'history', account, spec, 'finished', {began}, {began}, {ended} FROM campaigns LIMIT 1""",
    NUMBERS
    + """ INSERT INTO contacts (campaign_id, phone, name, list_row, status, disposition, attempts,
        last_attempt_at, duration_s)
    SELECT (SELECT id FROM campaigns WHERE name = 'history'), '+91' || ({first} + n), 'Person', n, 'reached',
        'answered', 1, {began} + n * {step}, 30 FROM numbers""",
    """INSERT INTO attempts (campaign_id, contact_id, number_of, phone, person, account, agent, state, disposition,
        dispatch, due_at, token, worker, dialed_at, ended_at, duration_s, call_id, cost)
    SELECT c.campaign_id, c.id, 1, c.phone, c.phone, h.account, 'agent-1', 'ended', 'answered', 1, c.last_attempt_at,
        'history-' || c.id, 'host:1', c.last_attempt_at, c.last_attempt_at + 30, 30, 'made-' || c.id, 1
    FROM contacts c JOIN campaigns h ON h.id = c.campaign_id WHERE h.name = 'history' ORDER BY c.id""",
    """INSERT INTO sends (attempt_id, account, token, class, started_at, answered_at, http_status, requests)
    SELECT id, account, token, 'placed', dialed_at, dialed_at + 1, 200, 1
    FROM attempts WHERE state = 'ended' ORDER BY id""",
    """INSERT INTO log_rows (account, call_id, attempt_id, evidence, started_at, ended_at, duration_s, raw_status,
        disposition, first_seen_at)
    SELECT account, call_id, id, 'call id', dialed_at, ended_at, 30, 'completed', 'answered', ended_at
    FROM attempts WHERE state = 'ended' ORDER BY id""",
    """INSERT INTO events (attempt_id, at, actor, before, after, reason)
    SELECT a.id, a.dialed_at, moves.actor, moves.before, moves.after, 'first attempt' FROM attempts a
    CROSS JOIN (SELECT 'feeder' AS actor, 'planned' AS before, 'queued' AS after
        UNION ALL SELECT 'worker', 'queued', 'dialing' UNION ALL SELECT 'worker', 'dialing', 'placed'
        UNION ALL SELECT 'reconciler', 'placed', 'ended') moves
    WHERE a.state = 'ended' ORDER BY a.id""",
)
"""Calls of ninety days, each answered; one text for both engines."""
SETTLE = {POSTGRESQL: ("VACUUM ANALYZE", "CHECKPOINT"), SQLITE: ("ANALYZE",)}
"""What a server would do by itself later, amid what is measured."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """One run: CPU in milliseconds for each call; ``server_cpu_ms`` is PostgreSQL's, 0 with SQLite."""

    engine: str
    workers: int
    history: int
    calls_per_s: float
    cpu_ms: float
    server_cpu_ms: float


@dataclass(frozen=True)
class FleetSide(DialerSide):
    """A home whose ledger may be elsewhere; "" is SQLite in the home."""

    database: str = ""

    @property
    def environment(self) -> dict[str, str]:
        return super().environment | ({"DIALER_DATABASE_URL": self.database} if self.database else {})

    @contextmanager
    def connected(self) -> Iterator[Any]:
        """A connection of the driver, which commits by itself."""
        if self.database:
            with psycopg.connect(self.database, autocommit=True) as connection:
                yield connection
        else:
            with closing(sqlite3.connect(self.home / "ledger.db", isolation_level=None, timeout=30)) as connection:
                yield connection

    def recorded(self) -> int:
        with self.connected() as connection:
            return int(connection.execute(RECORDED).fetchone()[0])

    def fill(self, count: int) -> None:
        """Calls that were made before."""
        span, now = 90 * 86400, time.time()
        told = {"count": count, "first": FIRST_NUMBER - 2 * count, "began": now - span, "ended": now,
                "step": span / count}  # fmt: skip
        with self.connected() as connection:
            for sql in (*HISTORY, *SETTLE[POSTGRESQL if self.database else SQLITE]):
                connection.execute(sql.format(**told))

    def server_pid(self) -> int:
        """The process whose children are the server's."""
        with self.connected() as connection:
            backend = int(connection.execute("SELECT pg_backend_pid()").fetchone()[0])
            return int(Path(f"/proc/{backend}/stat").read_text().rpartition(") ")[2].split()[1])


def server_cpu_s(pid: int) -> float:
    """As ``cpu_s``, of a process whose children come and go."""
    while True:
        with suppress(FileNotFoundError):
            return cpu_s(pid)


@contextmanager
def database(engine: str) -> Iterator[str]:
    """An empty ledger's address, for the block."""
    if engine == SQLITE:
        yield ""
        return
    with postgres_server(*DURABLE) as server, fresh_database(server, "fleet") as url:
        yield url


async def run(engine: str, workers: int, history: int, calls: int) -> Fleet:
    """One run on a fresh ledger."""
    with tempfile.TemporaryDirectory(prefix="dialer-fleet-") as home, redis_server() as redis, database(engine) as url:
        async with provider() as server:
            side = FleetSide(Path(home), redis, server, database=url)
            await side.enqueue(0, WARM_UP * workers)
            if history:
                side.fill(history)
            fleet = [start(side.command("worker"), side.environment) for _ in range(workers)]
            try:
                await until(lambda: side.recorded() == WARM_UP * workers, "the warm-up", 0.1)
                return await measured(side, fleet, history, calls)
            finally:
                for worker in fleet:
                    worker.send_signal(signal.SIGTERM)
                for worker in fleet:
                    # The provider goes on answering meanwhile.
                    await asyncio.to_thread(worker.wait, 60)


async def measured(side: FleetSide, fleet: Sequence["subprocess.Popen[bytes]"], history: int, calls: int) -> Fleet:
    """``calls`` of a fleet that is warm and idle."""
    first, server = WARM_UP * len(fleet), side.server_pid() if side.database else 0

    def used() -> tuple[float, float]:
        return sum(cpu_s(worker.pid) for worker in fleet), server_cpu_s(server) if server else 0.0

    before, server_before = used()
    await side.enqueue(first, calls)
    await until(lambda: len(side.provider.placed) >= first + calls, f"{calls} calls of {len(fleet)} workers")
    await until(lambda: side.recorded() >= first + calls, "every answer in the ledger", 0.1)
    after, server_after = used()
    span = side.provider.placed[first + calls - 1] - side.provider.placed[first]
    return Fleet(
        POSTGRESQL if side.database else SQLITE,
        len(fleet),
        history,
        (calls - 1) / span,
        (after - before) / calls * 1000,
        (server_after - server_before) / calls * 1000,
    )


async def compare(engines: Sequence[str], sizes: Sequence[int], history: int, calls: int, rounds: int) -> list[Fleet]:
    """Every engine with every number of workers, in turns."""
    runs = []
    for _ in range(rounds):
        for engine in engines:
            for workers, made in [*((size, 0) for size in sizes), *([(sizes[0], history)] if history else [])]:
                runs.append(await run(engine, workers, made, calls))
                print(told(runs[-1]), file=sys.stderr, flush=True)
    return runs


def told(one: Fleet) -> str:
    return (
        f"{one.engine:10} {one.workers} workers, {one.history:>9,} calls before: {one.calls_per_s:6,.0f} calls/s,"
        f" CPU a call: workers {one.cpu_ms:.2f} ms, server {one.server_cpu_ms:.2f} ms"
    )


def ratios(runs: Sequence[Fleet]) -> dict[str, dict[str, float]]:
    """By engine: each other run against that of the first number of workers without history; the best of each."""
    found: dict[str, dict[str, float]] = {}
    for engine in dict.fromkeys(one.engine for one in runs):
        kinds: dict[tuple[int, int], list[Fleet]] = {}
        for one in runs:
            if one.engine == engine:
                kinds.setdefault((one.workers, one.history), []).append(one)
        (_, base), *others = kinds.items()
        found[engine] = {}
        for (workers, history), those in others:
            name = f"{workers} workers" + (f", {history} calls before" if history else "")
            fastest, cheapest = max(one.calls_per_s for one in those), min(one.cpu_ms for one in those)
            found[engine][f"{name}: calls/s"] = round(fastest / max(one.calls_per_s for one in base), 3)
            found[engine][f"{name}: CPU"] = round(cheapest / min(one.cpu_ms for one in base), 3)
    return found


def main() -> None:
    """Run and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--calls", type=int, default=2000, help="calls of each run")
    options.add_argument("--rounds", type=int, default=1)
    options.add_argument("--workers", type=lambda text: [int(part) for part in text.split(",")], default=[1, 2, 4])
    options.add_argument("--engines", type=lambda text: text.split(","), default=[POSTGRESQL, SQLITE])
    options.add_argument("--history", type=int, default=0, help="calls that were made before")
    options.add_argument("--json", action="store_true", help="print one JSON document on stdout")
    given = options.parse_args()
    runs = uvloop.run(compare(given.engines, given.workers, given.history, given.calls, given.rounds))
    against = ratios(runs)
    if given.json:
        print(json.dumps({"ratios": against, "runs": [asdict(one) for one in runs]}))
        return
    for engine, those in against.items():
        for name, ratio in those.items():
            print(f"{engine:10} {name} / {given.workers[0]} workers: {ratio:.2f}")


if __name__ == "__main__":
    main()
