"""Eight hundred people in each dialect at the hostile provider."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.hostile.habits import Habits
from tests.hostile.trial import dialed

PEOPLE, WITHIN_S = 800, 500.0


@pytest.mark.timeout(WITHIN_S + 60)
def test_eight_hundred_people_in_each_dialect(tmp_path: Path) -> None:
    providers = [Habits("vaanivoice"), Habits("vaani")]
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda habits: dialed(habits, tmp_path, PEOPLE, WITHIN_S), providers))
    for habits, result in zip(providers, results, strict=True):
        print(f"{habits.dialect}: {result.told()}")
        assert not result.against(), f"{habits.dialect}: {result.against()}: {result.told()}\n{result.err[-3000:]}"
        assert result.faults >= PEOPLE // 5 and result.lost_answers >= PEOPLE // 10, result.told()
