"""The simulation sees the mistakes it is there to see."""

from dataclasses import replace

import pytest

from tests.simulation.mutants import MUTANTS
from tests.simulation.processes import Build
from tests.simulation.trial import trial

SEEDS = 8


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_is_caught_within_a_few_seeds(name: str) -> None:
    invariant, plan = MUTANTS[name]
    found: set[str] = set()
    for seed in range(SEEDS):
        found |= {violation.invariant for violation in trial(replace(plan, seed=seed))}
        if invariant in found:
            return

    pytest.fail(f"{SEEDS} seeds, and {invariant} never broke: {found}")


@pytest.mark.parametrize("name", MUTANTS)
def test_the_same_storm_breaks_nothing_of_the_real_rooms(name: str) -> None:
    plan = replace(MUTANTS[name][1], build=Build())

    assert trial(plan) == []
