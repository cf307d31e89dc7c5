"""The rows of a sheet, as text, one after the other."""

from collections.abc import Sequence
from typing import NamedTuple

from dialer.adapters.lists.cell_text import Unclear, cell_text
from dialer.adapters.lists.workbook.numbers import GENERAL, CellFormat, number_text
from dialer.adapters.lists.workbook.parts import Elements, whole
from dialer.adapters.lists.workbook.texts import Runs, SharedTexts, unescaped

WIDEST = 16_384
"""Columns of a sheet: the last one is XFD."""

MOST_ROWS = 1_048_576
MOST_IN_A_ROW = 1024 * 1024
"""Characters in the cells of one row, as in a line of a CSV file."""


class Row(NamedTuple):
    """A row: its number (1-based), the cells that hold something by their columns (0-based), whether it is hidden."""

    line: int
    cells: dict[int, str]
    hidden: bool = False


_FORMULA = "a formula without a saved result"
_SAVE = "open the workbook in a spreadsheet program and save it again"


class SheetReader:
    """Makes rows of a sheet's elements; ``done`` holds those that are complete and were not taken yet.

    Cells stand where their references say, rows where their numbers say; without, each follows the one before. The
    size that the sheet says it has (``dimension``) is often wrong, and not looked at.
    """

    def __init__(self, shared: SharedTexts, formats: Sequence[CellFormat], since_1904: bool) -> None:
        self.done: list[Row] = []
        self._shared, self._formats, self._since_1904 = shared, formats, since_1904
        self._runs = runs = Runs()
        self._line, self._cells, self._numbered = 0, dict[int, str](), True
        self._column, self._kind, self._style, self._value = 0, "n", "0", ""
        self._columns: dict[str, int] = {}
        self._characters = self._rows = 0
        self._formula = self._is_hidden = self._hides_all = False
        starts = runs.starts | {"row": self._begin_row, "c": self._begin_cell, "v": runs.begin_bare, "is": runs.clear}
        starts |= {"f": self._begin_formula, "sheetFormatPr": self._begin_sheet}
        ends = runs.ends | {"row": self._end_row, "c": self._end_cell, "v": self._end_value, "f": runs.clear}
        self.elements = Elements(starts, ends, runs.text)

    def _begin_sheet(self, attributes: dict[str, str]) -> None:
        self._hides_all = _is_true(attributes.get("zeroHeight", "0"))

    def _begin_formula(self, _: dict[str, str]) -> None:
        self._runs.clear()
        self._formula = True

    def _begin_row(self, attributes: dict[str, str]) -> None:
        self._runs.clear()
        self._cells, self._column, self._characters = {}, 0, 0
        number, hidden = attributes.get("r"), attributes.get("hidden", "")
        self._is_hidden = _is_true(hidden) if hidden else self._hides_all
        self._numbered = number is not None
        self._line = self._line + 1 if number is None else whole(number)
        self._rows += 1
        if self._rows > MOST_ROWS:
            raise ValueError(f"more than {MOST_ROWS:,} rows")

    def _end_row(self) -> None:
        self.done.append(Row(self._line, self._cells, self._is_hidden))

    def _end_value(self) -> None:
        self._value = self._runs.bare()

    def _begin_cell(self, attributes: dict[str, str]) -> None:
        self._kind, self._value = attributes.get("t", "n"), ""
        self._style, self._formula = attributes.get("s", "0"), False
        place = attributes.get("r")
        if place is None:
            self._column += 1
        else:
            letters = place.rstrip("0123456789")
            self._column = self._columns.get(letters) or self._known(letters)
            if not self._numbered:
                self._line, self._numbered = whole(place[len(letters) :]), True
        if self._column > WIDEST:
            raise ValueError(f"row {self._line}: a cell beyond column XFD")

    def _end_cell(self) -> None:
        text = self._cell_text()
        if self._formula and not self._value and self._kind in ("n", "s", "b"):
            text = Unclear("", _FORMULA, _SAVE, spoken=True)
        elif not text:
            return
        self._cells[self._column - 1] = text
        self._characters += len(text)
        if self._characters > MOST_IN_A_ROW:
            raise ValueError(f"row {self._line} holds more than {MOST_IN_A_ROW:,} characters")

    def _cell_text(self) -> str:
        value = self._value
        match self._kind:
            case "s" if value:
                return self._shared_text(value)
            case "inlineStr":
                return self._runs.item()
            case "n" if value:
                return self._number_text(value)
            case "str":
                return unescaped(value)
            case "b" if value:
                return cell_text(value != "0")
            case "d":
                return value
            case "s" | "n" | "b" | "e":
                return ""
            case _:
                raise ValueError(f"row {self._line}: a cell of an unknown type")

    def _shared_text(self, value: str) -> str:
        number = whole(value)
        if number >= len(self._shared):
            raise ValueError(f"row {self._line}: a cell with a text that the workbook does not hold")
        return self._shared[number]

    def _number_text(self, value: str) -> str:
        try:
            number = float(value)
        except ValueError:
            return value
        style = whole(self._style)
        return number_text(number, self._formats[style] if style < len(self._formats) else GENERAL, self._since_1904)

    def _known(self, letters: str) -> int:
        column = 0
        for letter in letters.upper():
            if not "A" <= letter <= "Z" or column > WIDEST:
                raise ValueError(f"row {self._line}: a cell's place is none")
            column = column * 26 + ord(letter) - 64
        if not column:
            raise ValueError(f"row {self._line}: a cell's place is none")
        self._columns[letters] = column
        return column


def _is_true(text: str) -> bool:
    return text in {"1", "true", "on"}
