"""A ledger's rows as they lie in its tables, read with nothing but a database driver."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg

Row = dict[str, Any]
TABLES = ("campaigns", "contacts", "attempts", "sends", "events", "suppressions", "log_rows")


@dataclass(frozen=True)
class Records:
    """Every table, ordered as written."""

    campaigns: Sequence[Row]
    contacts: Sequence[Row]
    attempts: Sequence[Row]
    sends: Sequence[Row]
    events: Sequence[Row]
    suppressions: Sequence[Row]
    log_rows: Sequence[Row]


def read_records(url: str) -> Records:
    """All of them, in one snapshot."""
    with _connected(url) as connection:
        return Records(**{name: _rows(connection, f"SELECT * FROM {name}{_order(name)}") for name in TABLES})


def ask(url: str, sql: str) -> list[Row]:
    """The rows that one question finds."""
    with _connected(url) as connection:
        return _rows(connection, sql)


def open_contacts(url: str) -> int:
    """People who are not settled."""
    return int(ask(url, "SELECT count(*) AS n FROM contacts WHERE status IN ('pending', 'active')")[0]["n"])


def _order(table: str) -> str:
    return " ORDER BY first_seen_at" if table == "log_rows" else " ORDER BY id"


@contextmanager
def _connected(url: str) -> Iterator["sqlite3.Connection | psycopg.Connection"]:
    if url.startswith("sqlite:///"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"), timeout=30)) as connection:
            connection.execute("PRAGMA query_only=ON")
            yield connection
        return
    with psycopg.connect(url, connect_timeout=10) as postgresql:
        postgresql.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        yield postgresql


def _rows(connection: "sqlite3.Connection | psycopg.Connection", sql: str) -> list[Row]:
    if isinstance(connection, sqlite3.Connection):
        cursor = connection.execute(sql)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    found = connection.execute(sql.encode())
    assert found.description is not None
    names = [column.name for column in found.description]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]
