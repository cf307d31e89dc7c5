"""The real ledger's SQL in memory: every verb runs at once, in one transaction of its own."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from dialer.adapters.sql_ledger import dial, reconcile
from dialer.adapters.sql_ledger.migrate import migrate
from dialer.adapters.sql_ledger.store import Store
from dialer.adapters.sql_ledger.transaction import Row, SqliteTransaction, Transaction
from dialer.errors import LedgerUnavailable
from tests.fakes.clock import ManualClock
from tests.simulation.faults import Faults
from tests.simulation.life import Life

T = TypeVar("T")
Item = TypeVar("Item")
Answer = TypeVar("Answer")


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
    """One ledger, shared by every process of a run."""

    def __init__(self, clock: ManualClock) -> None:
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
        """For the oracle, which asks nobody else."""
        return self._connection.execute(sql).fetchall()

    def close(self) -> None:
        """Forget everything."""
        self._connection.close()


class LifeStore(Store):
    """The store of one process: it may be late, be out of reach, or lose the answer to a commit."""

    def __init__(self, tables: Tables, life: Life, faults: Faults) -> None:
        self._tables, self._life, self._faults = tables, life, faults
        self._dice = faults.dice(f"{life.name}:store")

    async def submit(
        self,
        verb: Callable[..., Sequence[Answer]],
        items: Sequence[Item],
        *context: Any,
        serial: bool = True,
    ) -> list[Answer]:
        del serial
        if verb is reconcile.record_scans:
            return self._tables.submit(verb, items, context)  # nothing hangs on it, so no fault is spent on it
        faults, rates = self._faults, self._faults.rates
        await self._lag()
        if self._life.mortal and faults.strikes(self._dice, rates.ledger_down, "ledger down"):
            raise LedgerUnavailable("the ledger cannot be written: drawn")
        answers = self._tables.submit(verb, items, context)
        if self._life.mortal and faults.strikes(self._dice, rates.commit_unsure, "commit unsure"):
            raise LedgerUnavailable("the ledger cannot be written: lost on commit")
        if verb is dial.pass_gate and faults.strikes(self._dice, rates.stall_after_gate, "stalled after the gate"):
            self._life.stall(self._dice.uniform(1.0, 90.0))
        await self._lag()
        return answers

    async def read(self, reading: Callable[[Transaction], T]) -> T:
        self._life.check()
        found = self._tables.read(reading)
        await self._lag()
        return found

    async def aclose(self) -> None:
        """The tables outlive the process."""

    async def _lag(self) -> None:
        lag = self._dice.random()
        await self._life.sleep((lag - 0.5) * 0.003 if lag > 0.5 else 0.0)
