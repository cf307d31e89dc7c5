"""Lists in workbooks that are no Office Open XML. The files in tests/workbooks hold the same two people."""

import shutil
import struct
import zipfile
from pathlib import Path

import pytest

from dialer.domain.contact import NewContact
from dialer.errors import InputFileError
from tests.contact_lists import workbook_contacts
from tests.ods_files import number, row, text, write_ods

WORKBOOKS = Path(__file__).parents[1] / "workbooks"
ODS = [
    row(*map(text, ("name", "phone", "balance", "due", "note"))),
    row(text("Ann"), text("+14155550101"), number("float", "12.5"), number("date", "2027-03-01"), text("true")),
    row(text("Bea"), number("float", "14155550102"), number("float", "100"), number("date", "2027-03-01T09:30:00"),
        text("x")),
]  # fmt: skip
FORMATS = [".xls", ".xlsb", ".ods"]


def workbook(folder: Path, ending: str) -> Path:
    if ending == ".ods":
        return write_ods(folder / "people.ods", *ODS)
    return Path(shutil.copy(WORKBOOKS / f"people{ending}", folder))


def hide_last_row(path: Path) -> None:
    """Set the bit that says so in the record of the third row, or the attribute."""
    if path.suffix == ".ods":
        write_ods(path, *ODS[:2], ODS[2].replace("<table:table-row", '<table:table-row table:visibility="filter"'))
    elif path.suffix == ".xls":
        whole = bytearray(path.read_bytes())
        whole[whole.index(struct.pack("<HHH", 0x208, 16, 2)) + 16] |= 0x20
        path.write_bytes(whole)
    else:
        edit_sheet(path, struct.pack("<BBI", 0, 25, 2), 13, b"\x10")


def edit_sheet(path: Path, record: bytes, at: int, new: bytes) -> None:
    """Write ``new`` into the sheet of an .xlsb, ``at`` bytes behind the last place where ``record`` begins."""
    with zipfile.ZipFile(path) as book:
        parts = {name: bytearray(book.read(name)) for name in book.namelist()}
    sheet = parts["xl/worksheets/sheet1.bin"]
    at += sheet.rindex(record)
    sheet[at : at + len(new)] = new
    with zipfile.ZipFile(path, "w") as book:
        for name, part in parts.items():
            book.writestr(name, bytes(part))


@pytest.mark.parametrize("ending", FORMATS)
async def test_cells_are_read_with_their_kinds(tmp_path: Path, ending: str) -> None:
    source = workbook_contacts(workbook(tmp_path, ending), region="US")
    people = [one async for batch in source.batches(9) for one in batch]
    assert [(p.row, p.name, p.phone, dict(p.variables)) for p in people if isinstance(p, NewContact)] == [
        (2, "Ann", "+14155550101", {"balance": "12.5", "due": "2027-03-01", "note": "true"}),
        (3, "Bea", "+14155550102", {"balance": "100", "due": "2027-03-01T09:30:00", "note": "x"}),
    ]
    assert f"numbers as they are kept in {ending}, not as they are shown (save it as .xlsx for those)" in source.notes
    assert source.expected_rows == 2


@pytest.mark.parametrize("ending", FORMATS)
def test_hidden_rows_refuse_the_list(tmp_path: Path, ending: str) -> None:
    path = workbook(tmp_path, ending)
    hide_last_row(path)
    with pytest.raises(InputFileError, match="rows are hidden in it"):
        _ = workbook_contacts(path).header


@pytest.mark.parametrize("ending", FORMATS)
@pytest.mark.parametrize("at", [0.02, 0.3, 0.6, 0.9])
async def test_a_file_that_is_cut_is_refused(tmp_path: Path, ending: str, at: float) -> None:
    path = workbook(tmp_path, ending)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * at)])
    with pytest.raises(InputFileError, match=r"not a readable workbook|no rows|every visible sheet is empty"):
        [batch async for batch in workbook_contacts(path).batches(9)]


@pytest.mark.parametrize("ending", FORMATS)
def test_a_workbook_of_another_kind_is_refused(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"list{ending}"
    with zipfile.ZipFile(path, "w") as book:
        book.writestr("xl/workbook.xml", "<workbook/>")
    with pytest.raises(InputFileError, match="it is of another format than its name says"):
        _ = workbook_contacts(path).header
    path.write_bytes(b"\xd0\xcf\x11\xe0" + bytes(600))
    with pytest.raises(InputFileError, match="there is no workbook in it"):
        _ = workbook_contacts(path).header
    path.write_text("<html><table></table></html>")
    with pytest.raises(InputFileError, match="a web page"):
        _ = workbook_contacts(path).header


def test_cells_at_opposite_corners_end_the_reader_and_not_this_process(tmp_path: Path) -> None:
    path = workbook(tmp_path, ".xlsb")
    edit_sheet(path, struct.pack("<BBI", 7, 12, 4), 2, struct.pack("<I", 16_383))
    edit_sheet(path, struct.pack("<BBI", 0, 25, 2), 2, struct.pack("<I", 1_048_575))
    with pytest.raises(InputFileError, match="reading it takes more than 300 MiB, or more than two minutes"):
        _ = workbook_contacts(path).header
