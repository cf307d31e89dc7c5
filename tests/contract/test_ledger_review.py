"""What every ledger promises of calls that should not exist: an operator's word ends each of them, once."""

from dataclasses import replace

from dialer.domain.act import By
from dialer.domain.attempt import AttemptState as S
from dialer.domain.call import NotPlaced
from dialer.domain.contact import ContactStatus
from dialer.domain.disposition import Disposition as D
from dialer.domain.redial import Redial
from dialer.ports import Admitted, Campaign, Matched, Verdict
from tests.fakes.clock import START, ManualClock
from tests.ledger_steps import (
    ACCOUNT,
    EXHAUSTED,
    REACHED,
    FullLedger,
    contact,
    dial,
    end,
    listed,
    log_of,
    moves,
    outcome,
    phone,
    place,
    running,
    state,
)

ANNA = By("anna@office", "their support has a recording")


async def in_review(ledger: FullLedger, people: int = 1) -> tuple[Campaign, Admitted]:
    """A call that the provider denied, and whose row in the log never tells what it came to."""
    campaign = await running(ledger, people)
    (call,) = await dial(ledger, campaign, 1)
    await ledger.record_sends([outcome(call, NotPlaced("429 too many requests"), START + 60)])
    row = log_of(call, None, "a word nobody knows", unmapped=True)
    await ledger.record_phantoms(ACCOUNT, [Matched(row, call.attempt_id, "the log shows a call")])
    assert await state(ledger, call.attempt_id) is S.REVIEW
    return campaign, call


async def test_an_operators_word_ends_the_attempt_and_lets_the_campaign_finish(ledger: FullLedger) -> None:
    campaign, call = await in_review(ledger)
    assert await ledger.finish_campaigns() == []
    (waiting,) = await ledger.in_review(campaign.campaign_id)
    assert (waiting.attempt_id, waiting.call_id, waiting.reason, waiting.attempts_made) == (
        call.attempt_id, f"call-{call.attempt_id}", "the log shows a call", 1,
    )  # fmt: skip
    assert await ledger.decide_review(campaign.campaign_id, Verdict(call.attempt_id, D.ANSWERED, REACHED), ANNA)
    assert (await moves(ledger, call.attempt_id))[-1] == ("operator", "review", "ended")
    assert (await contact(ledger, campaign, phone(1))).status is ContactStatus.REACHED
    assert await ledger.in_review(campaign.campaign_id) == []
    assert await ledger.finish_campaigns() == ["spring"]


async def test_the_word_is_an_act_with_who_and_why(ledger: FullLedger) -> None:
    campaign, call = await in_review(ledger)
    await ledger.decide_review(campaign.campaign_id, Verdict(call.attempt_id, D.BUSY, EXHAUSTED), ANNA)
    act = (await listed(ledger.acts("spring")))[-1]
    assert (act.who, act.act, act.subject, act.before, act.after, act.why) == (
        "anna@office", "review", f"attempt {call.attempt_id}", "review", "called: busy", ANNA.why,
    )  # fmt: skip


async def test_who_was_not_called_is_called_by_another_attempt_and_never_by_this_one(
    ledger: FullLedger, clock: ManualClock
) -> None:
    campaign, call = await in_review(ledger)
    verdict = Verdict(call.attempt_id, None, Redial(clock.now(), "not called"))
    assert await ledger.decide_review(campaign.campaign_id, verdict, ANNA)
    assert (await moves(ledger, call.attempt_id))[-1] == ("operator", "review", "cancelled")
    clock.skip(60)
    (again,) = await dial(ledger, campaign)
    assert (again.phone, again.attempt_id != call.attempt_id, again.attempts_made) == (call.phone, True, 1)
    assert [send.kind for send in await ledger.sends([call.attempt_id])] == ["not_placed"]
    assert (await listed(ledger.acts("spring")))[-1].after == "not called"


async def test_a_word_holds_only_for_what_is_in_review_and_only_once(ledger: FullLedger) -> None:
    campaign, call = await in_review(ledger, 2)
    (other,) = await dial(ledger, campaign)
    called, not_called = (Verdict(call.attempt_id, what, EXHAUSTED) for what in (D.BUSY, None))
    assert not await ledger.decide_review(campaign.campaign_id + 1, called, ANNA)
    assert not await ledger.decide_review(campaign.campaign_id, replace(called, attempt_id=other.attempt_id), ANNA)
    assert not await ledger.decide_review(campaign.campaign_id, replace(not_called, attempt_id=other.attempt_id), ANNA)
    assert await ledger.decide_review(campaign.campaign_id, called, ANNA)
    assert not await ledger.decide_review(campaign.campaign_id, not_called, ANNA)
    assert (await state(ledger, call.attempt_id), await state(ledger, other.attempt_id)) == (S.ENDED, S.DIALING)
    assert [act.act for act in await listed(ledger.acts("spring"))].count("review") == 1


async def test_a_decided_call_gives_no_answer_the_lie_again(ledger: FullLedger) -> None:
    campaign, call = await in_review(ledger)
    assert [one.attempt_id for one in await ledger.denied_sends(ACCOUNT, START)] == [call.attempt_id]
    await ledger.decide_review(campaign.campaign_id, Verdict(call.attempt_id, D.BUSY, EXHAUSTED), ANNA)
    assert await ledger.denied_sends(ACCOUNT, START) == []


async def test_a_cancelled_campaign_calls_nobody_anew(ledger: FullLedger, clock: ManualClock) -> None:
    campaign, call = await in_review(ledger)
    await ledger.move_campaign(campaign.campaign_id, "cancel", "")
    verdict = Verdict(call.attempt_id, None, Redial(clock.now(), "not called"))
    assert await ledger.decide_review(campaign.campaign_id, verdict, ANNA)
    assert [row.state for row in await listed(ledger.attempt_rows(campaign.campaign_id))] == [S.CANCELLED]
    assert (await contact(ledger, campaign, phone(1))).status is ContactStatus.CANCELLED


async def test_what_is_left_in_review_is_told_only_when_nothing_else_is_to_do(
    ledger: FullLedger, clock: ManualClock
) -> None:
    campaign, _ = await in_review(ledger, 2)
    id_ = campaign.campaign_id
    clock.skip(3600)
    assert await ledger.left_in_review(id_, clock.now() - 60) == 0
    (other,) = await place(ledger, campaign)
    assert await ledger.left_in_review(id_, clock.now() - 60) == 0
    await end(ledger, other, D.ANSWERED, REACHED)
    assert await ledger.left_in_review(id_, START) == 0, "the log may still tell"
    assert await ledger.left_in_review(id_, clock.now() - 60) == 1
