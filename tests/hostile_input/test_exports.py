"""Exports and rejects in a spreadsheet: nothing in them is run or rewritten, and all of it comes back."""

import csv
import io
import re
from pathlib import Path

import pytest

from tests.acceptance.dialer_process import Home, Provider, dialing, number, settings_for

pytestmark = pytest.mark.acceptance

EVIL = ["=cmd|' /C calc'!A0", "@SUM(A1)", "+1+1", "-1+1", "＝1+1", "＠x", "\t=1", "x;=1+1", " =1", "'=1", "plain"]
RUN = re.compile(r"^\s*[=+@＝＋－＠-]")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home whose provider is never asked."""
    return Home(tmp_path, settings_for(Provider("http://127.0.0.1:9")))


def evil_list(path: Path) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["phone", "name", "=cmd|' /C calc'!A0", "@city", "＋x", "plain"])
        for at, cell in enumerate(EVIL):
            writer.writerow([number(at), cell, cell, cell, cell, cell])
        writer.writerow(["12", *["=bad"] * 5])
    return path


def cells(text: str, delimiter: str = ",") -> list[str]:
    return [cell for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) for cell in row]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_no_cell_and_no_header_is_a_formula(home: Home, delimiter: str) -> None:
    home.command("enqueue", str(evil_list(home.path / "list.csv")), *dialing())
    home.command("suppress", "add", number(90), "--reason", "=1+1")
    (rejects,) = (home.path / "home" / "rejects").glob("*.csv")
    for text in (
        home.command("export", "list").out,
        home.command("export", "list", "--attempts").out,
        home.command("suppress", "list").out,
        rejects.read_text("utf-8-sig"),
    ):
        assert not [cell for cell in cells(text, delimiter) if RUN.match(cell)]


def test_a_switch_undoes_it(home: Home) -> None:
    home.command("enqueue", str(evil_list(home.path / "list.csv")), *dialing())
    raw = list(csv.reader(io.StringIO(home.command("export", "list", "--raw").out, newline="")))
    assert raw[0][-4:] == ["=cmd|' /C calc'!A0", "@city", "＋x", "plain"]
    assert [row[-1] for row in raw[1:]] == [cell.removeprefix("'") for cell in EVIL]
    home.command("suppress", "add", number(90))
    assert home.command("suppress", "list", "--raw").out.splitlines()[1].startswith(f"{number(90)},")


def test_the_import_undoes_it(home: Home) -> None:
    home.command("enqueue", str(evil_list(home.path / "list.csv")), *dialing())
    exported = home.path / "exported.csv"
    exported.write_text(home.command("export", "list").out, encoding="utf-8")
    home.command("enqueue", str(exported), "--name", "again", *dialing())
    first, again = (home.export(name) for name in ("list", "again"))
    assert [(row["phone"], row["@city"], row["＋x"]) for row in first] == [
        (row["phone"], row["@city"], row["＋x"]) for row in again
    ]


def test_rejects_that_were_mended_bring_the_cells_back(home: Home) -> None:
    home.command("enqueue", str(evil_list(home.path / "list.csv")), *dialing())
    (rejects,) = (home.path / "home" / "rejects").glob("*.csv")
    mended = home.path / "mended.csv"
    mended.write_text(rejects.read_text("utf-8-sig").replace("\n12,", f"\n{number(50)},"), encoding="utf-8")
    home.command("enqueue", str(mended), "--name", "again", *dialing())
    (row,) = home.export("again")
    assert (row["phone"], row["name"], row["@city"]) == (number(50), "=bad", "=bad")


def in_a_spreadsheet(text: str) -> str:
    """The file as a spreadsheet program opens and saves it: what reads as a number is one, and loses its plus."""
    rows = [[_shown(cell) for cell in row] for row in csv.reader(io.StringIO(text, newline=""))]
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue()


def _shown(cell: str) -> str:
    try:
        value = float(cell)
    except ValueError:
        return cell
    return f"{value:.5E}" if len(cell) > 11 else f"{value:g}"


def test_telephone_numbers_survive_a_spreadsheet(home: Home) -> None:
    home.command("enqueue", str(evil_list(home.path / "list.csv")), *dialing())
    exported = home.path / "exported.csv"
    exported.write_text(in_a_spreadsheet(home.command("export", "list").out), encoding="utf-8")
    home.command("enqueue", str(exported), "--name", "again", *dialing())
    assert [row["phone"] for row in home.export("again")] == [number(at) for at in range(len(EVIL))]
