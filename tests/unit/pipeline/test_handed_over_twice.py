"""An attempt whose lease ran out in a stall is handed to the same worker again, while the first hand-over waits."""

import asyncio
from dataclasses import replace

from dialer.domain.campaign import Pace
from dialer.ports import QueuedAttempt
from tests.house import SPEC, House


async def stalled() -> tuple[House, QueuedAttempt, "asyncio.Future[None]"]:
    """One line, which is taken, and an attempt that waited for it twice: the later hand-over, and its task."""
    house = await House(spec=replace(SPEC, pace=Pace(0, 1))).opened(2)
    await house.dialed()
    mine = await claimed(house)
    first = asyncio.ensure_future(house.place_call.slice([mine]))
    await house.clock.advance(0)
    house.clock.skip(house.times.lease_s + 1)
    assert (await house.ledger.sweep()).leases_expired == 1
    again = await claimed(house)
    second = asyncio.ensure_future(house.place_call.slice([again]))
    await house.clock.advance(house.times.patience_s - house.times.lease_s)
    assert first.done() and not second.done()
    return house, again, second


async def claimed(house: House) -> QueuedAttempt:
    (attempt,) = (await house.ledger.claim_due({house.campaign_id: 1}, house.times.lease_s))[0]
    return attempt


async def test_the_later_hand_over_keeps_its_lease_when_the_former_gives_up() -> None:
    house, again, second = await stalled()
    assert list(house.place_call.waiting.values()) == [again]
    await house.place_call.stop(1.0)
    await second


async def test_a_worker_that_stops_waits_for_the_later_hand_over_too() -> None:
    house, _, second = await stalled()
    await house.place_call.stop(1.0)
    assert second.done()
    assert house.place_call.idle.is_set()
