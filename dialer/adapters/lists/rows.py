"""Rows of any list into contacts: the numbers of a long list are read by processes of their own."""

import asyncio
import os
from collections import Counter, deque
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import NamedTuple

from dialer.adapters.lists.cell_text import Unclear, said, storable
from dialer.adapters.lists.columns import ChosenColumns
from dialer.adapters.lists.do_not_call_marks import is_barred
from dialer.adapters.lists.number_readers import Cells, number_readers, read_numbers
from dialer.adapters.lists.row_country import NO_COUNTRY, Contradiction, RowCountry, country_of
from dialer.domain.appointment import NoAppointment, read_appointment
from dialer.domain.contact import NewContact
from dialer.domain.phone_number import Phone, Unusable, parse_phone, parse_phones
from dialer.domain.phone_spelling import bare, digits_of
from dialer.domain.time_zones import bare_clock_fits, is_bare_clock, offer, zone_names
from dialer.domain.whereabouts import NOTHING, Declared, Unplaced, whereabouts
from dialer.ports import Reject

POOL_ROWS = 20_000
"""From how many rows on a pool pays: starting it costs as much as checking about 10,000 numbers."""

_MOST_PROCESSES = 3
_IN_FLIGHT = 2
_SHOWN_CHARACTERS = 40

AT_ONCE_CHARACTERS = 4 * 1024 * 1024
LONGEST_CELL = 32_767
"""Characters, as in a spreadsheet."""

Row = tuple[int, Sequence[str]]
"""The line a row begins on (1-based), and its cells."""


class Prepared(NamedTuple):
    """A row whose number is still to be read: its ``cells`` as written, and ``values``, what they say.

    ``barred``: why its person must not be called, "" when they may.
    """

    line: int
    cells: Sequence[str]
    values: Sequence[str]
    text: str
    region: str
    declared: Declared
    event_at: float | None = None
    barred: str = ""


@dataclass(frozen=True, slots=True)
class RowReader:
    """Turns rows with ``header`` into contacts.

    ``region`` (ISO 3166, "" for none) is assumed for national numbers where the row gives none; ``countries``
    are those that may be called, empty for all; ``event_zone`` (IANA, "" for none) is that of appointments whose row
    has none. Missing trailing cells are empty; superfluous ones are a reject, except ``spare`` blank ones that every
    row has. ``tally`` counts what ``notes`` reports.
    """

    header: tuple[str, ...]
    columns: ChosenColumns
    region: str = ""
    countries: frozenset[str] = frozenset()
    event_zone: str = ""
    spare: int = 0
    tally: Counter[str] = field(default_factory=Counter)

    def notes(self) -> list[str]:
        """What was done to rows so far, in words."""
        texts = {
            "completed": f"numbers completed with the country code of {self.region} (--region)",
            "barred": "people marked as not to be called",
            "empty formulas": "formulas without a saved result, taken as empty (open the workbook and save it again)",
        }
        return [f"{text}: {self.tally[what]:,}" for what, text in texts.items() if self.tally[what]]

    def prepare(self, line: int, cells: Sequence[str]) -> Prepared | Reject:
        """Check all of a row but its number."""
        missing = len(self.header) - len(cells)
        if -missing > self.spare or (missing < 0 and any(cell.strip() for cell in cells[missing:])):
            reason = f"{len(cells)} cells in a row of {len(self.header)} columns"
            return Reject(line, tuple(cells), reason, "quote cells that hold the delimiter")
        full = [said(storable(cell)) for cell in cells] + [""] * missing
        if any(len(cell) > LONGEST_CELL for cell in full):
            remedy = f"shorten it to {LONGEST_CELL:,}, or leave its column out"
            return Reject(line, tuple(cells), f"a cell of more than {LONGEST_CELL:,} characters", remedy)
        if Unclear in map(type, full) and (unclear := self._unclear(line, cells, full)):
            return unclear
        text = full[self.columns.phone]
        origin: RowCountry | Contradiction = NO_COUNTRY
        if self.columns.region is not None or self.columns.countries:
            origin = country_of(full, self.columns.region, self.columns.countries, text)
        if isinstance(origin, Contradiction):
            return self._reject(line, cells, origin.reason, origin.remedy, origin.column)
        barred = self._barred(line, cells, full)
        if isinstance(barred, Reject):
            return barred
        country, region = origin.country, origin.region or self.region
        zone = self._cell(full, self.columns.timezone)
        if zone and zone not in zone_names():
            reason = f"unknown time zone {_shown(zone)}"
            phone = parse_phone(text, region)
            remedy = _zone_remedy(zone, phone)
            return self._reject(line, cells, reason, remedy, self.columns.timezone, undecided=True)
        event_at = None
        if self.columns.event is not None:
            match read_appointment(full[self.columns.event], zone or self.event_zone):
                case NoAppointment(reason, remedy):
                    return self._reject(line, cells, reason, remedy, self.columns.event)
                case moment:
                    event_at = moment
        state, code = self._cell(full, self.columns.state), self._cell(full, self.columns.postal_code)
        declared = Declared(zone, country, state, code) if zone or country or state or code else NOTHING
        return Prepared(line, [*cells, *[""] * missing], full, text, region, declared, event_at, barred)

    def finish(self, row: Prepared, phone: Phone | Unusable) -> NewContact | Reject:
        """The contact, now that its number was read."""
        if isinstance(phone, Unusable):
            return self._reject(
                row.line, row.cells, phone.reason, phone.remedy, self.columns.phone, undecided=phone.undecided
            )
        zone = row.declared.zone
        if zone and is_bare_clock(zone) and not bare_clock_fits(zone, phone.zones):
            reason = f'"{zone}" is not the clock of this number all year'
            remedy = _zone_remedy(zone, phone)
            return self._reject(row.line, row.cells, reason, remedy, self.columns.timezone, undecided=True)
        where = whereabouts(phone, row.declared, trust=self.columns.trust_timezone)
        if isinstance(where, Unplaced):
            column = self.columns.state if where.column == "state" else self.columns.postal_code
            return self._reject(row.line, row.cells, where.reason, where.remedy, column)
        self._count(row, phone.e164)
        return NewContact(
            phone=phone.e164,
            name=" ".join(" ".join(row.values[i] for i in self.columns.name).split()),
            row=row.line,
            key=self._cell(row.values, self.columns.key),
            region=phone.region,
            zones=where.zones,
            variables={name: row.values[i] for name, i in self.columns.variables},
            event_at=row.event_at,
            places=where.places,
            cells=tuple(row.cells),
            barred=row.barred,
        )

    def _unclear(self, line: int, cells: Sequence[str], full: list[str]) -> Reject | None:
        """A reject where a cell that does not say what it means is needed; else such cells lose their mark."""
        chosen = self.columns
        needed = {
            chosen.phone,
            chosen.event,
            chosen.timezone,
            chosen.region,
            chosen.key,
            chosen.state,
            chosen.postal_code,
        }
        needed |= {*chosen.countries, *(column for column, _ in chosen.marks)}
        spoken = {*chosen.name, *(column for _, column in chosen.variables)}
        for column, cell in enumerate(full):
            if not isinstance(cell, Unclear):
                continue
            if column in needed or (column in spoken and not cell.spoken):
                return self._reject(line, cells, cell.reason, cell.remedy, column)
            self.tally["empty formulas"] += column in spoken
            full[column] = str(cell)
        return None

    def _barred(self, line: int, cells: Sequence[str], full: Sequence[str]) -> str | Reject:
        """Why the list says that this person must not be called; "" when it does not."""
        why = ""
        for column, sense in self.columns.marks:
            match is_barred(full[column], sense):
                case None:
                    reason = "nobody can tell whether this person may be called"
                    return self._reject(line, cells, reason, "write yes or no, or leave the cell empty", column)
                case True:
                    why = why or f'marked in column "{self.header[column]}" of a list'
        return why

    def _count(self, row: Prepared, e164: str) -> None:
        if row.barred:
            self.tally["barred"] += 1
        elif row.region == self.region and "+" not in row.text and e164[1:] not in digits_of(bare(row.text)):
            self.tally["completed"] += 1

    def _reject(
        self, line: int, cells: Sequence[str], reason: str, remedy: str, column: int | None, *, undecided: bool = False
    ) -> Reject:
        return Reject(
            line, tuple(cells), reason, remedy, self.header[column] if column is not None else "", undecided=undecided
        )

    @staticmethod
    def _cell(cells: Sequence[str], column: int | None) -> str:
        return cells[column].strip() if column is not None else ""


async def read_batches(
    rows: Iterator[Row], reader: RowReader, size: int, expected: int, thread: Executor | None = None
) -> AsyncGenerator[list[NewContact | Reject], None]:
    """Every row in order, ``size`` at a time. ``expected`` rows decide whether processes are started.

    ``rows`` are fetched in ``thread``, else in one of the event loop's. At most a few batches are held at once, so
    memory does not grow with the list. Raises ReadingStopped when a process that reads is killed.
    """
    loop = asyncio.get_running_loop()
    executor, read, depth = _who_reads(expected)
    waiting: deque[tuple[list[Prepared | Reject], asyncio.Future[list[Phone | Unusable]]]] = deque()
    try:
        while prepared := await loop.run_in_executor(thread, _next, rows, reader, size):
            cells = [(row.text, row.region) for row in prepared if isinstance(row, Prepared)]
            waiting.append((prepared, loop.run_in_executor(executor, read, cells, reader.countries)))
            if len(waiting) > depth:
                yield await _finished(reader, *waiting.popleft())
        while waiting:
            yield await _finished(reader, *waiting.popleft())
    finally:
        executor.shutdown(wait=False, cancel_futures=True)


def _who_reads(expected: int) -> tuple[Executor, Callable[[Cells, frozenset[str]], list[Phone | Unusable]], int]:
    """Who reads the numbers and how, and how many batches may wait. One core is left for storing them."""
    if expected < POOL_ROWS:
        return ThreadPoolExecutor(1, "phone-numbers"), parse_phones, 0
    workers = max(1, min(_MOST_PROCESSES, (os.cpu_count() or 1) - 1))
    return number_readers(workers), read_numbers, workers * _IN_FLIGHT


def _next(rows: Iterator[Row], reader: RowReader, size: int) -> list[Prepared | Reject]:
    return [reader.prepare(line, cells) for line, cells in no_more_than(rows, size)]


def no_more_than(rows: Iterator[Row], size: int) -> list[Row]:
    """The next ``size`` rows, or fewer where they hold much text: what is held at once does not grow with the cells."""
    taken: list[Row] = []
    characters = 0
    while len(taken) < size and characters < AT_ONCE_CHARACTERS and (row := next(rows, None)) is not None:
        taken.append(row)
        characters += sum(map(len, row[1]))
    return taken


async def _finished(
    reader: RowReader, prepared: list[Prepared | Reject], numbers: asyncio.Future[list[Phone | Unusable]]
) -> list[NewContact | Reject]:
    phones = iter(await numbers)
    return [row if isinstance(row, Reject) else reader.finish(row, next(phones)) for row in prepared]


def _zone_remedy(zone: str, phone: Phone | Unusable) -> str:
    return offer(zone, phone.region, phone.zones) if isinstance(phone, Phone) else offer(zone, "")


def _shown(value: str) -> str:
    """A value that may be printed: a column named by mistake may hold phone numbers."""
    private = sum(char.isdecimal() for char in value) > 4 or len(value) > _SHOWN_CHARACTERS
    return "in this cell" if private else f'"{value}"'
