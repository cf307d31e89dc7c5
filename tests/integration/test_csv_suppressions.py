"""A list of people who must not be called: whatever number can be made out is barred."""

from pathlib import Path

import pytest

from dialer.adapters.lists.suppressions import CsvSuppressions
from dialer.ports import Reject, Suppression


def rows(tmp_path: Path, text: str, region: str = "") -> list[str]:
    """The numbers that are barred, and the reasons of what could not be read."""
    path = tmp_path / "barred.csv"
    path.write_text(text, encoding="utf-8")
    read = CsvSuppressions(path, region).rows()
    return [row.phone if isinstance(row, Suppression) else f"line {row.row}" for row in read]


@pytest.mark.parametrize(
    ("cell", "region", "want"),
    [
        ("(+91) 90000 00001", "", ["+919000000001"]),
        ("90000 00001 (M)", "IN", ["+919000000001"]),
        ("+919000000001 / +919000000002", "", ["+919000000001", "+919000000002"]),
        ("491713920012", "DE", ["+49491713920012", "+491713920012"]),
        ("+919000000001 ext. 12", "", ["+919000000001"]),
        ("Asha: 9000000001", "IN", ["+919000000001"]),
        ("9000000001 / 98", "IN", ["+919000000001", "+919000000098"]),
        ("9000000001 or 12345678", "IN", ["+919000000001", "line 2"]),
        ("919000000001", "", ["+919000000001", "line 2"]),
        ("9000000001", "", ["line 2"]),
        ("nobody", "IN", ["line 2"]),
    ],
)
def test_rather_one_number_too_many(tmp_path: Path, cell: str, region: str, want: list[str]) -> None:
    assert rows(tmp_path, f'phone,reason\n"{cell}",asked\n', region) == want


def test_a_shifted_row_bars_what_is_in_any_cell_and_is_told(tmp_path: Path) -> None:
    assert rows(tmp_path, "name,phone\nMuster, Bina,+919000000001\n") == ["+919000000001", "line 2"]


def test_columns_of_a_list_of_the_barred_do_not_unbar(tmp_path: Path) -> None:
    assert rows(tmp_path, "phone,DND\n+919000000001,no\n+919000000002,?\n") == ["+919000000001", "+919000000002"]


def test_the_country_may_stand_in_a_column(tmp_path: Path) -> None:
    assert rows(tmp_path, "phone,country\n9000000001,India\n2125550123,USA\n") == ["+919000000001", "+12125550123"]


def test_a_mended_rejects_file_is_read_again(tmp_path: Path) -> None:
    text = "phone,reject_line,reject_reason,reject_remedy\n+919000000001,2,too short,check the digits\n"
    assert rows(tmp_path, text) == ["+919000000001"]


def test_rejects_hold_the_row(tmp_path: Path) -> None:
    path = tmp_path / "barred.csv"
    path.write_text("phone,why\n123,x\n")
    (reject,) = CsvSuppressions(path, "IN").rows()
    assert isinstance(reject, Reject)
    assert reject.cells == ("123", "x")
