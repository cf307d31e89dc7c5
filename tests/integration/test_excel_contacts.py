"""Lists of people in workbooks, cell by cell as spreadsheet programs write them."""

import os
import re
import tracemalloc
from collections.abc import Iterator
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path

import pytest

from dialer.adapters.lists.workbook.book import open_xlsx
from dialer.domain.campaign import ContactColumns, Reminder
from dialer.domain.contact import NewContact
from dialer.errors import InputFileError
from dialer.ports import Reject
from tests.contact_lists import workbook_contacts
from tests.xlsx_files import MAIN, SHEET, Cell, Formula, Mistake, edit_part, share_texts, write_xlsx

HEAD: list[Cell] = ["name", "phone", "balance", "due", "note"]


async def read(path: Path, **more: object) -> list[NewContact | Reject]:
    source = workbook_contacts(path, **more)  # type: ignore[arg-type]
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
    assert workbook_contacts(path).notes[-1] == 'sheet "Sheet1"'


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


async def test_what_is_locked_or_old_is_told_apart(tmp_path: Path) -> None:
    ole, gap = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", bytes(64 * 1024 - 20)  # the name lies across two pieces
    locked, old = tmp_path / "locked.xlsx", tmp_path / "old.xlsx"
    locked.write_bytes(ole + gap + "EncryptedPackage".encode("utf-16-le") + gap)
    old.write_bytes(ole + gap + "Workbook".encode("utf-16-le") + gap)
    with pytest.raises(InputFileError, match=r"locked\.xlsx: the workbook is locked\. Save it without a password"):
        await read(locked)
    with pytest.raises(InputFileError, match=r"old\.xlsx: an old Excel workbook \(\.xls\)\. Save it as \.xlsx"):
        await read(old)


ROWS = [["phone", "name"], *([f"+1415555{n:04}", f"Person {n}"] for n in range(100, 200))]
PEOPLE: list[list[Cell]] = [[*row] for row in ROWS]
BOOK, STYLES = "xl/workbook.xml", "xl/styles.xml"


@pytest.mark.parametrize(
    ("part", "old", "new", "reason"),
    [
        (SHEET, "+14155550150</t>", "+14155550150</x>", "sheet1.xml: mismatched tag"),
        (SHEET, 'r="B99"', 'r="XFE99"', "row 99: a cell beyond column XFD"),
        (SHEET, 'r="B99"', 'r="ABCDEFGHIJ99"', "row 99: a cell's place is none"),
        (SHEET, 'r="B99"', 'r="99"', "row 99: a cell's place is none"),
        (SHEET, '<row r="99">', '<row r="nine">', "something else stands where a whole number should"),
        (SHEET, 'r="B99" t="inlineStr"', 'r="B99" t="new"', "row 99: a cell of an unknown type"),
        (SHEET, 't="inlineStr"><is>', 't="s"><v>7</v><is>', "row 1: a cell with a text that the workbook does not"),
        (SHEET, 't="inlineStr"><is>', 't="s"><v>+14155550150</v><is>', "something else stands where a whole number"),
        (SHEET, "<worksheet ", "<!DOCTYPE w [<!ENTITY a 'b'>]><worksheet ", "a part with a document type"),
        (STYLES, "<xf/>", '<xf numFmtId="x"/>', "something else stands where a whole number should"),
        (BOOK, 'r:id="rId1"', 'r:id="rId9"', " is missing"),
        ("_rels/.rels", "officeDocument", "other", "there is no workbook in it"),
    ],
)
async def test_a_defect_anywhere_refuses_the_list_before_its_first_row(
    tmp_path: Path, part: str, old: str, new: str, reason: str
) -> None:
    path = edit_part(write_xlsx(tmp_path / "l.xlsx", PEOPLE), part, lambda xml: xml.replace(old, new))
    with pytest.raises(InputFileError, match=r"l\.xlsx: not a readable workbook: .*Save it as \.xlsx again") as refused:
        await anext(aiter(workbook_contacts(path).batches(1)))
    assert reason in refused.value.problem
    assert "5550" not in str(refused.value)


async def test_a_sheet_cut_in_the_middle_is_refused(tmp_path: Path) -> None:
    path = edit_part(write_xlsx(tmp_path / "l.xlsx", PEOPLE), SHEET, lambda xml: xml[: len(xml) // 2])
    with pytest.raises(InputFileError, match=r"not a readable workbook: xl/worksheets/sheet1\.xml: "):
        await read(path)


@pytest.mark.parametrize("at", [0.02, 0.2, 0.4, 0.6, 0.97])
async def test_a_file_that_is_cut_or_has_a_wrong_byte_is_refused(tmp_path: Path, at: float) -> None:
    whole = write_xlsx(tmp_path / "l.xlsx", PEOPLE * 10).read_bytes()
    cut, wrong = tmp_path / "cut.xlsx", tmp_path / "wrong.xlsx"
    place = int(len(whole) * at)
    cut.write_bytes(whole[:place])
    with pytest.raises(InputFileError, match="not a readable workbook: "):
        await read(cut)
    wrong.write_bytes(whole[:place] + bytes(byte ^ 0xFF for byte in whole[place : place + 40]) + whole[place + 40 :])
    with pytest.raises(InputFileError, match="not a readable workbook: "):
        await read(wrong)


async def test_a_file_that_changes_while_it_is_read_is_refused_at_its_end(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "l.xlsx", PEOPLE)
    batches = workbook_contacts(path).batches(10)
    await anext(batches)
    os.utime(path, (0, 0))
    with pytest.raises(InputFileError, match=r"the file changed while it was read\. Run the command again"):
        [batch async for batch in batches]


@pytest.mark.parametrize("size", ["", "A1", "A1:A2", "A1:XFD1048576", "C9:D12", "none"])
async def test_the_size_that_a_sheet_says_it_has_is_not_believed(tmp_path: Path, size: str) -> None:
    said = f'<dimension ref="{size}"/><sheetData>'
    path = edit_part(write_xlsx(tmp_path / "l.xlsx", PEOPLE), SHEET, lambda xml: xml.replace("<sheetData>", said))
    people = [row for row in await read(path) if isinstance(row, NewContact)]
    assert [(p.row, p.phone, p.name) for p in people] == [
        (n - 98, f"+1415555{n:04}", f"Person {n}") for n in range(100, 200)
    ]


async def test_rows_with_missing_cells_keep_their_columns(tmp_path: Path) -> None:
    rows: list[list[Cell]] = [
        [None, None, "note", "phone", "city"],
        [None, None, None, "+14155550101"],
        [],
        [None, None, None, "+14155550102", None, "x"],
        [None, None, "late", "+14155550103", "Pune"],
    ]
    source = workbook_contacts(write_xlsx(tmp_path / "l.xlsx", rows))
    people = [row async for batch in source.batches(2) for row in batch]
    assert source.header == ("note", "phone", "city")
    assert [(p.row, p.phone, dict(p.variables)) for p in people if isinstance(p, NewContact)] == [
        (2, "+14155550101", {"note": "", "city": ""}),
        (4, "+14155550102", {"note": "", "city": ""}),
        (5, "+14155550103", {"note": "late", "city": "Pune"}),
    ]


async def test_cells_and_rows_without_a_place_follow_the_one_before(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "l.xlsx", [["name", "phone"], ["Ann", "+14155550101"], ["Bea", "+14155550102"]])
    edit_part(path, SHEET, lambda xml: re.sub(r' r="(\d+|[AB][12])"', "", xml))
    people = [row for row in await read(path) if isinstance(row, NewContact)]
    assert [(p.row, p.name, p.phone) for p in people] == [(2, "Ann", "+14155550101"), (3, "Bea", "+14155550102")]


async def test_shared_texts_are_put_together_from_their_runs(tmp_path: Path) -> None:
    path = share_texts(write_xlsx(tmp_path / "l.xlsx", [["phone", "name", "note"], ["+14155550101", "RICH", "Ann"]]))
    rich = '<r><t>  Zoé</t></r><r><rPr><b/></rPr><t xml:space="preserve"> Li</t></r><rPh sb="0" eb="1"><t>ZO</t></rPh>'
    edit_part(path, "xl/sharedStrings.xml", lambda xml: xml.replace('<t xml:space="preserve">RICH</t>', rich))
    edit_part(path, "xl/sharedStrings.xml", lambda xml: xml.replace("Ann", "a_x000D_b _x005F_x0041_ _x0000__xD83D_"))
    (row,) = await read(path)
    assert isinstance(row, NewContact)
    assert (row.name, dict(row.variables)) == ("Zoé Li", {"note": "a\rb _x0041_ _x0000_\ufffd"})


async def test_dates_count_from_1904_where_the_workbook_says_so(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "l.xlsx", [["phone", "due"], ["+14155550101", date(2023, 2, 28)]])
    edit_part(path, BOOK, lambda xml: xml.replace("<sheets>", '<workbookPr date1904="1"/><sheets>'))
    (row,) = await read(path)
    assert isinstance(row, NewContact)
    assert row.variables == {"due": "2027-03-01"}


async def test_the_strict_format_and_prefixed_elements_are_read(tmp_path: Path) -> None:
    strict = write_xlsx(tmp_path / "strict.xlsx", PEOPLE)
    for part in (BOOK, SHEET, STYLES):
        edit_part(strict, part, lambda xml: xml.replace(MAIN, "http://purl.oclc.org/ooxml/spreadsheetml/main"))
    prefixed = write_xlsx(tmp_path / "prefixed.xlsx", PEOPLE)
    edit_part(prefixed, SHEET, lambda xml: xml.replace("</", "</x:").replace("xmlns=", "xmlns:x="))
    edit_part(prefixed, SHEET, lambda xml: re.sub("<(?=[a-z])", "<x:", xml))
    for path in (strict, prefixed):
        assert len([row for row in await read(path) if isinstance(row, NewContact)]) == 100


@pytest.mark.parametrize("shared", [False, True])
async def test_memory_does_not_grow_with_the_rows(tmp_path: Path, shared: bool) -> None:
    peaks = []
    for count in (1_000, 20_000):
        rows: Iterator[list[Cell]] = ([f"+9190{n:08}", f"Person {n}"] for n in range(count))
        path = write_xlsx(tmp_path / f"{count}.xlsx", rows)
        book = open_xlsx(share_texts(path) if shared else path)
        tracemalloc.start()
        try:
            assert sum(1 for _ in book.rows(book.sheets[0])) == count
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
    assert peaks[1] < peaks[0] + 200_000


async def test_shared_texts_take_little_more_memory_than_their_letters(tmp_path: Path) -> None:
    rows: Iterator[list[Cell]] = ([f"+9190{n:08}", f"Person {n}"] for n in range(20_000))
    path = share_texts(write_xlsx(tmp_path / "l.xlsx", rows))
    tracemalloc.start()
    try:
        book = open_xlsx(path)
        held, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(book.texts) == 40_000
    assert held < 40_000 * (13 + 8) * 1.25
    assert peak < held + 600_000


def test_the_file_is_closed_after_use(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "l.xlsx", PEOPLE)
    book = open_xlsx(path)
    assert not is_open(path)
    rows = book.rows(book.sheets[0])
    next(rows)
    assert is_open(path)
    rows.close()
    assert not is_open(path)
    assert len(list(book.rows(book.sheets[0]))) == len(PEOPLE)
    assert not is_open(path)


def is_open(path: Path) -> bool:
    """Whether this process has the file open."""
    there = path.stat()
    for descriptor in range(1024):
        with suppress(OSError):
            if os.path.samestat(os.fstat(descriptor), there):
                return True
    return False


async def test_the_fingerprint_is_that_of_the_file(tmp_path: Path) -> None:
    one = write_xlsx(tmp_path / "a.xlsx", [["phone"], ["+14155550101"]])
    two = write_xlsx(tmp_path / "b.xlsx", [["phone"], ["+14155550102"]])
    assert (
        workbook_contacts(one).fingerprint == workbook_contacts(one).fingerprint != workbook_contacts(two).fingerprint
    )


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
