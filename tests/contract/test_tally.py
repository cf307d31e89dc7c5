"""How fast a process sends, as it tells when it is refused."""

import pytest

from dialer.adapters.pacing.tally import Tally


@pytest.mark.parametrize(
    ("moments", "now", "rate"),
    [
        ([10 + n / 100 for n in range(14)], 10.14, 100),
        ([10 + n / 100 for n in range(2)], 10.02, 20),
        ([9.9 + n / 100 for n in range(50)], 10.4, 100),
        ([10 + n / 25 for n in range(60)], 12.4, 25),
        ([10.5], 11.4, 1),
        ([10 + n / 50 for n in range(50)], 12.1, 1),
        ([], 5.0, 1),
    ],
    ids=["the first moments", "too short to tell", "over a full second", "steady", "one", "long ago", "none"],
)
def test_calls_a_second(moments: list[float], now: float, rate: int) -> None:
    tally = Tally()
    for moment in moments:
        tally.add(moment)
    assert tally.per_second(now) == rate
