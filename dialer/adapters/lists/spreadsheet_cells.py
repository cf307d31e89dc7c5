"""CSV cells that no spreadsheet runs or rewrites, and back.

An apostrophe is put before what a spreadsheet takes for a formula, full-width signs too; also where a cell would begin
if the file were cut at another delimiter. It keeps the "+" of a telephone number as well, which a spreadsheet would
take for a number. Reading a list takes it off again: a cell comes back as it was.
"""

import re
from collections.abc import Iterable
from typing import Any

_SIGNS = "[ \u00a0\u3000'\"]*[=+@＝＋－＠﹢﹣﹦﹫-]"
_RUN = re.compile(f"(^|[;|\t\r\n])(?={_SIGNS})")
_KEPT = re.compile(f"(^|[;|\t\r\n])'(?={_SIGNS})")
_SHIFTED = re.compile("'*[\t\r\n]")
_NEGATIVE = re.compile(r"-\d+(?:[.,]\d+)?", re.ASCII)


def harmless(cells: Iterable[Any]) -> list[Any]:
    """The cells, headers too, as a spreadsheet may open them. Plain numbers are left as they are, None is empty."""
    return [_harmless_cell(cell) for cell in cells]


def undone(cells: list[str]) -> list[str]:
    """The cells as they were before ``harmless``."""
    return [_undone_cell(cell) if "'" in cell else cell for cell in cells]


def _harmless_cell(cell: Any) -> Any:
    if cell is None:
        return ""
    text = str(cell)
    if not isinstance(cell, str) or _NEGATIVE.fullmatch(text):
        return cell
    marked = _RUN.sub(r"\1'", text)
    return f"'{marked}" if _SHIFTED.match(marked) else marked


def _undone_cell(cell: str) -> str:
    bare = _KEPT.sub(r"\1", cell)
    return bare[1:] if bare[0] == "'" and _SHIFTED.match(bare) else bare
