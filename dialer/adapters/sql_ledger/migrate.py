"""Bring a ledger's schema to the newest version, at start, whoever starts first."""

import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from dialer.adapters.file_lock import file_lock
from dialer.errors import LedgerUnavailable

HEAD = "0007"
"""The newest version; a test compares it with the scripts in ``migrations/versions``."""

MIGRATION_LOCK = 0x6469616C_6D696772  # "dialmigr"


def migrate(url: str) -> str:
    """Upgrade the ledger at ``url`` (``sqlite:///FILE`` or ``postgresql://...``); answers its identity.

    Raises LedgerUnavailable when it cannot be opened or is newer than this program.
    """
    try:
        with _exclusive(url):
            version = _version(url)
            if version != HEAD:
                if version > HEAD:
                    raise LedgerUnavailable(f"the ledger has schema {version}, this program knows {HEAD}: upgrade it")
                _upgrade(url)
            return _identity(url)
    except (sqlite3.Error, psycopg.Error, OSError) as broken:
        raise LedgerUnavailable(f"the ledger cannot be opened: {broken}") from broken


@contextmanager
def _exclusive(url: str) -> Iterator[None]:
    if url.startswith("sqlite:///"):
        path = Path(url.removeprefix("sqlite:///"))
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with file_lock(path.with_suffix(".lock")):
            yield
        return
    with psycopg.connect(url) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (MIGRATION_LOCK,))
        yield


@contextmanager
def _plain(url: str) -> Iterator[sqlite3.Connection | psycopg.Connection]:
    if url.startswith("sqlite:///"):
        path = url.removeprefix("sqlite:///")
        connection = sqlite3.connect(path, isolation_level=None)
        try:
            yield connection
        finally:
            connection.close()
        return
    with psycopg.connect(url, autocommit=True) as connection_pg:
        yield connection_pg


def _version(url: str) -> str:
    with _plain(url) as connection:
        try:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        except (sqlite3.OperationalError, psycopg.errors.UndefinedTable):
            return ""
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
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1), poolclass=NullPool)
    try:
        with engine.connect() as connection:
            if connection.dialect.name == "sqlite":
                connection.exec_driver_sql("PRAGMA journal_mode=WAL")
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            connection.commit()
    except SQLAlchemyError as broken:
        raise LedgerUnavailable(f"the ledger cannot be opened: {broken}") from broken


def _identity(url: str) -> str:
    """A random name that tells this ledger's Redis keys from another's."""
    with _plain(url) as connection:
        fresh = uuid.uuid4().hex[:12]
        connection.execute(
            f"INSERT INTO ledger_facts (name, value) VALUES ('identity', '{fresh}') ON CONFLICT (name) DO NOTHING"
        )
        row = connection.execute("SELECT value FROM ledger_facts WHERE name = 'identity'").fetchone()
        assert row is not None
        return str(row[0])
