"""The values of spreadsheet cells and database columns, as the text that a person would write."""

import json
import math
import re
from datetime import date, datetime, time, timedelta
from decimal import Decimal

EXACT_BELOW = 1e15
"""Spreadsheets keep 15 digits: a longer number has lost some, and is shown as it was kept, e.g. 9.19e+20."""

_NOTHING = frozenset(
    {"nan", "NaN", "NAN", "NULL", "null", "(null)", "\\N", "None", "NaT", "<NA>", "nil", "undefined", "#N/A", "#NA"}
    | {"#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!", "#N/A N/A", "#ERROR!"}
)
"""What programs write where there is nothing. "Null" is a surname, and stays."""
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


class Unclear(str):
    """A cell whose text does not say what it meant; its text is what is left of it.

    ``reason`` and ``remedy`` are for the row's reject. With ``spoken`` the text may still be given to an agent; what
    is dialed, planned or distinguished by it may not.
    """

    reason: str
    remedy: str
    spoken: bool

    def __new__(cls, text: str, reason: str, remedy: str, *, spoken: bool = False) -> "Unclear":
        """``text`` with what is wrong with it."""
        cell = super().__new__(cls, text)
        cell.reason, cell.remedy, cell.spoken = reason, remedy, spoken
        return cell


def cell_text(value: object) -> str:
    """Text as it is, numbers to 15 digits, times in ISO 8601, durations as h:mm, lists as JSON, nothing as ""."""
    match value:
        case None:
            return ""
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case float():
            return _float_text(value)
        case Decimal():
            return _decimal_text(value)
        case datetime() | date() | time():
            return value.isoformat()
        case timedelta():
            return _duration_text(value)
        case bytes() | bytearray() | memoryview():
            return bytes(value).decode("utf-8", "replace")
        case dict() | list() | tuple():
            return json.dumps(value, ensure_ascii=False, default=cell_text)
        case _:
            return str(value)


def storable(text: str) -> str:
    """``text`` without the NULs that pad it; Unclear where it has others, or halves of characters."""
    if _is_storable(text):
        return text
    bare = text.rstrip("\0")
    if _is_storable(bare):
        return bare
    return Unclear(_UNSTORABLE.sub("\ufffd", bare), "a cell that holds damaged text", "correct the text")


def _is_storable(text: str) -> bool:
    # Quicker than to look for the characters, above all in long texts.
    return "\0" not in text and (text.isascii() or not _UNSTORABLE.search(text))


def said(text: str) -> str:
    """``text``, or "" where a program wrote its word for nothing."""
    return "" if text in _NOTHING or (len(text) <= 9 and text.strip() in _NOTHING) else text


def _float_text(value: float) -> str:
    if math.isnan(value):
        return ""
    if math.isinf(value):
        return endless("inf" if value > 0 else "-inf")
    return str(int(value)) if value.is_integer() and abs(value) < EXACT_BELOW else f"{value:.15g}"


def _decimal_text(value: Decimal) -> str:
    if value.is_nan():
        return ""
    if value.is_infinite():
        return endless("inf" if value > 0 else "-inf")
    return str(int(value)) if value == value.to_integral_value() and abs(value) < EXACT_BELOW else f"{value:f}"


def endless(text: str) -> Unclear:
    """A value without end, or one that no calendar holds."""
    return Unclear(text, f"the value {text[:40]} is none that can be used", "correct it, or leave its column away")


def _duration_text(value: timedelta) -> str:
    sign, seconds = "-" if value < timedelta() else "", abs(value).total_seconds()
    whole = int(seconds)
    hours, minutes, rest = whole // 3600, whole % 3600 // 60, whole % 60 + round(seconds - whole, 3)
    ending = "" if not rest else f":{rest:06.3f}".rstrip("0").rstrip(".") if rest % 1 else f":{int(rest):02}"
    return f"{sign}{hours}:{minutes:02}{ending}"
