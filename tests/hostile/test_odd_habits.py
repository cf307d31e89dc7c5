"""Everything the vendors' pages leave open, one after the other, in both dialects."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.hostile.habits import ODD, QUICK, Habits
from tests.hostile.trial import Result, dialed

PEOPLE, WITHIN_S = 60, 150.0
DIALECTS = ("vaanivoice", "vaani")


@pytest.mark.timeout(WITHIN_S + 30)
@pytest.mark.parametrize("name", ODD)
def test_an_odd_provider(name: str, tmp_path: Path) -> None:
    def tried(dialect: str) -> Result:
        return dialed(Habits(dialect, name, places=QUICK, **ODD[name]), tmp_path, PEOPLE, WITHIN_S)

    with ThreadPoolExecutor(len(DIALECTS)) as pool:
        for result in pool.map(tried, DIALECTS):
            assert not result.against(), f"{result.against()}: {result.told()}\n{result.err[-3000:]}"
            # Faults are drawn as requests arrive, so their number is never the same.
            assert result.lost_answers > PEOPLE // 20, result.told()
