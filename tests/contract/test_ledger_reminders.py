"""What every ledger promises: reminders, what comes too late, schedules. In memory and on both engines."""

from dataclasses import replace

import pytest

from dialer.domain.attempt import AttemptState as S
from dialer.domain.campaign import CampaignStatus, Reminder, Schedule, Source
from dialer.domain.contact import ContactStatus
from dialer.domain.disposition import Disposition
from dialer.domain.redial import Redial
from tests.fakes.clock import START, ManualClock
from tests.ledger_steps import (
    EXHAUSTED,
    REACHED,
    FullLedger,
    attempt,
    claim,
    end,
    gate,
    person,
    phone,
    place,
    state,
)
from tests.reminder_steps import SPEC, H, opened, patient, status

# reminders


async def test_a_reminder_waits_for_its_moment_and_says_which_it_is(ledger: FullLedger, clock: ManualClock) -> None:
    campaign = await opened(ledger, [patient(1, 30)])
    assert await claim(ledger, campaign) == []
    assert (await ledger.report(campaign.campaign_id)).waiting == {"24h before the appointment": 1}
    clock.skip(6 * H - 1)
    assert await claim(ledger, campaign) == []
    clock.skip(1)
    (queued,) = await claim(ledger, campaign)
    assert (await attempt(ledger, queued.attempt_id)).reason == "24h before the appointment"


async def test_after_a_reminder_without_an_answer_comes_the_next(ledger: FullLedger, clock: ManualClock) -> None:
    campaign = await opened(ledger, [patient(1, 24)])
    (call,) = await place(ledger, campaign)
    await end(ledger, call, Disposition.NO_ANSWER, EXHAUSTED)
    (_, (second, _)) = await ledger.story(phone=phone(1))
    assert (second.state, second.due_at, second.reason) == (S.PLANNED, START + 22 * H, "2h before the appointment")
    clock.skip(22 * H)
    (call,) = await place(ledger, campaign)
    await end(ledger, call, Disposition.NO_ANSWER, EXHAUSTED)
    assert await status(ledger, campaign, 1) is ContactStatus.EXHAUSTED
    assert await ledger.finish_campaigns() == ["visits"]


async def test_who_was_reached_is_reminded_no_more(ledger: FullLedger) -> None:
    campaign = await opened(ledger, [patient(1, 24)])
    (call,) = await place(ledger, campaign)
    await end(ledger, call, Disposition.ANSWERED, REACHED)
    assert await status(ledger, campaign, 1) is ContactStatus.REACHED
    assert len(await ledger.story(phone=phone(1))) == 1


async def test_a_redial_that_would_pass_the_appointment_is_not_made(ledger: FullLedger) -> None:
    campaign = await opened(ledger, [patient(1, 1)])
    (call,) = await place(ledger, campaign)  # made up for at once
    await end(ledger, call, Disposition.NO_ANSWER, Redial(START + H))
    assert await status(ledger, campaign, 1) is ContactStatus.EXPIRED
    expired = (await ledger.report(campaign.campaign_id)).expired
    assert expired == {"no reminder is left before the appointment": 1}


async def test_rows_whose_appointment_has_passed_are_kept_and_not_called(ledger: FullLedger) -> None:
    campaign = await ledger.open_campaign(SPEC)
    assert await ledger.add_contacts(campaign.campaign_id, [patient(1, 0), patient(2, 30)]) == ["deferred", "queued"]
    assert (await ledger.report(campaign.campaign_id)).expired == {"the appointment has passed": 1}


async def test_the_gate_lets_nobody_pass_after_the_appointment(ledger: FullLedger, clock: ManualClock) -> None:
    campaign = await opened(ledger, [patient(1, 2), patient(2, 3)])
    queued = await claim(ledger, campaign)
    clock.skip(2 * H)
    late, good = await gate(ledger, queued)
    assert (late.attempt_id, getattr(late, "state", None), getattr(late, "why", None)) == (
        queued[0].attempt_id, S.CANCELLED, "the appointment has passed",
    )  # fmt: skip
    assert good.attempt_id == queued[1].attempt_id and await state(ledger, good.attempt_id) is S.DIALING
    assert await status(ledger, campaign, 1) is ContactStatus.EXPIRED


async def test_the_gate_lets_nobody_pass_after_the_end(ledger: FullLedger, clock: ManualClock) -> None:
    campaign = await opened(ledger, [person(1)], replace(SPEC, reminder=Reminder(), schedule=Schedule(None, START + 5)))
    queued = await claim(ledger, campaign)
    clock.skip(5)
    (late,) = await gate(ledger, queued)
    assert getattr(late, "why", None) == "the campaign has ended"
    assert await status(ledger, campaign, 1) is ContactStatus.EXPIRED


# expiry


async def test_who_waits_past_the_appointment_expires(ledger: FullLedger, clock: ManualClock) -> None:
    campaign = await opened(ledger, [patient(1, 24), patient(2, 24), patient(3, 30), patient(4, 24)])
    first, second, fourth = await claim(ledger, campaign)
    await ledger.hand_back([first], "no line free", START + 99 * H)
    (call,) = await gate(ledger, [fourth])
    clock.skip(24 * H)
    assert await ledger.expire(campaign.campaign_id, "the appointment has passed", 10, passed=True) == 2
    assert [await state(ledger, q.attempt_id) for q in (first, second, fourth)] == [S.CANCELLED, S.CANCELLED, S.DIALING]
    assert [await status(ledger, campaign, n) for n in (1, 2, 3, 4)] == [
        ContactStatus.EXPIRED, ContactStatus.EXPIRED, ContactStatus.PENDING, ContactStatus.ACTIVE,
    ]  # fmt: skip
    assert await ledger.expire(campaign.campaign_id, "the appointment has passed", 10, passed=True) == 0
    assert call.attempt_id == fourth.attempt_id


async def test_at_the_end_of_a_campaign_everybody_who_waits_expires_in_portions(ledger: FullLedger) -> None:
    campaign = await opened(ledger, [person(n) for n in range(5)], replace(SPEC, reminder=Reminder()))
    calls = await place(ledger, campaign, 1)
    assert [await ledger.expire(campaign.campaign_id, "ended", 3, passed=False) for _ in range(3)] == [3, 1, 0]
    assert (await ledger.report(campaign.campaign_id)).expired == {"ended": 4}
    await end(ledger, calls[0], Disposition.ANSWERED, REACHED)


async def test_after_the_end_a_call_is_followed_by_nothing(ledger: FullLedger, clock: ManualClock) -> None:
    ending = replace(SPEC, reminder=Reminder(), schedule=Schedule(None, START + 60))
    campaign = await opened(ledger, [person(1)], ending)
    (call,) = await place(ledger, campaign)
    clock.skip(60)
    await end(ledger, call, Disposition.NO_ANSWER, Redial(START + 100))
    assert await status(ledger, campaign, 1) is ContactStatus.EXPIRED
    assert await ledger.finish_campaigns() == ["visits"]


@pytest.mark.parametrize("verb", ["pause", "halt"])
async def test_a_campaign_that_has_ended_finishes_from_wherever_it_is(
    ledger: FullLedger, clock: ManualClock, verb: str
) -> None:
    campaign = await opened(ledger, [person(1)], replace(SPEC, schedule=Schedule(None, START + 60)))
    await ledger.move_campaign(campaign.campaign_id, verb, "")
    await ledger.expire(campaign.campaign_id, "ended", 10, passed=False)
    assert await ledger.finish_campaigns() == []
    clock.skip(60)
    assert await ledger.finish_campaigns() == ["visits"]


async def test_a_campaign_whose_source_is_read_again_goes_on_without_anybody(ledger: FullLedger) -> None:
    source = Source("sqlite:///x.db", "SELECT 1", "* * * * *")
    await opened(ledger, [], replace(SPEC, source=source))
    assert await ledger.finish_campaigns() == []


# schedules


async def test_before_its_start_a_campaign_is_scheduled(ledger: FullLedger, clock: ManualClock) -> None:
    campaign = await ledger.open_campaign(replace(SPEC, schedule=Schedule(START + 60)))

    async def move(verb: str) -> CampaignStatus | None:
        moved = await ledger.move_campaign(campaign.campaign_id, verb, "")
        return moved.status if moved else None

    assert [await move(verb) for verb in ("reopen", "pause", "resume", "start")] == [
        CampaignStatus.SCHEDULED, CampaignStatus.PAUSED, CampaignStatus.SCHEDULED, CampaignStatus.RUNNING,
    ]  # fmt: skip
    await move("pause")
    clock.skip(60)
    assert await move("resume") is CampaignStatus.RUNNING


async def test_a_recurring_campaign_dials_nobody_itself(ledger: FullLedger) -> None:
    again = replace(SPEC, reminder=Reminder(), schedule=Schedule(repeat="0 9 * * *", timezone="UTC"))
    campaign = await opened(ledger, [person(1), replace(person(2), places=("US-CA",))], again)
    assert campaign.status is CampaignStatus.SCHEDULED
    assert await claim(ledger, campaign) == []
    assert [one async for one in ledger.listed(campaign.campaign_id)] == [
        person(1), replace(person(2), places=("US-CA",)),
    ]  # fmt: skip
    assert await ledger.finish_campaigns() == []
