"""A [source] can only be read: whatever its query says, nothing is written, and nothing goes on without end."""

import sqlite3
import tomllib
from pathlib import Path

import psycopg
import pytest

from dialer.domain.contact import NewContact
from dialer.errors import SourceUnavailable
from tests.acceptance.dialer_process import Home, Provider, number, settings_for, write_list
from tests.contact_lists import database_contacts

pytestmark = pytest.mark.acceptance

CAMPAIGN = """
name = "c"
provider = "simulator"
agent = "a"
[source]
url = "{url}"
query = '''{query}'''
{more}
"""

ENDLESS = "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n)"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home whose provider is never asked."""
    return Home(tmp_path, settings_for(Provider("http://127.0.0.1:9")))


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A database with two people, in a journal mode that an attack would like to change."""
    path = tmp_path / "shop.db"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
        connection.execute("CREATE TABLE people (phone text)")
        connection.execute(f"INSERT INTO people VALUES ('{number(1)}'), ('{number(2)}')")
    connection.close()
    return path


def check(home: Home, url: str, query: str, code: int | None, more: str = "") -> str:
    """``dialer check`` of a campaign with this source; what was said."""
    file = home.path / "campaign.toml"
    file.write_text(CAMPAIGN.format(url=url, query=query, more=more))
    assert tomllib.loads(file.read_text())["source"]["query"] == query
    ended = home.command("check", "--campaign", str(file), code=code)
    assert "Traceback" not in ended.err
    return ended.out + ended.err


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM people RETURNING phone",
        "UPDATE people SET phone = '1' RETURNING phone",
        "INSERT INTO people VALUES ('1') RETURNING phone",
        "CREATE TABLE other AS SELECT * FROM people",
        "DROP TABLE people",
        "ATTACH '{folder}/made.db' AS made",
        "VACUUM INTO '{folder}/made.db'",
        "PRAGMA journal_mode=WAL",
        "PRAGMA user_version=7",
        "PRAGMA query_only=OFF",
        "SELECT load_extension('{folder}/made.so') AS phone",
        "SELECT writefile('{folder}/made.db', 'x') AS phone",
        "WITH gone AS (SELECT 1) DELETE FROM people RETURNING phone",
        "EXPLAIN DELETE FROM people",
        "REINDEX",
        "ANALYZE",
        "SAVEPOINT x",
        "SELECT phone FROM people; DELETE FROM people",
    ],
)
def test_no_query_writes_to_sqlite(home: Home, tmp_path: Path, shop: Path, query: str) -> None:
    before = shop.read_bytes()
    said = check(home, f"sqlite:///{shop}", query.format(folder=tmp_path), code=1)
    assert len(said.strip().splitlines()) == 1
    assert shop.read_bytes() == before
    assert not list(tmp_path.glob("made*"))
    assert not list(tmp_path.glob("shop.db-*"))


def test_a_database_that_others_are_writing_is_read(home: Home, shop: Path) -> None:
    connection = sqlite3.connect(shop)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute(f"INSERT INTO people VALUES ('{number(3)}')")
    connection.commit()
    assert "3 rows: 3 queued" in check(home, f"sqlite:///{shop}", "SELECT phone FROM people", code=0)
    connection.close()


def test_functions_and_tables_that_only_read_stay(home: Home, shop: Path) -> None:
    query = """WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 2)
        SELECT people.phone, upper(j.value) AS word, n.i FROM people, n, json_each('["a"]') AS j
        WHERE n.i = people.rowid ORDER BY row_number() OVER (ORDER BY phone)"""
    assert "2 rows: 2 queued" in check(home, f"sqlite:///{shop}", query, code=0)


@pytest.mark.parametrize(
    ("query", "what"),
    [
        (f"{ENDLESS} SELECT i AS phone FROM n", "more than 1,000 rows"),
        (f"{ENDLESS} SELECT max(i) AS phone FROM n", "gave no row for 1 s"),
    ],
)
def test_a_query_without_end_is_ended(home: Home, shop: Path, query: str, what: str) -> None:
    said = check(home, f"sqlite:///{shop}", query, code=1, more='timeout = "1s"\nmax_rows = 1000')
    assert what in said
    assert len(said.strip().splitlines()) == 1


def test_the_limits_can_be_raised(home: Home, shop: Path) -> None:
    query = "SELECT phone FROM people"
    assert "more than 1 rows" in check(home, f"sqlite:///{shop}", query, code=1, more="max_rows = 1")
    assert "2 rows" in check(home, f"sqlite:///{shop}", query, code=0, more='max_rows = 2\ntimeout = "1h"')
    for wrong in ("max_rows = 0", 'timeout = "0s"', "max_rows = nan", "max_rows = -1"):
        assert "campaign.toml" in check(home, f"sqlite:///{shop}", query, code=2, more=wrong)


def test_the_ledger_is_no_source(home: Home) -> None:
    home.command("enqueue", str(write_list(home.path / "list.csv", 3)), "--provider", "simulator", "--agent", "a")
    said = check(home, f"sqlite:///{home.path / 'home' / 'ledger.db'}", "SELECT phone FROM contacts", code=1)
    assert "is a ledger of this program" in said


def test_an_engine_that_cannot_be_held_to_reading_is_refused(home: Home) -> None:
    said = check(home, "mssql+pymssql://u@127.0.0.1/shop", "SELECT 1 AS phone", code=1)
    assert "cannot be held to reading only" in said or "No module named" in said


async def read(url: str, query: str, timeout_s: float = 60.0) -> list[str]:
    source = database_contacts(url, query, timeout_s=timeout_s)
    return [row.phone for rows in [b async for b in source.batches(9)] for row in rows if isinstance(row, NewContact)]


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM people RETURNING phone",
        "WITH gone AS (DELETE FROM people RETURNING phone) SELECT phone FROM gone",
        "SELECT phone FROM people; COMMIT; DELETE FROM people",
        "SELECT set_config('transaction_read_only', 'off', false), taken() AS phone",
        "SELECT taken() AS phone",
        "SELECT nextval('numbers')::text AS phone",
    ],
)
async def test_no_query_writes_to_postgresql(empty_database: str, query: str) -> None:
    with psycopg.connect(empty_database) as connection:
        connection.execute("CREATE TABLE people (phone text)")
        connection.execute("CREATE SEQUENCE numbers")
        connection.execute("INSERT INTO people VALUES (%s)", (number(1),))
        connection.execute(
            "CREATE FUNCTION taken() RETURNS text LANGUAGE sql AS 'DELETE FROM people RETURNING phone' VOLATILE"
        )
    with pytest.raises(SourceUnavailable):
        await read(empty_database, query)
    assert await read(empty_database, "SELECT phone FROM people") == [number(1)]


async def test_a_query_of_postgresql_without_end_is_ended(empty_database: str) -> None:
    with pytest.raises(SourceUnavailable, match="gave no row for 1 s"):
        await read(empty_database, "SELECT pg_sleep(600)::text AS phone", timeout_s=1.0)


async def test_a_ledger_on_postgresql_is_no_source(postgres_ledger_url: str) -> None:
    with pytest.raises(SourceUnavailable, match="is a ledger of this program"):
        await read(postgres_ledger_url, "SELECT phone FROM contacts")


@pytest.mark.parametrize("url", ["postgresql://u@h:hunter2/x", "postgresql://u:hunter2@h:1:2/x"])
async def test_an_address_that_does_not_read_is_not_quoted(url: str) -> None:
    with pytest.raises(SourceUnavailable) as told:
        await read(url, "SELECT 1 AS phone")
    assert "hunter2" not in str(told.value)
