"""How carefully a provider is asked: few at first, and none while nothing comes back."""

import asyncio

from dialer.domain.call import NotPlaced, Placed, Refused, Unknown
from dialer.domain.disposition import Disposition
from dialer.pipeline.caution import AT_ONCE, HOLD_AFTER, LATE, WITHDRAWN, Standing, Trial

REFUSED = Refused(Disposition.REJECTED, "no")


async def test_few_are_asked_until_one_is_accepted() -> None:
    trial = Trial()
    assert [await trial.enter(1) for _ in range(AT_ONCE)] == [True] * AT_ONCE
    assert await trial.enter(0.001) is False
    waiting = [asyncio.ensure_future(trial.enter(60)) for _ in range(20)]
    trial.hear(Placed("call-1"))
    trial.leave()
    assert await asyncio.gather(*waiting) == [True] * 20


async def test_a_refusal_makes_room_for_one_and_an_acceptance_for_all() -> None:
    trial = Trial(proven=True)
    for _ in range(AT_ONCE):
        await trial.enter(1)
    trial.hear(REFUSED)
    assert await trial.enter(0.001) is False
    trial.leave()
    assert await trial.enter(0.001) is True


def test_answers_that_are_lost_in_a_row_call_for_a_proof_each_time() -> None:
    standing = Standing()
    seen = []
    for now in range(0, 40, 10):
        standing.proved = True
        seen.append((standing.hear(Unknown("reset"), now), standing.must_prove))
    assert seen == [(0.0, False), (1.0, True), (2.0, True), (4.0, True)]
    standing.hear(Placed("call-1"), 50.0)
    standing.hear(Unknown("reset"), 60.0)
    assert not standing.must_prove and HOLD_AFTER > 1


def test_a_time_that_proves_too_short_grows() -> None:
    for asked_s in (0.0, 0.01, None):
        standing = Standing()
        now, stops = 0.0, []
        for _ in range(4):
            stops.append(standing.hear(NotPlaced("429", asked_s, throttled=True), now))
            now += stops[-1]
        assert stops == [1.0, 2.0, 4.0, 8.0]
    assert Standing().hear(NotPlaced("429", 30.0, throttled=True), 0.0) == 30.0


def test_requests_that_always_come_too_late_are_counted() -> None:
    standing = Standing()
    for _ in range(5):
        assert standing.hear(NotPlaced(f"{WITHDRAWN}{LATE}"), 0.0) == 0.0
    assert standing.is_always_late
    standing.hear(NotPlaced(f"{WITHDRAWN}paused or braked"), 0.0)
    assert standing.late == 5
