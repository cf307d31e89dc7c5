"""What every ledger promises of readings of a source. In memory and on both engines."""

from dataclasses import replace

from dialer.domain.attempt import AttemptState as S
from dialer.domain.call import NotPlaced, Placed
from dialer.domain.calling_window import CallingWindow
from dialer.domain.campaign import Reminder
from dialer.domain.contact import ContactStatus
from dialer.domain.disposition import Disposition as D
from dialer.domain.redial import Redial, Settle, after_attempt
from dialer.ports import Absent, ImportCounts, SourceState, Suppression
from tests.fakes.clock import START, ManualClock
from tests.ledger_steps import (
    REACHED,
    FullLedger,
    attempt,
    claim,
    contact,
    dial,
    end,
    gate,
    listed,
    outcome,
    person,
    phone,
    place,
    state,
)
from tests.reminder_steps import LEASE, SPEC, H, opened, patient, read, status


async def test_one_reads_at_a_time_until_its_lease_runs_out(ledger: FullLedger, clock: ManualClock) -> None:
    id_ = (await opened(ledger)).campaign_id
    assert await ledger.begin_reading(id_, "one", 60) == 1
    assert await ledger.begin_reading(id_, "two", 60) is None
    clock.skip(59)
    assert await ledger.take_rows(id_, 1, [patient(1, 30)], 60) == ["queued"]
    clock.skip(59)
    assert await ledger.begin_reading(id_, "two", 60) is None
    clock.skip(1)
    assert await ledger.begin_reading(id_, "two", 60) == 2
    assert await ledger.take_rows(id_, 1, [patient(2, 30)], 60) == ["stale"]
    assert await ledger.drop_gone(id_, 1, 60) == 0
    assert await ledger.end_reading(id_, 1, None) is False
    assert await ledger.end_reading(id_, 2, START + 999) is True
    assert await ledger.begin_reading(id_, "three", 60) == 3
    assert len(await listed(ledger.contact_rows(id_))) == 1


async def test_a_reading_leaves_its_state_and_its_counts(ledger: FullLedger, clock: ManualClock) -> None:
    campaign = await ledger.open_campaign(SPEC)
    id_ = campaign.campaign_id
    assert await ledger.source_states() == {}
    first = await ledger.begin_reading(id_, "w", LEASE)
    assert first is not None
    await ledger.end_reading(id_, first, START + 100, "", ImportCounts(rows=5, queued=4, invalid=1, rejects="r.csv"))
    assert await ledger.source_states() == {id_: SourceState(START, START + 100)}
    clock.skip(100)
    second = await ledger.begin_reading(id_, "w", LEASE)
    assert second is not None
    await ledger.end_reading(id_, second, START + 200, "the source cannot be read: down")
    broken = SourceState(START, START + 200, "the source cannot be read: down", START + 100, 1)
    assert (await ledger.report(id_)).source == broken
    third = await ledger.begin_reading(id_, "w", LEASE)
    assert third is not None
    await ledger.end_reading(id_, third, None, "", ImportCounts(rows=3, queued=3))
    report = await ledger.report(id_)
    assert (report.source, report.imported) == (SourceState(START + 100), ImportCounts(rows=3, queued=3))


async def test_new_known_changed_and_doubled_rows_are_told_apart(ledger: FullLedger) -> None:
    await ledger.suppress([Suppression(phone(9), "asked")])
    campaign = await opened(ledger)
    people = [patient(1, 30), patient(2, 30), patient(3, 0), person(9), patient(2, 40)]
    assert await read(ledger, campaign, people) == ["queued", "queued", "deferred", "suppressed", "second"]
    people = [patient(2, 30, row=1), patient(1, 30, name="Other"), patient(3, 0), person(9), patient(2, 40)]
    assert await read(ledger, campaign, people) == ["known", "changed", "known", "known", "second"]
    assert (await contact(ledger, campaign, phone(1))).name == "Other"


async def test_who_is_gone_is_cancelled_and_called_again_on_coming_back(ledger: FullLedger) -> None:
    campaign = await opened(ledger, [person(8)])
    await read(ledger, campaign, [patient(1, 30), patient(2, 24), patient(3, 24)])
    queued = await claim(ledger, campaign)
    await read(ledger, campaign, [patient(3, 24)])
    assert [await status(ledger, campaign, n) for n in (1, 2, 3)] == [
        ContactStatus.CANCELLED, ContactStatus.CANCELLED, ContactStatus.PENDING,
    ]  # fmt: skip
    assert await status(ledger, campaign, 8) is ContactStatus.PENDING, "a file's rows do not vanish with a source"
    states = [await attempt(ledger, q.attempt_id) for q in queued]
    told = {row.phone: (row.state, row.reason) for row in states}
    assert told[phone(2)] == (S.CANCELLED, "no longer in the source")
    assert told[phone(3)][0] is S.QUEUED
    await read(ledger, campaign, [patient(1, 30), patient(2, 24), patient(3, 24)])
    assert [await status(ledger, campaign, n) for n in (1, 2)] == [ContactStatus.PENDING] * 2
    again = await claim(ledger, campaign)
    assert [(row.phone, row.number_of) for row in [await attempt(ledger, q.attempt_id) for q in again]] == [
        (phone(2), 2),
    ]  # fmt: skip


async def test_a_reading_that_was_cut_off_drops_nobody(ledger: FullLedger) -> None:
    campaign = await opened(ledger)
    await read(ledger, campaign, [patient(1, 30), patient(2, 30)])
    await read(ledger, campaign, [patient(1, 40)], whole=False)
    assert [await status(ledger, campaign, n) for n in (1, 2)] == [ContactStatus.PENDING] * 2


async def test_who_vanishes_during_a_call_is_not_called_again(ledger: FullLedger) -> None:
    campaign = await opened(ledger)
    await read(ledger, campaign, [patient(1, 24), patient(2, 24)])
    one, two = await dial(ledger, campaign)
    await ledger.record_sends([outcome(one, Placed("call-1"))])
    await read(ledger, campaign, [])
    assert await status(ledger, campaign, 1) is ContactStatus.ACTIVE
    await end(ledger, one, D.NO_ANSWER, Redial(START + 100))
    await ledger.record_sends([outcome(two, NotPlaced("throttled"), START + 5)])
    assert [await status(ledger, campaign, n) for n in (1, 2)] == [ContactStatus.CANCELLED] * 2
    assert await state(ledger, two.attempt_id) is S.CANCELLED


async def test_an_appointment_that_moves_is_planned_again(ledger: FullLedger, clock: ManualClock) -> None:
    campaign = await opened(ledger)
    await read(ledger, campaign, [patient(1, 30), patient(2, 24), patient(3, 24), patient(4, 24)])
    (call, second, _) = await claim(ledger, campaign)  # 2, 3, 4
    await ledger.hand_back([second], "no line free", START + 10)
    clock.skip(10)
    await read(ledger, campaign, [patient(1, 60), patient(2, 60), patient(3, 60), patient(4, 0.001)])
    assert await claim(ledger, campaign) == []
    assert [await status(ledger, campaign, n) for n in (1, 2, 3, 4)] == [
        ContactStatus.PENDING, ContactStatus.PENDING, ContactStatus.PENDING, ContactStatus.EXPIRED,
    ]  # fmt: skip
    rows = {row.phone: row for row in await listed(ledger.attempt_rows(campaign.campaign_id))}
    assert [rows[phone(n)].state for n in (2, 3, 4)] == [S.QUEUED, S.PLANNED, S.CANCELLED]
    assert [rows[phone(n)].due_at for n in (2, 3)] == [START + 36 * H] * 2
    assert rows[phone(4)].reason == "the appointment has passed"
    (turned,) = await gate(ledger, [call])
    assert getattr(turned, "why", None) == "not due yet"
    clock.skip(36 * H)
    assert len(await claim(ledger, campaign)) == 3


async def test_who_was_reached_is_reminded_of_the_new_time_of_what_is_still_to_come(
    ledger: FullLedger, clock: ManualClock
) -> None:
    campaign = await opened(ledger)
    await read(ledger, campaign, [patient(1, 24), patient(2, 24)])
    for call in await place(ledger, campaign):
        await end(ledger, call, D.ANSWERED, REACHED)
    clock.skip(H)
    await read(ledger, campaign, [patient(1, 10), patient(2, 1.5)])
    assert [await status(ledger, campaign, n) for n in (1, 2)] == [ContactStatus.ACTIVE, ContactStatus.REACHED]
    assert (await ledger.report(campaign.campaign_id)).waiting == {"2h before the appointment": 1}
    clock.skip(7 * H)
    (again,) = await place(ledger, campaign)
    assert (again.phone, again.attempts_made) == (phone(1), 2)


async def test_an_appointment_that_moves_during_the_call_is_reminded_of_anew(ledger: FullLedger) -> None:
    campaign = await opened(ledger)
    await read(ledger, campaign, [patient(1, 24)])
    (call,) = await place(ledger, campaign)
    await read(ledger, campaign, [patient(1, 48)])
    await end(ledger, call, D.ANSWERED, REACHED)
    (_, (second, _)) = await ledger.story(phone=phone(1))
    told = "the appointment was moved: 24h before the appointment"
    assert (second.state, second.due_at, second.reason) == (S.PLANNED, START + 24 * H, told)


async def test_while_a_call_is_being_dialed_its_row_is_left_to_the_next_reading(ledger: FullLedger) -> None:
    campaign = await opened(ledger)
    await read(ledger, campaign, [patient(1, 24)])
    (call,) = await dial(ledger, campaign)
    assert await read(ledger, campaign, [patient(1, 48, name="New")]) == ["changed"]
    assert (await contact(ledger, campaign, phone(1))).name == "Person 1"
    await ledger.record_sends([outcome(call, NotPlaced("throttled"), START + 5)])
    assert await read(ledger, campaign, [patient(1, 48, name="New")]) == ["changed"]
    row = await attempt(ledger, call.attempt_id)
    assert (row.name, row.due_at) == ("New", START + 24 * H)


async def test_another_key_is_another_person_who_is_called_from_the_start(ledger: FullLedger) -> None:
    spec = replace(SPEC, reminder=Reminder())
    campaign = await opened(ledger, spec=spec)
    await read(ledger, campaign, [person(1), person(2)])
    one, two = await place(ledger, campaign)
    await end(ledger, one, D.ANSWERED, REACHED)
    await read(ledger, campaign, [replace(person(1), key="new"), replace(person(2), key="new too")])
    assert (await contact(ledger, campaign, phone(2))).key == "k2", "a call to the former is open"
    (again,) = await dial(ledger, campaign)
    assert (again.phone, again.attempts_made) == (phone(1), 1)
    await end(ledger, two, D.ANSWERED, REACHED)
    await read(ledger, campaign, [replace(person(1), key="new"), replace(person(2), key="new too")])
    assert await status(ledger, campaign, 2) is ContactStatus.PENDING


async def test_another_person_has_all_the_attempts_of_the_campaign(ledger: FullLedger, clock: ManualClock) -> None:
    spec = replace(SPEC, reminder=Reminder())
    campaign = await opened(ledger, spec=spec)
    await read(ledger, campaign, [person(1)])

    async def until_settled() -> int:
        calls = 0
        while placed := await place(ledger, campaign):
            calls += 1
            made = placed[0].attempts_made
            await end(ledger, placed[0], D.NO_ANSWER, after_attempt(spec.redial, D.NO_ANSWER, made, clock.now()))
            clock.skip(3 * H)
        return calls

    assert await until_settled() == spec.redial.max_attempts
    await read(ledger, campaign, [replace(person(1), key="somebody else")])
    row = await contact(ledger, campaign, phone(1))
    assert (row.status, row.attempts, row.disposition, row.call_id) == (ContactStatus.PENDING, 0, None, None)
    assert await until_settled() == spec.redial.max_attempts
    row = await contact(ledger, campaign, phone(1))
    assert (row.status, row.attempts) == (ContactStatus.EXHAUSTED, spec.redial.max_attempts)


async def test_what_the_log_tells_late_of_the_former_person_settles_nobody(ledger: FullLedger) -> None:
    spec = replace(SPEC, reminder=Reminder())
    campaign = await opened(ledger, spec=spec)
    await read(ledger, campaign, [person(1)])
    (call,) = await place(ledger, campaign)
    await ledger.settle_absent([Absent(call.attempt_id, D.UNCONFIRMED, "no trace", Settle(ContactStatus.EXHAUSTED))])
    await read(ledger, campaign, [replace(person(1), key="somebody else")])
    assert await end(ledger, call, D.ANSWERED, REACHED)
    assert await state(ledger, call.attempt_id) is S.ENDED
    assert await status(ledger, campaign, 1) is ContactStatus.PENDING


async def test_only_what_came_of_ones_own_calls_gives_one_up(ledger: FullLedger, clock: ManualClock) -> None:
    spec = replace(SPEC, reminder=Reminder(), redial=replace(SPEC.redial, most={D.BUSY: 2}))
    campaign = await opened(ledger, spec=spec)
    await read(ledger, campaign, [person(1)])
    for key in ("k1", "somebody else"):
        await read(ledger, campaign, [replace(person(1), key=key)])
        for busy in (1, 2):
            (call,) = await place(ledger, campaign)
            assert call.attempts_made == busy
            await end(ledger, call, D.BUSY, Redial(clock.now(), most=2))
        assert (await contact(ledger, campaign, phone(1))).status is ContactStatus.EXHAUSTED


async def test_another_zone_is_looked_at_at_once(ledger: FullLedger) -> None:
    mornings = CallingWindow(frozenset(range(7)), ((9 * 60, 12 * 60),), rules="off", rules_reason="a test")
    spec = replace(SPEC, reminder=Reminder(), window=mornings)
    campaign = await opened(ledger, spec=spec)
    await read(ledger, campaign, [person(1, "UTC")])
    assert await claim(ledger, campaign) == []
    await read(ledger, campaign, [person(1, "America/New_York")])
    assert len(await claim(ledger, campaign)) == 1


async def test_who_is_suppressed_stays_so_whatever_the_source_says(ledger: FullLedger) -> None:
    campaign = await opened(ledger)
    await read(ledger, campaign, [patient(1, 24)])
    await ledger.suppress([Suppression(phone(1), "asked")])
    await read(ledger, campaign, [patient(1, 48)])
    assert await status(ledger, campaign, 1) is ContactStatus.SUPPRESSED
    assert await claim(ledger, campaign) == []
