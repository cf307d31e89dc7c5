"""A list of people on a sheet of a workbook (.xlsx)."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path

from dialer.adapters.contact_columns import REJECT_COLUMNS, ChosenColumns, choose_columns
from dialer.adapters.contact_rows import Row, RowReader, read_batches
from dialer.adapters.csv_contacts import known_region
from dialer.adapters.workbook import WIDEST, Sheet, Workbook, open_workbook
from dialer.adapters.workbook import Row as SheetRow
from dialer.domain.campaign import ContactColumns, Reminder
from dialer.domain.contact import NewContact
from dialer.errors import InputFileError
from dialer.ports import Reject


@dataclass(frozen=True, slots=True)
class _Table:
    """A sheet that passed the check.

    ``head`` names the columns; those from ``left`` to before ``right`` (0-based) and ``rows`` rows hold something;
    ``stamp`` is (size in bytes, mtime in ns) of the file.
    """

    book: Workbook
    sheet: Sheet
    head: SheetRow
    left: int
    right: int
    rows: int
    stamp: tuple[int, int]

    def read(self) -> Iterator[SheetRow]:
        """The rows below the column names, all of one width.

        Raises InputFileError when the file is no longer the one that was checked.
        """
        for line, cells in islice(self.book.rows(self.sheet), 1, None):
            yield line, self.full(cells)
        if _stamp(self.book.path) != self.stamp:
            raise InputFileError(str(self.book.path), "the file changed while it was read", "Run the command again")

    def full(self, cells: list[str]) -> list[str]:
        """The cells of all columns that hold something in any row."""
        return cells[self.left :] + [""] * (self.right - max(self.left, len(cells)))


class ExcelContacts:
    """ContactSource over the workbook ``path``.

    The first row that holds anything names the columns. Formulas count with the result that was saved beside them.
    The sheet is checked whole at the first use of any member but ``fingerprint``, and read again for the rows; of the
    two, some hundred rows are held at once, and of the workbook the texts that cells share. Parameters and errors as
    for CsvContacts; ``columns.sheet`` is needed where several sheets hold something.
    """

    def __init__(
        self,
        path: Path,
        columns: ContactColumns | None = None,
        region: str = "",
        countries: frozenset[str] = frozenset(),
        reminder: Reminder | None = None,
    ) -> None:
        self._path, self._columns = path, columns or ContactColumns()
        self._region = known_region(region) if region else ""
        self._countries = frozenset(map(known_region, countries))
        self._reminder = reminder or Reminder()

    @cached_property
    def fingerprint(self) -> str:
        """The SHA-256 of the file, in hexadecimal."""
        try:
            with self._path.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as broken:
            raise _unreadable(self._path, broken) from broken

    @property
    def header(self) -> tuple[str, ...]:
        """The column names, without those a rejects file added."""
        return tuple(self._names[i] for i in self._kept)

    @property
    def notes(self) -> tuple[str, ...]:
        """The columns and the sheet that were found."""
        return (*self._chosen.notes, f'sheet "{self._table.sheet.name}"')

    @property
    def expected_rows(self) -> int:
        """How many there are, the column names left out."""
        return self._table.rows - 1

    async def batches(self, size: int) -> AsyncIterator[Sequence[NewContact | Reject]]:
        """Every row with any content, in order. Raises InputFileError before the first batch."""
        chosen = await asyncio.to_thread(lambda: self._chosen)
        reader = RowReader(self.header, chosen, self._region, self._countries, self._reminder.timezone)
        async with aclosing(read_batches(self._rows(), reader, size, self._table.rows)) as batches:
            async for batch in batches:
                yield batch

    @cached_property
    def _table(self) -> _Table:
        if not self._path.is_file():
            raise InputFileError(str(self._path), "there is no such file", "Check the path")
        stamp = _stamp(self._path)
        book = open_workbook(self._path)
        sheet = _choose(book, self._columns.sheet)
        head, left, right, rows = None, WIDEST, 0, 0
        for row in book.rows(sheet):
            head = head or row
            left = min(left, next(i for i, cell in enumerate(row[1]) if cell))
            right, rows = max(right, len(row[1])), rows + 1
        if head is None:
            raise InputFileError(f"{self._path}:1", "there are no rows", "Add a header line and contacts")
        return _Table(book, sheet, head, left, right, rows, stamp)

    @cached_property
    def _names(self) -> list[str]:
        return [" ".join(name.split()) for name in self._table.full(self._table.head[1])]

    @cached_property
    def _kept(self) -> list[int]:
        return [i for i, name in enumerate(self._names) if name not in REJECT_COLUMNS]

    @cached_property
    def _chosen(self) -> ChosenColumns:
        place = f"{self._path}:{self._table.head[0]}"
        return choose_columns(self.header, self._columns, place, self._reminder.event)

    def _rows(self) -> Iterator[Row]:
        kept = self._kept
        return ((line, [cells[i] for i in kept]) for line, cells in self._table.read())


def _choose(book: Workbook, wanted: str) -> Sheet:
    """The sheet of that name, or the only visible one that holds anything."""
    if wanted:
        named = [sheet for sheet in book.sheets if sheet.name == wanted]
        if not named:
            problem, remedy = f'there is no sheet "{wanted}"', f"The workbook has: {_listed(book.sheets)}"
            raise InputFileError(str(book.path), problem, remedy)
        return named[0]
    filled = [sheet for sheet in book.sheets if sheet.visible and book.is_filled(sheet)]
    if not filled:
        raise InputFileError(str(book.path), "every visible sheet is empty", "Add a header line and contacts")
    if len(filled) > 1:
        problem = f"more than one sheet holds something: {_listed(filled)}"
        raise InputFileError(str(book.path), problem, "Say which with --sheet")
    return filled[0]


def _listed(sheets: Sequence[Sheet]) -> str:
    return ", ".join(f'"{sheet.name}"' for sheet in sheets)


def _stamp(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError as broken:
        raise _unreadable(path, broken) from broken
    return found.st_size, found.st_mtime_ns


def _unreadable(path: Path, broken: Exception) -> InputFileError:
    return InputFileError(str(path), f"not a readable workbook: {broken}", "Save it as .xlsx again, or as CSV UTF-8")
