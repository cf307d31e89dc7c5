"""Times of appointments: read, or refused with the remedy; never guessed."""

from datetime import datetime

import pytest

from dialer.domain.appointment import NoAppointment, read_appointment


def utc(text: str) -> float:
    return datetime.fromisoformat(text + "+00:00").timestamp()


@pytest.mark.parametrize(
    ("text", "zone", "moment"),
    [
        ("2027-03-01T09:00+05:30", "", "2027-03-01T03:30"),
        (" 2027-03-01 09:00:00Z ", "Asia/Kolkata", "2027-03-01T09:00"),
        ("2027-03-01T09:00", "Asia/Kolkata", "2027-03-01T03:30"),
        ("2027-07-01 09:00:30", "Europe/London", "2027-07-01T08:00:30"),
        ("2027-10-31T01:30", "Europe/London", "2027-10-31T00:30"),  # shown twice: the earlier
        ("2027-04-04T01:45", "Australia/Lord_Howe", "2027-04-03T14:45"),
    ],
)
def test_a_time_is_read_in_its_own_zone_or_the_one_given(text: str, zone: str, moment: str) -> None:
    assert read_appointment(text, zone) == utc(moment)


@pytest.mark.parametrize(
    ("text", "zone", "reason"),
    [
        ("", "UTC", "no appointment"),
        ("2027-03-01", "UTC", "the appointment has no time of day"),
        ("2027-03-01T09:00", "", "the appointment's time has no zone"),
        ("01/03/2027 09:00", "UTC", "the appointment's time does not read"),
        ("2027-13-01T09:00", "UTC", "the appointment's time does not read"),
        ("1803891600", "UTC", "the appointment's time does not read"),
        ("2027-03-28T01:30", "Europe/London", "this time does not exist in Europe/London"),
        ("2027-10-03T02:15", "Australia/Lord_Howe", "this time does not exist in Australia/Lord_Howe"),
    ],
)
def test_what_is_not_certain_is_refused(text: str, zone: str, reason: str) -> None:
    found = read_appointment(text, zone)
    assert isinstance(found, NoAppointment)
    assert found.reason == reason
    assert found.remedy


@pytest.mark.parametrize("zone", ["America/New_York", "Pacific/Kiritimati", "UTC", ""])
@pytest.mark.parametrize(
    "text",
    [
        "9999-12-31 23:59:59", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00Z",
        "0001-01-01 00:00", "0001-01-01T00:00:00+14:00", "infinity", "-infinity", "99991231T235959Z",
    ],
)  # fmt: skip
def test_dates_that_stand_for_none_are_no_appointments(text: str, zone: str) -> None:
    read = read_appointment(text, zone)
    assert isinstance(read, NoAppointment)
    assert read.remedy == "leave the row out until there is a date"


@pytest.mark.parametrize("text", ["1899-12-31T00:00:00Z", "1970-01-01T00:00:00Z", "2199-12-31T23:59:59-12:00"])
def test_far_dates_are_dates(text: str) -> None:
    assert isinstance(read_appointment(text, ""), float)


@pytest.mark.parametrize(
    "text",
    ["20270304T150000+0530", "2027/03/04 15:00", "2027-03-04 15:00 +05:30", "2027-03-04t09:30z", "2027-03-04 09:30 UTC",
     "20270304T1500"],
)  # fmt: skip
def test_forms_that_have_one_reading(text: str) -> None:
    assert read_appointment(text, "Asia/Kolkata") == 1804152600.0
