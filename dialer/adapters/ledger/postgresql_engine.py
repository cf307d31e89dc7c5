"""A ledger in a PostgreSQL that several hosts share."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import psycopg

from dialer.adapters.ledger.engines import in_a_line
from dialer.adapters.ledger.transaction import NO_VALUES, Row, Transaction, Values, for_postgresql
from dialer.errors import LedgerUnavailable

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
OUT_OF_REACH = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    psycopg.errors.ReadOnlySqlTransaction,
    psycopg.errors.InsufficientPrivilege,
    psycopg.errors.UndefinedTable,
    psycopg.errors.IdleInTransactionSessionTimeout,
)
"""It is the database that is at fault (away, a standby, a right or a table that is missing), not what was asked."""


def connect_postgresql(url: str, *, autocommit: bool = False, name: str = OURS) -> psycopg.Connection:
    """A connection that speaks UTF-8, and that both ends give up soon after the other fell off the network."""
    given = psycopg.conninfo.conninfo_to_dict(url)
    ours = {word: value for word, value in (REACHING | {"application_name": name}).items() if word not in given}
    return psycopg.connect(url, client_encoding="utf8", autocommit=autocommit, **ours)


class PostgresqlTransaction:
    """A transaction on a psycopg connection: what ``many`` writes is under way until the next answer is waited for.

    So an error of it comes up there, or at the COMMIT.
    """

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection

    def all(self, sql: str, values: Values = NO_VALUES) -> list[Row]:
        return self._connection.execute(for_postgresql(sql), values).fetchall()

    def won(self, sql: str, values: Sequence[Values]) -> list[bool]:
        if not values:
            return []
        with self._connection.cursor() as cursor:
            cursor.executemany(for_postgresql(sql), values, returning=True)
            changed = [cursor.rowcount == 1]
            while cursor.nextset():
                changed.append(cursor.rowcount == 1)
            return changed

    def all_won(self, sql: str, values: Sequence[Values]) -> bool:
        return all(self.won(sql, values))

    def run(self, sql: str, values: Values = NO_VALUES) -> int:
        with self._connection.cursor() as cursor:
            # In a pipeline, ``execute`` would not wait for the count.
            cursor.executemany(for_postgresql(sql), [values], returning=True)
            return cursor.rowcount

    def many(self, sql: str, values: Sequence[Values]) -> None:
        if values:
            with self._connection.cursor() as cursor:
                cursor.executemany(for_postgresql(sql), values)


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
    def snapshot(self) -> Iterator[Transaction]:
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
