"""On PostgreSQL nobody waits for a row while holding one that somebody with the gate waits for."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import psycopg
import pytest_asyncio

from dialer.adapters.ledger import SqlLedger
from dialer.adapters.ledger.postgresql_engine import GATE_LOCK
from tests.fakes.clock import ManualClock
from tests.ledger_steps import person, phone, running, spec
from tests.reminder_steps import LEASE


@pytest_asyncio.fixture
async def pair(postgres_ledger_url: str, clock: ManualClock) -> AsyncIterator[tuple[SqlLedger, SqlLedger]]:
    """Two processes of one ledger."""
    one, two = await SqlLedger.open(postgres_ledger_url, clock), await SqlLedger.open(postgres_ledger_url, clock)
    yield one, two
    await one.aclose()
    await two.aclose()


@contextmanager
def connected(url: str) -> Iterator[tuple[psycopg.Connection, psycopg.Connection]]:
    """Somebody in a transaction, and somebody who looks on."""
    with psycopg.connect(url) as somebody, psycopg.connect(url, autocommit=True) as watcher:
        yield somebody, watcher


async def stands(watcher: psycopg.Connection) -> None:
    """Until somebody stands before a lock."""
    sql = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    while watcher.execute(sql).fetchone() == (0,):  # noqa: ASYNC110 - the server tells it to who asks
        await asyncio.sleep(0)


async def test_two_imports_of_one_list_in_another_order_both_come_through(
    pair: tuple[SqlLedger, SqlLedger], postgres_ledger_url: str
) -> None:
    one, two = pair
    campaign = await one.open_campaign(spec())
    people = [person(n) for n in range(400)]
    with (
        psycopg.connect(postgres_ledger_url) as first,
        psycopg.connect(postgres_ledger_url, autocommit=True) as watcher,
    ):
        # Somebody adds the number in the middle, and takes their time: both imports stand there.
        row = (campaign.campaign_id, phone(200))
        first.execute(
            "INSERT INTO contacts (campaign_id, phone, name, list_row, status) VALUES (%s, %s, '', 0, 'pending')", row
        )
        imports = [
            asyncio.create_task(one.add_contacts(campaign.campaign_id, people)),
            asyncio.create_task(two.add_contacts(campaign.campaign_id, people[::-1])),
        ]
        await stands(watcher)
        first.commit()
        told = await asyncio.gather(*imports)
        deadlocks = watcher.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        assert deadlocks.fetchone() == (0,)
    assert sum(words.count("queued") for words in told) == 399


async def test_a_source_that_is_read_again_holds_nobody_while_it_waits(
    pair: tuple[SqlLedger, SqlLedger], postgres_ledger_url: str
) -> None:
    one, two = pair
    campaign = await running(one, 0)
    people = [person(n) for n in (1, 2)]
    reading = await one.begin_reading(campaign.campaign_id, "w", LEASE)
    assert reading is not None
    await one.take_rows(campaign.campaign_id, reading, people, LEASE)
    await one.end_reading(campaign.campaign_id, reading, None)
    again = await two.begin_reading(campaign.campaign_id, "w", LEASE)
    assert again is not None
    by_phone = "SELECT id FROM contacts WHERE phone = %s FOR UPDATE"
    with connected(postgres_ledger_url) as (gate, watcher):
        gate.execute("SELECT pg_advisory_xact_lock(%s)", (GATE_LOCK,))
        gate.execute(by_phone, (phone(2),))
        reader = asyncio.create_task(two.take_rows(campaign.campaign_id, again, people, LEASE))
        await stands(watcher)
        gate.execute("SET LOCAL lock_timeout = '2s'")
        gate.execute(by_phone, (phone(1),))  # the next person of the gate: free, whoever reads
        gate.commit()
        assert await reader == ["known", "known"]
