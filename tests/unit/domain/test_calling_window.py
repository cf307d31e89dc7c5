"""The campaign's own hours, as they are written."""

import re

import pytest

from dialer.domain.calling_window import make_window, parse_window
from dialer.domain.hours import Hours, hours_text, parse_hours
from dialer.errors import CampaignFileError


@pytest.mark.parametrize(
    ("text", "days"),
    [("mon-sat", range(6)), ("mon,wed,fri", (0, 2, 4)), ("sat-mon", (5, 6, 0)), ("sun", (6,)), ("MON - tue", (0, 1))],
)
def test_days_are_read(text: str, days: tuple[int, ...]) -> None:
    window = make_window(text, "9:00-20:00")
    assert (window.days, window.hours) == (frozenset(days), ((540, 1200),))


@pytest.mark.parametrize("text", ["funday", "mon-", "mon-funday", "", "mon;tue"])
def test_days_that_cannot_be_read_are_refused(text: str) -> None:
    with pytest.raises(CampaignFileError) as refused:
        make_window(text, "09:00-20:00")
    assert str(refused.value) == f'window days "{text}" must read like "mon-sat" or "mon,wed,fri" or "always"'


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("9:00-20:00", ((540, 1200),)),
        ("14:00-20:00, 09:00-12:00", ((540, 720), (840, 1200))),
        ("00:00-24:00", ((0, 1440),)),
        ("20:00-02:00+1", ((1200, 1560),)),
        ("09:00-12:00,22:00-00:00+1", ((540, 720), (1320, 1440))),
    ],
)
def test_hours_are_read(text: str, hours: Hours) -> None:
    assert parse_hours(text) == hours
    assert parse_hours(hours_text(hours)) == hours


@pytest.mark.parametrize(
    "hours", ["09:00", "nine-ten", "25:00-26:00", "09:60-10:00", "", "09:00-12:00+1", "09:00-20:00;"]
)
def test_hours_that_cannot_be_read_are_refused(hours: str) -> None:
    with pytest.raises(CampaignFileError) as refused:
        make_window("mon", hours)
    assert str(refused.value) == (f'window hours "{hours}" must read like "09:00-20:00" or "09:00-12:00, 14:00-20:00"')


@pytest.mark.parametrize(
    ("hours", "why"),
    [
        ("20:00-02:00", 'must open before closing; if it ends on the next day, write "20:00-02:00+1"'),
        ("20:00-00:00", 'must open before closing; write "24:00" for midnight'),
        ("09:00-12:00, 11:00-14:00", "overlap or touch: write each stretch once"),
        ("09:00-10:00, 20:00-09:30+1", "run into the next day's"),
    ],
)
def test_hours_that_are_no_day_are_refused(hours: str, why: str) -> None:
    with pytest.raises(CampaignFileError, match=re.escape(why)):
        make_window("mon", hours)


def test_a_zone_nobody_knows_is_refused() -> None:
    with pytest.raises(CampaignFileError) as refused:
        parse_window("mon-sat 09:00-20:00", "Mars/Olympus")
    assert str(refused.value) == 'time zone "Mars/Olympus" is not an IANA name (Continent/City)'
