"""How long the page and the API take, and what they send, over a ledger that is full.

python benchmarks/console.py [--people 1000000] [--campaigns 50] [--events 5000000] [--asked 40]
    [--engines sqlite,postgresql] [--streams 200] [--json]

Fills a ledger by SQL, serves it with ``dialer serve`` as a process, and asks for each address ``--asked`` times, each
time of another campaign, one request after another. Printed are the times at which half and 95 % of the answers were
there, in ms, and the largest answer in KB. Then ``--streams`` streams of one campaign are open for ten seconds while
a call is made every tenth of a second: the CPU of the server, as a share of a core.
"""

import argparse
import asyncio
import json
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import httpx
import psycopg

from benchmarks.cost_per_call import cpu_s
from dialer.adapters.ledger.migrate import migrate
from dialer.adapters.ledger.spec_text import write_spec
from dialer.domain.calling_window import ALWAYS
from dialer.domain.campaign import CampaignSpec, Pace
from tests.acceptance.dialer_process import DIALER, Home
from tests.postgres_server import fresh_database, postgres_server

POSTGRESQL, SQLITE = "postgresql", "sqlite"
TOKEN = "a-token-of-this-benchmark"
SERIES = {
    SQLITE: "(WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < {count}) SELECT i FROM s) AS s",
    POSTGRESQL: "(SELECT generate_series(1, {count}) AS i) AS s",
}
STATUSES = "CASE i / 50 % 10 WHEN 0 THEN 'pending' WHEN 1 THEN 'active' WHEN 2 THEN 'exhausted' ELSE 'reached' END"
OUTCOMES = "CASE i / 50 % 10 WHEN 0 THEN '' WHEN 1 THEN 'busy' WHEN 2 THEN 'no_answer' ELSE 'answered' END"
FILL = (
    """INSERT INTO campaigns (name, account, spec, status, created_at, started_at)
    SELECT 'campaign ' || i, 'vaanivoice', replace('{spec}', 'NAME', 'campaign ' || i),
        CASE WHEN i <= 10 THEN 'running' ELSE 'paused' END, {now}, {now}
    FROM {campaigns}""",
    f"""INSERT INTO contacts (campaign_id, phone, name, list_row, status, disposition, attempts, due_at,
        last_attempt_at)
    SELECT 1 + i % {{many}}, '+1' || (2000000000 + i), 'Person ' || i, i, {STATUSES}, {OUTCOMES},
        CASE WHEN i / 50 % 10 = 0 THEN 0 ELSE 1 END, CASE WHEN i / 50 % 10 = 0 THEN {{now}} + i END, {{now}} - 3600
    FROM {{people}}""",
    f"""INSERT INTO attempts (campaign_id, contact_id, number_of, phone, person, account, agent, state, disposition,
        dispatch, due_at, token, dialed_at, ended_at, duration_s, call_id, cost)
    SELECT 1 + i % {{many}}, i, 1, '+1' || (2000000000 + i), '+1' || (2000000000 + i), 'vaanivoice', 'agent-1',
        CASE WHEN i / 50 % 10 = 1 THEN 'planned' ELSE 'ended' END,
        CASE WHEN i / 50 % 10 = 1 THEN '' ELSE {OUTCOMES} END, 1,
        {{now}}, 't' || i, {{now}} - 3600 + i * 0.001, {{now}} - 3500 + i * 0.001, 30, 'c' || i, 1.0
    FROM {{people}} WHERE i / 50 % 10 <> 0""",
    """INSERT INTO events (attempt_id, at, actor, "before", "after", reason)
    SELECT 1 + i % {attempts}, {now} - 3600 + i * 0.0005, 'worker', 'queued', 'dialing', 'window open' FROM {events}""",
    """INSERT INTO suppressions (phone, campaign_id, reason, added_at)
    SELECT '+1' || (3000000000 + i), 0, 'asked', {now} FROM {listed}""",
)
SETTLE = {POSTGRESQL: ("VACUUM ANALYZE", "CHECKPOINT"), SQLITE: ("ANALYZE",)}


@dataclass(frozen=True, slots=True)
class Address:
    """What was asked ``asked`` times, after a first time; ms and KB."""

    path: str
    first_ms: float
    half_ms: float
    p95_ms: float
    most_kb: float


@contextmanager
def database(engine: str, place: Path) -> Iterator[str]:
    """An empty ledger's URL."""
    if engine == SQLITE:
        (place / "home").mkdir(mode=0o700)
        yield f"sqlite:///{place / 'home' / 'ledger.db'}"
        return
    durable = ("-c", "shared_buffers=256MB", "-c", "max_wal_size=4GB")
    with postgres_server(*durable) as server, fresh_database(server, "console") as url:
        yield url


def fill(url: str, engine: str, people: int, campaigns: int, events: int) -> None:
    """Everything by SQL."""
    migrate(url)
    spec = write_spec(CampaignSpec("NAME", "agent-1", "vaanivoice", window=ALWAYS, pace=Pace(1.0, 10)))
    values = {
        "spec": spec.replace("'", "''"),
        "now": time.time(),
        "many": campaigns,
        "attempts": people * 9 // 10,
        "campaigns": SERIES[engine].format(count=campaigns),
        "people": SERIES[engine].format(count=people),
        "events": SERIES[engine].format(count=events),
        "listed": SERIES[engine].format(count=max(1, people // 10)),
    }
    with connected(url) as connection:
        for text in (*FILL, *SETTLE[engine]):
            connection.execute(text.format(**values))


@contextmanager
def connected(url: str) -> Iterator[Any]:
    """A connection that commits by itself."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as connection:
            yield connection
    else:
        with psycopg.connect(url, autocommit=True) as connection:
            yield connection


@contextmanager
def served(home: Home) -> Iterator[tuple[str, int]]:
    """``dialer serve`` as a process: its address and its pid."""
    with subprocess.Popen(
        [*DIALER, "serve", "--port", "0"], env=home.environment, cwd=home.path, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        try:
            for line in process.stderr:
                if match := re.search(r"listens on (http://\S+?)/?(?: |$)", line.strip()):
                    yield match[1], process.pid
                    break
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=30)


def addresses(campaigns: int, people: int) -> dict[str, Iterator[str]]:
    """What is asked: a name for it, and the addresses, each time of another campaign."""

    def each(pattern: str) -> Iterator[str]:
        number = 0
        while True:
            number += 1
            campaign = 1 + number % campaigns
            middle = people // 2 + number
            yield pattern.format(campaign=campaign, name=f"campaign%20{campaign}", middle=middle, person=middle)

    patterns = {
        "campaigns": "/",
        "one campaign": "/campaigns/{campaign}",
        "people": "/campaigns/{campaign}/people",
        "people, deep": "/campaigns/{campaign}/people?after={middle}",
        "people by status": "/campaigns/{campaign}/people?status=exhausted&after={middle}",
        "people by outcome": "/campaigns/{campaign}/people?outcome=no_answer",
        "people who wait": "/campaigns/{campaign}/people?waits=any",
        "people by attempts": "/campaigns/{campaign}/people?attempts=1",
        "a person": "/people/{person}",
        "do not call": "/suppressions",
        "accounts": "/accounts",
        "administration": "/admin",
        "API campaigns": "/api/v1/campaigns",
        "API campaign": "/api/v1/campaigns/{name}",
        "API contacts": "/api/v1/campaigns/{name}/contacts?limit=100",
        "API attempts": "/api/v1/campaigns/{name}/attempts?limit=100",
        "API contact": "/api/v1/contacts/{person}",
        "API suppressions": "/api/v1/suppressions?limit=100",
        "API audit": "/api/v1/audit",
    }
    return {name: each(pattern) for name, pattern in patterns.items()}


def timed(client: httpx.Client, name: str, paths: Iterator[str], asked: int) -> Address:
    """Ask, one after another; the first answer is counted apart."""
    took, first, largest = [], 0.0, 0
    for number in range(asked + 1):
        began = time.perf_counter()
        answer = client.get(next(paths))
        if number:
            took.append((time.perf_counter() - began) * 1000)
        else:
            first = (time.perf_counter() - began) * 1000
        assert answer.status_code == 200, (name, answer.status_code, answer.text[:300])
        largest = max(largest, int(answer.headers.get("content-length", len(answer.content))))
    took.sort()
    return Address(name, first, took[len(took) // 2], took[int(len(took) * 0.95)], largest / 1000)


async def streams_cost(url: str, pid: int, session: str, count: int, ledger: str, seconds: float = 10.0) -> float:
    """The server's CPU while so many streams of one campaign are open, as a share of a core."""
    limits = httpx.Limits(max_connections=count + 10)
    cookies = {"dialer_session": session}
    async with httpx.AsyncClient(base_url=url, cookies=cookies, limits=limits, timeout=60) as client:
        began = asyncio.Semaphore(0)

        async def listen() -> None:
            async with client.stream("GET", "/campaigns/1/live") as answer:
                began.release()
                async for _ in answer.aiter_raw():
                    pass

        listening = [asyncio.create_task(listen()) for _ in range(count)]
        for _ in listening:
            await began.acquire()
        await asyncio.sleep(2)
        before = cpu_s(pid)
        for number in range(int(seconds * 10)):
            with connected(ledger) as connection:
                text = "UPDATE attempts SET state = 'ended', disposition = 'busy' WHERE id = {}"
                connection.execute(text.format(1 + number * 9))
            await asyncio.sleep(0.1)
        used = cpu_s(pid) - before
        for task in listening:
            task.cancel()
        await asyncio.gather(*listening, return_exceptions=True)
    return used / seconds


def told(one: Address) -> str:
    return (
        f"{one.path:20} first {one.first_ms:7.1f} ms, half {one.half_ms:7.1f} ms, 95 % {one.p95_ms:7.1f} ms,"
        f" {one.most_kb:6.1f} KB"
    )


def run(engine: str, given: argparse.Namespace) -> dict[str, Any]:
    """One engine."""
    with tempfile.TemporaryDirectory(prefix="dialer-console-") as place, database(engine, Path(place)) as url:
        settings = {"DIALER_WEB_TOKEN": TOKEN} | ({} if engine == SQLITE else {"DIALER_DATABASE_URL": url})
        home = Home(Path(place), settings, afresh=True)
        fill(url, engine, given.people, given.campaigns, given.events)
        with served(home) as (address, pid), httpx.Client(base_url=address, timeout=60) as client:
            assert client.post("/login", data={"token": TOKEN}, headers={"Origin": address}).status_code == 303
            session = client.cookies["dialer_session"]
            rows = []
            for name, paths in addresses(given.campaigns, given.people).items():
                if given.only not in name:
                    continue
                rows.append(timed(client, name, paths, given.asked))
                one = rows[-1]
                print(f"{engine:10} {told(one)}", file=sys.stderr, flush=True)
            idle = asyncio.run(streams_cost(address, pid, session, 1, url))
            share = asyncio.run(streams_cost(address, pid, session, given.streams, url))
            print(f"{engine:10} one stream {100 * idle:.1f} % of a core, {given.streams} streams {100 * share:.1f} %",
                  file=sys.stderr, flush=True)  # fmt: skip
    return {"engine": engine, "addresses": [asdict(one) for one in rows], "one_stream": idle, "streams": share}


def main() -> None:
    """Run and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--people", type=int, default=1_000_000)
    options.add_argument("--campaigns", type=int, default=50)
    options.add_argument("--events", type=int, default=5_000_000)
    options.add_argument("--asked", type=int, default=40)
    options.add_argument("--only", default="", help="only the addresses whose name holds this")
    options.add_argument("--streams", type=int, default=200)
    options.add_argument("--engines", type=lambda text: text.split(","), default=[SQLITE, POSTGRESQL])
    options.add_argument("--json", action="store_true", help="print one JSON document on stdout")
    given = options.parse_args()
    results = [run(engine, given) for engine in given.engines]
    if given.json:
        print(json.dumps(results))


if __name__ == "__main__":
    main()
