"""CSV cells that no spreadsheet runs."""

from collections.abc import Iterable
from typing import Any

RUN_BY_SPREADSHEETS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""The last four are the full-width forms, which some spreadsheets read as the others."""


def harmless(cells: Iterable[Any]) -> list[Any]:
    """A leading quote keeps a spreadsheet from running a cell; a plain number is left as it is."""
    return [_cell(cell) for cell in cells]


def _cell(cell: Any) -> Any:
    if cell is None:
        return ""
    text = str(cell)
    if text.startswith(RUN_BY_SPREADSHEETS) and not text.lstrip("+-").replace(".", "", 1).isdigit():
        return "'" + text
    return text
