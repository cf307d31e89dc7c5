"""Small .xlsx files for tests, written cell by cell as spreadsheet programs do."""

import re
import zipfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml"
SHEET = "xl/worksheets/sheet1.xml"
EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001 - spreadsheets know no zones

# Style 1 is a date with a time of day, style 2 a date.
STYLES = (
    f'<styleSheet xmlns="{MAIN}"><fonts count="1"><font/></fonts><fills count="1"><fill/></fills>'
    '<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>'
    '<cellXfs count="3"><xf/><xf numFmtId="22" applyNumberFormat="1"/><xf numFmtId="14" applyNumberFormat="1"/>'
    "</cellXfs></styleSheet>"
)


@dataclass(frozen=True)
class Formula:
    """A cell that was computed; ``result`` is what the program stored beside the formula, None if nothing."""

    text: str
    result: str | float | None


@dataclass(frozen=True)
class Mistake:
    """A cell that shows an error such as #N/A."""

    text: str


Cell = str | float | bool | date | Formula | Mistake | None


def write_xlsx(path: Path, rows: Iterable[Sequence[Cell]], **more: Iterable[Sequence[Cell]]) -> Path:
    """A workbook with ``rows`` on "Sheet1" and one more sheet for each keyword; hidden if it begins with "hidden"."""
    sheets = {"Sheet1": rows, **more}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as book:
        overrides = "".join(
            f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{TYPES}.worksheet+xml"/>'
            for n in range(1, len(sheets) + 1)
        )
        book.writestr(
            "[Content_Types].xml",
            f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="xml" ContentType="application/xml"/>'
            f'<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            f'<Override PartName="/xl/workbook.xml" ContentType="{TYPES}.sheet.main+xml"/>{overrides}'
            f'<Override PartName="/xl/styles.xml" ContentType="{TYPES}.styles+xml"/></Types>',
        )
        book.writestr("_rels/.rels", _relations([("rId1", "officeDocument", "xl/workbook.xml")]))
        listed = "".join(
            f'<sheet name={quoteattr(name)} sheetId="{n}" r:id="rId{n}"{_state(name)}/>'
            for n, name in enumerate(sheets, 1)
        )
        head = f'<workbook xmlns="{MAIN}" xmlns:r="{REL}"><sheets>{listed}</sheets></workbook>'
        book.writestr("xl/workbook.xml", head)
        parts = [(f"rId{n}", "worksheet", f"worksheets/sheet{n}.xml") for n in range(1, len(sheets) + 1)]
        book.writestr("xl/_rels/workbook.xml.rels", _relations([*parts, ("rId0", "styles", "styles.xml")]))
        book.writestr("xl/styles.xml", STYLES)
        for n, content in enumerate(sheets.values(), 1):
            with book.open(f"xl/worksheets/sheet{n}.xml", "w") as sheet:
                sheet.write(f'<worksheet xmlns="{MAIN}"><sheetData>'.encode())
                for number, row in enumerate(content, 1):
                    cells = "".join(_cell(_column(i) + str(number), cell) for i, cell in enumerate(row))
                    sheet.write(f'<row r="{number}">{cells}</row>'.encode())
                sheet.write(b"</sheetData></worksheet>")
    return path


def edit_part(path: Path, part: str, change: Callable[[str], str]) -> Path:
    """The same workbook with one part changed; a part that is not there is made of the empty text."""
    with zipfile.ZipFile(path) as book:
        parts = {name: book.read(name).decode() for name in book.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as book:
        for name, content in (parts | {part: change(parts.get(part, ""))}).items():
            book.writestr(name, content)
    return path


def share_texts(path: Path) -> Path:
    """The same workbook with the texts of its first sheet in a table beside it, as most programs write them."""
    items: dict[str, int] = {}

    def refer(cell: re.Match[str]) -> str:
        return f'<c r="{cell[1]}" t="s"><v>{items.setdefault(cell[2], len(items))}</v></c>'

    edit_part(path, SHEET, lambda xml: re.sub(r'<c r="(\w+)" t="inlineStr"><is>(.*?)</is></c>', refer, xml))
    related = f'<Relationship Id="texts" Type="{REL}/sharedStrings" Target="sharedStrings.xml"/></Relationships>'
    edit_part(path, "xl/_rels/workbook.xml.rels", lambda xml: xml.replace("</Relationships>", related))
    table = "".join(f"<si>{item}</si>" for item in items)
    return edit_part(path, "xl/sharedStrings.xml", lambda _: f'<sst xmlns="{MAIN}">{table}</sst>')


def _state(name: str) -> str:
    return ' state="hidden"' if name.startswith("hidden") else ""


def _relations(targets: Sequence[tuple[str, str, str]]) -> str:
    listed = "".join(f'<Relationship Id="{id_}" Type="{REL}/{kind}" Target="{to}"/>' for id_, kind, to in targets)
    return f'<Relationships xmlns="{PACKAGE}/relationships">{listed}</Relationships>'


def _column(index: int) -> str:
    return (_column(index // 26 - 1) if index >= 26 else "") + chr(65 + index % 26)


def _cell(place: str, cell: Cell) -> str:
    match cell:
        case None:
            return ""
        case bool():
            return f'<c r="{place}" t="b"><v>{int(cell)}</v></c>'
        case int() | float():
            return f'<c r="{place}"><v>{cell!r}</v></c>'
        case datetime():
            return f'<c r="{place}" s="1"><v>{(cell - EPOCH).total_seconds() / 86400!r}</v></c>'
        case date():
            return f'<c r="{place}" s="2"><v>{(cell - EPOCH.date()).days}</v></c>'
        case Formula(text, str() as result):
            return f'<c r="{place}" t="str"><f>{escape(text)}</f><v>{escape(result)}</v></c>'
        case Formula(text, result):
            value = "" if result is None else f"<v>{result!r}</v>"
            return f'<c r="{place}"><f>{escape(text)}</f>{value}</c>'
        case Mistake(text):
            return f'<c r="{place}" t="e"><v>{text}</v></c>'
        case _:
            return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{escape(cell)}</t></is></c>'
