"""Group commit: what arrives while the last commit is flushed goes into the next one together."""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

import structlog

from dialer.adapters.ledger.engines import Engine
from dialer.adapters.ledger.ledger_clock import TELL_FROM_S, LedgerClock
from dialer.adapters.ledger.transaction import Transaction
from dialer.errors import LedgerUnavailable
from dialer.ports import Clock
from dialer.ports.meter import UNMETERED, Meter

log = structlog.get_logger()

T = TypeVar("T")
Item = TypeVar("Item")
Answer = TypeVar("Answer")

GROUP_LIMIT = 500
"""Items in one commit: enough to make the flush cheap, few enough that nobody waits long for it."""


@dataclass(slots=True)
class _Ask:
    verb: Callable[..., Sequence[Any]]
    items: Sequence[Any]
    context: tuple[Any, ...]
    serial: bool
    first: bool
    loop: asyncio.AbstractEventLoop
    future: "asyncio.Future[Any]"
    answer: Any = None
    error: BaseException | None = None


class Store:
    """One writing thread and one reading thread over an engine. A LedgerClock is kept at the database's time."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._asks: deque[_Ask] = deque()
        self._more = threading.Condition()
        self._closing = False
        self._offset_logged = False
        self.meter: Meter = UNMETERED
        """Counts commits, in the writing thread."""
        self._writer = threading.Thread(target=self._write_on, name="ledger-writer", daemon=True)
        self._writer.start()
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="ledger-reader")

    async def submit(
        self,
        verb: Callable[..., Sequence[Answer]],
        items: Sequence[Item],
        *context: Any,
        serial: bool = True,
        first: bool = False,
    ) -> list[Answer]:
        """Run ``verb(transaction, items, *context, now)`` in the next commit; one answer per item, in order.

        Calls of the same verb and context are joined into one. ``first``: before all that waits, in whatever commit
        comes next. Raises LedgerUnavailable.
        """
        loop = asyncio.get_running_loop()
        ask = _Ask(verb, items, context, serial, first, loop, loop.create_future())
        with self._more:
            if self._closing:
                raise LedgerUnavailable("the ledger is closed")
            if first:
                self._asks.appendleft(ask)
            else:
                self._asks.append(ask)
            self._more.notify()
        # A caller that is cancelled must not undo what is already on its way to the disk.
        answers: list[Answer] = await asyncio.shield(ask.future)
        return answers

    async def read(self, query: Callable[[Transaction], T]) -> T:
        """Run ``query`` on a read-only snapshot. Raises LedgerUnavailable."""
        if self._closing:
            raise LedgerUnavailable("the ledger is closed")

        def read() -> T:
            with self._engine.snapshot() as transaction:
                return query(transaction)

        return await asyncio.get_running_loop().run_in_executor(self._reader, read)

    async def aclose(self) -> None:
        """Commit what was asked for, then close both threads."""
        with self._more:
            self._closing = True
            self._more.notify()
        await asyncio.to_thread(self._writer.join)
        if not self._reader._shutdown:
            await asyncio.get_running_loop().run_in_executor(self._reader, self._engine.close_reader)
            self._reader.shutdown()

    def _write_on(self) -> None:
        while True:
            with self._more:
                while not self._asks and not self._closing:
                    self._more.wait()
                if not self._asks:
                    break
                serial = self._asks[0].serial
            self.keep_time()
            began = self._clock.monotonic()
            group = self._commit(serial)
            took_s = self._clock.monotonic() - began
            _resolve(group)
            self.meter.committed(took_s, sum(len(ask.items) for ask in group))
        self._engine.close_writer()

    def keep_time(self) -> None:
        """Set the clock by the database's, if it is time to; called where no commit is under way."""
        clock = self._clock
        if not isinstance(clock, LedgerClock) or not clock.is_due:
            return
        asked_at = clock.monotonic()
        # While the database is out of reach the clock runs on; the commit says so to those who wait.
        with suppress(LedgerUnavailable):
            theirs = self._engine.database_now()
            if theirs is None:
                return
            clock.set(theirs, asked_at, clock.monotonic())
            if abs(clock.own_offset_s()) >= TELL_FROM_S and not self._offset_logged:
                self._offset_logged = True
                log.warning("clock.off", ahead_s=round(clock.own_offset_s(), 1))

    def _take_group(self, serial: bool) -> list[_Ask]:
        """What was asked for until now and goes into one commit."""
        group: list[_Ask] = []
        size = 0
        with self._more:
            while self._asks and (self._asks[0].serial == serial or (serial and self._asks[0].first)):
                size += len(self._asks[0].items)
                if group and size > GROUP_LIMIT:
                    break
                group.append(self._asks.popleft())
        return group

    def _commit(self, serial: bool, alone: Sequence[_Ask] = ()) -> list[_Ask]:
        """Commit ``alone``, or the next group: what is asked for while others have the gate still goes along."""
        group = list(alone)
        try:
            with self._engine.writing(serial=serial) as transaction:
                group = group or self._take_group(serial)
                self._run(transaction, group)
        except LedgerUnavailable as broken:
            group = group or self._take_group(serial)
            for ask in group:
                ask.error = broken
        except Exception as wrong:  # noqa: BLE001 - handed to the caller
            group = group or self._take_group(serial)
            if len(group) == 1:
                group[0].error = wrong
                return group
            # Nothing of the group was committed: find out whose fault it was, one by one.
            for ask in group:
                self._commit(serial, [ask])
        return group

    def _run(self, transaction: Transaction, group: list[_Ask]) -> None:
        joined: dict[tuple[Any, ...], list[_Ask]] = {}
        for ask in group:
            joined.setdefault((ask.verb, *ask.context), []).append(ask)
        for asks in joined.values():
            items = asks[0].items if len(asks) == 1 else [item for ask in asks for item in ask.items]
            answers = asks[0].verb(transaction, items, *asks[0].context, self._clock.now())
            start = 0
            for ask in asks:
                ask.answer = answers[start : start + len(ask.items)] if len(asks) > 1 else answers
                start += len(ask.items)


def _resolve(group: list[_Ask]) -> None:
    by_loop: dict[asyncio.AbstractEventLoop, list[_Ask]] = {}
    for ask in group:
        by_loop.setdefault(ask.loop, []).append(ask)
    for loop, asks in by_loop.items():
        with suppress(RuntimeError):  # the loop was closed; what was asked for is in the ledger all the same
            loop.call_soon_threadsafe(_settle, asks)


def _settle(asks: list[_Ask]) -> None:
    for ask in asks:
        if ask.future.done():
            continue
        if ask.error is not None:
            ask.future.set_exception(ask.error)
        else:
            ask.future.set_result(ask.answer)
