"""Rows of any list into contacts: the numbers of a long list are read by processes of their own."""

import asyncio
import multiprocessing
import os
from collections import deque
from collections.abc import AsyncGenerator, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from dialer.adapters.cell_text import storable
from dialer.adapters.contact_columns import ChosenColumns
from dialer.domain.appointment import NoAppointment, read_appointment
from dialer.domain.contact import NewContact
from dialer.domain.phone_number import Phone, Unusable, is_region, parse_phone, parse_phones
from dialer.domain.time_zones import bare_clock_fits, is_bare_clock, offer, zone_names
from dialer.domain.whereabouts import NOTHING, Declared, Unplaced, whereabouts
from dialer.ports import Reject

POOL_ROWS = 20_000
"""From how many rows on a pool pays: starting it costs as much as checking about 10,000 numbers."""

_MOST_PROCESSES = 3
_IN_FLIGHT = 2
_SHOWN_CHARACTERS = 40

Row = tuple[int, Sequence[str]]
"""The line a row begins on (1-based), and its cells."""


class Prepared(NamedTuple):
    """A row whose number is still to be read."""

    line: int
    cells: Sequence[str]
    text: str
    region: str
    declared: Declared
    event_at: float | None = None


@dataclass(frozen=True, slots=True)
class RowReader:
    """Turns rows with ``header`` into contacts.

    ``region`` (ISO 3166, "" for none) is assumed for national numbers where the row gives none; ``countries``
    are those that may be called, empty for all; ``event_zone`` (IANA, "" for none) is that of appointments whose row
    tells none. Missing trailing cells are empty; superfluous ones are a reject.
    """

    header: tuple[str, ...]
    columns: ChosenColumns
    region: str = ""
    countries: frozenset[str] = frozenset()
    event_zone: str = ""

    def prepare(self, line: int, cells: Sequence[str]) -> Prepared | Reject:
        """Check all of a row but its number."""
        missing = len(self.header) - len(cells)
        cells = [storable(cell) for cell in cells]
        full = [*cells, *[""] * missing] if missing > 0 else cells
        if missing < 0 and any(cell.strip() for cell in cells[missing:]):
            reason = f"{len(cells)} cells in a row of {len(self.header)} columns"
            return Reject(line, tuple(cells), reason, "quote cells that hold the delimiter")
        country = self._cell(full, self.columns.region).upper()
        region = country or self.region
        if region and region != self.region and not is_region(region):
            remedy = 'use "GB"' if region == "UK" else "use an ISO 3166 code, e.g. IN"
            return self._reject(line, cells, f"unknown region {_shown(region)}", remedy, self.columns.region)
        zone = self._cell(full, self.columns.timezone)
        if zone and zone not in zone_names():
            reason = f"unknown time zone {_shown(zone)}"
            phone = parse_phone(full[self.columns.phone], region)
            return self._reject(line, cells, reason, _zone_remedy(zone, phone), self.columns.timezone)
        event_at = None
        if self.columns.event is not None:
            match read_appointment(full[self.columns.event], zone or self.event_zone):
                case NoAppointment(reason, remedy):
                    return self._reject(line, cells, reason, remedy, self.columns.event)
                case found:
                    event_at = found
        state, code = self._cell(full, self.columns.state), self._cell(full, self.columns.postal_code)
        declared = Declared(zone, country, state, code) if zone or country or state or code else NOTHING
        return Prepared(line, full, full[self.columns.phone], region, declared, event_at)

    def finish(self, row: Prepared, phone: Phone | Unusable) -> NewContact | Reject:
        """The contact, now that its number was read."""
        if isinstance(phone, Unusable):
            return self._reject(row.line, row.cells, phone.reason, phone.remedy, self.columns.phone)
        zone = row.declared.zone
        if zone and is_bare_clock(zone) and not bare_clock_fits(zone, phone.zones):
            reason = f'"{zone}" is not the clock of this number all year'
            return self._reject(row.line, row.cells, reason, _zone_remedy(zone, phone), self.columns.timezone)
        where = whereabouts(phone, row.declared, trust=self.columns.trust_timezone)
        if isinstance(where, Unplaced):
            column = self.columns.state if where.column == "state" else self.columns.postal_code
            return self._reject(row.line, row.cells, where.reason, where.remedy, column)
        return NewContact(
            phone=phone.e164,
            name=" ".join(" ".join(row.cells[i] for i in self.columns.name).split()),
            row=row.line,
            key=self._cell(row.cells, self.columns.key),
            region=phone.region,
            zones=where.zones,
            variables={name: row.cells[i] for name, i in self.columns.variables},
            event_at=row.event_at,
            places=where.places,
            cells=tuple(row.cells),
        )

    def _reject(self, line: int, cells: Sequence[str], reason: str, remedy: str, column: int | None) -> Reject:
        return Reject(line, tuple(cells), reason, remedy, self.header[column] if column is not None else "")

    @staticmethod
    def _cell(cells: Sequence[str], column: int | None) -> str:
        return cells[column].strip() if column is not None else ""


async def read_batches(
    rows: Iterator[Row], reader: RowReader, size: int, expected: int, thread: Executor | None = None
) -> AsyncGenerator[list[NewContact | Reject], None]:
    """Every row in order, ``size`` at a time. ``expected`` rows decide whether processes are started.

    ``rows`` are fetched in ``thread``, else in one of the event loop's. At most a few batches are held at once, so
    memory does not grow with the list.
    """
    loop = asyncio.get_running_loop()
    executor, depth = _executor(expected)
    waiting: deque[tuple[list[Prepared | Reject], asyncio.Future[list[Phone | Unusable]]]] = deque()
    try:
        while prepared := await loop.run_in_executor(thread, _next, rows, reader, size):
            cells = [(row.text, row.region) for row in prepared if isinstance(row, Prepared)]
            waiting.append((prepared, loop.run_in_executor(executor, parse_phones, cells, reader.countries)))
            if len(waiting) > depth:
                yield await _finished(reader, *waiting.popleft())
        while waiting:
            yield await _finished(reader, *waiting.popleft())
    finally:
        executor.shutdown(wait=False, cancel_futures=True)


def _executor(expected: int) -> tuple[Executor, int]:
    """Who reads the numbers, and how many batches may wait. One core is left to whoever stores them."""
    workers = max(1, min(_MOST_PROCESSES, (os.cpu_count() or 1) - 1))
    if expected < POOL_ROWS:
        return ThreadPoolExecutor(1, "phone-numbers"), 0
    # Spawned, not forked: the ledger and the event loop have threads, and a fork would copy their locks.
    return ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")), workers * _IN_FLIGHT


def _next(rows: Iterator[Row], reader: RowReader, size: int) -> list[Prepared | Reject]:
    return [reader.prepare(line, cells) for line, cells in islice(rows, size)]


async def _finished(
    reader: RowReader, prepared: list[Prepared | Reject], reading: asyncio.Future[list[Phone | Unusable]]
) -> list[NewContact | Reject]:
    phones = iter(await reading)
    return [row if isinstance(row, Reject) else reader.finish(row, next(phones)) for row in prepared]


def _zone_remedy(zone: str, phone: Phone | Unusable) -> str:
    return offer(zone, phone.region, phone.zones) if isinstance(phone, Phone) else offer(zone, "")


def _shown(value: str) -> str:
    """A value that may be printed: a column named by mistake may hold phone numbers."""
    private = sum(char.isdecimal() for char in value) > 4 or len(value) > _SHOWN_CHARACTERS
    return "in this cell" if private else f'"{value}"'
