"""No cell of an export is run by a spreadsheet."""

import pytest

from dialer.cli.spreadsheets import harmless


@pytest.mark.parametrize(
    "cell", ["=1+1", "+cmd", "-x", "@SUM(A1)", "\tx", "\rx", "\nx", "\uff1d1", "\uff0bx", "\uff0dx", "\uff20x"]
)
def test_what_a_spreadsheet_would_run_is_quoted(cell: str) -> None:
    assert harmless([cell]) == ["'" + cell]


@pytest.mark.parametrize(
    ("cell", "told"), [("+919000000001", "+919000000001"), (-3.5, "-3.5"), ("a=b", "a=b"), (None, "")]
)
def test_numbers_and_plain_text_stay(cell: object, told: object) -> None:
    assert harmless([cell]) == [told]
