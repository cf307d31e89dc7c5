"""The second hundred seeds."""

import pytest

from tests.simulation.trial import Tally, verdict
from tests.simulation.world import Plan

CHUNK = 10
TALLY = Tally()


@pytest.mark.parametrize("first", range(100, 200, CHUNK))
def test_whatever_goes_wrong_the_books_agree(first: int) -> None:
    failures = [text for seed in range(first, first + CHUNK) if (text := verdict(Plan(seed), TALLY))]

    assert not failures, "\n".join(failures)


def test_enough_went_wrong_for_that_to_mean_something() -> None:
    assert TALLY.seeds in (0, 100), "run the whole file: the floors are those of all its seeds"
    assert TALLY.complaints() == []
