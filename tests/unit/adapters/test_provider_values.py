"""Numbers, amounts, moments and durations as they come off the wire."""

from datetime import UTC, datetime

import pytest

from dialer.adapters.providers.answers.times import seconds, when
from dialer.adapters.providers.answers.values import money, phone, text

AT = datetime(2026, 11, 27, 10, 5, 33, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    "told",
    [
        "2026-11-27T10:05:33", "2026-11-27 10:05:33", "2026-11-27T10:05:33.000000000Z", "2026-11-27T15:35:33+05:30",
        "2026/11/27 10:05:33", "2026-11-27 10:05:33 +0000", "2026-11-27 10:05:33 UTC", "20261127100533",
        "Fri, 27 Nov 2026 10:05:33 +0000", "27 Nov 2026 10:05:33", "Nov 27, 2026 10:05:33 AM", "27-11-2026 10:05:33",
        "27/11/2026 10:05:33", "27.11.2026, 10:05:33", "11/27/2026 10:05:33 AM", "27-11-26 10:05:33", AT, str(AT),
        AT * 1e3, AT * 1e6, int(AT * 1e9), "2026-11-27 15:35:33 +0530", "20261127T100533",
    ],
)  # fmt: skip
def test_a_moment_is_read_in_every_form_that_logs_use(told: object) -> None:
    assert when(told) == AT


@pytest.mark.parametrize(
    "told",
    [
        "", None, "None", "-", 0, "0", False, True, "0001-01-01T00:00:00Z", "1970-01-01T00:00:00", "tomorrow", 1e30, -5,
        "9999-12-31T23:59:59", float("nan"), "32/13/2026 10:00:00", [], {}, "Fri, 99 Nov 2026 10:05:33", "nov",
    ],
)  # fmt: skip
def test_what_is_no_moment_of_a_call_is_missing(told: object) -> None:
    assert when(told) is None


@pytest.mark.parametrize(
    ("told", "s"),
    [
        (41, 41), ("41", 41), ("00:00:41", 41), ("1:02:03", 3723), ("02:05", 125), ("41s", 41), ("41 sec", 41),
        ("1m 5s", 65), ("1h2m3s", 3723), ("PT41S", 41), ("0s", 0), ("00:00:00", 0), (0, 0), (-1, None), ("-1", None),
        ("", None), ("None", None), (float("nan"), None), ("NaN", None), (None, None), ("long", None), (True, None),
    ],
)  # fmt: skip
def test_a_duration_is_read_as_text_too(told: object, s: float | None) -> None:
    assert seconds(told) == s


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ("+919800000001", "+919800000001"), (919800000001.0, "+919800000001"), ("919800000001.0", "+919800000001"),
        ("9.19800000001e+11", "+919800000001"), ("sip:+919800000001@10.20.30.40:5060", "+919800000001"),
        ("<tel:+919800000001;ext=5>", "+919800000001"), ("+919800000001@gateway", "+919800000001"),
        ("+9198XXXX0001", "+9198?0001"), ("+91980000****", "+91980000?"), ("xxxxxx0001", "+?0001"), ("N/A", ""),
        ("unknown", ""), ("a8f3b2c4d5e6f708192a3b4c5d6e7f80", ""), ("", ""), (None, ""), ("0" * 30, ""),
    ],
)  # fmt: skip
def test_a_number_is_read_in_every_form_that_logs_use(told: object, shown: str) -> None:
    assert phone(told) == shown


@pytest.mark.parametrize(
    ("told", "amount"),
    [
        (1.5, 1.5), ("1.50", 1.5), ("₹1.50", 1.5), ("Rs. 1.50", 1.5), ("1.50 INR", 1.5), ("1,50 €", 1.5),
        ("$1,234.50", 1234.5), ("1.234,50", 1234.5), ("1,234", 1234.0), (-0.0075, 0.0075),
        ({"amount": "1.50", "currency": "INR"}, 1.5), (None, None), ("", None), ("free", None), (True, None),
        ({}, None),
    ],
)  # fmt: skip
def test_a_cost_may_carry_its_currency(told: object, amount: float | None) -> None:
    assert money(told) == amount


def test_text_can_be_stored() -> None:
    assert text("glad \ud83d") == "glad �"
    assert text("he\0llo") == "he�llo"
    assert text("गाना 🎵") == "गाना 🎵"
