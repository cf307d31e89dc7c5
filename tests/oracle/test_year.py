"""The dialer's hours against the oracle's, a little at every push."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from dialer.domain.time_zones import zone_of
from tests.oracle.tzif import DAY_S, civil, days_from_civil, weekday, zone
from tests.oracle.year import FROM, UNTIL, ZONES, changes_of, replay


@pytest.mark.parametrize("seed", [1, 2])
def test_the_oracle_agrees(seed: int) -> None:
    score = replay(seed, 1_500, walked=200)

    assert score.wrong == []
    assert len(score.kinds) >= 8, score.told()
    assert score.kinds["openings walked to minute by minute"] > 0


def test_the_oracle_can_count_days() -> None:
    for day in range(-1000, 60_000, 37):
        assert days_from_civil(*civil(day)) == day
        there = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=day)
        assert (civil(day), weekday(day)) == ((there.year, there.month, there.day), there.weekday())


def test_the_oracle_can_read_clocks() -> None:
    def moments() -> Iterator[int]:
        yield from range(FROM, UNTIL, 5 * DAY_S + 4211)
        yield from range(FROM + 20 * 365 * DAY_S, UNTIL + 20 * 365 * DAY_S, 11 * DAY_S + 4211)
        yield from (change + off for change in changes_of(name) for off in (-1, 0, 1))

    for name in ZONES:
        for at in moments():
            offset = datetime.fromtimestamp(at, zone_of(name)).utcoffset()
            assert offset is not None
            assert zone(name).offset(at) == offset.total_seconds(), f"{name} at {at}"
