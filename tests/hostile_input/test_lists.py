"""Lists that are made to take all memory, or to be read without end: each is refused in one line, in little memory."""

import os
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.acceptance.dialer_process import Home, Provider, settings_for
from tests.xlsx_files import MAIN, SHEET, edit_part, share_texts, write_xlsx

pytestmark = pytest.mark.acceptance

MOST_MEMORY_KB = 300 * 1024
HEAD = f'<worksheet xmlns="{MAIN}"><sheetData>'
TAIL = "</sheetData></worksheet>"
PEOPLE = [["phone", "name"], ["+14155550101", "Ann"]]


# A process counts the memory of the one that it was forked from as its own: a small process stands between this one,
# which may hold much, and the command.
MEASURED = """
import os, sys
process = os.posix_spawn(sys.executable, [sys.executable, *sys.argv[1:]], os.environ)
_, status, used = os.wait4(process, 0)
print(os.waitstatus_to_exitcode(status), used.ru_maxrss, file=open("used", "w"))
"""


class Ended(NamedTuple):
    code: int
    out: str
    err: str
    memory_kb: int


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home whose provider is never asked."""
    return Home(tmp_path, settings_for(Provider("http://127.0.0.1:9")))


def check(home: Home, path: Path, *more: str) -> Ended:
    """``dialer check``, and the most memory that it held."""
    out, err = home.path / "out", home.path / "err"
    command = ["-c", "from dialer.cli import main; main()", "check", str(path), *more]
    with out.open("w") as to, err.open("w") as errors:
        subprocess.run(
            [sys.executable, "-I", "-S", "-c", MEASURED, *command],
            env=home.environment, cwd=home.path, stdin=subprocess.DEVNULL, stdout=to, stderr=errors, check=True,
        )  # fmt: skip
    code, memory_kb = map(int, (home.path / "used").read_text().split())
    return Ended(code, out.read_text(), err.read_text(), memory_kb)


def refused(ended: Ended, what: str) -> None:
    assert ended.code == 2, ended
    assert ended.out == ""
    (line,) = ended.err.splitlines()
    assert what in line
    assert ended.memory_kb < MOST_MEMORY_KB


# workbooks


def packed(path: Path, part: str, pieces: Iterable[bytes]) -> Path:
    """The workbook with one part made of ``pieces``, packed as well as can be."""
    with zipfile.ZipFile(path) as book:
        others = {name: book.read(name) for name in book.namelist() if name != part}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as book:
        for name, content in others.items():
            book.writestr(name, content)
        with book.open(part, "w") as file:
            for piece in pieces:
                file.write(piece)
    return path


def sheet(body: Iterable[bytes]) -> Iterator[bytes]:
    yield HEAD.encode()
    yield from body
    yield TAIL.encode()


def book(tmp_path: Path) -> Path:
    return write_xlsx(tmp_path / "bomb.xlsx", PEOPLE)


MEGABYTE = b"x" * 1024 * 1024


def a_huge_cell() -> Iterator[bytes]:
    yield b'<row r="1"><c r="A1" t="inlineStr"><is><t>'
    yield from [MEGABYTE] * 400
    yield b"</t></is></c></row>"


def a_huge_attribute() -> Iterator[bytes]:
    yield b'<row r="'
    yield from [MEGABYTE] * 400
    yield b'"></row>'


def an_attribute_of_some_size() -> Iterator[bytes]:
    yield b'<row r="'
    yield b"x" * 3_000_000
    yield b'"></row>'


def nested_elements() -> Iterator[bytes]:
    yield from [b"<a>" * 1024] * 5_000


def some_nested_elements() -> Iterator[bytes]:
    yield b"<a>" * 1000


def a_cell_too_long() -> Iterator[bytes]:
    yield b'<row r="1"><c r="A1" t="inlineStr"><is><t>' + b"x" * 32_768 + b"</t></is></c></row>"


def rows_without_end() -> Iterator[bytes]:
    yield from [b"<row/>" * 1024] * 40_000


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (a_huge_cell, "unpacks to more"),
        (a_huge_attribute, "unpacks to more"),
        (an_attribute_of_some_size, "a tag without end"),
        (nested_elements, "unpacks to more"),
        (some_nested_elements, "elements in each other without end"),
        (a_cell_too_long, "more than 32,767 characters"),
        (rows_without_end, "unpacks to more"),
    ],
)
def test_a_sheet_that_is_a_bomb(home: Home, tmp_path: Path, body: Callable[[], Iterator[bytes]], what: str) -> None:
    refused(check(home, packed(book(tmp_path), SHEET, sheet(body()))), what)


def test_texts_that_cells_share_without_end(home: Home, tmp_path: Path) -> None:
    path = share_texts(book(tmp_path))
    texts = [f'<sst xmlns="{MAIN}">'.encode(), *([b"<si><t>" + MEGABYTE + b"</t></si>"] * 400), b"</sst>"]
    refused(check(home, packed(path, "xl/sharedStrings.xml", texts)), "unpacks to more")


def test_long_texts_that_cells_share_are_bounded_together(home: Home, tmp_path: Path) -> None:
    path = share_texts(book(tmp_path))
    texts = [f'<sst xmlns="{MAIN}">'.encode(), *([b"<si><t>" + b"x" * 32_000 + b"</t></si>"] * 3_000), b"</sst>"]
    # The more a file holds, the more it may unpack to.
    refused(check(home, padded(packed(path, "xl/sharedStrings.xml", texts))), "share more text")


def padded(path: Path) -> Path:
    """The workbook with a part of noise: it may unpack to 200 times as much."""
    with zipfile.ZipFile(path, "a") as book:
        book.writestr("noise", os.urandom(1_000_000))
    return path


def test_a_long_text_that_every_cell_repeats(home: Home, tmp_path: Path) -> None:
    text = "x" * 32_000
    path = share_texts(write_xlsx(tmp_path / "bomb.xlsx", [["phone", *"abcdefgh"], ["+14155550101", *[text] * 8]]))
    row = '<row r="{0}"><c r="A{0}" t="s"><v>9</v></c>' + "".join(
        f'<c r="{column}{{0}}" t="s"><v>10</v></c>' for column in "BCDEFGHI"
    ) + "</row>"  # fmt: skip
    edit_part(
        path, SHEET, lambda xml: xml.replace("</sheetData>", f"{''.join(map(row.format, range(3, 800)))}</sheetData>")
    )
    ended = check(home, padded(path))
    assert ended.code == 0, ended
    assert "798 rows: 1 queued, 797 duplicate" in ended.out
    assert ended.memory_kb < MOST_MEMORY_KB


def test_cells_in_the_last_column_hold_no_memory(home: Home, tmp_path: Path) -> None:
    rows = "".join(f'<row r="{n}"><c r="XFD{n}"><v>1</v></c></row>' for n in range(3, 20_003))
    path = edit_part(book(tmp_path), SHEET, lambda xml: xml.replace("</sheetData>", f"{rows}</sheetData>"))
    ended = check(home, path)
    assert ended.code == 0, ended
    assert "20,001 rows: 1 queued" in ended.out
    assert ended.memory_kb < MOST_MEMORY_KB


def test_a_row_with_more_text_than_any(home: Home, tmp_path: Path) -> None:
    path = share_texts(write_xlsx(tmp_path / "bomb.xlsx", [["phone"], ["x" * 32_000]]))
    cells = "".join('<c t="s"><v>1</v></c>' for _ in range(2000))
    edit_part(path, SHEET, lambda xml: xml.replace("</sheetData>", f'<row r="3">{cells}</row></sheetData>'))
    refused(check(home, path), "row 3 holds more than")


@pytest.mark.parametrize(
    ("part", "xml", "what"),
    [
        ("xl/styles.xml", f'<styleSheet xmlns="{MAIN}"><cellXfs>{"<xf/>" * 70_000}</cellXfs></styleSheet>', "styles"),
        ("xl/workbook.xml", f'<workbook xmlns="{MAIN}"><sheets>{"<sheet/>" * 10_001}</sheets></workbook>', "sheets"),
        ("xl/workbook.xml", '<!DOCTYPE x [<!ENTITY a "aaaa">]><workbook>&a;</workbook>', "a document type"),
    ],
)
def test_what_stands_before_the_rows_is_bounded(home: Home, tmp_path: Path, part: str, xml: str, what: str) -> None:
    refused(check(home, edit_part(book(tmp_path), part, lambda _: xml)), what)


def test_a_directory_of_very_many_parts(home: Home, tmp_path: Path) -> None:
    path = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(25_000):
            archive.writestr(f"part{number}", "")
    refused(check(home, path), "lists more parts")


# CSV


def wide(path: Path) -> None:
    path.write_text(",".join(f"c{n}" for n in range(2_000_000)) + "\n")


def wide_in_short_lines(path: Path) -> None:
    path.write_text("phone," + ",".join("c" for _ in range(20_000)) + "\n+14155550101\n")


def one_field(path: Path) -> None:
    with path.open("wb") as file:
        file.write(b'phone,name\n+14155550101,"')
        for _ in range(200):
            file.write(MEGABYTE)
        file.write(b'"\n')


def one_field_of_lines(path: Path) -> None:
    with path.open("wb") as file:
        file.write(b'phone,name\n+14155550101,"')
        for _ in range(200):
            file.write((b"x" * 1023 + b"\n") * 1024)
        file.write(b'"\n')


def no_line_end(path: Path) -> None:
    with path.open("wb") as file:
        for _ in range(200):
            file.write(MEGABYTE)


def wide_rows(path: Path) -> None:
    path.write_text("phone,name\n+14155550101,Ann\n" + "," * 900_000 + "x\n")


@pytest.mark.parametrize(
    ("write", "what"),
    [
        (wide, "a line of more than"),
        (wide_in_short_lines, "20,001 columns"),
        (one_field, "a line of more than"),
        (one_field_of_lines, "field larger than field limit"),
        (no_line_end, "a line of more than"),
    ],
)
def test_a_csv_file_that_is_a_bomb(home: Home, tmp_path: Path, write: Callable[[Path], None], what: str) -> None:
    write(tmp_path / "bomb.csv")
    refused(check(home, tmp_path / "bomb.csv"), what)


def test_a_row_wider_than_its_list_is_a_reject(home: Home, tmp_path: Path) -> None:
    wide_rows(tmp_path / "list.csv")
    ended = check(home, tmp_path / "list.csv")
    assert ended.code == 0, ended
    assert "2 rows: 1 queued, 0 duplicate, 0 suppressed, 1 invalid" in ended.out
    assert ended.memory_kb < MOST_MEMORY_KB


def test_many_rows_of_long_cells_are_held_a_few_at_a_time(home: Home, tmp_path: Path) -> None:
    with (tmp_path / "list.csv").open("w") as file:
        file.write("phone,a,b,c\n")
        for number in range(2_500):
            file.write(f"+1415555{number:04},{'x' * 30_000},{'y' * 30_000},{'z' * 30_000}\n")
    ended = check(home, tmp_path / "list.csv")
    assert ended.code == 0, ended
    assert ended.memory_kb < MOST_MEMORY_KB
