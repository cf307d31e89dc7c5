"""What the feeder's tick costs with many campaigns on one account, and how the account is shared.

python benchmarks/many_campaigns.py [--campaigns 100,1000] [--seconds 60] [--rate 100] [--engine sqlite|postgresql]

Each tick stands for half a second: what was queued first is called, as many as the account's rate takes in that time,
and each call is over at once. Weights are 1, 2 and 3 in turn. ``Redis a look`` is what each worker asks a few times a
second while it has work.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from redis.asyncio import Redis
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from dialer.adapters.ledger import SqlLedger
from dialer.adapters.pacing import RedisPacer
from dialer.domain.call import CallLog, Placed
from dialer.domain.calling_window import ALWAYS
from dialer.domain.campaign import CampaignSpec, Pace
from dialer.domain.contact import ContactStatus
from dialer.domain.disposition import Disposition
from dialer.domain.limits import UNLIMITED
from dialer.domain.redial import Settle
from dialer.pipeline.enqueue_due import EnqueueDue
from dialer.pipeline.keep_lines import KeepLines
from dialer.ports import Admitted, GateRequest, ImportCounts, Limits, Matched, QueuedAttempt, SendOutcome
from tests.fakes.clock import ManualClock
from tests.fakes.queue import MemoryQueue
from tests.postgres_server import fresh_database, postgres_server
from tests.redis_server import redis_server

ACCOUNT, TICK_S, RATE_OF_EACH = "vaanivoice", 0.5, 100.0
PEOPLE = """
INSERT INTO contacts (campaign_id, phone, name, list_row, status, due_at)
SELECT campaigns.id, '+1415' || (10000000 + campaigns.id * 1000 + i), 'Person', i, 'pending', 0
FROM campaigns CROSS JOIN {series} AS s
"""
SERIES = {
    "sqlite": "(WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < :people) SELECT i FROM s)",
    "postgresql": "(SELECT generate_series(1, :people) AS i)",
}


@contextmanager
def empty_database(engine: str) -> Iterator[str]:
    """The URL of an empty database."""
    if engine == "sqlite":
        with tempfile.TemporaryDirectory(prefix="dialer-bench-") as home:
            yield f"sqlite:///{home}/ledger.db"
    else:
        with postgres_server() as server, fresh_database(server, "many") as url:
            yield url


def weight_of(campaign_id: int) -> int:
    """1, 2 and 3 in turn."""
    return 1 + campaign_id % 3


async def fill(ledger: SqlLedger, url: str, engine: str, campaigns: int, people: int) -> None:
    """Running campaigns with so many people each."""
    for n in range(1, campaigns + 1):
        pace = Pace(RATE_OF_EACH, 0, weight_of(n))
        spec = CampaignSpec(f"c{n}", "agent", ACCOUNT, window=ALWAYS, limits=UNLIMITED, pace=pace)
        campaign = await ledger.open_campaign(spec)
        await ledger.record_import(campaign.campaign_id, "list", "list.csv", ImportCounts(people, people))
        await ledger.move_campaign(campaign.campaign_id, "start", "")
    made = create_engine(url.replace("postgresql://", "postgresql+psycopg://"), poolclass=NullPool)
    with made.begin() as connection:
        connection.execute(text(PEOPLE.format(series=SERIES[engine])), {"people": people})
        connection.execute(text("ANALYZE"))


async def call(ledger: SqlLedger, attempts: Sequence[QueuedAttempt]) -> None:
    """Everything that follows, at once: nobody listens."""
    asked = [GateRequest(a.attempt_id, a.dispatch, f"t{a.attempt_id}-{a.dispatch}", "bench", 60.0) for a in attempts]
    calls = [answer for answer in await ledger.pass_gate(asked) if isinstance(answer, Admitted)]
    await ledger.record_sends([SendOutcome(c.attempt_id, c.token, Placed(f"c{c.attempt_id}"), 1, 0.0) for c in calls])
    over = Settle(ContactStatus.EXHAUSTED)
    rows = [
        CallLog(f"c{c.attempt_id}", c.phone, "agent", c.dialed_at, c.dialed_at, 0.0, Disposition.REJECTED, "rejected")
        for c in calls
    ]
    matched = [Matched(row, c.attempt_id, "call id", over) for row, c in zip(rows, calls, strict=True)]
    await ledger.record_logs(ACCOUNT, matched)


async def redis_cpu_s(client: "Redis") -> float:
    """What Redis has used so far."""
    used = await client.info("cpu")
    return float(used["used_cpu_user_main_thread"]) + float(used["used_cpu_sys_main_thread"])


def print_row(
    engine: str, ticks: Sequence[float], redis_ms: float, look_ms: float, early: int, called: Counter[int]
) -> None:
    """One line of the table; CPU in ms."""
    turns, weights = called.total(), sum(weight_of(n) for n in called)
    off = max(abs(count / (turns * weight_of(n) / weights) - 1) for n, count in called.items())
    steady = sorted(ticks[1:])
    print(
        f"{engine:>10} {len(called):>9,} {ticks[0]:>11.0f} {steady[len(steady) // 2]:>12.0f} {steady[-1]:>9.0f} "
        f"{redis_ms:>12.1f} {look_ms:>12.2f} {early:>15,} {off:>9.1%}",
        flush=True,
    )


async def measure(engine: str, campaigns: int, seconds: float, rate: float) -> None:
    """Feed and call for so many seconds of the account."""
    clock = ManualClock()
    people = min(900, int(4 * seconds * rate / campaigns) + 20)
    with empty_database(engine) as url, redis_server() as redis_url:
        ledger, client = await SqlLedger.open(url, clock), Redis.from_url(redis_url)
        await fill(ledger, url, engine, campaigns, people)
        pacer, queue = RedisPacer(client, "bench", time.monotonic), MemoryQueue()
        lines = KeepLines(ledger, pacer, clock, 3660.0)
        feeder = EnqueueDue(ledger, ledger, queue, pacer, clock, {ACCOUNT: Limits(rate, 0)}, lines)
        waiting, called, ticks = deque[QueuedAttempt](), Counter[int](dict.fromkeys(range(1, campaigns + 1), 0)), []
        early, redis_s = 0, await redis_cpu_s(client)
        for tick in range(int(seconds / TICK_S)):
            queue.rung.clear()
            cpu_s = time.process_time()
            await feeder.tick()
            ticks.append((time.process_time() - cpu_s) * 1000)
            waiting.extend(queue.rung)
            taken = [waiting.popleft() for _ in range(min(len(waiting), int(rate * TICK_S)))]
            await call(ledger, taken)
            await ledger.renew_leases(list(waiting), 3.5)
            called.update(attempt.campaign_id for attempt in taken)
            clock.skip(TICK_S)
            if tick == int(10 / TICK_S) - 1:
                early = sum(count > 0 for count in called.values())
        redis_ms = (await redis_cpu_s(client) - redis_s) * 1000 / len(ticks)
        redis_s = await redis_cpu_s(client)
        for _ in range(50):
            await pacer.state(ACCOUNT)
        look_ms = (await redis_cpu_s(client) - redis_s) * 1000 / 50
        print_row(engine, ticks, redis_ms, look_ms, early, called)
        await pacer.aclose()
        await client.aclose()
        await ledger.aclose()


def main() -> None:
    """Read the options, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--campaigns", default="100,1000")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--rate", type=float, default=200.0)
    parser.add_argument("--engine", choices=["sqlite", "postgresql"], default="sqlite")
    chosen = parser.parse_args()
    print(
        "CPU in ms   campaigns  first tick  median tick   longest Redis a tick Redis a look  called in 10 s off share"
    )
    for campaigns in chosen.campaigns.split(","):
        asyncio.run(measure(chosen.engine, int(campaigns), chosen.seconds, chosen.rate))


if __name__ == "__main__":
    main()
