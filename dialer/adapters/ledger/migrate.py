"""Bring a ledger's schema to the newest version when the first process starts."""

import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from dialer.adapters.ledger.engines import SQLITE, in_a_line
from dialer.adapters.ledger.sqlite_engine import keep_private
from dialer.adapters.local.file_lock import file_lock
from dialer.errors import LedgerNewer, LedgerUnavailable

if TYPE_CHECKING:
    import psycopg

HEAD = "0016"
"""The newest version; a test compares it with the scripts in ``migrations/versions``."""

MIGRATION_LOCK = 0x6469616C_6D696772  # "dialmigr"
UNDEFINED_TABLE = "42P01"
"""PostgreSQL's SQLSTATE."""
MIGRATING = "dialer migration"
"""Its sessions wait for one another, and must not be taken for frozen ones."""


def migrate(url: str) -> str:
    """Upgrade the ledger at ``url`` (``sqlite:///FILE`` or ``postgresql://...``); answers its identity.

    Raises LedgerUnavailable when it cannot be opened or is newer than this program.
    """
    return prepare(url)[0]


def prepare(url: str) -> tuple[str, str]:
    """As ``migrate``; answers the identity, and where a ledger was made if there was none before, else "".

    A ledger that is up to date is only read: it may be a standby, or its disk may be full.
    """
    try:
        with _exclusive(url):
            version = _version(url)
            if version != HEAD:
                refuse_newer(version)
                _upgrade(url)
            return _identity(url), "" if version else _place(url)
    except _driver_errors(url, OSError) as broken:
        raise LedgerUnavailable(f"the ledger cannot be opened: {in_a_line(broken)}") from broken


def refuse_newer(version: str) -> None:
    """Raises LedgerNewer for a schema that this program does not know."""
    if version > HEAD:
        raise LedgerNewer(f"the ledger has schema {version}, this program knows {HEAD}: upgrade it")


def _driver_errors(url: str, *more: type[Exception]) -> tuple[type[Exception], ...]:
    if url.startswith(SQLITE):
        return (sqlite3.Error, *more)
    from psycopg import Error

    return (Error, *more)


def _connect_postgresql(url: str, *, autocommit: bool = False) -> "psycopg.Connection":
    from dialer.adapters.ledger.postgresql_engine import connect_postgresql

    return connect_postgresql(url, autocommit=autocommit, name=MIGRATING)


def _place(url: str) -> str:
    if url.startswith(SQLITE):
        return str(Path(url.removeprefix(SQLITE)).absolute())
    return "the database of DIALER_DATABASE_URL"


@contextmanager
def _exclusive(url: str) -> Iterator[None]:
    if url.startswith(SQLITE):
        path = Path(url.removeprefix(SQLITE))
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with file_lock(path.with_suffix(".lock")):
            keep_private(path)
            yield
        return
    with _connect_postgresql(url) as connection:
        encoding = connection.info.parameter_status("server_encoding")
        if encoding not in (None, "UTF8", "SQL_ASCII"):
            raise LedgerUnavailable(
                f"the database has the encoding {encoding}, which cannot hold every name. Make one with UTF8: "
                "CREATE DATABASE dialer ENCODING 'UTF8' TEMPLATE template0"
            )
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (MIGRATION_LOCK,))
        yield


@contextmanager
def _plain(url: str) -> Iterator["sqlite3.Connection | psycopg.Connection"]:
    connection: sqlite3.Connection | psycopg.Connection
    if url.startswith(SQLITE):
        connection = sqlite3.connect(url.removeprefix(SQLITE), isolation_level=None)
    else:
        connection = _connect_postgresql(url, autocommit=True)
    try:
        yield connection
    finally:
        connection.close()


def _version(url: str) -> str:
    with _plain(url) as connection:
        try:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        except _driver_errors(url) as broken:
            if "no such table" in str(broken) or getattr(broken, "sqlstate", "") == UNDEFINED_TABLE:
                return ""
            raise
        return str(row[0]) if row else ""


def _upgrade(url: str) -> None:
    # Alembic and SQLAlchemy take most of a second to import: only where there is something to do.
    from alembic import command
    from alembic.config import Config
    from sqlalchemy import create_engine
    from sqlalchemy.exc import SQLAlchemyError
    from sqlalchemy.pool import NullPool

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    # Connected as everywhere else: SQLAlchemy reads some addresses differently.
    if url.startswith(SQLITE):
        path = url.removeprefix(SQLITE)
        engine = create_engine("sqlite://", creator=lambda: sqlite3.connect(path), poolclass=NullPool)
    else:
        engine = create_engine("postgresql+psycopg://", creator=lambda: _connect_postgresql(url), poolclass=NullPool)
    try:
        with engine.connect() as connection:
            if connection.dialect.name == "sqlite":
                connection.exec_driver_sql("PRAGMA journal_mode=WAL")
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            connection.commit()
    except SQLAlchemyError as broken:
        raise LedgerUnavailable(f"the ledger cannot be opened: {in_a_line(broken)}") from broken


def _identity(url: str) -> str:
    """A random name that keeps this ledger's Redis keys apart from another's."""
    ask = "SELECT value FROM ledger_facts WHERE name = 'identity'"
    with _plain(url) as connection:
        row = connection.execute(ask).fetchone()
        if row is None:
            fresh = uuid.uuid4().hex[:12]
            connection.execute(
                f"INSERT INTO ledger_facts (name, value) VALUES ('identity', '{fresh}') ON CONFLICT (name) DO NOTHING"
            )
            row = connection.execute(ask).fetchone()
        assert row is not None
        return str(row[0])
