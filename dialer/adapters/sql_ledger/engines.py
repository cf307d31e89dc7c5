"""Two engines behind one pair of doors: a serial writer, and readers that never block it.

``writing`` gives a transaction that is committed and flushed at the end of its block; ``serial`` means that no
other process is inside a serial block at the same time. ``reading`` gives a read-only snapshot. Both raise
LedgerUnavailable. Each pair of methods is called from one thread only.
"""

import math
import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg

from dialer.adapters.file_lock import FileLock
from dialer.adapters.sql_ledger.transaction import PostgresqlTransaction, SqliteTransaction, Transaction
from dialer.errors import LedgerUnavailable

SQLITE = "sqlite:///"
OURS = "dialer"
REACHING: dict[str, Any] = {
    "application_name": OURS,
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
"""What the address may say otherwise."""
LOCK_WITHIN_S = 4.0
"""A session that has waited so long for a lock looks whether the one that holds it stands still."""
WAITS = 7
"""After so many of them the gate is given up."""
END_THE_FROZEN = f"""
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND usename = current_user AND application_name = '{OURS}'
  AND pid <> pg_backend_pid() AND xact_start IS NOT NULL AND wait_event = 'ClientRead'
  AND greatest(query_start, state_change) < clock_timestamp() - make_interval(secs => %s)
"""
"""Our own sessions whose process asked for nothing for so long, in the middle of a transaction: no transaction of ours
waits for anything but the database, so it is frozen or cut off. What it did is rolled back, and it finds that out.
``idle_in_transaction_session_timeout`` does not see those that stopped in a pipeline."""
GATE_LOCK = 0x6469616C_67617465  # "dialgate"


def open_engine(url: str) -> "SqliteEngine | PostgresqlEngine":
    """The engine for ``sqlite:///FILE`` or ``postgresql://...``; connects at first use."""
    if url.startswith(SQLITE):
        return SqliteEngine(Path(url.removeprefix(SQLITE)))
    return PostgresqlEngine(url)


def connect_postgresql(url: str, *, autocommit: bool = False, name: str = OURS) -> psycopg.Connection:
    """A connection that speaks UTF-8, and that both ends give up soon after the other fell off the network."""
    given = psycopg.conninfo.conninfo_to_dict(url)
    ours = {word: value for word, value in (REACHING | {"application_name": name}).items() if word not in given}
    return psycopg.connect(url, client_encoding="utf8", autocommit=autocommit, **ours)


def in_a_line(broken: Exception) -> str:
    """What a driver says, whose sentences come on lines of their own."""
    return " ".join(str(broken).split())


def keep_private(path: Path) -> None:
    """Make the file of a ledger readable for its owner alone; what SQLite puts beside it follows its mode."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    for file in (path, *(path.with_name(f"{path.name}{ending}") for ending in ("-wal", "-shm"))):
        with suppress(FileNotFoundError):
            facts = file.stat()
            if facts.st_uid == os.geteuid() and stat.S_IMODE(facts.st_mode) & 0o077:
                file.chmod(0o600)


class SqliteEngine:
    """WAL with synchronous=FULL: an intent that was committed survives a power cut.

    Every write and every checkpoint happens under a file lock, which makes two processes take turns fairly
    and keeps clear of the WAL-reset race of SQLite before 3.51.3 (it needs two at once).
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock: FileLock | None = None
        self._writer: sqlite3.Connection | None = None
        self._reader: sqlite3.Connection | None = None

    @contextmanager
    def writing(self, *, serial: bool) -> Iterator[Transaction]:
        del serial  # SQLite has one writer in any case
        try:
            connection = self._writer or self._open_writer()
            assert self._lock is not None
            with self._lock:
                connection.execute("BEGIN IMMEDIATE")
                try:
                    yield SqliteTransaction(connection)
                    connection.execute("COMMIT")
                except BaseException:
                    with suppress(sqlite3.Error):
                        connection.execute("ROLLBACK")
                    raise
        except (sqlite3.DatabaseError, OSError) as broken:
            if not _is_out_of_reach(broken):
                raise
            raise LedgerUnavailable(f"the ledger cannot be written: {in_a_line(broken)}") from broken

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        try:
            connection = self._reader or self._open_reader()
            connection.execute("BEGIN")
            try:
                yield SqliteTransaction(connection)
            finally:
                connection.execute("ROLLBACK")
        except (sqlite3.DatabaseError, OSError) as broken:
            if not _is_out_of_reach(broken):
                raise
            raise LedgerUnavailable(f"the ledger cannot be read: {in_a_line(broken)}") from broken

    def database_now(self) -> float | None:
        """None: whoever opens the file has its machine's clock."""
        return None

    def close_writer(self) -> None:
        if self._writer is not None and self._lock is not None:
            with self._lock:
                self._writer.close()
            self._lock.close()
            self._writer = self._lock = None

    def close_reader(self) -> None:
        if self._reader is not None:
            with FileLockOf(self._path):
                self._reader.close()
            self._reader = None

    def _open_writer(self) -> sqlite3.Connection:
        self._lock = self._lock or FileLock(self._path.with_suffix(".lock"))
        with self._lock:
            self._writer = self._connect()
            self._writer.execute("PRAGMA synchronous=FULL")
        return self._writer

    def _open_reader(self) -> sqlite3.Connection:
        with FileLockOf(self._path):
            self._reader = self._connect()
            self._reader.execute("PRAGMA query_only=ON")
        return self._reader

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path, isolation_level=None, timeout=30, check_same_thread=False, cached_statements=256
        )
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA cache_size=-16000")
        connection.execute("PRAGMA foreign_keys=OFF")
        return connection


def _is_out_of_reach(broken: Exception) -> bool:
    """Whether it is the file that is at fault (locked, full, no database, torn), not what was asked of it."""
    return isinstance(broken, OSError) or type(broken) in (sqlite3.OperationalError, sqlite3.DatabaseError)


class FileLockOf:
    """The writers' lock of the ledger at ``path``, for one block."""

    def __init__(self, path: Path) -> None:
        self._lock = FileLock(path.with_suffix(".lock"))

    def __enter__(self) -> None:
        self._lock.__enter__()

    def __exit__(self, *_: object) -> None:
        self._lock.__exit__()
        self._lock.close()


OUT_OF_REACH = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    psycopg.errors.ReadOnlySqlTransaction,
    psycopg.errors.InsufficientPrivilege,
    psycopg.errors.UndefinedTable,
    psycopg.errors.IdleInTransactionSessionTimeout,
)
"""It is the database that is at fault (away, a standby, a right or a table that is missing), not what was asked."""


class PostgresqlEngine:
    """Serial blocks take one advisory lock, so the gate and a pause are never inside at the same time."""

    def __init__(self, url: str, lock_within_s: float = LOCK_WITHIN_S) -> None:
        self._url, self._lock_within_s = url, lock_within_s
        self._writer: psycopg.Connection | None = None
        self._reader: psycopg.Connection | None = None

    @contextmanager
    def writing(self, *, serial: bool) -> Iterator[Transaction]:
        try:
            writer = self._open_writer()
            try:
                if serial:
                    self._take_gate(writer)
                yield from _pipelined(writer)
            except BaseException:
                with suppress(psycopg.Error):
                    writer.rollback()
                raise
        except OUT_OF_REACH as broken:
            _close(self._writer)
            self._writer = None
            if isinstance(broken, psycopg.errors.LockNotAvailable):
                self._end_the_frozen()
            raise LedgerUnavailable(f"the ledger cannot be written: {in_a_line(broken)}") from broken

    def _take_gate(self, writer: psycopg.Connection) -> None:
        """Begin a transaction with the gate's lock: nothing is read before it is there."""
        for wait in range(1, WAITS + 1):
            try:
                with writer.pipeline():
                    writer.execute("SELECT pg_advisory_xact_lock(%s)", (GATE_LOCK,))
                return
            except psycopg.errors.LockNotAvailable:
                if wait == WAITS:
                    raise
                writer.rollback()
                self._end_the_frozen()

    def _end_the_frozen(self) -> None:
        with suppress(psycopg.Error), connect_postgresql(self._url, autocommit=True) as connection:
            connection.execute(END_THE_FROZEN, (self._lock_within_s * 0.75,))

    def database_now(self) -> float | None:
        """The server's clock, in unix seconds. Raises LedgerUnavailable."""
        with self.writing(serial=False) as transaction:
            return float(transaction.all("SELECT extract(epoch FROM clock_timestamp())")[0][0])

    def _open_writer(self) -> psycopg.Connection:
        if self._writer is None:
            self._writer = connect_postgresql(self._url)
            # A later snapshot than the lock's: a pause that was committed meanwhile must be seen.
            self._writer.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
            self._refuse_lax_commits(self._writer)
            self._writer.execute(f"SET lock_timeout = {math.ceil(self._lock_within_s * 1000)}".encode())
            self._writer.commit()
        return self._writer

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        try:
            if self._reader is None:
                self._reader = connect_postgresql(self._url)
                self._reader.read_only = True
                self._reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            with self._reader.transaction():
                yield PostgresqlTransaction(self._reader)
        except OUT_OF_REACH as broken:
            _close(self._reader)
            self._reader = None
            raise LedgerUnavailable(f"the ledger cannot be read: {in_a_line(broken)}") from broken

    def close_writer(self) -> None:
        _close(self._writer)
        self._writer = None

    def close_reader(self) -> None:
        _close(self._reader)
        self._reader = None

    def _refuse_lax_commits(self, connection: psycopg.Connection) -> None:
        """An intent that a power cut may undo would be dialed again: never commit asynchronously."""
        connection.execute("SET synchronous_commit = on")
        connection.commit()


def _pipelined(writer: psycopg.Connection) -> Iterator[Transaction]:
    """A transaction whose writes go to the server with what is asked next, or with the COMMIT."""
    with writer.pipeline() as pipeline:
        try:
            yield PostgresqlTransaction(writer)
            writer.commit()
        except BaseException:
            # What was under way fails as well, and nobody needs to hear of it.
            with suppress(psycopg.Error):
                pipeline.sync()
            raise


def _close(connection: psycopg.Connection | None) -> None:
    if connection is not None:
        with suppress(psycopg.Error):
            connection.close()
