"""An operator's word on a call that the provider denied."""

from dataclasses import replace
from random import Random

import pytest

from dialer.domain.act import By
from dialer.domain.attempt import AttemptState as S
from dialer.domain.call import LogPage, NotPlaced
from dialer.domain.campaign import CampaignStatus, Pace
from dialer.domain.disposition import Disposition as D
from dialer.errors import UsageError
from dialer.pipeline.decide_review import NOT_CALLED, DecideReview
from dialer.pipeline.follow_calls import FollowCalls
from dialer.ports import Matched
from tests.fakes.provider import ScriptedProvider, log_row
from tests.house import SPEC, House, phone

REFUSAL = NotPlaced("429 too many requests", retry_after_s=600, http_status=429)


async def reviewed(why: str = "asked them") -> tuple[House, DecideReview]:
    """The log shows a call that the provider denied, and never says what it came to."""
    provider = ScriptedProvider(answer=lambda _: REFUSAL)
    house = await House(spec=replace(SPEC, pace=Pace(0, 50)), provider=provider).opened()
    await house.dialed()
    row = log_row("call-9", phone(0), house.clock.now() + 5, ended_at=None, unmapped=True)
    await house.ledger.record_phantoms("vaanivoice", [Matched(row, 1, "the log shows a call")])
    follow = FollowCalls(house.clock, Random(7), 1.0)
    house.provider.pages = [LogPage((row,))]
    return house, DecideReview(house.ledger, house.ledger, follow, By("anna@office", why))


async def test_what_the_call_came_to_is_followed_by_the_redial_rule() -> None:
    house, room = await reviewed()
    assert [row.attempt_id for row in await room.waiting("october")] == [1]
    row = await room.decide("october", 1, D.BUSY)
    assert (row.state, row.disposition) == (S.ENDED, D.BUSY)
    (_, redial) = await house.attempts()
    assert (redial.state, redial.due_at) == (S.PLANNED, house.clock.now() + SPEC.redial.delays_s[D.BUSY])


async def test_the_last_word_of_a_campaign_finishes_it() -> None:
    house, room = await reviewed()
    await room.decide("october", 1, D.ANSWERED)
    assert (await house.ledger.campaign("october")).status is CampaignStatus.FINISHED


async def test_who_was_not_called_is_called_anew() -> None:
    house, room = await reviewed()
    await room.decide("october", 1, None)
    first, second = await house.attempts()
    assert (first.state, second.state, second.reason) == (S.CANCELLED, S.PLANNED, NOT_CALLED)


@pytest.mark.parametrize("outcome", [D.NO_ANSWER, None])
async def test_the_same_row_read_again_halts_nobody_once_it_is_decided(outcome: D | None) -> None:
    house, room = await reviewed()
    await room.decide("october", 1, outcome)
    for _ in range(3):
        await house.clock.advance(400)
        await house.reconciler.tick()
    assert (await house.ledger.campaign("october")).status is CampaignStatus.RUNNING
    assert (await house.attempts())[0].state in (S.ENDED, S.CANCELLED)


async def test_a_word_needs_a_reason_and_an_attempt_in_review() -> None:
    house, room = await reviewed()
    with pytest.raises(UsageError, match="reason"):
        await replace(room, by=By("anna@office", " ")).decide("october", 1, None)
    with pytest.raises(UsageError, match="not in review"):
        await room.decide("october", 7, None)
    assert await house.states() == [S.REVIEW]
