"""What a number in a cell means: by its format it is a number, a moment or a duration."""

import re
from datetime import date, datetime, time, timedelta
from enum import Enum
from typing import NamedTuple

from dialer.adapters.lists.cell_text import cell_text
from dialer.adapters.lists.workbook.parts import Elements, Parts, whole
from dialer.adapters.lists.workbook.shown import code_of, shown

_MOST_STYLES = 65_536
_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001 - spreadsheets know no zones
_DAYS_TO_1904 = 1462
_LEAP_DAY_THAT_WAS_NOT = 60
_MS_A_DAY = 86_400_000
_CALENDAR_DAYS = 2_958_466 - 1 / _MS_A_DAY  # to the last millisecond of the year 9999

_BUILT_IN_ELAPSED = 46
_BUILT_IN_MOMENTS = frozenset({*range(14, 23), *range(27, 37), 45, 47, *range(50, 59)})
_LITERALS = re.compile(r'"[^"]*"|\\.|_.|\*.|general', re.IGNORECASE | re.DOTALL)
_ELAPSED = re.compile(r"\[(h+|m+|s+)\]", re.IGNORECASE)
_BRACKETS = re.compile(r"\[[^\]]*\]")
_PARTS_OF_A_MOMENT = re.compile("[dmyhs]", re.IGNORECASE)


class Format(Enum):
    """What the numbers of a cell are shown as."""

    NUMBER = "number"
    MOMENT = "moment"
    ELAPSED = "elapsed"


class CellFormat(NamedTuple):
    """What a cell's numbers are, and the code that they are shown by ("" for the general one)."""

    kind: Format
    code: str = ""


GENERAL = CellFormat(Format.NUMBER)

Value = float | date | datetime | time | timedelta


def number_value(number: float, shown_as: Format, since_1904: bool) -> Value:
    """The number, or what it stands for; to the millisecond, which is as far as spreadsheets count.

    Whole days are dates, parts of the first day times. Numbers outside the calendar stay numbers.
    """
    if shown_as is Format.ELAPSED and abs(number) < _CALENDAR_DAYS:
        return timedelta(milliseconds=round(number * _MS_A_DAY))
    days = number + _DAYS_TO_1904 if since_1904 and number >= 1 else number
    if shown_as is Format.NUMBER or not 0 <= days < _CALENDAR_DAYS:
        return number
    if days < 1:
        return (_EPOCH + timedelta(milliseconds=min(round(days * _MS_A_DAY), _MS_A_DAY - 1))).time()
    # The format takes 1900 for a leap year: days before that 29 February are one further from the epoch.
    whole = int(days) + (days < _LEAP_DAY_THAT_WAS_NOT)
    if days == int(days):
        return (_EPOCH + timedelta(whole)).date()
    return _EPOCH + timedelta(whole, milliseconds=round(days % 1 * _MS_A_DAY))


def number_text(number: float, format_: CellFormat, since_1904: bool) -> str:
    """What a cell shows of its number, as text."""
    value = number_value(number, format_.kind, since_1904)
    written = shown(value, format_.code) if isinstance(value, float) and format_.kind is Format.NUMBER else None
    return cell_text(value) if written is None else written


def read_formats(parts: Parts, part: str) -> tuple[CellFormat, ...]:
    """The format of each cell style in ``part``."""
    styles = _Styles()
    starts = {"numFmt": styles.code, "cellXfs": styles.begin_cells, "xf": styles.style}
    parts.read(part, Elements(starts, {"cellXfs": styles.end_cells}))
    codes = ((number, styles.codes.get(number)) for number in styles.used)
    return tuple(CellFormat(format_of(number, code), code_of(number, code)) for number, code in codes)


class _Styles:
    """The formats that have a code, and the format of each style of cells (there are other styles, too)."""

    def __init__(self) -> None:
        self.codes: dict[int, str] = {}
        self.used: list[int] = []
        self._in_cells = False

    def code(self, attributes: dict[str, str]) -> None:
        if len(self.codes) >= _MOST_STYLES:
            raise ValueError("it has more number formats than any workbook")
        self.codes[whole(attributes.get("numFmtId", "0"))] = attributes.get("formatCode", "")

    def begin_cells(self, _: dict[str, str]) -> None:
        self._in_cells = True

    def style(self, attributes: dict[str, str]) -> None:
        if self._in_cells:
            if len(self.used) >= _MOST_STYLES:
                raise ValueError("it has more styles than any workbook")
            self.used.append(whole(attributes.get("numFmtId", "0")))

    def end_cells(self) -> None:
        self._in_cells = False


def format_of(number: int, code: str | None = None) -> Format:
    """By its code (ECMA-376 part 1, 18.8.31), else by its number among those that are built in (18.8.30)."""
    if code is None:
        if number == _BUILT_IN_ELAPSED:
            return Format.ELAPSED
        return Format.MOMENT if number in _BUILT_IN_MOMENTS else Format.NUMBER
    positive = _LITERALS.sub("", code).split(";")[0]
    if _ELAPSED.search(positive):
        return Format.ELAPSED
    return Format.MOMENT if _PARTS_OF_A_MOMENT.search(_BRACKETS.sub("", positive)) else Format.NUMBER
