"""When a person may be called, in every zone they may be in."""

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.domain.calling_window import ALWAYS, CallingWindow, parse_window
from dialer.domain.opening import Closed, Open, window_at

NEW_YORK, KOLKATA, LONDON, AUCKLAND = "America/New_York", "Asia/Kolkata", "Europe/London", "Pacific/Auckland"


def free(text: str, lead_s: float = 0.0) -> CallingWindow:
    """A window under no country's rules."""
    return replace(parse_window(text), rules="off", rules_reason="a test", lead_s=lead_s)


DAILY = free("mon-sun 09:00-20:00")


def at(text: str, zone: str = NEW_YORK, fold: int = 0) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp()


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [("08:59:59", False), ("09:00:00", True), ("19:59:59", True), ("20:00:00", False), ("00:00:00", False)],
)
def test_hours_are_half_open(moment: str, is_open: bool) -> None:
    assert isinstance(window_at(DAILY, (NEW_YORK,), at(f"2026-09-22T{moment}")), Open) is is_open


@pytest.mark.parametrize(("moment", "is_open"), [("19:57:59", True), ("19:58:00", False), ("09:00:00", True)])
def test_no_call_starts_within_the_lead_before_closing(moment: str, is_open: bool) -> None:
    window = free("mon-sat 09:00-20:00", lead_s=120.0)
    assert isinstance(window_at(window, (NEW_YORK,), at(f"2026-09-22T{moment}")), Open) is is_open


def test_a_day_that_is_not_named_is_shut_till_the_next_that_is() -> None:
    window = free("mon,fri 10:00-11:00")
    saturday = at("2026-09-26T10:30")
    assert window_at(window, (NEW_YORK,), saturday) == Closed(
        at("2026-09-28T10:00"), f"window opens Mon 10:00 {NEW_YORK}"
    )


def test_the_last_day_of_the_week_is_the_persons_not_ours() -> None:
    window = free("sun 09:00-20:00")
    moment = at("2026-09-27T09:30", AUCKLAND)  # still Saturday in London
    assert window_at(window, (AUCKLAND,), moment) == Open()
    assert window_at(window, (LONDON,), moment) == Closed(
        at("2026-09-27T09:00", LONDON), f"window opens Sun 09:00 {LONDON}"
    )


def test_all_zones_a_person_may_be_in_must_be_open() -> None:
    both = (NEW_YORK, "America/Los_Angeles")
    assert window_at(DAILY, both, at("2026-09-22T12:00")) == Open()
    assert window_at(DAILY, both, at("2026-09-22T11:59")) == Closed(
        at("2026-09-22T12:00"), f"window opens Tue 12:00 {NEW_YORK}"
    )
    assert window_at(DAILY, both, at("2026-09-22T20:00")) == Closed(
        at("2026-09-23T12:00"), f"window opens Wed 12:00 {NEW_YORK}"
    )


def test_zones_without_a_common_hour_are_never_open() -> None:
    far = (NEW_YORK, KOLKATA)
    short = free("mon-sun 09:00-17:00")
    closed = window_at(short, far, at("2026-09-22T12:00"))
    assert closed == Closed(None, f"no common calling hour in {NEW_YORK}, {KOLKATA}")


def test_an_unknown_zone_is_never_open_unless_the_window_names_one() -> None:
    why = "time zone unknown: give a timezone column or --timezone"
    assert window_at(DAILY, (), at("2026-09-22T12:00")) == Closed(None, why)
    named = replace(DAILY, zone=KOLKATA)
    assert window_at(named, (), at("2026-09-22T12:00", KOLKATA)) == Open()
    assert isinstance(window_at(named, (NEW_YORK,), at("2026-09-22T12:00")), Closed), "the window's zone rules"


def test_always_asks_for_nothing() -> None:
    assert window_at(ALWAYS, (), 0.0) == Open()
    assert parse_window("Always").always
    assert isinstance(window_at(parse_window("always"), (), 0.0), Closed), "the rules hold whatever the campaign says"


def test_the_day_on_which_clocks_go_forward() -> None:
    """New York, 2026-03-08: 02:00 becomes 03:00, so nine o'clock comes an hour earlier."""
    eve = at("2026-03-07T21:00")
    opening = window_at(DAILY, (NEW_YORK,), eve)
    assert opening == Closed(at("2026-03-08T09:00"), f"window opens Sun 09:00 {NEW_YORK}")
    assert at("2026-03-08T09:00") - eve == 11 * 3600
    night = free("mon-sun 02:30-05:00")
    assert window_at(night, (NEW_YORK,), at("2026-03-08T01:59:59")) == Closed(
        at("2026-03-08T03:00"), f"window opens Sun 03:00 {NEW_YORK}"
    ), "02:30 does not exist that night: the clock goes from 01:59 to 03:00"
    assert window_at(night, (NEW_YORK,), at("2026-03-08T03:00")) == Open()


def test_the_day_on_which_clocks_go_back() -> None:
    """New York, 2026-11-01: 02:00 becomes 01:00; nine o'clock is nine o'clock on both sides."""
    assert at("2026-11-01T09:00") - at("2026-10-31T20:00") == 14 * 3600
    assert window_at(DAILY, (NEW_YORK,), at("2026-11-01T08:59:59")) == Closed(
        at("2026-11-01T09:00"), f"window opens Sun 09:00 {NEW_YORK}"
    )
    night = free("mon-sun 01:00-01:30")
    for fold in (0, 1):
        assert window_at(night, (NEW_YORK,), at("2026-11-01T01:15", fold=fold)) == Open()
    assert isinstance(window_at(night, (NEW_YORK,), at("2026-11-01T01:45")), Closed), "between the two"


@given(
    st.floats(1.6e9, 2.0e9),
    st.lists(st.sampled_from([NEW_YORK, KOLKATA, LONDON, AUCKLAND]), min_size=1, max_size=2, unique=True),
    st.integers(0, 22),
)
def test_the_opening_named_is_open_and_later(now: float, zones: list[str], opens: int) -> None:
    window = free(f"mon-fri {opens}:00-23:30", lead_s=120.0)
    verdict = window_at(window, tuple(zones), now)
    if isinstance(verdict, Closed) and verdict.opens_at is not None:
        assert verdict.opens_at > now
        assert window_at(window, tuple(zones), verdict.opens_at) == Open()
