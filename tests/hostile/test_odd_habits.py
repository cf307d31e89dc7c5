"""Everything the vendors' pages leave open, one after the other, in both dialects."""

from pathlib import Path

import pytest

from tests.hostile.habits import ODD, QUICK, Habits
from tests.hostile.trial import dialed

PEOPLE, WITHIN_S = 60, 100.0


@pytest.mark.parametrize("dialect", ["vaanivoice", "vaani"])
@pytest.mark.parametrize("name", ODD)
def test_an_odd_provider(name: str, dialect: str, tmp_path: Path) -> None:
    result = dialed(Habits(dialect, name, places=QUICK, **ODD[name]), tmp_path, PEOPLE, WITHIN_S)
    assert not result.against(), f"{result.against()}: {result.told()}\n{result.err[-3000:]}"
    assert result.lost_answers > PEOPLE // 10, result.told()
