"""Ten campaigns on one account, with rates, windows and limits of their own, and people who say no in a call."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from dialer.domain.calling_window import ALWAYS
from dialer.domain.campaign import CampaignSpec, Pace
from dialer.domain.hours import Hours
from dialer.domain.limits import PersonLimits
from tests.simulation.oracle import violations
from tests.simulation.trial import Tally, crowd, verdict
from tests.simulation.world import World, simulate

SEEDS = 20
SHUT: Hours = ((0, 1),)
FLOORS = {"placed": 1700, "opt-out told late": 60, "killed": 220, "stopped": 50, "pause": 40, "flush": 80}
"""Over all seeds."""


def test_whatever_goes_wrong_the_books_agree_and_enough_goes_wrong_to_mean_something() -> None:
    tally = Tally()
    failures = [text for seed in range(SEEDS) if (text := verdict(crowd(seed), tally))]

    assert not failures, "\n".join(failures)
    assert {name: tally.happened[name] for name, floor in FLOORS.items() if tally.happened[name] < floor} == {}


@pytest.fixture(scope="module")
def world() -> World:
    """One run in which nothing is amiss."""
    return simulate(crowd(1))


@pytest.mark.parametrize(
    ("invariant", "stricter"),
    [
        ("I4 pace", lambda spec: replace(spec, pace=Pace(1.0))),
        ("I6 hours", lambda spec: replace(spec, window=replace(ALWAYS, always=False, hours=SHUT))),
        ("I6 limits", lambda spec: replace(spec, limits=PersonLimits(0, 0, 0, 1))),
        ("I6 limits", lambda spec: replace(spec, limits=PersonLimits(0, 0, 0, 0, spacing_s=1e9))),
    ],
    ids=["pace", "hours", "ever", "spacing"],
)
def test_the_judge_sees_what_breaks_a_stricter_rule(
    world: World, invariant: str, stricter: Callable[[CampaignSpec], CampaignSpec], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert violations(world) == []
    monkeypatch.setattr(world, "specs", {name: stricter(spec) for name, spec in world.specs.items()})
    assert {violation.invariant for violation in violations(world)} == {invariant}
