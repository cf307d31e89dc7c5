"""The ledger in memory as one process of many sees it."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from dialer.adapters.ledger import dial, reconcile
from dialer.adapters.ledger.store import Store
from dialer.adapters.ledger.transaction import Transaction
from dialer.errors import LedgerUnavailable
from tests.memory_ledger import Tables
from tests.simulation.faults import Faults
from tests.simulation.life import Life

T = TypeVar("T")
Item = TypeVar("Item")
Answer = TypeVar("Answer")


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
        first: bool = False,
    ) -> list[Answer]:
        del serial, first
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
