"""Lists of people as the result of a query, on SQLite and on PostgreSQL."""

import asyncio
import sqlite3
import threading
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine

from dialer.adapters.lists.contacts import TableContacts
from dialer.adapters.lists.database_table import DatabaseTable
from dialer.adapters.lists.source_engine import Patience, open_source_engine
from dialer.domain.campaign import ContactColumns, Reminder
from dialer.domain.contact import NewContact
from dialer.errors import InputFileError, SourceUnavailable
from dialer.ports import Reject
from tests.contact_lists import database_contacts

PEOPLE = """
CREATE TABLE people (id integer, name text, phone text, balance numeric(10,2), visit {moment}, zone text);
INSERT INTO people VALUES
    (1, 'Ann', '+14155550101', 12.50, '2027-03-01 09:30:00', 'America/New_York'),
    (2, 'Bea', '4155550102', 100, '2027-03-01 09:30:00', NULL),
    (3, 'Cy', 'none', 3, NULL, NULL);
"""


@pytest.fixture
def sqlite_source(tmp_path: Path) -> str:
    path = tmp_path / "shop.db"
    with sqlite3.connect(path) as connection:
        connection.executescript(PEOPLE.format(moment="text"))
    connection.close()
    return f"sqlite:///{path}"


@pytest.fixture
def postgres_source(empty_database: str) -> str:
    with psycopg.connect(empty_database) as connection:
        connection.execute(PEOPLE.format(moment="timestamp").encode())
    return empty_database


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue({"sqlite": "sqlite_source", "postgresql": "postgres_source"}[request.param]))


async def read(url: str, query: str, size: int = 100, **more: object) -> list[NewContact | Reject]:
    source = database_contacts(url, query, **more)  # type: ignore[arg-type]
    return [row async for batch in source.batches(size) for row in batch]


async def test_rows_become_contacts_and_rejects_numbered_by_their_place(url: str) -> None:
    columns = ContactColumns(key="id", variables=("balance",))
    ann, bea, cy = await read(url, "SELECT * FROM people ORDER BY id", columns=columns, region="US")
    assert isinstance(ann, NewContact)
    assert (ann.row, ann.phone, ann.name, ann.key, ann.variables) == (
        1, "+14155550101", "Ann", "1", {"balance": "12.5"} if "sqlite" in url else {"balance": "12.50"},
    )  # fmt: skip
    assert isinstance(bea, NewContact)
    assert (bea.row, bea.phone, bea.variables) == (2, "+14155550102", {"balance": "100"})
    assert isinstance(cy, Reject)
    assert (cy.row, cy.column, cy.cells[1]) == (3, "phone", "Cy")


async def test_appointments_take_the_zone_of_the_row_and_else_of_the_campaign(url: str) -> None:
    query = "SELECT name, phone, visit, zone FROM people WHERE visit IS NOT NULL ORDER BY id"
    columns = ContactColumns(timezone="zone")
    ann, bea = await read(url, query, columns=columns, region="US", reminder=Reminder("visit", (60.0,)))
    assert isinstance(ann, NewContact)
    assert ann.event_at == 1_803_911_400.0  # 14:30 UTC
    assert isinstance(bea, Reject)
    assert "[reminder] timezone" in bea.remedy
    zoned = Reminder("visit", (60.0,), "UTC")
    _, bea = await read(url, query, columns=columns, region="US", reminder=zoned)
    assert isinstance(bea, NewContact)
    assert bea.event_at == 1_803_893_400.0  # 09:30 UTC


async def test_colons_and_percent_signs_in_a_query_are_themselves(url: str) -> None:
    query = "SELECT name, phone, ':x' || '%d' AS mark FROM people WHERE name LIKE 'A%' AND ':1' <> '::2'"
    (ann,) = await read(url, query)
    assert isinstance(ann, NewContact)
    assert ann.variables == {"mark": ":x%d"}


async def test_the_header_and_the_rows_come_from_one_reading(url: str) -> None:
    source = database_contacts(url, "SELECT phone, name FROM people ORDER BY id")
    assert source.header == ("phone", "name")
    assert source.notes == ('phone numbers from column "phone"', 'names from column "name"')
    assert len([row async for batch in source.batches(2) for row in batch]) == 3
    assert source.fingerprint == database_contacts(url, "SELECT phone, name FROM people ORDER BY id").fingerprint


async def test_a_source_is_never_written(url: str) -> None:
    with pytest.raises(SourceUnavailable, match="the source cannot be read"):
        await read(url, "DELETE FROM people RETURNING phone")
    assert len(await read(url, "SELECT phone FROM people")) == 3


async def test_what_is_wrong_is_said_in_one_line(url: str) -> None:
    with pytest.raises(SourceUnavailable, match=r'no such table: nobody|relation "nobody" does not exist'):
        await read(url, "SELECT * FROM nobody")
    with pytest.raises(InputFileError, match=r'^source: no column is called "tel"'):
        await read(url, "SELECT phone FROM people", columns=ContactColumns(phone="tel"))


async def test_a_database_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    path = tmp_path / "absent.db"
    with pytest.raises(SourceUnavailable, match=r"there is no file .*absent\.db"):
        await read(f"sqlite:///{path}", "SELECT 1 AS phone")
    assert not path.exists()


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:hunter2@127.0.0.1:1/shop",
        "nothing://u:hunter2@x/y",
        "hunter2",
        "sqlite:///hunter2/x?password=hunter2",
    ],
)
async def test_no_secret_of_the_address_is_told(url: str) -> None:
    with pytest.raises(SourceUnavailable) as told:
        await read(url, "SELECT 1")
    assert "hunter2" not in str(told.value).replace("there is no file hunter2/x", "")
    assert "the source cannot be read: " in str(told.value)
    assert told.value.__cause__ is None


@pytest.mark.parametrize(
    "odd", ["'infinity'::timestamptz", "'-infinity'::date", "'0044-03-15 BC'::timestamp", "'12000-01-01'::date",
            "'24:00'::time", "'infinity'::float8"]
)  # fmt: skip
async def test_an_odd_value_spoils_its_own_row_and_only_where_it_is_used(empty_database: str, odd: str) -> None:
    query = f"SELECT '+14155550101' AS phone, {odd} AS seen UNION ALL SELECT '+14155550102', NULL"
    first, second = await read(empty_database, query)
    assert isinstance(first, Reject)
    assert (first.row, first.column) == (1, "seen")
    assert isinstance(second, NewContact)
    unused = await read(empty_database, query, columns=ContactColumns(variables=()))
    assert [row.phone for row in unused if isinstance(row, NewContact)] == ["+14155550101", "+14155550102"]


async def test_text_of_sqlite_that_is_not_utf8(sqlite_source: str) -> None:
    query = "SELECT '+14155550101' AS phone, CAST(x'41ff' AS TEXT) AS name UNION ALL SELECT '+14155550102', 'Bea'"
    first, second = await read(sqlite_source, query)
    assert isinstance(first, Reject)
    assert (first.column, first.reason) == ("name", "a cell that holds damaged text")
    assert isinstance(second, NewContact)


async def test_json_columns_are_json(empty_database: str) -> None:
    query = """SELECT '+14155550101' AS phone, '{"ok": true, "plan": "x"}'::jsonb AS meta, ARRAY['a', NULL] AS tags"""
    (row,) = await read(empty_database, query)
    assert isinstance(row, NewContact)
    assert row.variables == {"meta": '{"ok": true, "plan": "x"}', "tags": '["a", null]'}


async def test_a_query_that_begins_after_its_reader_has_gone_is_ended(
    sqlite_source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    endless = "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n) SELECT max(i) AS phone FROM n"
    connecting, gone = threading.Event(), threading.Event()

    def slow(url: str, patience: Patience) -> Engine:
        connecting.set()
        assert gone.wait(300)
        return open_source_engine(url, patience)

    monkeypatch.setattr("dialer.adapters.lists.database_table.open_source_engine", slow)
    table = DatabaseTable(sqlite_source, endless)
    reading = asyncio.create_task(anext(TableContacts(table).batches(10)))
    await asyncio.to_thread(connecting.wait, 300)
    table.interrupt()
    gone.set()
    with pytest.raises(SourceUnavailable, match="interrupted"):
        await reading
