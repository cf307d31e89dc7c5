"""What numbers in cells mean, by their format."""

from datetime import date, datetime, time, timedelta

import pytest

from dialer.adapters.lists.workbook.numbers import Format, Value, format_of, number_value


@pytest.mark.parametrize(
    ("number", "code", "expected"),
    [
        (0, None, Format.NUMBER),
        (2, None, Format.NUMBER),
        (14, None, Format.MOMENT),
        (22, None, Format.MOMENT),
        (45, None, Format.MOMENT),
        (46, None, Format.ELAPSED),
        (49, None, Format.NUMBER),
        (164, r"yyyy\-mm\-dd", Format.MOMENT),
        (164, r"[$-409]d\-mmm\-yy;@", Format.MOMENT),
        (164, "[h]:mm:ss", Format.ELAPSED),
        (164, "[MM]:ss", Format.ELAPSED),
        (164, "[Red]0.00", Format.NUMBER),
        (164, '"due" 0', Format.NUMBER),
        (164, 'General" days"', Format.NUMBER),
        (164, "0.00E+00", Format.NUMBER),
        (164, r"\d0", Format.NUMBER),
        (164, "0_d*y", Format.NUMBER),
        (164, "0;d", Format.NUMBER),
        (14, "0", Format.NUMBER),
    ],
)
def test_the_code_of_a_format_says_what_it_shows_else_its_number(
    number: int, code: str | None, expected: Format
) -> None:
    assert format_of(number, code) is expected


@pytest.mark.parametrize(
    ("number", "since_1904", "expected"),
    [
        (0.0, False, time(0, 0)),
        (0.25, True, time(6, 0)),
        (0.9999999999, False, time(23, 59, 59, 999000)),
        (1.0, False, date(1900, 1, 1)),
        (59.0, False, date(1900, 2, 28)),
        (61.0, False, date(1900, 3, 1)),
        (46447.0, False, date(2027, 3, 1)),
        (46447.0, True, date(2031, 3, 2)),
        (46447.395833333336, False, datetime(2027, 3, 1, 9, 30)),  # noqa: DTZ001
        (46447.999999999, False, datetime(2027, 3, 2)),  # noqa: DTZ001
        (2958465.0, False, date(9999, 12, 31)),
        (2958465.99998843, False, datetime(9999, 12, 31, 23, 59, 59)),  # noqa: DTZ001
        (2958465.999999999, False, 2958465.999999999),
        (2958466.0, False, 2958466.0),
        (14155550101.0, False, 14155550101.0),
        (-1.0, False, -1.0),
        (float("inf"), False, float("inf")),
    ],
)
def test_a_moment_is_a_date_a_time_or_both(number: float, since_1904: bool, expected: Value) -> None:
    found = number_value(number, Format.MOMENT, since_1904)
    assert (type(found), found) == (type(expected), expected)


def test_elapsed_time_may_be_more_than_a_day() -> None:
    assert number_value(1.25, Format.ELAPSED, since_1904=True) == timedelta(days=1, hours=6)
    assert number_value(14155550101.0, Format.ELAPSED, since_1904=False) == 14155550101.0


def test_a_number_is_a_number() -> None:
    assert number_value(46447.0, Format.NUMBER, since_1904=True) == 46447.0
