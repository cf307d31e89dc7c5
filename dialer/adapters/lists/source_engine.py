"""A connection that can only read: to the database of a source, on the engines that can be held to it."""

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.pool import NullPool

from dialer.adapters.lists.odd_values import take_odd_moments, take_odd_text
from dialer.errors import SourceUnavailable

CONNECT_TIMEOUT_S = 10
DRIVERS = {"postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}
"""Those that are installed with the program; others are named in the URL, and brought by the user."""
READABLE = ("sqlite", "postgresql", "mysql", "mariadb", "oracle")

_OF_A_LEDGER = ("ledger_facts", "suppressions", "attempts")
_LOOK_EVERY = 100_000
"""Steps of SQLite's machine between two looks at the time."""
_END_WITH_US = """
SELECT set_config(name, '2000', false) FROM pg_settings WHERE name = 'client_connection_check_interval'
"""
"""The server ends a query whose process was killed; PostgreSQL knows how since version 14."""
_READING = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_RECURSIVE, sqlite3.SQLITE_TRANSACTION})
_FUNCTIONS_THAT_ACT = frozenset({"load_extension", "readfile", "writefile", "edit", "fts3_tokenizer"})


class Patience:
    """How long a query may take for its next rows; each row starts the time again."""

    def __init__(self, seconds: float, now: Callable[[], float] = time.monotonic) -> None:
        self.seconds, self._now = seconds, now
        self._until = now() + seconds

    def renew(self) -> None:
        """Start the time again."""
        self._until = self._now() + self.seconds

    def is_over(self) -> bool:
        """Whether the time has passed."""
        return self._now() > self._until


def open_source_engine(url: str, patience: Patience) -> Engine:
    """An engine whose connections read only, and end a query that takes longer than ``patience``.

    Raises SourceUnavailable for engines that cannot be held to reading, and for a ledger of this program: the
    connections do.
    """
    parsed = make_url(url)
    parsed = parsed.set(drivername=DRIVERS.get(parsed.drivername, parsed.drivername))
    kind = parsed.get_backend_name()
    if kind not in READABLE:
        raise SourceUnavailable(
            f"the source cannot be read: {kind} cannot be held to reading only. Copy what is to be called into one of "
            f"{', '.join(READABLE)}, or give the list as a file"
        )
    if kind == "sqlite":
        return _sqlite_engine(parsed, patience)
    connect: dict[str, Any] = {}
    if parsed.drivername == "postgresql+psycopg" and "connect_timeout" not in parsed.query:
        connect["connect_timeout"] = CONNECT_TIMEOUT_S
    engine = create_engine(parsed, poolclass=NullPool, connect_args=connect, hide_parameters=True)
    event.listen(engine, "connect", _BEFORE_USE[kind](patience.seconds))
    if kind == "oracle":
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("SET TRANSACTION READ ONLY"))
    return engine


def _sqlite_engine(url: URL, patience: Patience) -> Engine:
    database = (url.database or ":memory:").removeprefix("file:").partition("?")[0]
    if database != ":memory:" and not Path(database).is_file():
        raise FileNotFoundError(f"there is no file {database}")

    def connect() -> sqlite3.Connection:
        # Rows are fetched by whatever thread is free, one at a time.
        address = f"file:{quote(database)}?mode=ro" if database != ":memory:" else "file::memory:"
        connection = sqlite3.connect(address, uri=True, check_same_thread=False)
        connection.text_factory = take_odd_text
        connection.execute("PRAGMA query_only=ON")
        _refuse_ledger(connection.execute(_count_tables("sqlite_master", "name")).fetchone()[0])
        connection.set_authorizer(_only_reading)
        connection.set_progress_handler(patience.is_over, _LOOK_EVERY)
        return connection

    return create_engine("sqlite://", creator=connect, poolclass=NullPool, hide_parameters=True)


def _only_reading(action: int, first: str | None, second: str | None, *_: object) -> int:
    if action == sqlite3.SQLITE_PRAGMA:  # asked by SQLAlchemy; without a second word it sets nothing
        return sqlite3.SQLITE_OK if first == "read_uncommitted" and second is None else sqlite3.SQLITE_DENY
    if action == sqlite3.SQLITE_UPDATE and first == "sqlite_master":
        return sqlite3.SQLITE_OK  # so a function such as json_each declares its columns; the file itself is read-only
    if action == sqlite3.SQLITE_FUNCTION:
        return sqlite3.SQLITE_DENY if (second or "").lower() in _FUNCTIONS_THAT_ACT else sqlite3.SQLITE_OK
    return sqlite3.SQLITE_OK if action in _READING else sqlite3.SQLITE_DENY


def _before_postgresql(seconds: float) -> Callable[[Any, object], None]:
    def prepare(connection: Any, _: object) -> None:
        take_odd_moments(connection)
        with connection.cursor() as cursor:
            cursor.execute(f"SET statement_timeout = {int(seconds * 1000)}")
            cursor.execute("SET default_transaction_read_only = on")
            cursor.execute("SELECT " + " AND ".join(f"to_regclass('{name}') IS NOT NULL" for name in _OF_A_LEDGER))
            is_ledger = cursor.fetchone()[0]
        connection.commit()
        _refuse_ledger(len(_OF_A_LEDGER) if is_ledger else 0)
        try:
            with connection.cursor() as cursor:
                cursor.execute(_END_WITH_US)
            connection.commit()
        except psycopg.errors.InvalidParameterValue:
            connection.rollback()  # the server's system cannot see that we left; statement_timeout ends the query there

    return prepare


def _before_mysql(seconds: float) -> Callable[[Any, object], None]:
    def prepare(connection: Any, _: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET SESSION TRANSACTION READ ONLY")
            cursor.execute("SELECT @@version")
            is_mariadb = "mariadb" in str(cursor.fetchone()[0]).lower()
            limit = f"max_statement_time = {seconds}" if is_mariadb else f"max_execution_time = {int(seconds * 1000)}"
            cursor.execute(f"SET SESSION {limit}")
            cursor.execute(_count_tables("information_schema.tables WHERE table_schema = database() AND", "table_name"))
            tables = cursor.fetchone()[0]
        _refuse_ledger(tables)

    return prepare


def _before_oracle(seconds: float) -> Callable[[Any, object], None]:
    def prepare(connection: Any, _: object) -> None:
        connection.call_timeout = int(seconds * 1000)

    return prepare


_BEFORE_USE = {
    "postgresql": _before_postgresql,
    "mysql": _before_mysql,
    "mariadb": _before_mysql,
    "oracle": _before_oracle,
}


def _count_tables(where: str, column: str) -> str:
    names = ", ".join(f"'{name}'" for name in _OF_A_LEDGER)
    return f"SELECT count(*) FROM {where}{' WHERE' if ' WHERE ' not in where else ''} {column} IN ({names})"


def _refuse_ledger(tables: int) -> None:
    if tables == len(_OF_A_LEDGER):
        raise SourceUnavailable(
            "the database of [source] is a ledger of this program: its people are those of other campaigns. "
            "Keep what is to be called in a database of its own"
        )
