import csv
import stat
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from hypothesis import assume, given
from hypothesis import strategies as st

from dialer.adapters.lists.cell_text import said
from dialer.adapters.lists.columns import REJECT_COLUMNS
from dialer.adapters.lists.rejects_file import RejectsFile
from dialer.domain.campaign import ContactColumns
from dialer.domain.contact import NewContact
from dialer.pipeline.import_contacts import CheckContacts
from dialer.ports import ImportCounts, Reject
from tests.contact_lists import csv_contacts

EMPTY = ("the phone number is empty", "fill it in or remove the row")
MENDED = "+919000000001"


Quoting = Literal[0, 1, 2]
QUOTINGS: list[Quoting] = [csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]


def entries(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def table(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


async def check(path: Path, rejects: Path, columns: ContactColumns | None = None) -> ImportCounts:
    source = csv_contacts(path, columns, "IN")
    return await CheckContacts(lambda header: RejectsFile(rejects, header)).run(source)


async def test_the_file_has_our_columns_after_the_lists_own(tmp_path: Path) -> None:
    path, out = tmp_path / "people.csv", tmp_path / "rejects" / "people.csv"
    path.write_text("name;phone;note\nAsha;;=1+1\nRavi;9000000002;x\nTara;12;a,b\n")
    counts = await check(path, out)
    assert counts == ImportCounts(rows=3, queued=1, invalid=2, rejects=str(out))
    assert out.read_bytes().startswith(b"\xef\xbb\xbf")
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert table(out) == [
        ["name", "phone", "note", *REJECT_COLUMNS],
        ["Asha", "", "'=1+1", "2", *EMPTY],
        [
            "Tara",
            "12",
            "a,b",
            "4",
            "too short for IN (+91): 2 digits after the country code instead of 10",
            'check the digits; without a "+" it was read as a number in IN',
        ],
    ]
    assert entries(out.parent) == ["people.csv"]


async def test_no_file_without_a_reject(tmp_path: Path) -> None:
    path, out = tmp_path / "people.csv", tmp_path / "rejects.csv"
    path.write_text("phone\n9000000001\n")
    assert await check(path, out) == ImportCounts(rows=1, queued=1)
    assert entries(tmp_path) == ["people.csv"]


def test_a_failed_import_leaves_nothing(tmp_path: Path) -> None:
    rejects = RejectsFile(tmp_path / "rejects.csv", ("phone",))
    rejects.add([Reject(2, ("",), *EMPTY)])
    rejects.discard()
    rejects.discard()
    assert entries(tmp_path) == []


async def test_a_rejects_file_may_be_enqueued_onto_itself(tmp_path: Path) -> None:
    path, out = tmp_path / "people.csv", tmp_path / "rejects.csv"
    path.write_text("name,phone,city\nAsha,,Pune\nRavi,x,Pune,India\nTara,12,Pune\n")
    assert (await check(path, out)).invalid == 3
    first = out.read_bytes()
    assert await check(out, out) == ImportCounts(rows=3, invalid=3, rejects=str(out))
    again = table(out)
    assert [row[3] for row in again[1:]] == ["2", "3", "4"]
    assert [row[:3] for row in again] == [row[:3] for row in csv.reader(first.decode("utf-8-sig").splitlines())]
    assert again[2][6:] == ["India"]


async def test_a_mended_row_brings_no_columns_of_ours(tmp_path: Path) -> None:
    path, out = tmp_path / "people.csv", tmp_path / "rejects.csv"
    path.write_text("name,phone,city\nAsha,,Pune\n")
    await check(path, out)
    out.write_text(out.read_text().replace("Asha,,", "Asha,9000000001,"))
    source = csv_contacts(out, region="IN")
    assert source.header == ("name", "phone", "city")
    assert [row async for batch in source.batches(9) for row in batch] == [
        NewContact(MENDED, "Asha", 2, "", "IN", ("Asia/Kolkata",), {"city": "Pune"}, ("IN",))
    ]


CELLS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12).filter(
    lambda text: said(text) == text
)
TABLES = st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=8)


async def contacts(path: Path) -> list[tuple[str, ...]]:
    rows = [row async for batch in csv_contacts(path).batches(3) for row in batch]
    good = [row for row in rows if isinstance(row, NewContact)]
    assert len(good) == len(rows)
    return [tuple(row.variables.values()) for row in good]


def mend(path: Path) -> None:
    header, *rows = table(path)
    phone = header.index("phone")
    for row in rows:
        row[phone] = MENDED
    write(path, [header, *rows], "utf-8-sig", csv.QUOTE_MINIMAL, ",", "\r\n")


def write(path: Path, rows: Sequence[Sequence[str]], encoding: str, quoting: Quoting, delimiter: str, end: str) -> None:
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file, quoting=quoting, delimiter=delimiter, lineterminator=end).writerows(rows)


@given(TABLES)
async def test_mended_rejects_come_back_as_they_were(people: list[tuple[str, str]]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "rejects.csv"
        rejects = RejectsFile(path, ("a;b;c;d;e", "phone", "z|z"))
        rejects.add([Reject(n, (one, "?", two), *EMPTY) for n, (one, two) in enumerate(people)])
        rejects.close()
        mend(path)
        assert await contacts(path) == people


@given(
    TABLES,
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    st.sampled_from(QUOTINGS),
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(["\n", "\r\n", "\r"]),
)
async def test_any_quoting_delimiter_encoding_and_line_end(
    people: list[tuple[str, str]], encoding: str, quoting: Quoting, delimiter: str, end: str
) -> None:
    # csv.writer quotes a line break only where it is part of its own line end.
    assume(quoting != csv.QUOTE_MINIMAL or end == "\r\n" or not set("\r\n") & set("".join(map("".join, people))))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "people.csv"
        rows = [("one", "phone", "two"), *((one, MENDED, two) for one, two in people)]
        write(path, rows, encoding, quoting, delimiter, end)
        assert await contacts(path) == people
