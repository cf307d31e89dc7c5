"""A ledger in one file of SQLite."""

import json
import os
import sqlite3
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from dialer.adapters.ledger.engines import in_a_line
from dialer.adapters.ledger.transaction import NO_VALUES, Row, Transaction, Values, for_sqlite
from dialer.adapters.local.file_lock import FileLock
from dialer.errors import LedgerUnavailable


def keep_private(path: Path) -> None:
    """Make the file of a ledger readable for its owner alone; what SQLite puts beside it follows its mode.

    A file that is there is not opened: to close it would free every lock that SQLite holds on it in this process
    (POSIX says so), and another process would take away what is still in use.
    """
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    for file in (path, *(path.with_name(f"{path.name}{ending}") for ending in ("-wal", "-shm"))):
        with suppress(FileNotFoundError):
            facts = file.stat()
            if facts.st_uid == os.geteuid() and stat.S_IMODE(facts.st_mode) & 0o077:
                file.chmod(0o600)


def _sqlite_values(values: Values) -> Values:
    return {name: json.dumps(value) if isinstance(value, list) else value for name, value in values.items()}


class SqliteTransaction:
    """A transaction on the writer's or a reader's connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def all(self, sql: str, values: Values = NO_VALUES) -> list[Row]:
        return self._connection.execute(for_sqlite(sql), _sqlite_values(values)).fetchall()

    def won(self, sql: str, values: Sequence[Values]) -> list[bool]:
        text = for_sqlite(sql)
        execute = self._connection.execute
        return [execute(text, item).rowcount == 1 for item in values]

    def all_won(self, sql: str, values: Sequence[Values]) -> bool:
        return not values or self._connection.executemany(for_sqlite(sql), values).rowcount == len(values)

    def run(self, sql: str, values: Values = NO_VALUES) -> int:
        return self._connection.execute(for_sqlite(sql), _sqlite_values(values)).rowcount

    def many(self, sql: str, values: Sequence[Values]) -> None:
        self._connection.executemany(for_sqlite(sql), values)


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
    def snapshot(self) -> Iterator[Transaction]:
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
        """None: every process that opens the file has the clock of the same machine."""
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
