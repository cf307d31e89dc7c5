"""A small run of ``python -m tests.chaos``: some four minutes."""

import pytest

from tests.chaos.run import Plan, as_table, run

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(900)]


def test_a_thousand_people_and_everything_goes_wrong() -> None:
    verdict = run(Plan(contacts=1000, workers=2, seed=1, database="postgresql"))
    print(as_table(verdict))
    assert verdict.code == 0, as_table(verdict)
