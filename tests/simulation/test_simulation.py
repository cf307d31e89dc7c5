"""The first hundred seeds; ``test_simulation_more`` has the other hundred, so that two cores share them."""

import pytest

from tests.simulation.trial import Tally, trace, verdict
from tests.simulation.world import Plan

CHUNK = 10
TALLY = Tally()


@pytest.mark.parametrize("first", range(0, 100, CHUNK))
def test_whatever_goes_wrong_the_books_agree(first: int) -> None:
    failures = [text for seed in range(first, first + CHUNK) if (text := verdict(Plan(seed), TALLY))]

    assert not failures, "\n".join(failures)


def test_enough_went_wrong_for_that_to_mean_something() -> None:
    assert TALLY.seeds in (0, 100), "run the whole file: the floors are those of all its seeds"
    assert TALLY.complaints() == []


def test_a_seed_repeats_its_run_to_the_last_event() -> None:
    assert trace(4) == trace(4)
    assert trace(4) != trace(5)
