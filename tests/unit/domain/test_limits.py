"""May a person with these calls be called again, and when?"""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.domain.attempt import AttemptState
from dialer.domain.country_rules import AttemptCap
from dialer.domain.disposition import Disposition
from dialer.domain.limits import (
    DAY_S,
    PRESETS,
    SETTLE_S,
    UNLIMITED,
    Made,
    PersonLimits,
    Spent,
    Wait,
    cap_on,
)

NOW = 1_790_000_000.0  # 2026-09-21 14:13:20 UTC
ENDED, DIALING, PLACED = AttemptState.ENDED, AttemptState.DIALING, AttemptState.PLACED
NONE = UNLIMITED


def made(*ages_s: float, state: AttemptState = ENDED) -> list[Made]:
    return [Made(NOW - age_s, state, Disposition.NO_ANSWER, NOW - age_s + 30) for age_s in ages_s]


def test_who_was_never_called_may_be() -> None:
    assert cap_on(PersonLimits(1, 1, 1, 1, 60, 60, 60), [], NOW) is None


def test_a_day_is_rolling_and_frees_at_the_moment_it_says() -> None:
    calls = made(3600, 7200, 90_000)
    waits = cap_on(replace(NONE, per_day=2), calls, NOW)
    assert waits == Wait(NOW - 7200 + DAY_S + SETTLE_S, "2 calls in 24 h already: free at 2026-09-22 12:14 UTC")
    assert cap_on(replace(NONE, per_day=2), calls, waits.until - 0.001) == waits
    assert cap_on(replace(NONE, per_day=2), calls, waits.until) is None
    assert cap_on(replace(NONE, per_day=3), calls, NOW) is None


@pytest.mark.parametrize(
    ("limits", "days", "period"),
    [
        (replace(NONE, per_7_days=1), 7, "7 days"),
        (replace(NONE, per_30_days=1), 30, "30 days"),
    ],
)
def test_longer_periods_roll_too(limits: PersonLimits, days: int, period: str) -> None:
    waits = cap_on(limits, made(3600), NOW)
    assert isinstance(waits, Wait)
    assert waits.until == NOW - 3600 + days * DAY_S + SETTLE_S
    assert waits.why.startswith(f"1 call in {period} already: free at 2026-")


def test_the_rules_of_the_place_hold_as_well_and_are_named() -> None:
    florida = AttemptCap(3, DAY_S, "US-FL@1")
    calls = made(60, 3600, 7200)
    waits = cap_on(UNLIMITED, calls, NOW, [florida])
    assert waits == Wait(
        NOW - 7200 + DAY_S + SETTLE_S, "3 calls in 24 h already (US-FL@1): free at 2026-09-22 12:14 UTC"
    )
    assert cap_on(UNLIMITED, calls[:2], NOW, [florida]) is None
    stricter = cap_on(replace(NONE, per_7_days=3), calls, NOW, [florida])
    assert stricter == cap_on(replace(NONE, per_7_days=3), calls, NOW)


def test_the_limit_that_lasts_longest_is_told() -> None:
    waits = cap_on(PersonLimits(1, 1, 0, 0), made(3600), NOW)
    assert isinstance(waits, Wait)
    assert "7 days" in waits.why


def test_the_lifetime_limit_ends_it() -> None:
    limits = replace(NONE, lifetime=2)
    assert cap_on(limits, made(9e7), NOW) is None
    assert cap_on(limits, made(9e7, 8e7), NOW) == Spent("2 calls already: the lifetime limit is 2")


def test_a_call_on_the_wire_counts_but_puts_nobody_off_for_good() -> None:
    soon = Wait(NOW + 60, "another call to this person is being placed")
    assert cap_on(replace(NONE, per_day=1), made(1, state=DIALING), NOW) == soon
    assert cap_on(replace(NONE, lifetime=1), made(1, state=DIALING), NOW) == soon
    assert cap_on(replace(NONE, lifetime=2), made(1, state=DIALING), NOW) is None


@pytest.mark.parametrize("state", [state for state in AttemptState if state is not DIALING])
def test_whatever_may_have_rung_counts(state: AttemptState) -> None:
    assert isinstance(cap_on(replace(NONE, per_day=1), made(5, state=state), NOW), Wait)


def test_silence_after_a_conversation_lasts_from_its_end() -> None:
    talk = Made(NOW - 600, ENDED, Disposition.ANSWERED, NOW - 500)
    limits = replace(NONE, silence_s=7 * DAY_S)
    waits = cap_on(limits, [talk], NOW)
    assert waits == Wait(NOW - 500 + 7 * DAY_S, "silence of 7 days after a conversation: free at 2026-09-28 14:05 UTC")
    assert cap_on(limits, [replace(talk, disposition=Disposition.VOICEMAIL)], NOW) is None


def test_while_a_call_is_open_nobody_knows_whether_it_becomes_a_conversation() -> None:
    open_call = made(20, state=PLACED)
    soon = Wait(NOW + 60, "another call to this person is open")
    assert cap_on(replace(NONE, silence_s=DAY_S), open_call, NOW) == soon
    assert cap_on(replace(NONE, per_day=5), open_call, NOW) is None


def test_silence_after_a_refusal() -> None:
    declined = Made(NOW - 600, ENDED, Disposition.REJECTED, NOW - 590)
    waits = cap_on(PRESETS["fr"], [declined], NOW)
    assert isinstance(waits, Wait)
    assert waits.until == NOW - 590 + 60 * DAY_S
    assert cap_on(PRESETS["reg_f"], [declined], NOW) is None


def test_spacing_holds_after_any_call() -> None:
    waits = cap_on(PRESETS["uk"], made(3600), NOW)
    assert waits == Wait(NOW - 3600 + 3 * DAY_S + SETTLE_S, "called less than 3 days ago: free at 2026-09-24 13:14 UTC")


def test_reg_f_is_seven_in_seven_days_and_then_silence() -> None:
    assert (PRESETS["reg_f"].per_7_days, PRESETS["reg_f"].silence_s) == (7, 7 * DAY_S)
    assert PRESETS["us_strict"].per_day == 3
    assert PRESETS["fr"].per_30_days == 4
    assert PRESETS["default"] == PersonLimits()


@given(
    st.builds(PersonLimits, *[st.integers(0, 4)] * 4, st.just(0.0), st.just(0.0), st.sampled_from((0.0, 7200.0))),
    st.lists(st.integers(1, 100), min_size=1, max_size=60),
)
def test_whoever_waits_as_told_never_exceeds_a_limit(limits: PersonLimits, pauses_h: list[int]) -> None:
    now, calls = NOW, list[Made]()
    for pause_h in pauses_h:
        now += pause_h * 3600
        match cap_on(limits, calls, now):
            case Wait(until):
                assert until > now
                assert not isinstance(cap_on(limits, calls, until), Wait), "one wait is enough"
                continue
            case Spent():
                assert len(calls) == limits.lifetime
                break
            case None:
                calls.append(Made(now, ENDED))
        for most, days in ((limits.per_day, 1), (limits.per_7_days, 7), (limits.per_30_days, 30)):
            assert not most or sum(now - days * DAY_S <= call.dialed_at for call in calls) <= most
