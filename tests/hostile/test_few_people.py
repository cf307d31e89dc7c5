"""Two real dialers at the hostile provider, as friendly to them as its pages promise, and at two of its odd kind."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.hostile.habits import ODD, QUICK, Habits
from tests.hostile.trial import dialed

pytestmark = pytest.mark.acceptance

PEOPLE = 50
PROVIDERS = (
    Habits("vaanivoice"),
    Habits("vaani"),
    Habits("vaanivoice", "names its calls in the log only", places=QUICK, **ODD["names its calls in the log only"]),
    Habits("vaani", "a bare list in small pages", places=QUICK, **ODD["a bare list in small pages"]),
)


def test_nobody_twice_nobody_lost_and_lost_answers_found_again(tmp_path: Path) -> None:
    with ThreadPoolExecutor(len(PROVIDERS)) as pool:
        results = list(pool.map(lambda habits: dialed(habits, tmp_path, PEOPLE), PROVIDERS))
    for habits, result in zip(PROVIDERS, results, strict=True):
        assert not result.against(), f"{habits.dialect}, {habits.name}: {result.against()}: {result.told()}"
        assert result.lost_answers >= PEOPLE // 10 and result.faults >= PEOPLE // 5, result.told()
