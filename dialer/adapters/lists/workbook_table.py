"""A table on a sheet of a workbook."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from dialer.adapters.lists.columns import header_row
from dialer.adapters.lists.computed_once import computed_once
from dialer.adapters.lists.contacts import Head, Table
from dialer.adapters.lists.rows import Row
from dialer.adapters.lists.workbook import CalamineBook, Sheet, Workbook, open_workbook
from dialer.adapters.lists.workbook import Row as SheetRow
from dialer.domain.campaign import ContactColumns
from dialer.errors import InputFileError

TITLE_ROWS = 20
"""Among how many rows the column names are looked for."""


@dataclass(frozen=True, slots=True)
class _Checked:
    """A sheet that passed the check.

    ``names`` are the column names, of the columns from ``left`` (0-based) on, which stand on line ``line`` below
    ``titles`` rows; ``rows`` visible rows hold something, and ``hidden`` others; ``stamp`` is (size in bytes, mtime in
    ns) of the file.
    """

    book: Workbook | CalamineBook
    sheet: Sheet
    line: int
    titles: int
    left: int
    names: list[str]
    rows: int
    hidden: int
    stamp: tuple[int, int]

    def read(self) -> Iterator[Row]:
        """The visible rows below the column names, all of one width.

        Raises InputFileError when the file is no longer the one that was checked.
        """
        columns = range(self.left, self.left + len(self.names))
        for line, cells, hidden in islice(self.book.rows(self.sheet), self.titles + 1, None):
            if not hidden:
                yield line, [cells.get(column, "") for column in columns]
        if _stamp(self.book.path) != self.stamp:
            raise InputFileError(str(self.book.path), "the file changed while it was read", "Run the command again")


class WorkbookTable(Table):
    """A sheet of the workbook ``path``; ``columns`` may name the phone's column, and the sheet.

    The first row with a column known as the phone names the columns. Rows that the sheet hides, as a filter does, are
    left out and counted. Numbers are read as they are shown, formulas with the result that was saved beside them. The
    sheet is checked whole at the first use of any member but ``fingerprint``, and read again for the rows; of the two,
    some hundred rows are held at once, and of the workbook the texts that cells share. Each member raises
    InputFileError if the workbook is refused; ``columns.sheet`` is needed where several sheets hold something.
    """

    def __init__(self, path: Path, columns: ContactColumns) -> None:
        self._path, self._columns = path, columns

    @computed_once
    def fingerprint(self) -> str:
        """The SHA-256 of the file, in hexadecimal."""
        try:
            with self._path.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as broken:
            raise _unreadable(self._path, broken) from broken

    @computed_once
    def _checked(self) -> _Checked:
        if not self._path.is_file():
            raise InputFileError(str(self._path), "there is no such file", "Check the path")
        stamp = _stamp(self._path)
        book = open_workbook(self._path)
        sheet = _choose(book, self._columns.sheet)
        first: list[SheetRow] = []
        shown: Counter[bool] = Counter()
        for row in book.rows(sheet):
            if len(first) < TITLE_ROWS:
                first.append(row)
            else:
                shown[row.hidden] += 1
        if not first:
            raise InputFileError(f"{self._path}:1", "there are no rows", "Add a header line and contacts")
        at = max(0, header_row([_dense(row.cells, 0) for row in first], self._columns.phone))
        head, below = first[at], first[at + 1 :]
        shown.update(row.hidden for row in below)
        left = min(head.cells)
        names = [" ".join(name.split()) for name in _dense(head.cells, left)]
        return _Checked(book, sheet, head.line, at, left, names, shown[False], shown[True], stamp)

    @computed_once
    def head(self) -> Head:
        """The column names, and which sheet and rows are left out."""
        sheet = self._checked
        notes = [f'sheet "{sheet.sheet.name}"', *sheet.book.notes]
        if sheet.titles:
            notes.append(f"column names from row {sheet.line}; {sheet.titles} rows above it are left out")
        if sheet.hidden:
            notes.append(f"rows hidden in the sheet, and not called (show them to call them): {sheet.hidden:,}")
        return Head(sheet.names, f"{self._path}:{sheet.line}", notes, rows=sheet.rows)

    def begin(self) -> tuple[Iterator[Row], int]:
        """The rows, and how many."""
        return self._checked.read(), self._checked.rows


def _dense(cells: Mapping[int, str], left: int) -> list[str]:
    """The cells from column ``left`` to the last that holds something."""
    return [cells.get(column, "") for column in range(left, max(cells, default=-1) + 1)]


def _choose(book: Workbook | CalamineBook, wanted: str) -> Sheet:
    """The sheet of that name, or the only visible one that holds anything."""
    if wanted:
        named = [sheet for sheet in book.sheets if sheet.name == wanted]
        if not named:
            problem, remedy = f'there is no sheet "{wanted}"', f"The workbook has: {_listed(book.sheets)}"
            raise InputFileError(str(book.path), problem, remedy)
        return named[0]
    filled = [sheet for sheet in book.sheets if sheet.visible and _is_filled(book, sheet)]
    if not filled:
        raise InputFileError(str(book.path), "every visible sheet is empty", "Add a header line and contacts")
    if len(filled) > 1:
        problem = f"more than one sheet holds something: {_listed(filled)}"
        raise InputFileError(str(book.path), problem, "Say which with --sheet")
    return filled[0]


def _is_filled(book: Workbook | CalamineBook, sheet: Sheet) -> bool:
    with closing(book.rows(sheet)) as rows:
        return next(rows, None) is not None


def _listed(sheets: Sequence[Sheet]) -> str:
    return ", ".join(f'"{sheet.name}"' for sheet in sheets)


def _stamp(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError as broken:
        raise _unreadable(path, broken) from broken
    return status.st_size, status.st_mtime_ns


def _unreadable(path: Path, broken: Exception) -> InputFileError:
    return InputFileError(str(path), f"not a readable workbook: {broken}", "Save it as .xlsx again, or as CSV UTF-8")
