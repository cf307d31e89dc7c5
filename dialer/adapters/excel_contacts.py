"""A list of people on a sheet of a workbook (.xlsx)."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import aclosing
from functools import cached_property
from pathlib import Path

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, PasswordError, SheetVisibleEnum

from dialer.adapters.cell_text import cell_text
from dialer.adapters.contact_columns import REJECT_COLUMNS, ChosenColumns, choose_columns
from dialer.adapters.contact_rows import Row, RowReader, read_batches
from dialer.adapters.csv_contacts import known_region
from dialer.domain.campaign import ContactColumns, Reminder
from dialer.domain.contact import NewContact
from dialer.errors import InputFileError
from dialer.ports import Reject


class ExcelContacts:
    """ContactSource over the workbook ``path``.

    The first row that holds anything names the columns. Formulas count with the result that was saved beside them.
    The library holds the sheet in memory, in about a tenth of what Python objects would take; rows are made one by
    one. Parameters and errors as for CsvContacts; ``columns.sheet`` is needed where several sheets hold something.
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
        return (*self._chosen.notes, f'sheet "{self._sheet.name}"')

    async def batches(self, size: int) -> AsyncIterator[Sequence[NewContact | Reject]]:
        """Every row with any content, in order. Raises InputFileError before the first batch."""
        chosen = await asyncio.to_thread(lambda: self._chosen)
        reader = RowReader(self.header, chosen, self._region, self._countries, self._reminder.timezone)
        async with aclosing(read_batches(self._rows(), reader, size, self._sheet.height)) as batches:
            async for batch in batches:
                yield batch

    @cached_property
    def _sheet(self) -> CalamineSheet:
        if not self._path.is_file():
            raise InputFileError(str(self._path), "there is no such file", "Check the path")
        try:
            with CalamineWorkbook.from_path(self._path) as book:
                return _choose(book, self._columns.sheet, self._path)
        except PasswordError as locked:
            raise InputFileError(str(self._path), "the workbook is locked", "Save it without a password") from locked
        except (CalamineError, OSError) as broken:
            raise _unreadable(self._path, broken) from broken

    @cached_property
    def _head(self) -> tuple[int, list[str]]:
        """The row of the column names (1-based), and their cells."""
        for line, cells in _text_rows(self._sheet):
            return line, cells
        raise InputFileError(f"{self._path}:1", "there are no rows", "Add a header line and contacts")

    @cached_property
    def _names(self) -> list[str]:
        return [" ".join(name.split()) for name in self._head[1]]

    @cached_property
    def _kept(self) -> list[int]:
        return [i for i, name in enumerate(self._names) if name not in REJECT_COLUMNS]

    @cached_property
    def _chosen(self) -> ChosenColumns:
        place = f"{self._path}:{self._head[0]}"
        return choose_columns(self.header, self._columns, place, self._reminder.event)

    def _rows(self) -> Iterator[Row]:
        rows = _text_rows(self._sheet)
        next(rows)
        kept = self._kept
        return ((line, [cells[i] for i in kept]) for line, cells in rows)


def _choose(book: CalamineWorkbook, wanted: str, path: Path) -> CalamineSheet:
    """The sheet of that name, or the only visible one that holds anything."""
    if wanted:
        if wanted not in book.sheet_names:
            listed = ", ".join(f'"{name}"' for name in book.sheet_names)
            raise InputFileError(str(path), f'there is no sheet "{wanted}"', f"The workbook has: {listed}")
        return book.get_sheet_by_name(wanted)
    visible = [meta.name for meta in book.sheets_metadata if meta.visible == SheetVisibleEnum.Visible]
    filled = [sheet for name in visible if (sheet := book.get_sheet_by_name(name)).height]
    if not filled:
        raise InputFileError(str(path), "every visible sheet is empty", "Add a header line and contacts")
    if len(filled) > 1:
        listed = ", ".join(f'"{sheet.name}"' for sheet in filled)
        raise InputFileError(str(path), f"more than one sheet holds something: {listed}", "Say which with --sheet")
    return filled[0]


def _text_rows(sheet: CalamineSheet) -> Iterator[tuple[int, list[str]]]:
    """Rows with any content, as text, each with its number in the sheet."""
    for line, row in enumerate(sheet.iter_rows(), 1):
        cells = [cell_text(value) for value in row]
        if any(cell and not cell.isspace() for cell in cells):
            yield line, cells


def _unreadable(path: Path, broken: Exception) -> InputFileError:
    return InputFileError(str(path), f"not a readable workbook: {broken}", "Save it as .xlsx again, or as CSV UTF-8")
