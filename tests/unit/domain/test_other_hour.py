"""Not twice at the same hour of the day."""

from datetime import datetime
from zoneinfo import ZoneInfo

from dialer.domain.other_hour import MEMORY_S, next_other_hour

NOW = datetime(2026, 9, 21, 10, 20, tzinfo=ZoneInfo("Asia/Kolkata")).timestamp()
HOUR = 3600.0
KOLKATA = "Asia/Kolkata"


def always(_: float) -> bool:
    return True


def test_an_hour_that_was_not_tried_will_do() -> None:
    assert next_other_hour([], KOLKATA, NOW, always) is None
    assert next_other_hour([NOW - 24 * HOUR + 45 * 60], KOLKATA, NOW, always) is None


def test_an_hour_that_was_tried_waits_for_the_next_full_one() -> None:
    yesterday = NOW - 24 * HOUR - 15 * 60
    assert next_other_hour([yesterday], KOLKATA, NOW, always) == NOW + 40 * 60
    assert next_other_hour([yesterday, yesterday + HOUR], KOLKATA, NOW, always) == NOW + 40 * 60 + HOUR


def test_the_hour_is_that_of_the_persons_clock() -> None:
    # 20:20 and 10:20 in Kolkata are 14:50 and 04:50 UTC.
    assert next_other_hour([NOW - 14 * HOUR], KOLKATA, NOW, always) is None
    assert next_other_hour([NOW - 24 * HOUR], "UTC", NOW, always) == NOW + 10 * 60


def test_only_open_hours_are_chosen_and_when_all_were_tried_any_will_do() -> None:
    def mornings(at: float) -> bool:
        return datetime.fromtimestamp(at, ZoneInfo(KOLKATA)).hour in (10, 11)

    yesterday = NOW - 24 * HOUR
    assert next_other_hour([yesterday, yesterday + 2 * HOUR], KOLKATA, NOW, mornings) == NOW + 40 * 60
    assert next_other_hour([yesterday, yesterday + HOUR], KOLKATA, NOW, mornings) is None


def test_what_is_long_ago_is_forgotten() -> None:
    assert next_other_hour([NOW - MEMORY_S], KOLKATA, NOW, always) is None
