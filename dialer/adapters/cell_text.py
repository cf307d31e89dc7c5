"""The values of spreadsheet cells and database columns, as the text that a CSV file would hold."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal

EXACT_BELOW = 1e15
"""Spreadsheets keep 15 digits: a longer number has lost some, and is shown as it was kept, e.g. 9.19e+20."""


def cell_text(value: object) -> str:
    """Text as it is, whole numbers without a fraction, times in ISO 8601, nothing as ""."""
    match value:
        case None:
            return ""
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case float() if value.is_integer() and abs(value) < EXACT_BELOW:
            return str(int(value))
        case Decimal() if value == value.to_integral_value() and abs(value) < EXACT_BELOW:
            return str(int(value))
        case datetime() | date() | time():
            return value.isoformat()
        case timedelta():
            return f"{value.total_seconds():g} s"
        case bytes() | bytearray() | memoryview():
            return bytes(value).decode("utf-8", "replace")
        case _:
            return str(value)


def storable(text: str) -> str:
    """Without what no database takes: NUL, which pads fields of old programs, and halves of characters."""
    if "\0" in text:
        text = text.replace("\0", "")
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
