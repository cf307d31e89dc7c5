"""What every ledger promises: lists, campaigns, claims and leases. In memory, on SQLite and on PostgreSQL."""

import pytest

from dialer.domain.attempt import AttemptState as S
from dialer.domain.calling_window import CallingWindow
from dialer.domain.campaign import CampaignStatus, Pace
from dialer.domain.contact import ContactStatus
from dialer.domain.disposition import Disposition
from dialer.domain.redial import Redial
from dialer.errors import LedgerUnavailable, UnknownName
from dialer.ports import ImportCounts, QueuedAttempt, Suppression, Swept
from tests.fakes.clock import START, ManualClock
from tests.ledger_steps import (
    ACCOUNT,
    EXHAUSTED,
    REACHED,
    FullLedger,
    attempt,
    claim,
    contact,
    end,
    gate,
    listed,
    moves,
    person,
    phone,
    place,
    running,
    spec,
    state,
)

MORNINGS = CallingWindow(frozenset(range(7)), ((540, 720),), lead_s=0.0, rules="off", rules_reason="a test")


async def test_a_campaign_is_made_once_and_then_takes_the_new_spec(ledger: FullLedger) -> None:
    made = await ledger.open_campaign(spec("spring"))
    assert (made.is_new, made.status, made.created_at) == (True, CampaignStatus.DRAFT, START)
    faster = spec("spring", MORNINGS)
    again = await ledger.open_campaign(faster)
    assert (again.is_new, again.campaign_id, again.spec) == (False, made.campaign_id, faster)
    assert again.spec.pace == Pace()
    assert await ledger.campaign("spring") == again


async def test_an_unknown_campaign_names_the_nearest(ledger: FullLedger) -> None:
    await ledger.open_campaign(spec("october-renewals"))
    with pytest.raises(UnknownName, match='there is no campaign "october-renewal": did you mean "october-renewals"'):
        await ledger.campaign("october-renewal")
    with pytest.raises(UnknownName, match="`dialer campaigns` lists them"):
        await ledger.campaign("zzz")


async def test_campaigns_come_oldest_first(ledger: FullLedger) -> None:
    for name in ("zulu", "alpha", "mike"):
        await ledger.open_campaign(spec(name))
    assert [campaign.spec.name for campaign in await ledger.campaigns()] == ["zulu", "alpha", "mike"]


async def test_campaigns_that_are_over_need_not_be_asked_for(ledger: FullLedger) -> None:
    made = {name: await ledger.open_campaign(spec(name)) for name in ("draft", "ran", "runs", "cancelled")}
    for name, verb in (("ran", "start"), ("ran", "finish"), ("runs", "start"), ("cancelled", "cancel")):
        assert await ledger.move_campaign(made[name].campaign_id, verb, "") is not None
    assert [campaign.spec.name for campaign in await ledger.campaigns(over=False)] == ["draft", "runs"]


async def test_i3_the_same_list_twice_adds_nothing(ledger: FullLedger) -> None:
    campaign = await ledger.open_campaign(spec())
    people = [person(1), person(2), person(1)]
    assert await ledger.add_contacts(campaign.campaign_id, people) == ["queued", "queued", "duplicate"]
    assert await ledger.add_contacts(campaign.campaign_id, people) == ["duplicate"] * 3
    report = await ledger.report(campaign.campaign_id)
    assert report.contacts[ContactStatus.PENDING] == sum(report.contacts.values()) == 2


async def test_i3_the_counts_of_a_list_read_again_still_add_up(ledger: FullLedger) -> None:
    campaign_id = (await ledger.open_campaign(spec())).campaign_id
    first = ImportCounts(rows=10, queued=4, duplicate=1, suppressed=2, invalid=3, rejects="r.csv")
    await ledger.record_import(campaign_id, "sha", "list.csv", first)
    assert (await ledger.report(campaign_id)).imported == first
    await ledger.record_import(campaign_id, "sha", "list.csv", ImportCounts(rows=10, duplicate=7, invalid=3))
    again = (await ledger.report(campaign_id)).imported
    assert (again.queued, again.duplicate, again.suppressed, again.invalid) == (4, 1, 2, 3)


async def test_i3_rows_that_became_good_are_counted_once(ledger: FullLedger) -> None:
    campaign_id = (await ledger.open_campaign(spec())).campaign_id
    await ledger.record_import(campaign_id, "sha", "l.csv", ImportCounts(rows=5, queued=2, invalid=3, rejects="r.csv"))
    await ledger.record_import(campaign_id, "sha", "l.csv", ImportCounts(rows=5, queued=3, duplicate=2))
    assert (await ledger.report(campaign_id)).imported == ImportCounts(rows=5, queued=5)


async def test_two_lists_add_up(ledger: FullLedger) -> None:
    campaign_id = (await ledger.open_campaign(spec())).campaign_id
    await ledger.record_import(campaign_id, "a", "a.csv", ImportCounts(rows=3, queued=3))
    await ledger.record_import(campaign_id, "b", "b.csv", ImportCounts(rows=2, queued=1, invalid=1, rejects="b"))
    assert (await ledger.report(campaign_id)).imported == ImportCounts(rows=5, queued=4, invalid=1, rejects="b")


async def test_a_suppressed_number_is_kept_and_not_dialed(ledger: FullLedger) -> None:
    await ledger.suppress([Suppression(phone(2), "asked")])
    campaign = await ledger.open_campaign(spec())
    answers = await ledger.add_contacts(campaign.campaign_id, [person(1), person(2)])
    assert answers == ["queued", "suppressed"]
    await ledger.move_campaign(campaign.campaign_id, "start", "")
    assert [(await attempt(ledger, q.attempt_id)).phone for q in await claim(ledger, campaign)] == [phone(1)]
    assert (await contact(ledger, campaign, phone(2))).status is ContactStatus.SUPPRESSED


async def test_claims_keep_to_the_limit_and_the_order_of_the_list(ledger: FullLedger) -> None:
    campaign = await running(ledger, 5)
    first = await claim(ledger, campaign, 2)
    rest = await claim(ledger, campaign, 10)
    assert [len(first), len(rest)] == [2, 3]
    numbers = [(await attempt(ledger, queued.attempt_id)).phone for queued in (*first, *rest)]
    assert numbers == [phone(n) for n in range(1, 6)]
    assert first[0] == QueuedAttempt(first[0].attempt_id, 1, campaign.campaign_id, ACCOUNT)
    assert await claim(ledger, campaign) == []


async def test_nothing_is_claimed_from_a_campaign_that_does_not_run(ledger: FullLedger) -> None:
    campaign = await ledger.open_campaign(spec())
    await ledger.add_contacts(campaign.campaign_id, [person(1)])
    assert await claim(ledger, campaign) == []


async def test_redials_come_before_first_attempts_the_longest_due_ahead(ledger: FullLedger, clock: ManualClock) -> None:
    campaign = await running(ledger, 4)
    late, early = await place(ledger, campaign, 2)
    await end(ledger, late, Disposition.NO_ANSWER, Redial(START + 200))
    await end(ledger, early, Disposition.BUSY, Redial(START + 100))
    assert [(await attempt(ledger, q.attempt_id)).phone for q in await claim(ledger, campaign, 1)] == [phone(3)]
    clock.skip(300)
    claimed = await claim(ledger, campaign)
    numbers = [(row.phone, row.number_of) for row in [await attempt(ledger, q.attempt_id) for q in claimed]]
    assert numbers == [(phone(2), 2), (phone(1), 2), (phone(4), 1)]


async def test_a_closed_window_puts_off_with_the_reason(ledger: FullLedger, clock: ManualClock) -> None:
    campaign = await running(ledger, 0, window=MORNINGS)
    await ledger.add_contacts(
        campaign.campaign_id, [person(1, "UTC"), person(2, "America/New_York"), person(3), person(4, "UTC")]
    )
    claimed = await claim(ledger, campaign)  # 14:13 UTC, 10:13 in New York
    assert [(await attempt(ledger, q.attempt_id)).phone for q in claimed] == [phone(2)]
    unknown = "time zone unknown: give a timezone column or --timezone"
    waiting = {"window opens Tue 09:00 UTC": 2, unknown: 1, "being dialed": 1}
    assert (await ledger.report(campaign.campaign_id)).waiting == waiting
    clock.skip(18 * 3600 + 2801)  # Tuesday 09:00:01 UTC
    assert [(await attempt(ledger, q.attempt_id)).phone for q in await claim(ledger, campaign)] == [phone(1), phone(4)]


async def test_a_redial_that_falls_into_a_closed_hour_waits_for_the_opening(
    ledger: FullLedger, clock: ManualClock
) -> None:
    campaign = await running(ledger, 0, window=MORNINGS)
    await ledger.add_contacts(campaign.campaign_id, [person(1, "America/New_York")])
    (call,) = await place(ledger, campaign)
    await end(ledger, call, Disposition.NO_ANSWER, Redial(START + 3 * 3600))
    clock.skip(3 * 3600)
    assert await claim(ledger, campaign) == []
    (_, (redial, _)) = await ledger.story(phone=phone(1))
    assert (redial.state, redial.reason) == (S.PLANNED, "window opens Tue 09:00 America/New_York")
    assert redial.due_at == START + 22 * 3600 + 2800  # 13:00 UTC
    clock.skip(19 * 3600 + 2800)
    assert [queued.attempt_id for queued in await claim(ledger, campaign)] == [redial.attempt_id]


async def test_attempts_in_the_queue_are_counted_per_campaign(ledger: FullLedger) -> None:
    spring, autumn = await running(ledger, 3), await running(ledger, 2, "autumn", first=50)
    await claim(ledger, spring)
    await claim(ledger, autumn, 1)
    assert dict(await ledger.waiting_in_queue()) == {spring.campaign_id: 3, autumn.campaign_id: 1}


async def test_hand_back_spends_nothing(ledger: FullLedger, clock: ManualClock) -> None:
    campaign = await running(ledger)
    (queued,) = await claim(ledger, campaign)
    await ledger.hand_back([queued], "no line free", START + 30)
    row = await attempt(ledger, queued.attempt_id)
    assert (row.state, row.due_at, row.reason, row.dialed_at) == (S.PLANNED, START + 30, "no line free", None)
    assert (await moves(ledger, queued.attempt_id))[-1] == ("worker", "queued", "planned")
    assert await claim(ledger, campaign) == []
    clock.skip(30)
    (again,) = await claim(ledger, campaign)
    assert (again.attempt_id, again.dispatch) == (queued.attempt_id, 2)


async def test_a_stale_hand_back_changes_nothing(ledger: FullLedger) -> None:
    campaign = await running(ledger)
    (old,) = await claim(ledger, campaign)
    await ledger.hand_back([old, old], "once", START)
    (new,) = await claim(ledger, campaign)
    await ledger.hand_back([old], "stale", START + 999)
    assert await state(ledger, new.attempt_id) is S.QUEUED
    assert [event[1:] for event in await moves(ledger, new.attempt_id)] == [
        ("planned", "queued"), ("queued", "planned"), ("planned", "queued"),
    ]  # fmt: skip


async def test_an_expired_lease_is_taken_back_and_a_renewed_one_is_not(ledger: FullLedger, clock: ManualClock) -> None:
    campaign = await running(ledger, 2)
    lost, kept = await claim(ledger, campaign, lease_s=10)
    clock.skip(8)
    await ledger.renew_leases([kept], 10)
    assert await ledger.sweep() == Swept()
    clock.skip(2)
    assert await ledger.sweep() == Swept(leases_expired=1, accounts=frozenset({ACCOUNT}))
    assert [await state(ledger, q.attempt_id) for q in (lost, kept)] == [S.PLANNED, S.QUEUED]
    assert (await moves(ledger, lost.attempt_id))[-1] == ("sweeper", "queued", "planned")
    (again,) = await claim(ledger, campaign)
    assert (again.attempt_id, again.dispatch) == (lost.attempt_id, 2)


async def test_a_stale_renewal_keeps_nothing(ledger: FullLedger, clock: ManualClock) -> None:
    campaign = await running(ledger)
    (old,) = await claim(ledger, campaign, lease_s=10)
    await ledger.hand_back([old], "", START)
    await claim(ledger, campaign, lease_s=10)
    await ledger.renew_leases([old], 1000)
    clock.skip(10)
    assert (await ledger.sweep()).leases_expired == 1


async def test_a_campaign_finishes_only_when_every_contact_is_final(ledger: FullLedger, clock: ManualClock) -> None:
    campaign = await running(ledger, 2)
    one, two = await place(ledger, campaign)
    await end(ledger, one, Disposition.NO_ANSWER, Redial(START + 10))
    await end(ledger, two, Disposition.ANSWERED, REACHED)
    assert await ledger.finish_campaigns() == []
    clock.skip(10)
    (again,) = await place(ledger, campaign)
    assert await ledger.finish_campaigns() == []
    await end(ledger, again, Disposition.REJECTED, EXHAUSTED)
    assert await ledger.finish_campaigns() == ["spring"]
    finished = await ledger.campaign("spring")
    assert (finished.status, finished.started_at, finished.finished_at) == (CampaignStatus.FINISHED, START, START + 10)
    assert await ledger.finish_campaigns() == []


async def test_a_campaign_without_a_list_does_not_finish(ledger: FullLedger) -> None:
    campaign = await ledger.open_campaign(spec())
    await ledger.move_campaign(campaign.campaign_id, "start", "")
    assert await ledger.finish_campaigns() == []


async def test_a_closed_ledger_says_so(ledger: FullLedger) -> None:
    campaign = await running(ledger)
    await ledger.aclose()
    with pytest.raises(LedgerUnavailable, match="closed"):
        await claim(ledger, campaign)
    with pytest.raises(LedgerUnavailable, match="closed"):
        await ledger.campaigns()
    with pytest.raises(LedgerUnavailable, match="closed"):
        await gate(ledger, [])


async def test_streams_go_on_past_a_page(ledger: FullLedger) -> None:
    campaign = await ledger.open_campaign(spec())
    people = [person(n) for n in range(2005)]
    await ledger.add_contacts(campaign.campaign_id, people)
    await ledger.suppress([Suppression(f"+1212555{n:04d}", "asked") for n in range(2003)])
    await ledger.move_campaign(campaign.campaign_id, "start", "")
    await claim(ledger, campaign, 2002)
    contacts = await listed(ledger.contact_rows(campaign.campaign_id))
    assert [row.phone for row in contacts] == [one.phone for one in people]
    assert (contacts[7].name, contacts[7].key, contacts[7].variables) == ("Person 7", "k7", {"plan": "p7"})
    attempts = await listed(ledger.attempt_rows(campaign.campaign_id))
    assert [row.phone for row in attempts] == [one.phone for one in people[:2002]]
    assert [entry.phone for entry in await listed(ledger.suppressions())] == [f"+1212555{n:04d}" for n in range(2003)]
