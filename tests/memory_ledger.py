"""The real ledger's SQL in memory: every verb runs at once, in one transaction of its own, on a clock that is given."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from dialer.adapters.ledger import SqlLedger
from dialer.adapters.ledger.migrate import migrate
from dialer.adapters.ledger.sqlite_engine import SqliteTransaction
from dialer.adapters.ledger.store import Store
from dialer.adapters.ledger.transaction import Row, Transaction
from dialer.errors import LedgerUnavailable
from dialer.ports import Clock

T = TypeVar("T")
Item = TypeVar("Item")
Answer = TypeVar("Answer")


def memory_ledger(clock: Clock) -> SqlLedger:
    """An empty ledger of one process."""
    return SqlLedger(MemoryStore(Tables(clock)), clock, "memory")


@cache
def _migrated() -> sqlite3.Connection:
    """An empty ledger with the newest schema, made once."""
    template = sqlite3.connect(":memory:")
    with TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.db"
        migrate(f"sqlite:///{path}")
        made = sqlite3.connect(path)
        made.backup(template)
        made.close()
    return template


class Tables:
    """One ledger in memory; whoever has it shares it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._connection = sqlite3.connect(":memory:", isolation_level=None, cached_statements=256)
        _migrated().backup(self._connection)
        self._connection.execute("PRAGMA foreign_keys=OFF")

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Committed at the end of its block, or not at all."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield SqliteTransaction(self._connection)
            self._connection.execute("COMMIT")
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise

    def submit(
        self, verb: Callable[..., Sequence[Answer]], items: Sequence[Item], context: tuple[Any, ...]
    ) -> list[Answer]:
        """What the store's writing thread does, here and now."""
        with self.transaction() as transaction:
            return list(verb(transaction, items, *context, self._clock.now()))

    def read(self, reading: Callable[[Transaction], T]) -> T:
        """What the store's reading thread does."""
        return reading(SqliteTransaction(self._connection))

    def rows(self, sql: str) -> list[Row]:
        """For a test, which asks nobody else."""
        return self._connection.execute(sql).fetchall()

    def close(self) -> None:
        """Forget everything."""
        self._connection.close()


class MemoryStore(Store):
    """A store without threads: who asks has the answer before anybody else runs."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._closed = False

    async def submit(
        self,
        verb: Callable[..., Sequence[Answer]],
        items: Sequence[Item],
        *context: Any,
        serial: bool = True,
        first: bool = False,
    ) -> list[Answer]:
        del serial, first
        self._refuse_if_closed()
        return self._tables.submit(verb, items, context)

    async def read(self, reading: Callable[[Transaction], T]) -> T:
        self._refuse_if_closed()
        return self._tables.read(reading)

    async def aclose(self) -> None:
        self._closed = True
        self._tables.close()

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise LedgerUnavailable("the ledger is closed")
