from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from dialer.adapters.lists.cell_text import Unclear, cell_text, said, storable


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (4523.330000000001, "4523.33"),
        (0.30000000000000004, "0.3"),
        (234.55999999999995, "234.56"),
        (9000000001.0, "9000000001"),
        (9.19e20, "9.19e+20"),
        (float("nan"), ""),
        (Decimal("NaN"), ""),
        (Decimal("4523.30"), "4523.30"),
        (Decimal("1E-7"), "0.0000001"),
        (Decimal("1E+3"), "1000"),
        (timedelta(hours=10), "10:00"),
        (timedelta(minutes=5), "0:05"),
        (timedelta(days=13, hours=21, seconds=1), "333:00:01"),
        (timedelta(seconds=-1800), "-0:30"),
        (timedelta(seconds=61.5), "0:01:01.5"),
        ({"plan": "gold", "ok": True, "name": "Renée"}, '{"plan": "gold", "ok": true, "name": "Renée"}'),
        (["a", None, Decimal("1.5"), date(2027, 3, 1)], '["a", null, "1.5", "2027-03-01"]'),
        (True, "true"),
        (None, ""),
        (UUID(int=7), "00000000-0000-0000-0000-000000000007"),
    ],
)
def test_values_as_a_person_would_write_them(value: object, text: str) -> None:
    assert cell_text(value) == text


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), Decimal("Infinity")])
def test_values_without_end_are_none(value: object) -> None:
    assert isinstance(cell_text(value), Unclear)


@pytest.mark.parametrize("text", ["nan", "NaN", "NULL", "null", "\\N", "None", "#N/A", "NaT", "<NA>", "undefined"])
def test_words_for_nothing_are_nothing(text: str) -> None:
    assert said(text) == ""


@pytest.mark.parametrize("text", ["Null", "Nan", "none of these", "N/A", "Asha", "0"])
def test_other_words_stay(text: str) -> None:
    assert said(text) == text


def test_text_that_no_database_takes() -> None:
    assert storable("Asha\0\0") == "Asha"
    assert storable("Renée 🎉") == "Renée 🎉"
    for damaged in ("As\0ha", "As\ud83dha"):
        assert isinstance(storable(damaged), Unclear)
        assert storable(damaged) == "As\ufffdha"
