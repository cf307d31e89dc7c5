"""The arithmetic of pacing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.domain.pacing import (
    FLOOR,
    BackOff,
    holding_s,
    interval_us,
    line_limited_rate,
    lines_needed,
    multiplier,
    window,
)


@pytest.mark.parametrize(
    ("rate", "us"), [(1.0, 1_005_000), (10.0, 100_500), (3.0, 335_000), (0.5, 2_010_000), (0.0, 0), (-1.0, 0)]
)
def test_calls_are_a_little_further_apart_than_the_rate_asks(rate: float, us: int) -> None:
    assert interval_us(rate) == us


def test_the_interval_is_rounded_up() -> None:
    assert interval_us(7.0, guard_us=0) == 142_858


@given(st.integers(1, 1000))
def test_the_call_after_a_full_second_comes_no_sooner_than_guard_and_second(rate: int) -> None:
    calls, us = window(float(rate))
    assert (calls, us >= 1_005_000) == (rate, True)


@given(st.floats(0.01, 1000))
def test_a_window_is_so_many_intervals(rate: float) -> None:
    calls, us = window(rate)
    assert (calls, us) == (max(1, int(rate)), calls * interval_us(rate))


def test_no_rate_means_no_window() -> None:
    assert window(0.0) == (0, 0)


@pytest.mark.parametrize(
    ("before", "seconds", "part"),
    [(1.0, 0.0, 0.85), (1.0, 30.0, 1.0), (0.5, 0.0, 0.425), (0.5, 30.0, 0.5), (0.5, 60.0, 0.575), (1.0, -9.0, 0.85)],
)
def test_a_rate_recovers_along_a_cubic(before: float, seconds: float, part: float) -> None:
    assert multiplier(before, seconds) == pytest.approx(part)


@given(st.floats(0.0, 1.0), st.floats(0.0, 1e5), st.floats(0.0, 1e5))
def test_a_rate_only_grows_after_a_brake_and_stays_within_bounds(before: float, one: float, two: float) -> None:
    early, late = multiplier(before, min(one, two)), multiplier(before, max(one, two))
    assert FLOOR <= early <= late <= 1.0


def test_a_back_off_doubles_to_a_minute_while_nothing_gets_through() -> None:
    back_off, now, stops = BackOff(), 0.0, []
    for _ in range(9):
        stops.append(back_off.refused(now))
        now = back_off.until
    assert stops == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    back_off.accepted()
    assert back_off.refused(now) == 1


def test_refusals_of_one_moment_count_once() -> None:
    back_off = BackOff()
    assert [back_off.refused(at) for at in (10.0, 10.1, 10.999)] == [1, 0, 0]
    assert back_off.refused(11.0) == 2


def test_lines_follow_from_rate_and_holding_time() -> None:
    assert holding_s(answer_rate=0.25, talk_s=60.0, ring_s=20.0) == 30.0
    assert lines_needed(1.5, 30.0) == 45
    assert lines_needed(0.1, 31.0) == 4
    assert line_limited_rate(45, 30.0) == 1.5
    assert line_limited_rate(0, 30.0) == line_limited_rate(5, 0.0) == 0.0
