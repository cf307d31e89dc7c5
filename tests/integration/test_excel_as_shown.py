"""A workbook is read as the sheet shows it: formats, hidden rows, formulas, titles."""

from datetime import date
from pathlib import Path
from xml.sax.saxutils import quoteattr

import pytest

from dialer.domain.contact import NewContact
from dialer.errors import InputFileError
from dialer.ports import Reject
from tests.contact_lists import workbook_contacts
from tests.xlsx_files import SHEET, Cell, Formula, edit_part, write_xlsx

HEAD: list[Cell] = ["name", "phone", "balance", "due", "note"]
PEOPLE: list[list[Cell]] = [
    ["phone", "name"],
    ["+14155550100", "Person 100"],
    ["+14155550101", "Person 101"],
    ["+14155550102", "Person 102"],
    ["+14155550103", "Person 103"],
]
STYLES = "xl/styles.xml"


async def read(path: Path, **more: object) -> list[NewContact | Reject]:
    source = workbook_contacts(path, **more)  # type: ignore[arg-type]
    return [row async for batch in source.batches(100) for row in batch]


def with_formats(path: Path, **codes: str) -> Path:
    """The same workbook with number formats: the cells named ``B2="00000"`` are shown by that code."""
    formats = "".join(f'<numFmt numFmtId="{200 + n}" formatCode={quoteattr(c)}/>' for n, c in enumerate(codes.values()))
    styles = "".join(f'<xf numFmtId="{200 + n}" applyNumberFormat="1"/>' for n in range(len(codes)))
    edit_part(path, STYLES, lambda xml: xml.replace("<fonts", f"<numFmts>{formats}</numFmts><fonts", 1))
    edit_part(path, STYLES, lambda xml: xml.replace("</cellXfs>", f"{styles}</cellXfs>"))

    def style(xml: str) -> str:
        for n, place in enumerate(codes):
            xml = xml.replace(f'<c r="{place}"', f'<c s="{3 + n}" r="{place}"')
        return xml

    return edit_part(path, SHEET, style)


async def test_numbers_are_what_the_sheet_shows(tmp_path: Path) -> None:
    people: list[list[Cell]] = [["phone", "zip", "amount"], [331000111.0, 2134.0, 4523.330000000001]]
    path = with_formats(write_xlsx(tmp_path / "l.xlsx", people), A2="0000000000", B2="00000")
    (row,) = await read(path, region="IT")
    assert isinstance(row, NewContact)
    assert (row.phone, row.variables) == ("+390331000111", {"zip": "02134", "amount": "4523.33"})


async def test_a_plus_that_only_the_format_holds(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "l.xlsx", [["phone"], [7012345678.0]])
    (row,) = await read(with_formats(path, A2='"+91 "00000 00000'), region="US")
    assert isinstance(row, NewContact)
    assert row.phone == "+917012345678"


async def test_hidden_rows_are_not_called_and_said(tmp_path: Path) -> None:
    path = edit_part(
        write_xlsx(tmp_path / "l.xlsx", PEOPLE[:5]),
        SHEET,
        lambda xml: xml.replace('<row r="3"', '<row hidden="1" r="3"'),
    )
    source = workbook_contacts(path)
    rows = [row async for batch in source.batches(9) for row in batch]
    assert [row.row for row in rows] == [2, 4, 5]
    assert "rows hidden in the sheet, and not called (show them to call them): 1" in source.notes


async def test_a_sheet_that_hides_every_row_by_default(tmp_path: Path) -> None:
    path = edit_part(
        write_xlsx(tmp_path / "l.xlsx", PEOPLE[:4]),
        SHEET,
        lambda xml: xml.replace("<sheetData>", '<sheetFormatPr zeroHeight="1"/><sheetData>').replace(
            '<row r="4"', '<row hidden="0" r="4"'
        ),
    )
    assert [row.row for row in await read(path)] == [4]


async def test_formulas_without_a_saved_result_are_counted_and_never_dialed(tmp_path: Path) -> None:
    path = write_xlsx(
        tmp_path / "l.xlsx",
        [
            ["phone", "name", "due"],
            ["+14155550101", Formula("A1", None), Formula("1+1", None)],
            [Formula("A2", None), "Bea", 1.0],
            [Formula("A2", None), None, None],
        ],
    )
    source = workbook_contacts(path)
    ann, bea, nobody = [row async for batch in source.batches(9) for row in batch]
    assert isinstance(ann, NewContact)
    assert (ann.name, ann.variables) == ("", {"due": ""})
    for row in (bea, nobody):
        assert isinstance(row, Reject)
        assert row.reason == "a formula without a saved result"
    assert source.notes[-1].startswith("formulas without a saved result")
    assert source.notes[-1].endswith(": 2")


async def test_rows_of_title_above_the_column_names(tmp_path: Path) -> None:
    title: list[list[Cell]] = [["Clinic contact list"], [], ["as of", date(2027, 3, 1)]]
    source = workbook_contacts(
        write_xlsx(tmp_path / "l.xlsx", [*title, ["name", "phone", "city"], ["Ann", "+14155550101", ""]])
    )
    (row,) = [row async for batch in source.batches(9) for row in batch]
    assert isinstance(row, NewContact)
    assert "column names from row 4; 2 rows above it are left out" in source.notes


async def test_a_web_page_with_the_name_of_a_workbook(tmp_path: Path) -> None:
    page = tmp_path / "portal.xlsx"
    page.write_text("<html><table></table></html>")
    with pytest.raises(InputFileError, match=r"a web page \(HTML\), whatever its name says. Open it in a spreadsheet"):
        await read(page)
