"""Reminders before an appointment: snapped into the open hours, never past the event."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.domain.contact import ContactStatus
from dialer.domain.gate import PASSED
from dialer.domain.redial import Redial, Settle
from dialer.domain.reminder import (
    NO_HOUR,
    NOTHING_LEFT,
    Moment,
    NoMoment,
    Opening,
    after_reminder,
    next_reminder,
    span,
)

H = 3600.0
DAY = 24 * H
EXHAUSTED = Settle(ContactStatus.EXHAUSTED)


def always(at: float) -> float | None:
    return at


def hours(first: float, last: float) -> Opening:
    """Open from ``first`` to ``last`` o'clock on every day of 24 hours."""

    def opening(at: float) -> float | None:
        day, time = divmod(at, DAY)
        if time < first * H:
            return day * DAY + first * H
        return at if time < last * H else (day + 1) * DAY + first * H

    return opening


def never(at: float) -> float | None:
    del at
    return None


DAYTIME = hours(9, 20)
NOON = 10 * DAY + 12 * H


def test_each_reminder_is_made_at_its_moment() -> None:
    first = next_reminder([DAY, 2 * H], NOON, DAYTIME, now=0.0)
    assert first == Moment(NOON - DAY, "24h before the appointment")
    second = next_reminder([DAY, 2 * H], NOON, DAYTIME, NOON - DAY + 60, called_at=NOON - DAY + 1)
    assert second == Moment(NOON - 2 * H, "2h before the appointment")
    third = next_reminder([DAY, 2 * H], NOON, DAYTIME, NOON - H, called_at=NOON - 2 * H)
    assert third == NoMoment(NOTHING_LEFT)


def test_a_shut_hour_moves_a_reminder_on_to_the_opening() -> None:
    ten = 10 * DAY + 10 * H
    assert next_reminder([3 * H], ten, DAYTIME, now=0.0) == Moment(10 * DAY + 9 * H, "3h before the appointment")


def test_two_that_come_to_the_same_moment_are_one() -> None:
    ten = 10 * DAY + 10 * H
    found = next_reminder([5 * H, 3 * H], ten, DAYTIME, now=0.0)
    assert found == Moment(10 * DAY + 9 * H, "3h before the appointment")
    opening = 10 * DAY + 9 * H
    assert next_reminder([5 * H, 3 * H], ten, DAYTIME, opening + 60, called_at=opening) == NoMoment(NOTHING_LEFT)


def test_a_reminder_without_an_open_hour_before_the_event_is_left_out_with_the_reason() -> None:
    eight = 10 * DAY + 8 * H
    found = next_reminder([DAY, 2 * H], eight, DAYTIME, now=0.0)
    why = "24h before the appointment; left out for want of an open hour: 2h before"
    assert found == Moment(9 * DAY + 9 * H, why)
    assert next_reminder([2 * H], eight, DAYTIME, now=0.0) == NoMoment(NO_HOUR)
    assert next_reminder([2 * H], eight, never, now=0.0) == NoMoment(NO_HOUR)
    assert next_reminder([2 * H], eight, DAYTIME, now=eight) == NoMoment(PASSED)


def test_what_had_passed_is_made_up_for_once_unless_the_person_was_called() -> None:
    now = NOON - H
    assert next_reminder([2 * DAY, DAY, 2 * H], NOON, DAYTIME, now) == Moment(now, "2h before the appointment")
    late = next_reminder([DAY, 2 * H], NOON, DAYTIME, NOON - 20 * H)
    assert late == Moment(NOON - 20 * H, "24h before the appointment")
    assert next_reminder([DAY], NOON, DAYTIME, now, called_at=now) == NoMoment(NOTHING_LEFT)


@pytest.mark.parametrize("status", [ContactStatus.REACHED, ContactStatus.INVALID, ContactStatus.SUPPRESSED])
def test_who_was_reached_or_cannot_be_is_left_alone(status: ContactStatus) -> None:
    assert after_reminder(Settle(status), [DAY, 2 * H], NOON, DAYTIME, NOON - DAY, NOON - DAY, 5) == (
        Settle(status), "",
    )  # fmt: skip


def test_redials_take_what_the_coming_reminders_leave() -> None:
    called = NOON - DAY
    redial = Redial(called + 2 * H)
    assert after_reminder(redial, [DAY, 2 * H], NOON, DAYTIME, called + 60, called, 2) == (redial, "")
    reminder = (Redial(NOON - 2 * H), "2h before the appointment")
    assert after_reminder(redial, [DAY, 2 * H], NOON, DAYTIME, called + 60, called, 1) == reminder
    assert after_reminder(EXHAUSTED, [DAY, 2 * H], NOON, DAYTIME, called + 60, called, 0) == reminder
    overtaken = Redial(NOON - H)
    assert after_reminder(overtaken, [DAY, 2 * H], NOON, DAYTIME, called + 60, called, 9) == reminder


def test_no_redial_passes_the_event() -> None:
    called = NOON - 2 * H
    assert after_reminder(Redial(NOON), [2 * H], NOON, DAYTIME, called + 60, called, 9) == (
        Settle(ContactStatus.EXPIRED), NOTHING_LEFT,
    )  # fmt: skip
    last = NOON - 60
    assert after_reminder(Redial(last), [2 * H], NOON, DAYTIME, called + 60, called, 9) == (Redial(last), "")
    assert after_reminder(EXHAUSTED, [2 * H], NOON, DAYTIME, called + 60, called, 0) == (EXHAUSTED, "")


@pytest.mark.parametrize(
    ("seconds", "text"), [(86400, "24h"), (172800, "2d"), (7200, "2h"), (5400, "90m"), (45, "45s"), (90000, "25h")]
)
def test_spans_read_as_they_are_written(seconds: float, text: str) -> None:
    assert span(seconds) == text


openings = st.one_of(
    st.just(always), st.builds(hours, st.integers(0, 11).map(float), st.integers(12, 24).map(float)), st.just(never)
)
moments = st.integers(0, 40 * 24 * 60).map(lambda minutes: minutes * 60.0)
befores = st.lists(st.integers(1, 5 * 24 * 60).map(lambda m: m * 60.0), min_size=1, max_size=5, unique=True)


@given(befores, moments, openings, moments)
def test_every_reminder_falls_into_an_open_moment_before_the_event(
    before_s: list[float], event_at: float, opening: Opening, now: float
) -> None:
    found = next_reminder(before_s, event_at, opening, now)
    if isinstance(found, Moment):
        assert now <= found.at < event_at
        assert opening(found.at) == found.at
        assert found.at >= event_at - max(before_s)
    else:
        latest = opening(max(now, event_at - min(before_s)))
        assert latest is None or latest >= event_at


@given(befores, moments, openings, moments)
def test_nobody_is_reminded_more_often_than_there_are_reminders(
    before_s: list[float], event_at: float, opening: Opening, now: float
) -> None:
    made: list[float] = []
    called_at: float | None = None
    while isinstance(found := next_reminder(before_s, event_at, opening, now, called_at), Moment):
        made.append(found.at)
        called_at, now = found.at, found.at + 30.0
    assert len(made) <= len(before_s)
    assert all(one < other for one, other in pairwise(made))
    assert all(at < event_at for at in made)


@given(befores, moments, openings, moments, moments, st.integers(0, 9), st.booleans())
def test_whatever_follows_a_call_comes_before_the_event(
    before_s: list[float], event_at: float, opening: Opening, called: float, delay: float, left: int, redial: bool
) -> None:
    follow = Redial(called + delay) if redial else EXHAUSTED
    found, _ = after_reminder(follow, before_s, event_at, opening, called + 60, called, left)
    if isinstance(found, Redial):
        assert called + 60 <= found.due_at < event_at
        assert opening(found.due_at) == found.due_at
    else:
        assert found.status in (ContactStatus.EXHAUSTED, ContactStatus.EXPIRED)
