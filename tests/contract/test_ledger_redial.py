"""What every ledger promises of people whom an operator has called again."""

import json

from dialer.adapters.ledger.redialing import CHANGED
from dialer.domain.act import By
from dialer.domain.attempt import AttemptState as S
from dialer.domain.campaign import CampaignStatus
from dialer.domain.contact import ContactStatus, NewContact
from dialer.domain.disposition import Disposition as D
from dialer.domain.gate import PASSED, REACHED_ELSEWHERE
from dialer.ports import ImportCounts, Suppression
from tests.fakes.clock import ManualClock
from tests.ledger_steps import (
    EXHAUSTED,
    REACHED,
    FullLedger,
    attempt,
    contact,
    end,
    listed,
    phone,
    place,
    running,
    spec,
)
from tests.reminder_steps import H, opened, patient

MISSED = [str(D.NO_ANSWER), str(D.VOICEMAIL)]
OPERATOR = By("ann@here", "the second week")


async def called(ledger: FullLedger, outcomes: list[D]) -> int:
    """A finished campaign whose people came to these, in order of their numbers; its id."""
    campaign = await running(ledger, len(outcomes))
    of = dict(zip((phone(n) for n in range(1, len(outcomes) + 1)), outcomes, strict=True))
    for call in await place(ledger, campaign):
        came_to = of[call.phone]
        await end(ledger, call, came_to, REACHED if came_to is D.ANSWERED else EXHAUSTED)
    assert await ledger.finish_campaigns() == ["spring"]
    return campaign.campaign_id


async def test_the_people_of_these_outcomes_are_called_again_and_nobody_else(ledger: FullLedger) -> None:
    campaign_id = await called(ledger, [D.NO_ANSWER, D.ANSWERED, D.VOICEMAIL, D.BUSY])
    assert await ledger.redial(campaign_id, MISSED, OPERATOR) == {"": 2}
    campaign = await ledger.campaign("spring")
    assert campaign.status is CampaignStatus.RUNNING
    calls = await place(ledger, campaign)
    assert sorted(call.phone for call in calls) == [phone(1), phone(3)]
    planned = await attempt(ledger, calls[0].attempt_id)
    assert (planned.number_of, planned.state) == (2, S.PLACED)
    assert [(await contact(ledger, campaign, phone(n))).status for n in (1, 2, 3, 4)] == [
        ContactStatus.ACTIVE, ContactStatus.REACHED, ContactStatus.ACTIVE, ContactStatus.EXHAUSTED,
    ]  # fmt: skip


async def test_asked_twice_it_is_done_once(ledger: FullLedger) -> None:
    campaign_id = await called(ledger, [D.NO_ANSWER])
    assert await ledger.redial(campaign_id, MISSED, OPERATOR) == {"": 1}
    assert await ledger.redial(campaign_id, MISSED, OPERATOR) == {}
    assert len(await place(ledger, await ledger.campaign("spring"))) == 1


async def test_to_look_changes_nothing(ledger: FullLedger) -> None:
    campaign_id = await called(ledger, [D.NO_ANSWER, D.ANSWERED])
    assert await ledger.redial(campaign_id, MISSED, OPERATOR, only_look=True) == {"": 1}
    assert (await ledger.campaign("spring")).status is CampaignStatus.FINISHED
    assert "redial" not in {act.act async for act in ledger.acts("spring")}


async def test_who_did_it_and_why_is_kept(ledger: FullLedger) -> None:
    campaign_id = await called(ledger, [D.NO_ANSWER, D.NO_ANSWER])
    await ledger.redial(campaign_id, MISSED, OPERATOR)
    (act,) = [act for act in await listed(ledger.acts("spring")) if act.act == "redial"]
    assert (act.who, act.why, json.loads(act.after)) == (
        "ann@here", "the second week", {"people": 2, "outcomes": MISSED},
    )  # fmt: skip


async def test_who_is_on_the_list_is_not_called_again(ledger: FullLedger) -> None:
    campaign_id = await called(ledger, [D.NO_ANSWER, D.NO_ANSWER])
    await ledger.suppress([Suppression(phone(1), "asked")])
    assert await ledger.redial(campaign_id, MISSED, OPERATOR) == {"": 1, "suppressed: asked": 1}
    (call,) = await place(ledger, await ledger.campaign("spring"))
    assert call.phone == phone(2)


async def test_who_was_reached_on_another_number_is_not_called_again(ledger: FullLedger) -> None:
    campaign = await ledger.open_campaign(spec())
    people = [NewContact(phone(n), "Person", n + 1, key="same") for n in (1, 2)]
    await ledger.add_contacts(campaign.campaign_id, people)
    await ledger.record_import(campaign.campaign_id, "sha", "list.csv", ImportCounts(2, 2))
    started = await ledger.move_campaign(campaign.campaign_id, "start", "")
    assert started is not None
    for came_to, follow in ((D.NO_ANSWER, EXHAUSTED), (D.ANSWERED, REACHED)):
        (call,) = await place(ledger, started, limit=1)
        await end(ledger, call, came_to, follow)
    assert await ledger.redial(campaign.campaign_id, MISSED, OPERATOR) == {REACHED_ELSEWHERE: 1}


async def test_after_the_appointment_nobody_is_called_again(ledger: FullLedger, clock: ManualClock) -> None:
    campaign = await opened(ledger, [patient(1, 2)])
    (call,) = await place(ledger, campaign)
    await end(ledger, call, D.NO_ANSWER, EXHAUSTED)
    clock.skip(3 * H)
    await ledger.finish_campaigns()
    assert await ledger.redial(campaign.campaign_id, MISSED, OPERATOR) == {PASSED: 1}


async def test_a_cancel_that_came_first_is_obeyed(ledger: FullLedger) -> None:
    campaign = await running(ledger, 2)
    (call,) = await place(ledger, campaign, limit=1)
    await end(ledger, call, D.NO_ANSWER, EXHAUSTED)
    await ledger.move_campaign(campaign.campaign_id, "cancel", "")
    assert await ledger.redial(campaign.campaign_id, MISSED, OPERATOR) == {CHANGED: 1}
    assert (await contact(ledger, campaign, phone(1))).status is ContactStatus.EXHAUSTED


async def test_a_paused_campaign_stays_paused(ledger: FullLedger) -> None:
    campaign = await running(ledger, 2)
    (call,) = await place(ledger, campaign, limit=1)
    await end(ledger, call, D.NO_ANSWER, EXHAUSTED)
    await ledger.move_campaign(campaign.campaign_id, "pause", "")
    assert await ledger.redial(campaign.campaign_id, MISSED, OPERATOR) == {"": 1}
    assert (await ledger.campaign("spring")).status is CampaignStatus.PAUSED
