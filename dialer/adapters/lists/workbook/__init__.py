"""Workbooks (.xlsx, Office Open XML: ECMA-376 part 1), read row by row in memory that does not grow with the rows."""

from dialer.adapters.lists.workbook.book import Sheet, Workbook, open_workbook
from dialer.adapters.lists.workbook.rows import Row

__all__ = ["Row", "Sheet", "Workbook", "open_workbook"]
