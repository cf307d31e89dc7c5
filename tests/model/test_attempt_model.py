"""The protocol keeps its promises in every state that the model can reach, and each mutant breaks a named one."""

from dataclasses import replace
from itertools import product
from typing import NamedTuple

import pytest

from dialer.domain.attempt import FINAL, TRANSITIONS, Actor, AttemptState, allowed
from tests.model import NO_WAY_OUT, Explored
from tests.model.attempt_model import AMBIGUOUS, PROOF, Model, Rules, World, explored, move


class Variant(NamedTuple):
    """Other rules, and what they must break, alone and with the index on sends."""

    rules: Rules
    alone: str = ""
    indexed: str = ""

    def explored(self, *, indexed: bool) -> Explored:
        """Up to the last of what must break; everything where that is nothing, or the want of a way out."""
        must = frozenset((self.indexed if indexed else self.alone).split())
        rules = replace(self.rules, send_index=indexed)
        return explored(rules, frozenset() if NO_WAY_OUT in must else must)


PLANNED, ANY = AttemptState.PLANNED, (*PROOF, *AMBIGUOUS)
VARIANTS = {
    "as designed": Variant(Rules()),
    "as designed, every call in the log within the horizon": Variant(Rules(bounded_lag=True)),
    "control: the transport repeats failed connects": Variant(Rules(reconnects=True)),
    "stale `dialing` goes back to `planned`": Variant(Rules(sweep_to=PLANNED), "I1 I9", "I9 I10"),
    "any ambiguous error counts as not placed": Variant(Rules(not_placed=ANY), "I1 I9", "I1 I9"),
    "a 500 counts as not placed": Variant(Rules(not_placed=(*PROOF, "failed")), "I1 I9", "I1 I9"),
    "a library repeats ambiguous requests": Variant(Rules(repeats_silent_in_place=True), "I1", "I1"),
    "CancelledError plans again, a byte had left": Variant(Rules(cancelled_error_plans=True), "I1 I9", "I1 I9"),
    "no state guard on the gate's move": Variant(Rules(guards_state=False), "I1 I8 I9", "I8 I9 I10"),
    "the intent is written after the request": Variant(Rules(intent_first=False), "I1 I8", "I1 I8"),
    "two deliveries in one commit, facts read once": Variant(Rules(judges_one_by_one=False), "I1 I8", "I8 I10"),
    "no sweeper": Variant(Rules(sweeper=False), "I10", "I10"),
    "`unknown` is never given up": Variant(Rules(gives_up=False), "I10", "I10"),
    "resent after the horizon, log lag unbounded": Variant(Rules(absent_to=PLANNED), "I1 I9", "I9 I10"),
    "resent after the horizon, lag bounded": Variant(Rules(absent_to=PLANNED, bounded_lag=True), "I9", "I9 I10"),
    "same, no send bound": Variant(
        Rules(absent_to=PLANNED, bounded_lag=True, send_bound=False), "I1 I8 I9", "I8 I9 I10"
    ),
    "same, absence from incomplete scans": Variant(
        Rules(absent_to=PLANNED, bounded_lag=True, believes_incomplete=True), "I1 I9", "I9 I10"
    ),
    "absence from incomplete scans, lag bounded": Variant(
        Rules(bounded_lag=True, believes_incomplete=True), "R1", "R1"
    ),
    "no send bound": Variant(Rules(send_bound=False), "I8", "I8"),
    "a pause is acknowledged without draining": Variant(Rules(drains=False), "I8", "I8"),
    "provider: a 429 may have placed the call": Variant(Rules(denials_hold=False), "I1", "I1"),
    "provider: no scan is ever complete": Variant(Rules(scans_complete=False), "I10", "I10"),
    "provider: an open call in the log never ends": Variant(Rules(rows_end=False), "I10", "I10"),
}
"""The last three are no mutants: the design relies on the provider not to be like this."""


CLEAN = [name for name, variant in VARIANTS.items() if not variant.alone]
S = AttemptState
NOT_MODELLED = {pair for pair in TRANSITIONS if S.REVIEW in pair} | {
    (S.PLANNED, S.CANCELLED),  # made when the campaign is cancelled, which the walk below leaves out
    (S.QUEUED, S.CANCELLED),
}
BREAKING = [name for name in VARIANTS if name not in CLEAN]


@pytest.mark.parametrize(("name", "indexed"), [(name, False) for name in CLEAN] + [("as designed", True)])
def test_nothing_breaks(name: str, indexed: bool) -> None:
    found = VARIANTS[name].explored(indexed=indexed)
    assert not found.traces, found.told()
    assert found.states > 5_000, "the model has lost most of its states"


@pytest.mark.parametrize("name", BREAKING)
def test_each_mutant_breaks_what_is_named(name: str) -> None:
    found = VARIANTS[name].explored(indexed=False)
    assert set(found.traces) == set(VARIANTS[name].alone.split()), found.told()


@pytest.mark.parametrize("name", [name for name in BREAKING if VARIANTS[name].indexed != VARIANTS[name].alone])
def test_the_index_turns_second_calls_it_can_see_into_refusals(name: str) -> None:
    found = VARIANTS[name].explored(indexed=True)
    assert set(found.traces) == set(VARIANTS[name].indexed.split()), found.told()


def test_a_request_sent_again_after_the_horizon_is_safe_only_in_a_prompt_log() -> None:
    found = explored(Rules(absent_to=PLANNED, bounded_lag=True))
    assert set(found.traces) == {"I9"}, found.told()


def test_a_trace_tells_its_actions_in_order() -> None:
    trace = VARIANTS["a pause is acknowledged without draining"].explored(indexed=False).traces["I8"]
    assert trace[0] == "the feeder claims the attempt and rings"
    assert trace[-2:] == ("the pause is acknowledged", "the first byte leaves")


def test_the_model_obeys_the_table() -> None:
    for before, after, actor in product(AttemptState, AttemptState, Actor):
        moved, broken = move(World(state=before), after, actor)
        assert moved.state is after
        assert (broken == "") == allowed(before, after, actor), (before, after, actor)


def test_the_model_makes_every_move_of_the_table_but_those_of_a_review() -> None:
    model, seen, made = Model(Rules()), {World()}, set()
    waiting = [World()]
    while waiting:
        world = waiting.pop()
        for event in model.events(world):
            if event.after.state is not world.state and event.after.campaign not in ("cancelling", "cancelled"):
                made.add((world.state, event.after.state))
            if event.after not in seen:
                seen.add(event.after)
                waiting.append(event.after)
    assert made == {pair for pair in TRANSITIONS if pair not in NOT_MODELLED}


def test_what_is_forbidden_for_ever_is_not_in_the_table() -> None:
    for actor in Actor:
        assert not allowed(AttemptState.UNKNOWN, AttemptState.PLANNED, actor)
        assert actor is Actor.WORKER or not allowed(AttemptState.DIALING, AttemptState.PLANNED, actor)
        for before in set(AttemptState) - {AttemptState.QUEUED}:
            assert not allowed(before, AttemptState.DIALING, actor)
    assert AttemptState.UNKNOWN not in FINAL
