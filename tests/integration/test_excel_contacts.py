"""Lists of people in workbooks, cell by cell as spreadsheet programs write them."""

from datetime import date, datetime
from pathlib import Path

import pytest

from dialer.adapters.excel_contacts import ExcelContacts
from dialer.domain.campaign import ContactColumns, Reminder
from dialer.domain.contact import NewContact
from dialer.errors import InputFileError
from dialer.ports import Reject
from tests.xlsx_files import Cell, Formula, Mistake, write_xlsx

HEAD: list[Cell] = ["name", "phone", "balance", "due", "note"]


async def read(path: Path, **more: object) -> list[NewContact | Reject]:
    source = ExcelContacts(path, **more)  # type: ignore[arg-type]
    return [row async for batch in source.batches(100) for row in batch]


async def test_cells_are_read_as_the_sheet_shows_them(tmp_path: Path) -> None:
    path = write_xlsx(
        tmp_path / "list.xlsx",
        [
            [],
            [None, *HEAD],
            [None, "Ann", "+14155550101", 12.5, date(2027, 3, 1), True],
            [],
            [None, "Bea", 14155550102.0, 100.0, datetime(2027, 3, 1, 9, 30), Formula('"a"&"b"', "ab")],  # noqa: DTZ001
            [
                None,
                "Cy",
                Formula("A1&A2", "+14155550103"),
                Formula("2*21", 42.0),
                Formula("X()", None),
                Mistake("#N/A"),
            ],
        ],
    )
    rows = await read(path, region="US")
    people = [row for row in rows if isinstance(row, NewContact)]
    assert [(p.row, p.name, p.phone) for p in people] == [
        (3, "Ann", "+14155550101"), (5, "Bea", "+14155550102"), (6, "Cy", "+14155550103"),
    ]  # fmt: skip
    assert [dict(p.variables) for p in people] == [
        {"balance": "12.5", "due": "2027-03-01", "note": "true"},
        {"balance": "100", "due": "2027-03-01T09:30:00", "note": "ab"},
        {"balance": "42", "due": "", "note": ""},
    ]


@pytest.mark.parametrize("number", [9.19e20, 1234567890123456789.0])
async def test_a_number_that_lost_digits_is_refused_as_spreadsheet_notation(tmp_path: Path, number: float) -> None:
    (row,) = await read(write_xlsx(tmp_path / "l.xlsx", [["phone"], [number]]))
    assert isinstance(row, Reject)
    assert (row.row, row.column) == (2, "phone")
    assert "spreadsheet" in row.reason


async def test_a_number_without_its_plus_needs_a_region(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "l.xlsx", [["phone"], [9000000001.0]])
    (bare,) = await read(path)
    assert isinstance(bare, Reject)
    assert "region" in bare.remedy
    (found,) = await read(path, region="IN")
    assert isinstance(found, NewContact)
    assert found.phone == "+919000000001"


async def test_the_only_filled_visible_sheet_is_read(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "l.xlsx", [["phone"], ["+14155550101"]], Empty=[], hidden_notes=[["x"], ["y"]])
    assert len(await read(path)) == 1
    assert ExcelContacts(path).notes[-1] == 'sheet "Sheet1"'


async def test_of_several_sheets_one_must_be_named(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "l.xlsx", [["phone"], ["+14155550101"]], May=[["phone"], ["+14155550102"]])
    with pytest.raises(InputFileError, match=r'more than one sheet holds something: "Sheet1", "May". Say which with'):
        await read(path)
    with pytest.raises(InputFileError, match=r'there is no sheet "June". The workbook has: "Sheet1", "May"'):
        await read(path, columns=ContactColumns(sheet="June"))
    (row,) = await read(path, columns=ContactColumns(sheet="May"))
    assert isinstance(row, NewContact)
    assert row.phone == "+14155550102"


async def test_what_is_no_workbook_is_refused_with_the_remedy(tmp_path: Path) -> None:
    broken = tmp_path / "broken.xlsx"
    broken.write_bytes(b"PK\x03\x04 not a workbook")
    with pytest.raises(InputFileError, match=r"broken\.xlsx: not a readable workbook: .*Save it as \.xlsx again"):
        await read(broken)
    with pytest.raises(InputFileError, match="there is no such file"):
        await read(tmp_path / "absent.xlsx")
    with pytest.raises(InputFileError, match="every visible sheet is empty"):
        await read(write_xlsx(tmp_path / "empty.xlsx", []))


async def test_the_fingerprint_is_that_of_the_file(tmp_path: Path) -> None:
    one = write_xlsx(tmp_path / "a.xlsx", [["phone"], ["+14155550101"]])
    two = write_xlsx(tmp_path / "b.xlsx", [["phone"], ["+14155550102"]])
    assert ExcelContacts(one).fingerprint == ExcelContacts(one).fingerprint != ExcelContacts(two).fingerprint


async def test_appointments_of_date_cells_need_a_zone_and_a_time_of_day(tmp_path: Path) -> None:
    rows: list[list[Cell]] = [
        ["phone", "visit"],
        ["+14155550101", datetime(2027, 3, 1, 9, 30)],  # noqa: DTZ001
        ["+14155550102", date(2027, 3, 1)],
    ]
    path = write_xlsx(tmp_path / "l.xlsx", rows)
    naive, undated = await read(path, reminder=Reminder("visit", (3600.0,)))
    assert isinstance(naive, Reject)
    assert (naive.reason, naive.column) == ("the appointment's time has no zone", "visit")
    assert isinstance(undated, Reject)
    assert undated.reason == "the appointment has no time of day"
    good, _ = await read(path, reminder=Reminder("visit", (3600.0,), "America/Los_Angeles"))
    assert isinstance(good, NewContact)
    assert good.event_at == 1_803_922_200.0  # 17:30 UTC
    assert good.variables == {"visit": "2027-03-01T09:30:00"}
