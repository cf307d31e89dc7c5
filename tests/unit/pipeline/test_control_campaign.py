"""Pause, cancel and suppress return when they hold."""

import asyncio
from dataclasses import replace

import pytest

from dialer.domain.attempt import AttemptState
from dialer.domain.call import Placed
from dialer.domain.campaign import CampaignStatus, Schedule
from dialer.domain.disposition import Disposition
from dialer.errors import UnknownName, UsageError
from dialer.ports import SendOutcome
from tests.house import House, phone

S = AttemptState


async def dialing(house: House) -> str:
    """One intent is committed; its token."""
    await house.opened()
    attempts = await house.queued()
    request = house.gate_request(attempts[0])
    await house.ledger.pass_gate([request])
    return request.token


@pytest.mark.parametrize("verb", ["pause", "cancel"])
async def test_a_verb_waits_for_the_request_that_may_still_leave(verb: str) -> None:
    house = House()
    await dialing(house)
    moving = asyncio.ensure_future(house.control.move("october", verb))
    await house.clock.advance(0.5)
    assert not moving.done()
    await house.clock.advance(0.45)
    assert moving.done()


async def test_pause_returns_at_once_when_the_answer_is_in() -> None:
    house = House()
    token = await dialing(house)
    moving = asyncio.ensure_future(house.control.move("october", "pause"))
    await house.clock.advance(0.1)
    await house.ledger.record_sends([SendOutcome(1, token, Placed("call-1"), 1, 0.0)])
    await house.clock.advance(0.02)
    assert moving.done()


async def test_suppress_waits_for_the_request_that_may_still_leave() -> None:
    house = House()
    await dialing(house)
    moving = asyncio.ensure_future(house.control.suppress([house.suppression(phone(0))]))
    await house.clock.advance(0.5)
    assert not moving.done()
    await house.clock.advance(0.45)
    assert await moving == [True]


async def test_resume_goes_on() -> None:
    house = await House().opened(2)
    await house.clock.run(house.control.move("october", "pause"))
    await house.clock.run(house.control.move("october", "resume"))
    assert len(await house.queued()) == 2


async def test_a_verb_that_does_not_fit_says_why() -> None:
    house = await House().opened()
    await house.clock.run(house.control.move("october", "cancel"))
    with pytest.raises(UsageError, match='cannot resume "october": it is cancelled'):
        await house.control.move("october", "resume")


async def test_an_unknown_campaign_names_the_nearest() -> None:
    house = await House().opened()
    with pytest.raises(UnknownName, match='did you mean "october"'):
        await house.control.move("octobre", "pause")


async def test_cancel_settles_every_contact() -> None:
    house = await House().opened(3)
    await house.queued()
    moved = await house.clock.run(house.control.move("october", "cancel"))
    assert moved.status is CampaignStatus.CANCELLED
    assert await house.states() == [S.CANCELLED] * 3


@pytest.mark.parametrize(("cancelled", "words"), [(True, "was cancelled"), (False, "has ended")])
async def test_nobody_is_called_again_where_no_call_can_be_made(cancelled: bool, words: str) -> None:
    house = House()
    house.spec = replace(house.spec, schedule=Schedule(end=house.clock.now() + 60))
    await house.opened()
    if cancelled:
        await house.clock.run(house.control.move("october", "cancel"))
    else:
        house.clock.skip(61)
    with pytest.raises(UsageError, match=words):
        await house.control.redial("october", [Disposition.NO_ANSWER])
