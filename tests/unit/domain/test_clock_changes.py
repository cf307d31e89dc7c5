"""The days on which clocks change, to the second, where they do it oddly. Times on the left are UTC."""

from dataclasses import replace
from datetime import datetime

import pytest

from dialer.domain.calling_window import CallingWindow, parse_window
from dialer.domain.opening import Closed, Open, window_at


def at(utc: str) -> float:
    return datetime.fromisoformat(f"{utc}+00:00").timestamp()


def window(text: str) -> CallingWindow:
    return replace(parse_window(text), lead_s=0.0, rules="off", rules_reason="a test")


@pytest.mark.parametrize(
    ("zone", "hours", "skipped", "told"),
    [
        ("America/New_York", "02:30-05:00", "2028-03-12T07:00", "Sun 03:00"),
        ("Europe/London", "01:15-04:00", "2028-03-26T01:00", "Sun 02:00"),
        ("Australia/Lord_Howe", "02:15-05:00", "2027-10-02T15:30", "Sun 02:30"),
        ("Pacific/Chatham", "03:00-05:00", "2027-09-25T14:00", "Sun 03:45"),
        ("Africa/Cairo", "00:30-03:00", "2028-04-27T22:00", "Fri 01:00"),
        ("America/Santiago", "00:30-03:00", "2027-09-05T04:00", "Sun 01:00"),
        ("Antarctica/Troll", "01:30-05:00", "2028-03-26T01:00", "Sun 03:00"),
    ],
)
def test_an_opening_that_is_skipped_comes_with_the_change(zone: str, hours: str, skipped: str, told: str) -> None:
    mine, change = window(f"mon-sun {hours}"), at(skipped)
    assert window_at(mine, (zone,), change - 1) == Closed(change, f"window opens {told} {zone}")
    assert window_at(mine, (zone,), change) == Open()
    assert window_at(mine, (zone,), change - 6 * 3600) == Closed(change, f"window opens {told} {zone}")


def test_a_window_that_is_skipped_altogether_does_not_open_that_day() -> None:
    mine, troll = window("mon-sun 01:30-02:30"), ("Antarctica/Troll",)
    assert window_at(mine, troll, at("2028-03-26T01:00")) == Closed(
        at("2028-03-26T23:30"), "window opens Mon 01:30 Antarctica/Troll"
    )


@pytest.mark.parametrize(
    ("zone", "hours", "stretches"),
    [
        ("America/New_York", "sun 01:15-01:45",
         (("2027-11-07T05:15", "2027-11-07T05:45"), ("2027-11-07T06:15", "2027-11-07T06:45"))),
        ("Europe/London", "sun 01:15-01:45",
         (("2027-10-31T00:15", "2027-10-31T00:45"), ("2027-10-31T01:15", "2027-10-31T01:45"))),
        ("Australia/Lord_Howe", "sun 01:40-01:50",
         (("2028-04-01T14:40", "2028-04-01T14:50"), ("2028-04-01T15:10", "2028-04-01T15:20"))),
        ("Pacific/Chatham", "sun 03:00-03:30",
         (("2028-04-01T13:15", "2028-04-01T13:45"), ("2028-04-01T14:15", "2028-04-01T14:45"))),
        ("Africa/Cairo", "thu 23:15-23:45",
         (("2027-10-28T20:15", "2027-10-28T20:45"), ("2027-10-28T21:15", "2027-10-28T21:45"))),
        ("America/Santiago", "sat 23:15-23:45",
         (("2028-04-02T02:15", "2028-04-02T02:45"), ("2028-04-02T03:15", "2028-04-02T03:45"))),
        ("Antarctica/Troll", "sun 02:00-02:30",
         (("2027-10-31T00:00", "2027-10-31T00:30"), ("2027-10-31T02:00", "2027-10-31T02:30"))),
    ],
)  # fmt: skip
def test_an_hour_that_comes_twice_is_open_twice(
    zone: str, hours: str, stretches: tuple[tuple[str, str], tuple[str, str]]
) -> None:
    mine = window(hours)
    for opens, closes in stretches:
        assert isinstance(window_at(mine, (zone,), at(opens) - 1), Closed)
        assert window_at(mine, (zone,), at(opens)) == Open()
        assert window_at(mine, (zone,), at(closes) - 1) == Open()
        assert isinstance(window_at(mine, (zone,), at(closes)), Closed)
    between = window_at(mine, (zone,), at(stretches[0][1]))
    assert isinstance(between, Closed)
    assert between.opens_at == at(stretches[1][0])


@pytest.mark.parametrize("day", ["2027-11-07", "2028-02-29", "2028-03-12", "2028-03-26"])
def test_kathmandu_never_changes_and_is_three_quarters_of_an_hour_off(day: str) -> None:
    mine, kathmandu = window("mon-sun 09:00-20:00"), ("Asia/Kathmandu",)
    assert isinstance(window_at(mine, kathmandu, at(f"{day}T03:14:59")), Closed)
    assert window_at(mine, kathmandu, at(f"{day}T03:15")) == Open()
    assert window_at(mine, kathmandu, at(f"{day}T14:14:59")) == Open()
    assert isinstance(window_at(mine, kathmandu, at(f"{day}T14:15")), Closed)


def test_a_night_is_as_long_as_the_clocks_make_it() -> None:
    night, new_york = window("sat 20:00-03:30+1"), ("America/New_York",)
    assert isinstance(window_at(night, new_york, at("2028-03-12T07:30")), Closed), "six hours and a half in spring"
    assert window_at(night, new_york, at("2028-03-12T07:29:59")) == Open()
    assert window_at(night, new_york, at("2027-11-07T08:29:59")) == Open(), "eight and a half in autumn"
    assert isinstance(window_at(night, new_york, at("2027-11-07T08:30")), Closed)
