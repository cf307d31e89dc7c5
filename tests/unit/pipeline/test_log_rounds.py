"""When the log is read: a bell has it read earlier, but never in a hurry."""

import asyncio
from itertools import pairwise

from dialer.errors import ServerFailed
from dialer.pipeline.log_rounds import EXTRA_EVERY_S, LogRounds
from tests.fakes.clock import ManualClock
from tests.log_desk import LogDesk
from tests.memory_ledger import memory_ledger

INTERVAL_S = 60.0


class Bell:
    """Rung every ``every_s`` seconds; 0: never."""

    def __init__(self, clock: ManualClock, every_s: float) -> None:
        self.clock, self.every_s = clock, every_s

    async def wait(self, within_s: float) -> bool:
        """The next stroke, or the end."""
        now = self.clock.monotonic()
        next_s = self.every_s - now % self.every_s if self.every_s else within_s
        await self.clock.sleep(min(next_s, within_s))
        return bool(self.every_s) and next_s <= within_s


def rounds(clock: ManualClock, every_s: float | None) -> LogRounds:
    desk = LogDesk(memory_ledger(clock), clock)
    return LogRounds(desk.reconciler, INTERVAL_S, None if every_s is None else Bell(clock, every_s))


async def moments(made: LogRounds, clock: ManualClock, for_s: float, within_s: float = INTERVAL_S) -> list[float]:
    """When its rests ended."""
    ended: list[float] = []

    async def rest() -> None:
        while True:
            await made.rest(within_s)
            ended.append(clock.monotonic())

    resting = asyncio.ensure_future(rest())
    await clock.advance(for_s)
    resting.cancel()
    return ended


async def test_a_bell_that_nobody_rings_changes_nothing(clock: ManualClock) -> None:
    for every_s in (None, 0.0):
        made, begun = rounds(clock, every_s), clock.monotonic()
        assert [at - begun for at in await moments(made, clock, 180)] == [60, 120, 180]


async def test_one_stroke_ends_a_rest_at_once(clock: ManualClock) -> None:
    assert await moments(rounds(clock, 45.0), clock, 95) == [45, 90]


async def test_many_strokes_have_it_read_every_two_seconds(clock: ManualClock) -> None:
    ended = await moments(rounds(clock, 0.25), clock, 100)

    assert ended[0] == 0.25
    gaps = [later - sooner for sooner, later in pairwise(ended)]
    assert min(gaps) >= EXTRA_EVERY_S
    assert max(gaps) <= EXTRA_EVERY_S + 0.5
    assert len(ended) > 35


async def test_a_short_rest_is_kept_however_often_it_rings(clock: ManualClock) -> None:
    ended = await moments(rounds(clock, 0.25), clock, 20, within_s=1.0)
    assert len(ended) <= 31


async def test_a_log_that_cannot_be_read_is_not_asked_more_often(clock: ManualClock) -> None:
    made = rounds(clock, 0.25)
    await made.reconciler.trouble.mind(ServerFailed("away"), calling=False)

    assert await moments(made, clock, 130) == [60, 120]
