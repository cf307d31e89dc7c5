"""Workbooks: .xlsx and .xlsm (Office Open XML: ECMA-376 part 1) row by row, the others by calamine."""

from pathlib import Path

from dialer.adapters.lists.workbook.book import Sheet, Workbook, open_xlsx
from dialer.adapters.lists.workbook.calamine_book import CalamineBook, open_calamine_book
from dialer.adapters.lists.workbook.rows import Row

__all__ = ["CalamineBook", "Row", "Sheet", "Workbook", "open_workbook"]

BY_CALAMINE = frozenset({".xls", ".xlsb", ".ods"})


def open_workbook(path: Path) -> Workbook | CalamineBook:
    """Read what comes before the rows. Raises InputFileError for what is locked, damaged or no workbook."""
    return open_calamine_book(path) if path.suffix.lower() in BY_CALAMINE else open_xlsx(path)
