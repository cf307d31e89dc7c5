"""When a person may be called, in every zone they may be in."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import cast
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import PhoneNumberType

from dialer.domain.calling_window import ALWAYS, CallingWindow, parse_window
from dialer.domain.opening import UNKNOWN_ZONE, Closed, Open, window_at
from dialer.domain.phone_number import Phone, Unusable, parse_phone, zones_of
from dialer.domain.whereabouts import Declared, Whereabouts, whereabouts

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


STRICT = replace(parse_window("mon-sun 00:00-24:00"), lead_s=0.0)


def strict(number: str, moment: str) -> Open | Closed:
    """What the rules alone say of a number at a UTC moment."""
    phone = parse_phone(number)
    assert isinstance(phone, Phone)
    zones, places = cast(Whereabouts, whereabouts(phone))
    return window_at(STRICT, zones, at(moment, "UTC"), places)


def test_a_toll_free_number_is_nobody_and_would_have_to_suit_all_of_north_america() -> None:
    assert parse_phone("+18005550199") == Unusable("a toll-free number in US", "give an ordinary number")
    everywhere = zones_of(1, "8005550199", PhoneNumberType.TOLL_FREE)
    assert len(everywhere) == 42
    verdict = window_at(STRICT, everywhere, at("2028-01-12T12:00", "UTC"), ("US",))
    assert verdict == Closed(None, "no common calling hour in 42 zones; rules US@1 unknown@1")


def test_an_australian_mobile_must_suit_all_of_australia() -> None:
    phone = parse_phone("+61412345678")
    assert isinstance(phone, Phone)
    assert len(phone.zones) == 8
    # Summer, Wednesday: the Cocos Islands (UTC+6:30) open last, Sydney (UTC+11) closes first.
    assert {"Australia/Sydney", "Indian/Cocos"} <= set(phone.zones)
    shut, opened = strict("+61412345678", "2028-01-12T02:29:59"), strict("+61412345678", "2028-01-12T02:30")
    assert isinstance(shut, Closed)
    assert (shut.opens_at, shut.reason.split("; ")[1]) == (at("2028-01-12T02:30", "UTC"), "rules AU@1")
    assert isinstance(opened, Open)
    assert opened.why.endswith("8 zones; rules AU@1")
    assert strict("+61412345678", "2028-01-12T08:59:59") == Open()
    assert isinstance(strict("+61412345678", "2028-01-12T09:00"), Closed)
    assert isinstance(strict("+61412345678", "2028-01-16T03:00"), Closed), "a Sunday"
    assert isinstance(strict("+61412345678", "2028-01-26T03:00"), Closed), "Australia Day"


def test_pensacola_is_in_florida_and_in_central_time() -> None:
    # 2028-01-12 is a Wednesday; Florida allows 08:00 to 20:00, Pensacola is UTC-6.
    assert strict("+18504320001", "2028-01-12T13:59:59") == Closed(
        at("2028-01-12T14:00", "UTC"), "window opens Wed 08:00 America/Chicago; rules US@1 US-FL@1"
    )
    opened = strict("+18504320001", "2028-01-12T14:00")
    assert isinstance(opened, Open)
    assert opened.why == "window open: Wed 08:00 America/Chicago; rules US@1 US-FL@1"
    assert isinstance(strict("+18504320001", "2028-01-13T02:00"), Closed), "20:00"


def test_rapid_city_is_in_south_dakota_and_in_mountain_time() -> None:
    # South Dakota allows 09:00 to 21:00 and no Sunday; Rapid City is UTC-7.
    assert strict("+16053420001", "2028-01-12T15:59:59") == Closed(
        at("2028-01-12T16:00", "UTC"), "window opens Wed 09:00 America/Denver; rules US@1 US-SD@1"
    )
    assert strict("+16053420001", "2028-01-13T03:59:59") == Open()
    assert strict("+16053420001", "2028-01-16T18:00") == Closed(
        at("2028-01-17T16:00", "UTC"), "window opens Mon 09:00 America/Denver; rules US@1 US-SD@1"
    )


def test_etc_unknown_is_held() -> None:
    assert zones_of(0, "", PhoneNumberType.MOBILE) == ()
    assert window_at(STRICT, (), 0.0, ("US", "US-FL")) == Closed(None, UNKNOWN_ZONE)
    phone = Phone("+12345550123", "US", ())
    assert whereabouts(phone, Declared(country="IN")) == Whereabouts((), ("IN", "US", "US-OH"))


def test_holidays_and_blackout_days_are_shut_and_searched_past() -> None:
    window = replace(DAILY, holidays=("US", "IN"), blackout=(date(2027, 12, 24), date(2027, 12, 26)))
    eve = at("2027-12-23T20:00")
    assert window_at(window, (NEW_YORK,), eve) == Closed(
        at("2027-12-27T09:00"), f"window opens Mon 09:00 {NEW_YORK}"
    ), "Christmas is a holiday, the days around it are blacked out"
    assert isinstance(window_at(window, (NEW_YORK,), at("2028-01-26T12:00")), Closed), "Republic Day"
    barred = replace(DAILY, blackout=tuple(date(2028, 1, 1) + timedelta(days=n) for n in range(200)))
    far = window_at(barred, (NEW_YORK,), at("2028-01-01T00:00"))
    assert far == Closed(at("2028-07-19T09:00"), f"window opens Wed 2028-07-19 09:00 {NEW_YORK}")


def test_a_night_ends_at_midnight_before_a_day_without_calls() -> None:
    night = replace(free("mon-sun 20:00-02:00+1"), blackout=(date(2027, 12, 25),))
    assert window_at(night, (NEW_YORK,), at("2027-12-24T23:59:59")) == Open()
    assert window_at(night, (NEW_YORK,), at("2027-12-25T00:00")) == Closed(
        at("2027-12-26T20:00"), f"window opens Sun 20:00 {NEW_YORK}"
    ), "and what would begin on that day does not"


def test_the_lead_holds_before_every_closing_but_not_where_days_join() -> None:
    lunch = free("mon-sun 09:00-12:00, 14:00-20:00", lead_s=300.0)
    assert window_at(lunch, (NEW_YORK,), at("2026-09-22T11:54:59")) == Open()
    assert window_at(lunch, (NEW_YORK,), at("2026-09-22T11:55")) == Closed(
        at("2026-09-22T14:00"), f"window opens Tue 14:00 {NEW_YORK}"
    )
    round_the_clock = free("mon-sun 00:00-24:00", lead_s=300.0)
    for moment in ("2026-09-22T23:59:59", "2026-09-23T00:00", "2026-09-26T23:58"):
        assert window_at(round_the_clock, (NEW_YORK,), at(moment)) == Open()


def test_the_strictest_of_two_countries_and_of_the_campaign() -> None:
    window = replace(parse_window("mon-sat 08:00-22:00"), lead_s=0.0)
    moment = at("2026-09-22T18:30", "Europe/Paris")
    told = window_at(window, ("Europe/Paris",), moment, ("FR", "DE"))
    assert isinstance(told, Open)
    assert told.why == "window open: Tue 18:30 Europe/Paris; rules DE@1 FR@1"
    lunch = at("2026-09-22T13:30", "Europe/Paris")
    assert window_at(window, ("Europe/Paris",), lunch, ("DE",)) == Open()
    assert window_at(window, ("Europe/Paris",), lunch, ("FR", "DE")) == Closed(
        at("2026-09-22T14:00", "Europe/Paris"), "window opens Tue 14:00 Europe/Paris; rules DE@1 FR@1"
    )
    assert window_at(replace(window, rules="off"), ("Europe/Paris",), lunch, ("FR", "DE")) == Open()


def test_a_zone_for_all_moves_the_campaigns_hours_and_not_the_rules() -> None:
    window = replace(parse_window("mon-sun 09:00-20:00", LONDON), lead_s=0.0)
    evening = at("2026-09-22T16:30", "UTC")  # 17:30 in London, 22:00 in India
    assert window_at(window, (KOLKATA,), evening, ("IN",)) == Closed(
        at("2026-09-23T08:00", "UTC"), f"window opens Wed 13:30 {KOLKATA}; rules IN@1"
    )
    assert window_at(replace(window, rules="off"), (KOLKATA,), evening, ("IN",)) == Open()
