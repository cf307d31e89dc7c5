"""The attempt's machine, and the page that draws it."""

import re
from pathlib import Path

import pytest

from dialer.domain.attempt import FINAL, LIVE, TRANSITIONS, WAITING, Actor, allowed, sources
from dialer.domain.attempt import AttemptState as S
from dialer.domain.campaign import CAMPAIGN_TRANSITIONS, CampaignStatus

PAGE = (Path(__file__).parents[3] / "docs" / "lifecycle.md").read_text()
CAMPAIGN_PART, ATTEMPT_PART = PAGE.split("## An attempt")


def reachable(start: S) -> set[S]:
    seen, todo = {start}, [start]
    while todo:
        now = todo.pop()
        found = {after for before, after in TRANSITIONS if before is now} - seen
        seen |= found
        todo += found
    return seen


def test_nobody_moves_unknown_back_to_planned() -> None:
    assert (S.UNKNOWN, S.PLANNED) not in TRANSITIONS
    assert (S.PLACED, S.PLANNED) not in TRANSITIONS


def test_only_its_own_worker_moves_dialing_back_to_planned() -> None:
    assert TRANSITIONS[S.DIALING, S.PLANNED] == {Actor.WORKER}


def test_dialing_comes_only_from_queued_and_by_a_worker() -> None:
    assert {(move, *actors) for move, actors in TRANSITIONS.items() if move[1] is S.DIALING} == {
        ((S.QUEUED, S.DIALING), Actor.WORKER)
    }


def test_what_may_have_been_sent_never_ends_as_cancelled_or_is_dialed_again() -> None:
    for live in (S.PLACED, S.UNKNOWN):
        assert (live, S.CANCELLED) not in TRANSITIONS
        assert (live, S.QUEUED) not in TRANSITIONS
        assert (live, S.REFUSED) not in TRANSITIONS


def test_a_final_state_is_left_only_by_late_evidence_or_when_everybody_was_refused() -> None:
    left = {(before, after): actors for (before, after), actors in TRANSITIONS.items() if before in FINAL}
    assert left == {(S.UNCONFIRMED, S.ENDED): {Actor.RECONCILER}, (S.REFUSED, S.PLANNED): {Actor.SWEEPER}}


@pytest.mark.parametrize("state", [state for state in S if state not in FINAL])
def test_every_state_that_is_not_final_has_a_way_to_a_final_one(state: S) -> None:
    assert reachable(state) & FINAL


@pytest.mark.parametrize("state", [S.PLANNED, S.QUEUED, S.DIALING, S.PLACED, S.UNKNOWN])
def test_no_state_waits_for_a_person_only(state: S) -> None:
    automatic = {Actor.FEEDER, Actor.WORKER, Actor.SWEEPER, Actor.RECONCILER}
    assert any(before is state and actors & automatic for (before, _), actors in TRANSITIONS.items())


def test_states_fall_into_their_groups() -> None:
    assert {S.PLANNED, S.QUEUED} == WAITING
    assert {S.DIALING, S.PLACED, S.UNKNOWN} == LIVE
    assert WAITING | LIVE | FINAL | {S.REVIEW} == set(S)
    assert len(WAITING) + len(LIVE) + len(FINAL) + 1 == len(S)


def test_the_table_is_asked_for_sources_and_permission() -> None:
    assert sources(S.PLACED, Actor.WORKER) == (S.DIALING, S.UNKNOWN)
    assert sources(S.DIALING, Actor.SWEEPER) == ()
    assert allowed(S.QUEUED, S.DIALING, Actor.WORKER)
    assert not allowed(S.QUEUED, S.DIALING, Actor.OPERATOR)
    assert not allowed(S.ENDED, S.PLANNED, Actor.WORKER)


def arrows(part: str) -> set[tuple[str, str, str]]:
    return set(re.findall(r"^    (\w+) --> (\w+): (.+)$", part, re.MULTILINE))


def test_the_page_draws_the_attempt_as_the_table_has_it() -> None:
    drawn = {(before, after, ", ".join(sorted(actors))) for (before, after), actors in TRANSITIONS.items()}
    assert arrows(ATTEMPT_PART) == drawn
    assert set(re.findall(r"(\w+) --> \[\*\]", ATTEMPT_PART)) == {state.value for state in FINAL}


def test_the_page_draws_the_campaign_as_the_table_has_it() -> None:
    drawn = {(now, after, verb) for verb, (froms, after) in CAMPAIGN_TRANSITIONS.items() for now in froms}
    assert arrows(CAMPAIGN_PART) == drawn


def test_the_page_has_one_line_for_each_state() -> None:
    lines = re.compile(r"^\| (\w+) \| \w", re.MULTILINE)
    assert lines.findall(CAMPAIGN_PART.replace("| Status |", "")) == [status.value for status in CampaignStatus]
    assert lines.findall(ATTEMPT_PART.replace("| State |", "")) == [state.value for state in S]
