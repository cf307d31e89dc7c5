"""The ledger's schema and its files: migrations, durability settings, disks that are full."""

import asyncio
import resource
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import CheckConstraint, create_engine, inspect, text
from sqlalchemy.pool import NullPool

from dialer.adapters.ledger import SqlLedger
from dialer.adapters.ledger import migrate as migrations
from dialer.adapters.ledger.engines import open_engine
from dialer.adapters.ledger.migrate import HEAD, migrate
from dialer.adapters.ledger.postgresql_engine import PostgresqlEngine
from dialer.adapters.ledger.sqlite_engine import SqliteEngine
from dialer.adapters.ledger.tables import metadata
from dialer.domain.attempt import AttemptState
from dialer.domain.campaign import CampaignStatus
from dialer.domain.contact import ContactStatus
from dialer.domain.suppression import hash_of
from dialer.errors import LedgerUnavailable
from dialer.ports import Suppression
from tests.fakes.clock import ManualClock
from tests.ledger_steps import claim, dial, listed, person, phone, running, spec


def test_head_is_the_newest_script() -> None:
    scripts = ScriptDirectory(str(Path(migrations.__file__).parent / "migrations"))
    assert scripts.get_current_head() == HEAD
    assert scripts.get_heads() == [HEAD]


def test_a_migrated_ledger_has_exactly_the_tables_of_the_program(ledger_url: str) -> None:
    engine = create_engine(ledger_url.replace("postgresql://", "postgresql+psycopg://"), poolclass=NullPool)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
        looked = inspect(connection)
        indexes = {str(index["name"]) for table in metadata.tables for index in looked.get_indexes(table)}
    assert {"attempts_one_live_per_phone", "sends_one_live_per_attempt"} <= indexes


def test_the_database_knows_exactly_the_words_of_the_program() -> None:
    enums = {"campaigns": CampaignStatus, "contacts": ContactStatus, "attempts": AttemptState}
    for name, words in enums.items():
        (check,) = [one for one in metadata.tables[name].constraints if isinstance(one, CheckConstraint)]
        listed_words = str(check.sqltext).split("(")[1].strip(")").replace("'", "").split(", ")
        assert listed_words == [word.value for word in words]


async def test_two_processes_may_migrate_at_once(empty_database: str, tmp_path: Path) -> None:
    for url in (empty_database, f"sqlite:///{tmp_path}/new/ledger.db"):
        names = await asyncio.gather(*(asyncio.to_thread(migrate, url) for _ in range(4)))
        assert len(set(names)) == 1 and len(names[0]) == 12


def test_ledgers_have_names_of_their_own(tmp_path: Path) -> None:
    one, two = (migrate(f"sqlite:///{tmp_path}/{name}.db") for name in ("one", "two"))
    assert one != two
    assert migrate(f"sqlite:///{tmp_path}/one.db") == one


def test_a_newer_ledger_is_refused(sqlite_ledger_url: str) -> None:
    with sqlite3.connect(sqlite_ledger_url.removeprefix("sqlite:///")) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(LedgerUnavailable, match=f"the ledger has schema 9999, this program knows {HEAD}: upgrade it"):
        migrate(sqlite_ledger_url)


@pytest.mark.parametrize(
    "url", ["postgresql://nobody@127.0.0.1:1/none", "sqlite:///{tmp}/directory", "sqlite:///{tmp}/text"]
)
def test_a_ledger_that_cannot_be_opened_says_so(url: str, tmp_path: Path) -> None:
    (tmp_path / "directory").mkdir()
    (tmp_path / "text").write_text("a letter to my aunt, much longer than the header of a database " * 20)
    with pytest.raises(LedgerUnavailable, match="the ledger cannot be opened"):
        migrate(url.format(tmp=tmp_path))


def test_an_intent_is_flushed_before_the_gate_returns(ledger_url: str) -> None:
    engine = open_engine(ledger_url)
    with engine.writing(serial=True) as transaction:
        if isinstance(engine, SqliteEngine):
            assert transaction.all("PRAGMA synchronous") == [(2,)], "FULL"
            assert transaction.all("PRAGMA journal_mode") == [("wal",)]
        if isinstance(engine, PostgresqlEngine):
            assert transaction.all("SHOW synchronous_commit") == [("on",)]
    engine.close_writer()


def test_readers_cannot_write(ledger_url: str) -> None:
    engine = open_engine(ledger_url)
    with pytest.raises(Exception, match=r"read-?only|readonly"), engine.snapshot() as transaction:
        transaction.run("DELETE FROM campaigns")
    engine.close_reader()


@contextmanager
def files_up_to(size: int) -> Iterator[None]:
    """As a disk that is full: no file of this process may grow beyond ``size`` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def _size_of_log(url: str) -> int:
    return Path(url.removeprefix("sqlite:///") + "-wal").stat().st_size


async def test_a_full_disk_is_reported_and_nothing_is_half_done(sqlite_ledger_url: str, clock: ManualClock) -> None:
    ledger = await SqlLedger.open(sqlite_ledger_url, clock)
    campaign = await running(ledger, 3)
    await dial(ledger, campaign, 1)
    before = await ledger.report(campaign.campaign_id)
    with files_up_to(_size_of_log(sqlite_ledger_url)):
        with pytest.raises(LedgerUnavailable, match="the ledger cannot be written"):
            await ledger.add_contacts(campaign.campaign_id, [person(n) for n in range(100, 3100)])
        with pytest.raises(LedgerUnavailable, match="the ledger cannot be written"):
            await claim(ledger, campaign)
        assert await ledger.report(campaign.campaign_id) == before
    assert await ledger.report(campaign.campaign_id) == before
    assert len(await claim(ledger, campaign)) == 2
    assert len(await listed(ledger.contact_rows(campaign.campaign_id))) == 3
    await ledger.aclose()


async def test_a_suppression_outlives_the_people_it_names(ledger_url: str, clock: ManualClock) -> None:
    ledger = await SqlLedger.open(ledger_url, clock)
    try:
        campaign = await ledger.open_campaign(spec())
        await ledger.suppress([Suppression(phone(1), "asked"), Suppression(hash_of(phone(2)), "asked")])
        people = [person(1), person(2), person(3)]
        assert await ledger.add_contacts(campaign.campaign_id, people) == ["suppressed", "suppressed", "queued"]
        engine = create_engine(ledger_url.replace("postgresql://", "postgresql+psycopg://"), poolclass=NullPool)
        with engine.begin() as connection:
            for table in ("attempts", "contacts"):
                connection.execute(text(f"DELETE FROM {table}"))
        assert await ledger.add_contacts(campaign.campaign_id, people) == ["suppressed", "suppressed", "queued"]
    finally:
        await ledger.aclose()
