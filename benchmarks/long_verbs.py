"""For how long each long verb holds the gate, with many people waiting.

python benchmarks/long_verbs.py [--waiting 300000] [--made 50000] [--engine sqlite|postgresql] [--json]

A hold is one commit under the gate's lock, from having the lock to having committed. Beside the longest of each verb it
prints how many there were and how long they took together: that is what others wait between, not what they wait for.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from dataclasses import asdict, dataclass, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from dialer.adapters.ledger import SqlLedger
from dialer.adapters.ledger.migrate import migrate
from dialer.adapters.ledger.transaction import Transaction
from dialer.adapters.local.system_clock import SystemClock
from dialer.domain.calling_window import parse_window
from dialer.domain.contact import NewContact
from dialer.domain.limits import PersonLimits
from dialer.ports import Campaign, ImportCounts, Suppression
from tests.fakes.clock import START
from tests.filled_ledger import CAMPAIGN_ID, fill
from tests.ledger_steps import spec
from tests.postgres_server import fresh_database, postgres_server

SHUT = replace(parse_window("mon-sun 00:00-00:01"), rules="off", rules_reason="a benchmark")
OPEN = replace(parse_window("mon-sun 00:00-24:00"), rules="off", rules_reason="a benchmark")
SOME = 5_000


class BenchmarkClock(SystemClock):
    """The machine's, as if it were the time at which the ledger was filled."""

    def __init__(self) -> None:
        self._ahead_s = START + 3_600 - super().now()

    def now(self) -> float:
        return super().now() + self._ahead_s


@dataclass(frozen=True, slots=True)
class Held:
    """What one verb held the gate for."""

    verb: str
    longest_ms: float
    longest_cpu_ms: float
    """Of the process that has the gate: on a busy machine the better number for SQLite."""
    commits: int
    together_s: float


class Watch:
    """Times each commit under the gate's lock."""

    def __init__(self, ledger: SqlLedger) -> None:
        self.holds: list[tuple[float, float]] = []
        self.told: list[Held] = []
        engine = ledger._store._engine
        writing = engine.writing

        @contextmanager
        def watched(*, serial: bool) -> Iterator[Transaction]:
            with writing(serial=serial) as transaction:
                began, cpu = time.perf_counter(), time.thread_time()
                yield transaction
                # The commit comes after this, and is the same for all.
                if serial or type(engine).__name__ == "SqliteEngine":
                    self.holds.append((time.perf_counter() - began, time.thread_time() - cpu))

        engine.writing = watched  # type: ignore[method-assign]

    @asynccontextmanager
    async def of(self, verb: str) -> AsyncIterator[None]:
        self.holds.clear()
        yield
        walls, cpus = [wall for wall, _ in self.holds], [cpu for _, cpu in self.holds]
        longest, cpu = 1000 * max(walls, default=0.0), 1000 * max(cpus, default=0.0)
        self.told.append(Held(verb, longest, cpu, len(walls), sum(walls)))


def person(n: int, plan: str = "") -> NewContact:
    return NewContact(f"+1{2_000_000_000 + n}", "Person", n, f"k{n}", variables={"plan": plan})


async def started(ledger: SqlLedger, name: str, people: list[NewContact], **more: object) -> Campaign:
    campaign = await ledger.open_campaign(replace(spec(name), **more))  # type: ignore[arg-type]
    await ledger.add_contacts(campaign.campaign_id, people)
    await ledger.record_import(campaign.campaign_id, "sha", "list", ImportCounts(len(people), len(people)))
    moved = await ledger.move_campaign(campaign.campaign_id, "start", "")
    assert moved is not None
    return moved


async def verbs(ledger: SqlLedger, watch: Watch) -> None:
    """Each long verb once."""
    async with watch.of("a list of 5,000"):
        await started(ledger, "list", [person(5_000_000 + n) for n in range(SOME)])
    async with watch.of("new hours"):
        await ledger.open_campaign(spec("now1", SHUT))
    async with watch.of("20 claims, windows shut"):
        for _ in range(20):
            await ledger.claim_due({CAMPAIGN_ID: 4}, 3.5)
    async with watch.of("new hours again"):
        await ledger.open_campaign(spec("now1", OPEN))
    limited = await started(ledger, "limited", [person(1 + n) for n in range(SOME)], limits=PersonLimits(per_30_days=1))
    async with watch.of("20 claims, people who had their calls"):
        for _ in range(20):
            await ledger.claim_due({limited.campaign_id: 4}, 3.5)
    await source(ledger, watch)
    async with watch.of("5,000 numbers listed"):
        await ledger.suppress([Suppression(person(5_000_000 + n).phone, "asked") for n in range(SOME)])
    async with watch.of("2,000 appointments passed"):
        await ledger.expire(CAMPAIGN_ID, "passed", 2_000, passed=False)
    async with watch.of("pause, resume, finish"):
        await ledger.move_campaign(CAMPAIGN_ID, "pause", "")
        await ledger.move_campaign(CAMPAIGN_ID, "resume", "")
        await ledger.finish_campaigns()
    async with watch.of("cancel"):
        await ledger.move_campaign(CAMPAIGN_ID, "cancel", "")


async def source(ledger: SqlLedger, watch: Watch) -> None:
    """Read three times: new, changed, gone."""
    campaign = await started(ledger, "source", [])
    for what, plan in (("new", "a"), ("that changed", "b"), ("that are gone", "")):
        reading = await ledger.begin_reading(campaign.campaign_id, "w", 600.0)
        assert reading is not None
        async with watch.of(f"5,000 rows of a source {what}"):
            if plan:
                people = [person(6_000_000 + n, plan) for n in range(SOME)]
                await ledger.take_rows(campaign.campaign_id, reading, people, 600.0)
            await ledger.drop_gone(campaign.campaign_id, reading, 600.0)
        await ledger.end_reading(campaign.campaign_id, reading, None)


async def measure(url: str, made: int, waiting: int) -> list[Held]:
    migrate(url)
    fill(url, made, waiting)
    ledger = await SqlLedger.open(url, BenchmarkClock())
    watch = Watch(ledger)
    await verbs(ledger, watch)
    await ledger.aclose()
    return watch.told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--waiting", type=int, default=300_000)
    parser.add_argument("--made", type=int, default=50_000)
    parser.add_argument("--engine", choices=("sqlite", "postgresql"), action="append")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    for engine in args.engine or ("sqlite", "postgresql"):
        with tempfile.TemporaryDirectory(prefix="dialer-bench-") as home:
            server = postgres_server() if engine == "postgresql" else nullcontext("")
            with server as address:
                database = fresh_database(address, "long") if address else nullcontext(f"sqlite:///{home}/ledger.db")
                with database as url:
                    told = asyncio.run(measure(url, args.made, args.waiting))
        if args.json:
            print(json.dumps({"engine": engine, "waiting": args.waiting, "held": [asdict(held) for held in told]}))
            continue
        print(f"{engine}, {args.waiting:,} people wait, {args.made:,} calls made")
        for held in told:
            longest = f"{held.longest_ms:8.1f} ms ({held.longest_cpu_ms:5.1f} of CPU)"
            print(f"  {held.verb:<40} {longest}, {held.commits:5} commits, {held.together_s:7.2f} s")


if __name__ == "__main__":
    main()
