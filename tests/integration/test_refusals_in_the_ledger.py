"""One refusal may be one person's; a row of them with nobody accepted is everybody's, and nobody is spent by it."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from dialer.adapters.ledger import SqlLedger
from dialer.domain.attempt import AttemptState as S
from dialer.domain.call import NotPlaced, Placed, Refused
from dialer.domain.campaign import CampaignStatus
from dialer.domain.contact import ContactStatus
from dialer.domain.disposition import Disposition
from dialer.domain.redial import Settle
from dialer.domain.refusal import FEW, About
from dialer.ports import Admitted, Campaign, Turned
from tests.fakes.clock import ManualClock
from tests.ledger_steps import claim, contact, dial, moves, outcome, phone, request, running, state

STRANGE = Refused(Disposition.REJECTED, "HTTP 400, refused: Bad Request", 400)
INVALID = Refused(Disposition.INVALID_NUMBER, "HTTP 400, this number is refused", 400, About.NUMBER)
LISTED = Refused(Disposition.BLOCKED, "HTTP 403, do not disturb", 403, About.DO_NOT_DISTURB)
ODD = NotPlaced("HTTP 401, the key is missing or wrong", 1.0, http_status=401, doubtful=True)
NO_AGENT = replace(ODD, reason="HTTP 404, the agent is not known", http_status=404, halts_account=False)
SETTLED = {
    Disposition.REJECTED: ContactStatus.EXHAUSTED,
    Disposition.INVALID_NUMBER: ContactStatus.INVALID,
    Disposition.BLOCKED: ContactStatus.SUPPRESSED,
}


@pytest_asyncio.fixture
async def sql(ledger_url: str, clock: ManualClock) -> AsyncIterator[SqlLedger]:
    opened = await SqlLedger.open(ledger_url, clock)
    yield opened
    await opened.aclose()


async def refuse(ledger: SqlLedger, campaign: Campaign, times: int, result: Refused = STRANGE) -> list[str]:
    """So many people one after the other; what was said of each."""
    reasons = []
    for call in await dial(ledger, campaign, times):
        follow = Settle(SETTLED[result.disposition])
        assert await ledger.record_sends([outcome(call, result, follow=follow)]) == [True]
        reasons.append(await ledger.weigh_refusals(campaign.campaign_id))
    return reasons


async def accept(ledger: SqlLedger, campaign: Campaign) -> None:
    (call,) = await dial(ledger, campaign, 1)
    await ledger.record_sends([outcome(call, Placed(f"call-{call.attempt_id}"))])


async def counts(ledger: SqlLedger, campaign: Campaign) -> tuple[CampaignStatus, int, int]:
    """Status, people given up, attempts spent on people who are open."""
    rows = [row async for row in ledger.contact_rows(campaign.campaign_id)]
    final = [row for row in rows if row.status in SETTLED.values()]
    spent = sum(row.attempts for row in rows if row not in final)
    return (await ledger.campaign(campaign.spec.name)).status, len(final), spent


@pytest.mark.parametrize("result", [STRANGE, INVALID, LISTED])
async def test_ten_in_a_row_and_nobody_accepted_halt_and_are_given_back(sql: SqlLedger, result: Refused) -> None:
    campaign = await running(sql, 15)
    reasons = await refuse(sql, campaign, FEW, result)
    assert reasons[:-1] == [""] * (FEW - 1)
    assert result.reason in reasons[-1] and "dialer start" in reasons[-1]
    assert await counts(sql, campaign) == (CampaignStatus.HALTED, 0, 0)
    row = await contact(sql, campaign, phone(1))
    assert (row.status, row.disposition, row.last_attempt_at) == (ContactStatus.ACTIVE, None, None)
    assert await state(sql, 1) is S.PLANNED
    assert (await moves(sql, 1))[-1] == ("sweeper", "refused", "planned")


async def test_others_who_get_through_make_it_each_persons_own(sql: SqlLedger) -> None:
    campaign = await running(sql, 30)
    for _ in range(2):
        assert set(await refuse(sql, campaign, FEW - 1)) == {""}
        await accept(sql, campaign)
    status, given_up, _ = await counts(sql, campaign)
    assert (status, given_up) == (CampaignStatus.RUNNING, 2 * (FEW - 1))


async def test_who_is_refused_again_while_others_got_through_is_given_up(sql: SqlLedger, clock: ManualClock) -> None:
    campaign = await running(sql, FEW + 1)
    await refuse(sql, campaign, FEW)
    await sql.move_campaign(campaign.campaign_id, "start", "")
    clock.skip(1)
    again = await claim(sql, campaign)
    assert len(again) == FEW + 1
    (new,) = [one for one in again if one.attempt_id > FEW or one.dispatch == 1]
    (call,) = await sql.pass_gate([request(new)])
    assert isinstance(call, Admitted)
    await sql.record_sends([outcome(call, Placed("call-new"))])
    for attempt in [one for one in again if one is not new]:
        (call,) = await sql.pass_gate([request(attempt)])
        assert isinstance(call, Admitted)
        await sql.record_sends([outcome(call, STRANGE, follow=Settle(ContactStatus.EXHAUSTED))])
        assert await sql.weigh_refusals(campaign.campaign_id) == ""
    status, given_up, _ = await counts(sql, campaign)
    assert (status, given_up) == (CampaignStatus.RUNNING, FEW)


async def test_a_small_list_that_is_refused_whole_is_not_finished_but_halted(sql: SqlLedger) -> None:
    campaign = await running(sql, 2)
    assert set(await refuse(sql, campaign, 2)) == {""}
    assert await sql.finish_campaigns() == []
    assert await counts(sql, campaign) == (CampaignStatus.HALTED, 0, 0)


async def test_a_small_list_of_bad_numbers_is_finished(sql: SqlLedger) -> None:
    campaign = await running(sql, 2)
    await refuse(sql, campaign, 2, INVALID)
    assert await sql.finish_campaigns() == ["spring"]
    assert (await counts(sql, campaign))[1] == 2


async def test_no_more_than_ten_are_asked_before_one_is_accepted_over_all_workers(
    sql: SqlLedger, clock: ManualClock
) -> None:
    campaign = await running(sql, 30)
    queued = await claim(sql, campaign)
    asked = [await sql.pass_gate([replace(request(one), on_trial=True)]) for one in queued[:20]]
    admitted = [answer for (answer,) in asked if isinstance(answer, Admitted)]
    assert len(admitted) == FEW
    turned = asked[-1][0]
    assert isinstance(turned, Turned) and turned.state is S.PLANNED
    await sql.record_sends([outcome(admitted[0], Placed("call-1"))])
    clock.skip(2)
    (proven,) = await sql.pass_gate([replace(request(queued[25]), on_trial=True)])
    assert isinstance(proven, Admitted)
    await sql.record_sends([outcome(proven, STRANGE, follow=Settle(ContactStatus.EXHAUSTED))])
    assert isinstance((await sql.pass_gate([replace(request(queued[26]), on_trial=True)]))[0], Turned)
    assert isinstance((await sql.pass_gate([request(queued[27])]))[0], Admitted), "this worker knows better"


async def test_what_a_killed_worker_left_under_way_holds_up_nobody_after_an_accepted_call(
    sql: SqlLedger, clock: ManualClock
) -> None:
    campaign = await running(sql, 30)
    queued = await claim(sql, campaign)
    first, *left = await sql.pass_gate([request(one) for one in queued[:16]])
    assert isinstance(first, Admitted) and len(left) > FEW
    await sql.record_sends([outcome(first, Placed("call-1"))])
    clock.skip(5)
    assert isinstance((await sql.pass_gate([replace(request(queued[20]), on_trial=True)]))[0], Admitted)


async def test_what_a_killed_worker_left_under_way_holds_up_nobody_for_long_after_a_refusal(
    sql: SqlLedger, clock: ManualClock
) -> None:
    campaign = await running(sql, 30)
    queued = await claim(sql, campaign)
    first, second, *left = await sql.pass_gate([request(one) for one in queued[:16]])
    assert isinstance(first, Admitted) and isinstance(second, Admitted) and len(left) > FEW
    await sql.record_sends([outcome(first, Placed("call-1"))])
    await sql.record_sends([outcome(second, STRANGE, follow=Settle(ContactStatus.EXHAUSTED))])
    clock.skip(5)
    assert isinstance((await sql.pass_gate([replace(request(queued[20]), on_trial=True)]))[0], Turned)
    clock.skip(6)
    assert isinstance((await sql.pass_gate([replace(request(queued[21]), on_trial=True)]))[0], Admitted)


async def doubt(ledger: SqlLedger, campaign: Campaign, clock: ManualClock, answer: NotPlaced = ODD) -> str:
    (call,) = await dial(ledger, campaign, 1)
    await ledger.record_sends([outcome(call, answer, due_at=clock.now())])
    return await ledger.weigh_refusals(campaign.campaign_id)


async def test_an_odd_answer_is_asked_again_and_a_second_person_who_meets_it_halts(
    sql: SqlLedger, clock: ManualClock
) -> None:
    campaign = await running(sql, 5)
    other = await running(sql, 5, "autumn", first=20)
    calls = await dial(sql, campaign, 2)
    await sql.record_sends([outcome(calls[0], ODD, due_at=clock.now() + 1)])
    assert await sql.weigh_refusals(campaign.campaign_id) == ""
    assert await state(sql, calls[0].attempt_id) is S.PLANNED
    await sql.record_sends([outcome(calls[1], ODD, due_at=clock.now() + 1)])
    assert "HTTP 401" in await sql.weigh_refusals(campaign.campaign_id)
    assert {(await sql.campaign(one.spec.name)).status for one in (campaign, other)} == {CampaignStatus.HALTED}
    assert (await counts(sql, campaign))[1:] == (0, 0)


async def test_an_agent_that_is_not_known_halts_its_own_campaign_only(sql: SqlLedger, clock: ManualClock) -> None:
    campaign = await running(sql, 5)
    other = await running(sql, 5, "autumn", first=20)
    for call in await dial(sql, campaign, 2):
        await sql.record_sends([outcome(call, NO_AGENT, due_at=clock.now() + 1)])
    assert "HTTP 404" in await sql.weigh_refusals(campaign.campaign_id)
    assert (await sql.campaign("spring")).status is CampaignStatus.HALTED
    assert (await sql.campaign(other.spec.name)).status is CampaignStatus.RUNNING


async def test_odd_answers_with_accepted_calls_between_halt_nothing(sql: SqlLedger, clock: ManualClock) -> None:
    campaign = await running(sql, 9)
    for _ in range(2):
        (call,) = await dial(sql, campaign, 1)
        await sql.record_sends([outcome(call, ODD, due_at=clock.now() + 3600)])
        assert await sql.weigh_refusals(campaign.campaign_id) == ""
        await accept(sql, campaign)
    assert (await sql.campaign("spring")).status is CampaignStatus.RUNNING


async def test_one_person_alone_who_meets_it_again_and_again_halts_too(sql: SqlLedger, clock: ManualClock) -> None:
    campaign = await running(sql, 1)
    assert [bool(await doubt(sql, campaign, clock)) for _ in range(3)] == [False, False, True]
    assert await counts(sql, campaign) == (CampaignStatus.HALTED, 0, 0)


async def test_what_one_person_alone_meets_while_others_get_through_is_that_persons(
    sql: SqlLedger, clock: ManualClock
) -> None:
    campaign = await running(sql, 9)
    (call,) = await dial(sql, campaign, 1)
    for turn in range(3):
        await sql.record_sends([outcome(call, ODD, due_at=clock.now())])
        assert await sql.weigh_refusals(campaign.campaign_id) == ""
        if turn == 2:
            break
        others = await claim(sql, campaign, 2)
        (mine,) = [one for one in others if one.attempt_id == call.attempt_id]
        (placed,) = await sql.pass_gate([request(one) for one in others if one is not mine])
        assert isinstance(placed, Admitted)
        await sql.record_sends([outcome(placed, Placed(f"call-{placed.attempt_id}"))])
        (again,) = await sql.pass_gate([request(mine)])
        assert isinstance(again, Admitted)
        call = again
    assert await state(sql, call.attempt_id) is S.REFUSED
    assert (await contact(sql, campaign, call.phone)).status is ContactStatus.EXHAUSTED
    assert (await sql.campaign("spring")).status is CampaignStatus.RUNNING


async def test_a_login_is_renewed_by_one_and_known_to_all(sql: SqlLedger, clock: ManualClock) -> None:
    assert await sql.claim_login("vaani:1", "one", 60)
    assert not await sql.claim_login("vaani:1", "two", 60)
    await sql.keep_login("vaani:1", "two", "stolen")
    assert (await sql.login("vaani:1")).tokens == ""
    await sql.keep_login("vaani:1", "one", "secret-1")
    kept = await sql.login("vaani:1")
    assert (kept.tokens, kept.renewals) == ("secret-1", 1)
    assert "secret-1" not in repr(kept)
    assert await sql.claim_login("vaani:1", "two", 60)
    clock.skip(61)
    assert await sql.claim_login("vaani:1", "three", 60), "who died while renewing does not keep others out"
    assert (await sql.login("other")).renewals == 0
