"""Workbooks that are no Office Open XML (.xls, .xlsb, .ods), read by calamine in a process of its own.

calamine holds a sheet whole, and ends its process where memory does not suffice: two cells at the opposite corners of
a sheet ask for 512 GiB.
"""

import json
import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from dialer.adapters.lists.workbook.book import Sheet
from dialer.adapters.lists.workbook.hidden_rows import hides_rows
from dialer.adapters.lists.workbook.rows import Row
from dialer.adapters.local.child_process import die_with_parent
from dialer.errors import InputFileError

CHILD = "dialer.adapters.lists.workbook.calamine_child"
TOO_LARGE = "reading it takes more than 300 MiB, or more than two minutes"
SAVE_AS = "Save it as .xlsx, or as CSV UTF-8"


@dataclass(frozen=True, slots=True)
class CalamineBook:
    """A workbook whose sheets and values calamine reads; as ``Workbook`` otherwise."""

    path: Path
    sheets: tuple[Sheet, ...]
    notes: tuple[str, ...]

    def rows(self, sheet: Sheet) -> Generator[Row, None, None]:
        """The rows that hold anything but blanks. Raises InputFileError where the file is damaged."""
        with closing(_answers(self.path, sheet.name)) as rows:
            for line, *cells in rows:
                yield Row(line, {column: cell for column, cell in enumerate(cells) if cell})


def open_calamine_book(path: Path) -> CalamineBook:
    """Read what comes before the rows. Raises InputFileError for what is locked, damaged or no workbook, and where
    rows are hidden: they would be called.
    """
    if hides_rows(path):
        remedy = "Show or delete them, or save it as .xlsx: those that are hidden there are left out"
        raise InputFileError(str(path), "rows are hidden in it, and this format does not show which", remedy)
    with closing(_answers(path)) as sheets:
        listed = tuple(Sheet(name, visible, name) for name, visible in sheets)
    note = f"numbers as they are kept in {path.suffix.lower()}, not as they are shown (save it as .xlsx for those)"
    return CalamineBook(path, listed, (note,))


def _answers(path: Path, *sheet: str) -> Generator[Any, None, None]:
    """What the child writes, a line each, until it says that this was all."""
    nothing = subprocess.DEVNULL
    child = subprocess.Popen(  # noqa: S603 - ours
        [sys.executable, "-P", "-m", CHILD, str(path), *sheet],
        stdin=nothing,
        stdout=subprocess.PIPE,
        stderr=nothing,
        preexec_fn=partial(die_with_parent, os.getpid()),  # noqa: PLW1509 - only system calls
    )
    with child:
        assert child.stdout is not None
        try:
            for line in child.stdout:
                match json.loads(line):
                    case {"wrong": problem}:
                        raise InputFileError(str(path), f"not a readable workbook: {problem}", SAVE_AS)
                    case None:
                        return
                    case answer:
                        yield answer
            raise InputFileError(str(path), TOO_LARGE, SAVE_AS)
        finally:
            child.kill()
