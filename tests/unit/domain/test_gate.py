"""May this attempt be dialed at this moment?"""

from dataclasses import replace

import pytest

from dialer.domain.attempt import AttemptState
from dialer.domain.calling_window import ALWAYS, CallingWindow
from dialer.domain.campaign import CampaignStatus
from dialer.domain.gate import BUSY_NUMBER_S, UNSIGHTED_OPENING_S, Admit, Defer, GateFacts, Stale, Suppress, judge
from dialer.ports import GateRequest

NOW = 1_790_000_000.0  # Monday 2026-09-21 14:13:20 UTC
MORNING = CallingWindow(frozenset(range(5)), ((540, 720),), lead_s=0.0, rules="off")
GOOD = GateFacts(
    state=AttemptState.QUEUED,
    dispatch=2,
    due_at=NOW,
    campaign_status=CampaignStatus.RUNNING,
    suppressed_by="",
    number_is_live=False,
    zones=("UTC",),
    window=ALWAYS,
)


def asked(dispatch: int, granted_until: float = NOW + 4) -> GateRequest:
    return GateRequest(1, dispatch, "token", "worker", 60.0, granted_until)


def test_an_attempt_that_is_queued_due_and_free_is_admitted() -> None:
    assert judge(GOOD, asked(2), NOW) == Admit("window always")
    open_now = replace(GOOD, window=replace(MORNING, hours=((540, 1200),)))
    assert judge(open_now, asked(2), NOW) == Admit("window open: Mon 14:13 UTC; rules off")


@pytest.mark.parametrize("state", [state for state in AttemptState if state is not AttemptState.QUEUED])
def test_only_a_queued_attempt_is_dialed(state: AttemptState) -> None:
    assert judge(replace(GOOD, state=state), asked(2), NOW) == Stale(f"attempt is {state}, dispatch 2")


def test_an_older_hand_over_is_void() -> None:
    assert judge(GOOD, asked(1), NOW) == Stale("attempt is queued, dispatch 2")


@pytest.mark.parametrize("status", [status for status in CampaignStatus if status is not CampaignStatus.RUNNING])
def test_only_a_running_campaign_dials(status: CampaignStatus) -> None:
    assert judge(replace(GOOD, campaign_status=status), asked(2), NOW) == Defer(NOW, f"campaign {status}")


def test_a_suppressed_number_ends_whatever_else_is_true() -> None:
    facts = replace(
        GOOD, suppressed_by="opted out", campaign_status=CampaignStatus.PAUSED, number_is_live=True, window=MORNING
    )
    assert judge(facts, asked(2), NOW) == Suppress("suppressed: opted out")


def test_a_stale_hand_over_does_nothing_even_for_a_suppressed_number() -> None:
    assert judge(replace(GOOD, suppressed_by="opted out"), asked(1), NOW) == Stale("attempt is queued, dispatch 2")


def test_a_number_with_an_open_call_waits() -> None:
    busy = Defer(NOW + BUSY_NUMBER_S, "another call to this number is open")
    assert judge(replace(GOOD, number_is_live=True), asked(2), NOW) == busy


def test_what_is_not_due_waits_for_its_moment() -> None:
    assert judge(replace(GOOD, due_at=NOW + 0.5), asked(2), NOW) == Defer(NOW + 0.5, "not due yet")


def test_a_shut_window_defers_to_its_opening() -> None:
    opening = 1_790_067_600.0  # Tuesday 09:00 UTC
    assert judge(replace(GOOD, window=MORNING), asked(2), NOW) == Defer(
        opening, "window opens Tue 09:00 UTC", "Mon 14:13 UTC"
    )


def test_the_rules_of_the_persons_places_are_asked_at_the_gate() -> None:
    strict = replace(GOOD, window=CallingWindow(frozenset(range(7)), ((0, 1440),)), places=("FR",))
    night = NOW + 5 * 3600 + 46 * 60 + 40  # 20:00 UTC
    assert judge(strict, asked(2), NOW) == Admit("window open: Mon 14:13 UTC; rules FR@1")
    assert judge(strict, asked(2, night), night) == Defer(
        1_790_071_200.0, "window opens Tue 10:00 UTC; rules FR@1", "Mon 20:00 UTC"
    )


def test_a_person_without_a_zone_is_looked_at_again_the_next_day() -> None:
    facts = replace(GOOD, window=MORNING, zones=())
    why = "time zone unknown: give a timezone column or --timezone"
    assert judge(facts, asked(2), NOW) == Defer(NOW + UNSIGHTED_OPENING_S, why)


def test_a_worker_that_stood_still_since_its_grant_does_not_dial() -> None:
    assert judge(GOOD, asked(2, NOW - 0.1), NOW) == Defer(NOW, "its worker stood still: the line may be gone")
