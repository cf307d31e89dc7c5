"""The process that reads a workbook by calamine: ``python -m ... PATH [SHEET]``.

It writes JSON, a line for each sheet (name, whether it is visible) or each row of SHEET (number, cells), and null after
the last.
"""

import json
import resource
import sys
from collections.abc import Iterable, Iterator
from typing import Any

from python_calamine import CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from dialer.adapters.lists.cell_text import cell_text

MOST_BYTES = 300 * 1024**2
MOST_CPU_S = 120
MOST_IN_A_ROW = 1024**2
"""Characters, as in a line of a CSV file."""


def answers(path: str, sheet: list[str]) -> Iterator[Any]:
    """The sheets, or the rows of one that hold anything but blanks."""
    with CalamineWorkbook.from_path(path) as book:
        if not sheet:
            for one in book.sheets_metadata:
                if one.typ is SheetTypeEnum.WorkSheet:
                    yield one.name, one.visible is SheetVisibleEnum.Visible
            return
        for line, values in enumerate(book.get_sheet_by_name(sheet[0]).iter_rows(), 1):
            cells = [cell_text(value) for value in values]
            if sum(map(len, cells)) > MOST_IN_A_ROW:
                raise ValueError(f"row {line} holds more than {MOST_IN_A_ROW:,} characters")
            if any(cell and not cell.isspace() for cell in cells):
                yield line, *cells


def write(lines: Iterable[Any]) -> None:
    """Each as a line of JSON, then null; the kind of what is wrong instead, which may quote a cell."""
    try:
        for line in lines:
            sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.write("null\n")
    except Exception as wrong:  # noqa: BLE001 - a library of another language: anything
        problem = str(wrong) if type(wrong) is ValueError else type(wrong).__name__
        sys.stdout.write(json.dumps({"wrong": problem}) + "\n")


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_DATA, (MOST_BYTES, MOST_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_CPU_S, MOST_CPU_S))
    write(answers(sys.argv[1], sys.argv[2:]))
