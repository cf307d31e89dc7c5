import csv
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.adapters.lists.spreadsheet_cells import harmless, undone

RUN = re.compile(r"^\s*[=+@＝＋－＠-]")


@pytest.mark.parametrize(
    ("cell", "kept"),
    [
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("+1+1", "'+1+1"),
        ("-1+1", "'-1+1"),
        ("+919000000001", "'+919000000001"),
        ("＝1+1", "'＝1+1"),
        ("＋1", "'＋1"),
        ("－1", "'－1"),
        ("＠x", "'＠x"),
        (" =1", "' =1"),
        ("\t=1", "'\t'=1"),
        ("\r=1", "'\r'=1"),
        ("\tx", "'\tx"),
        ("x;=1+1", "x;'=1+1"),
        ("x; =1+1", "x;' =1+1"),
        ("'=1", "''=1"),
        ("-12.50", "-12.50"),
        ("O'Brien", "O'Brien"),
        ("a=b", "a=b"),
        ("1;2", "1;2"),
    ],
)
def test_what_a_spreadsheet_would_run_is_kept_from_it(cell: str, kept: str) -> None:
    assert harmless([cell]) == [kept]
    assert undone([kept]) == [cell]


def test_numbers_and_nothing() -> None:
    assert harmless([None, 3, -2.5]) == ["", 3, -2.5]


CELLS = st.text(st.sampled_from("=+-@＝＋－＠;|\t\r\n '\"ab1,."), max_size=12) | st.text(max_size=12)


@given(CELLS)
def test_every_cell_comes_back(cell: str) -> None:
    assert undone([str(one) for one in harmless([cell])]) == [cell]


@given(st.lists(CELLS, min_size=1, max_size=4), st.sampled_from(",;\t|"))
def test_no_cell_begins_a_formula_by_whatever_delimiter_the_file_is_cut(cells: list[str], delimiter: str) -> None:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(harmless(["phone", *cells]))
    for row in csv.reader(io.StringIO(out.getvalue(), newline=""), delimiter=delimiter):
        assert not [cell for cell in row if RUN.match(cell) and not re.fullmatch(r"-\d+([.,]\d+)?", cell)]
