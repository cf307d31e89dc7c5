"""What the feeder's tick costs by the calls that are on: its CPU, Redis's, and how long Redis answers nobody else.

python benchmarks/many_lines.py [--lines 100,10000,60000] [--ticks 20] [--engine sqlite|postgresql]

Nobody waits to be called: what is measured is the care for lines, and what each tick asks the ledger in any case. The
first tick is that of a feeder which finds an empty Redis.
"""

import argparse
import asyncio
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from redis.asyncio import Redis
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from benchmarks.many_campaigns import empty_database, redis_cpu_s
from dialer.adapters.ledger import SqlLedger
from dialer.adapters.local.system_clock import SystemClock
from dialer.adapters.pacing import RedisPacer
from dialer.domain.calling_window import ALWAYS
from dialer.domain.campaign import CampaignSpec, Pace
from dialer.domain.limits import UNLIMITED
from dialer.pipeline.enqueue_due import EnqueueDue
from dialer.pipeline.keep_lines import AT_ONCE, KeepLines
from dialer.ports import ImportCounts, Limits
from tests.fakes.queue import MemoryQueue
from tests.redis_server import redis_server

ACCOUNT = "vaanivoice"
SERIES = {
    "sqlite": "(WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < :lines) SELECT i FROM s)",
    "postgresql": "(SELECT generate_series(1, :lines) AS i)",
}
CONTACTS = """
INSERT INTO contacts (campaign_id, phone, name, list_row, status, attempts)
SELECT :campaign, '+1415555' || i, 'Person', i, 'active', 1 FROM {series} AS s
"""
CALLS = """
INSERT INTO attempts (campaign_id, contact_id, number_of, phone, person, account, state, dispatch, due_at, token,
    dialed_at, call_id)
SELECT campaign_id, id, 1, phone, phone, :account, 'placed', 1, :now, 't' || id, :now, 'c' || id FROM contacts
"""


def run_sql(url: str, *statements: tuple[str, dict[str, object]]) -> None:
    """Beside the ledger's own verbs, which would take minutes."""
    made = create_engine(url.replace("postgresql://", "postgresql+psycopg://"), poolclass=NullPool)
    with made.begin() as connection:
        for statement, told in statements:
            connection.execute(text(statement), told)


async def fill(ledger: SqlLedger, url: str, engine: str, lines: int) -> None:
    """One running campaign with so many calls on."""
    spec = CampaignSpec("many", "agent", ACCOUNT, window=ALWAYS, limits=UNLIMITED, pace=Pace(0.0, 2 * lines))
    campaign = await ledger.open_campaign(spec)
    await ledger.record_import(campaign.campaign_id, "list", "list.csv", ImportCounts(lines, lines))
    await ledger.move_campaign(campaign.campaign_id, "start", "")
    people: dict[str, object] = {"lines": lines, "campaign": campaign.campaign_id}
    run_sql(url, (CONTACTS.format(series=SERIES[engine]), people), (CALLS, {"account": ACCOUNT, "now": time.time()}))
    run_sql(url, ("ANALYZE", {}))


async def longest_ms(client: "Redis") -> float:
    """The longest command since this was asked last."""
    slow = await client.slowlog_get(10_000)
    await client.slowlog_reset()
    return max((int(one["duration"]) for one in slow), default=0) / 1000


async def measure(engine: str, lines: int, ticks: int) -> None:
    """Print one line of the table."""
    clock = SystemClock()
    with empty_database(engine) as url, redis_server() as redis_url:
        ledger, client = await SqlLedger.open(url, clock), Redis.from_url(redis_url)
        await fill(ledger, url, engine, lines)
        await client.config_set("slowlog-log-slower-than", 0)
        await client.config_set("slowlog-max-len", 10_000)
        pacer = RedisPacer(client, "bench", time.monotonic)
        care = KeepLines(ledger, pacer, clock, 3660.0)
        limits = {ACCOUNT: Limits(100, 2 * lines)}
        feeder = EnqueueDue(ledger, ledger, MemoryQueue(), pacer, clock, limits, care)
        began = time.monotonic()
        await feeder.tick()
        first_ms, first_longest_ms = (time.monotonic() - began) * 1000, await longest_ms(client)
        for walk in care.walks.values():
            walk.whole_until = 0.0  # the seconds after a loss are over
        for _ in range(1 + lines // AT_ONCE):
            await feeder.tick()
        await longest_ms(client)
        cpu_s, redis_s = time.process_time(), await redis_cpu_s(client)
        for _ in range(ticks):
            await feeder.tick()
        cpu_ms = (time.process_time() - cpu_s) * 1000 / ticks
        redis_ms = (await redis_cpu_s(client) - redis_s) * 1000 / ticks
        held = (await pacer.state(ACCOUNT)).lines
        print(
            f"{engine:>10} {lines:>7,} {first_ms:>13.0f} {first_longest_ms:>11.1f} {cpu_ms:>11.1f} {redis_ms:>13.2f} "
            f"{await longest_ms(client):>11.1f} {held:>9,}",
            flush=True,
        )
        await pacer.aclose()
        await client.aclose()
        await ledger.aclose()


def main() -> None:
    """Read the options, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", default="100,10000,60000")
    parser.add_argument("--ticks", type=int, default=20)
    parser.add_argument("--engine", choices=["sqlite", "postgresql"], default="sqlite")
    chosen = parser.parse_args()
    print("                       first tick, ms  longest, ms  CPU a tick  Redis a tick  longest, ms  lines held")
    for lines in chosen.lines.split(","):
        asyncio.run(measure(chosen.engine, int(lines), chosen.ticks))


if __name__ == "__main__":
    main()
