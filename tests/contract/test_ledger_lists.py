"""What every ledger promises of lists that come again, and of people with several numbers."""

from dataclasses import replace

import pytest

from dialer.domain.attempt import AttemptState as S
from dialer.domain.call import Placed
from dialer.domain.contact import ContactStatus, NewContact
from dialer.domain.disposition import Disposition
from dialer.ports import Admitted, Suppression, Turned
from tests.fakes.clock import START, ManualClock
from tests.ledger_steps import (
    EXHAUSTED,
    REACHED,
    FullLedger,
    claim,
    contact,
    dial,
    end,
    gate,
    outcome,
    person,
    phone,
    spec,
    state,
)
from tests.reminder_steps import SPEC, H, opened, patient, status

MONDAY, TUESDAY = "list of monday", "list of tuesday"


async def event_of(ledger: FullLedger, n: int) -> float | None:
    told = [one async for one in ledger.listed(1) if one.phone == phone(n)]
    return told[0].event_at


async def test_a_later_list_moves_an_appointment(ledger: FullLedger) -> None:
    id_ = (await opened(ledger)).campaign_id
    assert await ledger.add_contacts(id_, [patient(1, 30), patient(2, 30)], MONDAY) == ["queued", "queued"]
    told = await ledger.add_contacts(id_, [patient(1, 50), patient(2, 30), patient(3, 40)], TUESDAY)
    assert told == ["queued", "duplicate", "queued"]
    assert await event_of(ledger, 1) == START + 50 * H
    assert await ledger.add_contacts(id_, [patient(1, 50), patient(2, 30), patient(3, 40)], TUESDAY) == 3 * [
        "duplicate"
    ]


async def test_the_reminder_is_planned_for_the_new_time(ledger: FullLedger, clock: ManualClock) -> None:
    campaign = await opened(ledger)
    await ledger.add_contacts(campaign.campaign_id, [patient(1, 30)], MONDAY)
    clock.skip(6 * H)
    assert len(await claim(ledger, campaign)) == 1
    assert await ledger.add_contacts(campaign.campaign_id, [patient(1, 60)], TUESDAY) == ["queued"]
    clock.skip(29 * H)
    await ledger.sweep()
    assert await claim(ledger, campaign) == []
    clock.skip(1 * H)
    assert len(await claim(ledger, campaign)) == 1


async def test_an_appointment_moved_to_the_past_is_deferred(ledger: FullLedger) -> None:
    campaign = await opened(ledger)
    await ledger.add_contacts(campaign.campaign_id, [patient(1, 30)], MONDAY)
    assert await ledger.add_contacts(campaign.campaign_id, [patient(1, -1)], TUESDAY) == ["deferred"]
    assert await status(ledger, campaign, 1) is ContactStatus.EXPIRED


async def test_a_second_row_of_one_list_is_no_move(ledger: FullLedger) -> None:
    id_ = (await opened(ledger)).campaign_id
    child = patient(1, 50, row=9)
    assert await ledger.add_contacts(id_, [patient(1, 30), child], MONDAY) == ["queued", "second"]
    assert await ledger.add_contacts(id_, [child], MONDAY) == ["second"], "in the next batch"
    # The same two rows in another list: the first of them counts there too.
    assert await ledger.add_contacts(id_, [patient(1, 30)], TUESDAY) == ["duplicate"]
    assert await ledger.add_contacts(id_, [child], TUESDAY) == ["second"]
    assert await event_of(ledger, 1) == START + 30 * H


async def test_the_appointment_of_another_person_is_not_overwritten_before_it_has_passed(
    ledger: FullLedger, clock: ManualClock
) -> None:
    id_ = (await opened(ledger)).campaign_id
    await ledger.add_contacts(id_, [patient(1, 30)], MONDAY)
    for other in (patient(1, 60, name="Her child"), patient(1, 60, key="another")):
        assert await ledger.add_contacts(id_, [other], TUESDAY) == ["other"]
    assert await event_of(ledger, 1) == START + 30 * H
    clock.skip(31 * H)
    assert await ledger.add_contacts(id_, [patient(1, 60, name="Her child")], "list of friday") == ["queued"]
    assert await event_of(ledger, 1) == START + 60 * H


async def test_while_a_call_is_being_dialed_the_list_must_come_again(ledger: FullLedger) -> None:
    campaign = await opened(ledger)
    await ledger.add_contacts(campaign.campaign_id, [patient(1, 1)], MONDAY)
    (call,) = await dial(ledger, campaign)
    assert await ledger.add_contacts(campaign.campaign_id, [patient(1, 60)], TUESDAY) == ["busy"]
    await ledger.record_sends([outcome(call, Placed("c1"))])
    assert await ledger.add_contacts(campaign.campaign_id, [patient(1, 60)], TUESDAY) == ["queued"]
    assert await event_of(ledger, 1) == START + 60 * H


async def test_who_may_not_be_called_is_told_so_whatever_the_list_says(ledger: FullLedger) -> None:
    id_ = (await opened(ledger)).campaign_id
    await ledger.add_contacts(id_, [patient(1, 30)], MONDAY)
    await ledger.suppress([Suppression(phone(1), "asked")])
    assert await ledger.add_contacts(id_, [patient(1, 60)], TUESDAY) == ["suppressed"]


async def test_without_appointments_a_number_is_a_duplicate(ledger: FullLedger) -> None:
    campaign = await opened(ledger, spec=spec())
    assert await ledger.add_contacts(campaign.campaign_id, [person(1), person(1)], MONDAY) == ["queued", "doubled"]
    assert await ledger.add_contacts(campaign.campaign_id, [person(1)], TUESDAY) == ["duplicate"]


async def test_what_is_foreseen_is_what_comes(ledger: FullLedger) -> None:
    await ledger.suppress([Suppression(phone(8), "asked")])
    people = [patient(1, 30), patient(2, -1), patient(8, 30)]
    foreseen = await ledger.foresee(SPEC, people, MONDAY)
    assert foreseen == ["queued", "deferred", "suppressed"]
    id_ = (await opened(ledger)).campaign_id
    assert await ledger.add_contacts(id_, people, MONDAY) == foreseen
    later = [patient(1, 50), patient(2, 40), patient(8, 40), patient(3, 30), patient(4, 30, name="X")]
    await ledger.add_contacts(id_, [patient(4, 31, name="Y")], MONDAY)
    foreseen = await ledger.foresee(SPEC, later, TUESDAY)
    assert foreseen == ["queued", "queued", "suppressed", "queued", "other"]
    assert await ledger.add_contacts(id_, later, TUESDAY) == foreseen


def numbers(*phones: int, **more: object) -> list[NewContact]:
    """One person with these numbers."""
    return [replace(person(n), key="id 7", name="Asha", **more) for n in phones]  # type: ignore[arg-type]


async def test_a_person_is_called_on_one_number_at_a_time(ledger: FullLedger, clock: ManualClock) -> None:
    campaign = await opened(ledger, numbers(1, 2), spec())
    queued = await claim(ledger, campaign)
    first, second = await gate(ledger, queued)
    assert isinstance(first, Admitted)
    assert second == Turned(queued[1].attempt_id, S.PLANNED, "another call to this person is open")
    await ledger.record_sends([outcome(first, Placed("c1"))])
    clock.skip(60)
    (again,) = await gate(ledger, await claim(ledger, campaign))
    assert isinstance(again, Turned)
    await end(ledger, first, Disposition.NO_ANSWER, EXHAUSTED)
    clock.skip(60)
    (then,) = await gate(ledger, await claim(ledger, campaign))
    assert isinstance(then, Admitted)


async def test_over_all_campaigns_too(ledger: FullLedger) -> None:
    one, two = await opened(ledger, numbers(1), spec()), await opened(ledger, numbers(2), spec("other"))
    await dial(ledger, one)
    (answer,) = await gate(ledger, await claim(ledger, two))
    assert isinstance(answer, Turned)
    assert answer.why == "another call to this person is open"


async def test_who_was_reached_is_not_called_on_another_number(ledger: FullLedger, clock: ManualClock) -> None:
    campaign = await opened(ledger, numbers(1, 2, 3), spec())
    queued = await claim(ledger, campaign, 2)
    first, _ = await gate(ledger, queued)
    assert isinstance(first, Admitted)
    await ledger.record_sends([outcome(first, Placed("c1"))])
    await end(ledger, first, Disposition.ANSWERED, REACHED)
    for n in (2, 3):
        told = await contact(ledger, campaign, phone(n))
        assert told.status is ContactStatus.CANCELLED
    assert await state(ledger, queued[1].attempt_id) is S.CANCELLED
    # A number that comes later.
    await ledger.add_contacts(campaign.campaign_id, numbers(4), TUESDAY)
    (late,) = await gate(ledger, await claim(ledger, campaign))
    assert isinstance(late, Turned)
    assert (late.state, late.why) == (S.CANCELLED, "the person was reached on another number")
    assert (await contact(ledger, campaign, phone(4))).status is ContactStatus.CANCELLED
    clock.skip(3600)
    assert await ledger.finish_campaigns() == [campaign.spec.name]


@pytest.mark.parametrize(("hours", "called"), [(30, False), (50, True)])
async def test_another_appointment_of_the_person_is_reminded_of(
    ledger: FullLedger, clock: ManualClock, hours: float, called: bool
) -> None:
    people = [*numbers(1, event_at=START + 30 * H), *numbers(2, event_at=START + hours * H)]
    campaign = await opened(ledger, people)
    clock.skip(6 * H)
    (first, *_) = await gate(ledger, await claim(ledger, campaign, 1))
    assert isinstance(first, Admitted)
    await ledger.record_sends([outcome(first, Placed("c1"))])
    await end(ledger, first, Disposition.ANSWERED, REACHED)
    assert (await status(ledger, campaign, 2) is ContactStatus.PENDING) is called


async def test_who_asked_in_a_call_is_not_called_on_any_number_of_the_list(ledger: FullLedger) -> None:
    campaign = await opened(ledger, [*numbers(1, 2), person(3)], spec())
    await ledger.suppress([Suppression(phone(1), "opted out in a call", "call log c1", once="account:c1")])
    assert {entry.phone async for entry in ledger.suppressions()} == {phone(1), phone(2)}
    statuses = [await status(ledger, campaign, n) for n in (1, 2, 3)]
    assert statuses == [ContactStatus.SUPPRESSED, ContactStatus.SUPPRESSED, ContactStatus.PENDING]


async def test_a_number_that_an_operator_lists_is_that_number_alone(ledger: FullLedger) -> None:
    await opened(ledger, numbers(1, 2), spec())
    await ledger.suppress([Suppression(phone(1), "wrong number")])
    assert {entry.phone async for entry in ledger.suppressions()} == {phone(1)}
