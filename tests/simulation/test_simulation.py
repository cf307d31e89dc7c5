"""Two hundred seeds, in halves, so that two cores share them."""

import pytest

from tests.simulation.trial import Tally, trace, verdict
from tests.simulation.world import Plan


@pytest.mark.parametrize("first", [0, 100])
def test_whatever_goes_wrong_the_books_agree_and_enough_goes_wrong_to_mean_something(first: int) -> None:
    tally = Tally()
    failures = [text for seed in range(first, first + 100) if (text := verdict(Plan(seed), tally))]

    assert not failures, "\n".join(failures)
    assert tally.complaints() == []


def test_a_seed_repeats_its_run_to_the_last_event() -> None:
    assert trace(4) == trace(4)
    assert trace(4) != trace(5)
