"""Cron expressions on the clocks of a place, over both changes of the clocks."""

from datetime import datetime

import pytest

from dialer.domain.cron import next_moment


def utc(text: str) -> float:
    return datetime.fromisoformat(text + "+00:00").timestamp()


@pytest.mark.parametrize(
    ("expression", "zone", "after", "due"),
    [
        ("0 9 * * 1-5", "Asia/Kolkata", "2027-03-05T04:00", "2027-03-08T03:30"),
        ("0 9 * * *", "America/New_York", "2027-03-13T20:00", "2027-03-14T13:00"),  # the day the clocks change
        ("30 2 * * *", "America/New_York", "2027-03-13T20:00", "2027-03-14T07:00"),  # 02:30 is skipped: 03:00
        ("30 1 * * *", "America/New_York", "2027-11-07T04:00", "2027-11-07T05:30"),  # shown twice: the first
        ("30 1 * * *", "America/New_York", "2027-11-07T05:30", "2027-11-08T06:30"),  # and only once
        ("*/30 * * * *", "Asia/Kathmandu", "2027-01-01T00:00", "2027-01-01T00:15"),
        ("0 0 29 2 *", "UTC", "2027-03-01T00:00", "2028-02-29T00:00"),
        ("0 12 * * *", "UTC", "2027-01-01T12:00", "2027-01-02T12:00"),
    ],
)
def test_the_next_moment_is_that_of_the_local_clock(expression: str, zone: str, after: str, due: str) -> None:
    assert next_moment(expression, zone, utc(after)) == utc(due)


@pytest.mark.parametrize("expression", ["", "every day", "61 * * * *", "* * * *", "0 0 31 2 *"])
def test_what_is_no_expression_is_refused(expression: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        next_moment(expression, "UTC", 0.0)


@pytest.mark.parametrize(
    "expression", ["*/90 * * * *", "*/60 * * * *", "0 */24 * * *", "0 0 */40 * *", "0 0 1 1-12/13 *", "0 0 * * */7"]
)
def test_a_step_longer_than_its_field_is_refused(expression: str) -> None:
    """Cron would take "every 90 minutes" for "once an hour"."""
    with pytest.raises(ValueError, match="steps over the whole field"):
        next_moment(expression, "UTC", 0.0)


@pytest.mark.parametrize("expression", ["*/59 * * * *", "*/15 9-17/2 * * mon-fri", "0 0 */2 * *", "0 0 L * *"])
def test_other_steps_are_taken(expression: str) -> None:
    assert next_moment(expression, "UTC", 0.0) > 0
