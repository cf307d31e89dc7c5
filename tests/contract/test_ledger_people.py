"""What every ledger promises of the people of a campaign: pages by filter, calling them again, calling them no more."""

import json
from typing import cast

import pytest

from dialer.adapters.ledger import SqlLedger, picking, unfinished
from dialer.domain.act import By
from dialer.domain.attempt import AttemptState as S
from dialer.domain.call import NotPlaced
from dialer.domain.campaign import CampaignStatus
from dialer.domain.contact import ContactStatus
from dialer.domain.contact_plan import STOPPED
from dialer.domain.disposition import Disposition as D
from dialer.domain.people_filter import PeopleFilter
from dialer.domain.redial import Redial
from dialer.errors import UnknownName
from dialer.ports import Campaign, Suppression, Turned
from dialer.ports.people import Someone
from tests.fakes.clock import START, ManualClock
from tests.ledger_steps import (
    EXHAUSTED,
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
    phone,
    place,
    running,
    state,
)
from tests.reminder_steps import SPEC, H, opened, patient, read

OPERATOR = By("ann@here", "the second week")


def sql(ledger: FullLedger) -> SqlLedger:
    return cast(SqlLedger, ledger)


async def of(ledger: FullLedger, campaign: Campaign, after: int = 0, limit: int = 100, **wanted: object) -> list[str]:
    page = await sql(ledger).people.page(campaign.campaign_id, PeopleFilter(**wanted), after, limit)  # type: ignore[arg-type]
    return [one.row.phone for one in page.people]


async def stop(ledger: FullLedger, campaign: Campaign, **wanted: object) -> int:
    return await sql(ledger).people.stop(campaign.campaign_id, PeopleFilter(**wanted), OPERATOR)  # type: ignore[arg-type]


async def called(ledger: FullLedger) -> Campaign:
    """Six people: answered, no answer and given up, no answer and to be called later, in a call, queued, due."""
    campaign = await running(ledger, 6)
    for came_to, follow in (
        (D.ANSWERED, REACHED),
        (D.NO_ANSWER, EXHAUSTED),
        (D.NO_ANSWER, Redial(START + 3600)),
    ):
        (call,) = await place(ledger, campaign, 1)
        await end(ledger, call, came_to, follow)
    await place(ledger, campaign, 1)
    await claim(ledger, campaign, 1)
    return campaign


async def test_each_filter_means_those_who_are_so(ledger: FullLedger) -> None:
    campaign = await called(ledger)
    assert await of(ledger, campaign) == [phone(n) for n in range(1, 7)]
    assert await of(ledger, campaign, status=ContactStatus.REACHED) == [phone(1)]
    assert await of(ledger, campaign, status=ContactStatus.ACTIVE) == [phone(3), phone(4)]
    assert await of(ledger, campaign, outcome=D.NO_ANSWER) == [phone(2), phone(3)]
    assert await of(ledger, campaign, outcome=D.NO_ANSWER, status=ContactStatus.EXHAUSTED) == [phone(2)]
    assert await of(ledger, campaign, waits="call") == [phone(4)]
    assert await of(ledger, campaign, waits="ready") == [phone(5), phone(6)]
    assert await of(ledger, campaign, waits="later") == [phone(3)]
    assert await of(ledger, campaign, waits="any") == [phone(3)]
    assert await of(ledger, campaign, attempts=0) == [phone(5), phone(6)]
    assert await of(ledger, campaign, attempts=1, waits="later") == [phone(3)]
    assert await of(ledger, campaign, attempts=2) == []


async def test_who_waits_is_counted_as_the_report_counts(ledger: FullLedger) -> None:
    campaign = await called(ledger)
    counted = {one.reason: one.people for one in await ledger.waiting(campaign.campaign_id)}
    assert counted == {"": 1, "redial after no_answer": 1}
    assert len(await of(ledger, campaign, waits="ready")) == counted[""] + 1  # the one in the queue


async def test_pages_follow_one_another(ledger: FullLedger) -> None:
    campaign = await running(ledger, 5)
    view, after, pages = sql(ledger).people, 0, 0
    shown: list[Someone] = []
    while True:
        page = await view.page(campaign.campaign_id, PeopleFilter(), after, 2)
        shown, pages = [*shown, *page.people], pages + 1
        if page.next is None:
            break
        after = page.next
    assert ([one.row.phone for one in shown], pages) == ([phone(n) for n in range(1, 6)], 3)


async def test_where_few_are_meant_the_page_ends_and_the_next_goes_on(
    ledger: FullLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picking, "CHUNK", 2)
    monkeypatch.setattr(picking, "MOST_CHUNKS", 1)
    campaign = await running(ledger, 8)
    await ledger.suppress([Suppression(phone(8), "asked")])
    view = sql(ledger).people
    wanted = PeopleFilter(status=ContactStatus.SUPPRESSED, attempts=0)
    assert [one.row.phone for one in (await view.page(campaign.campaign_id, wanted, 0, 2)).people] == [phone(8)]
    nobody = PeopleFilter(waits="later")
    first = await view.page(campaign.campaign_id, nobody, 0, 1)
    assert (first.people, first.next is not None) == ((), True)
    pages = 1
    while first.next is not None:
        first = await view.page(campaign.campaign_id, nobody, first.next, 1)
        pages += 1
    assert pages > 1


async def test_somebody_by_id_and_by_number(ledger: FullLedger) -> None:
    first, second = await running(ledger, 1), await running(ledger, 2, "autumn")
    view = sql(ledger).people
    people = await view.of_number(phone(1))
    assert [one.campaign_id for one in people] == [second.campaign_id, first.campaign_id]
    assert await view.person(people[0].contact_id) == people[0]
    assert people[0].row.variables == {"plan": "p1"}
    with pytest.raises(UnknownName):
        await view.person(999)


async def test_people_are_counted_up_to_a_bound(ledger: FullLedger) -> None:
    campaign = await called(ledger)
    view = sql(ledger).people
    assert await view.count(campaign.campaign_id, None, 100) == 6
    assert await view.count(campaign.campaign_id, ContactStatus.ACTIVE, 100) == 2
    assert await view.count(campaign.campaign_id, None, 4) == 4


async def test_no_campaign_has_a_name_that_no_database_takes(ledger: FullLedger) -> None:
    with pytest.raises(UnknownName):
        await ledger.campaign("spring\0")


async def test_entries_of_the_list_by_id_and_by_number(ledger: FullLedger) -> None:
    await ledger.suppress([Suppression(phone(n), "asked", "here") for n in (1, 2, 3)])
    view = sql(ledger).people
    newest = await view.suppressions(2**62, 2)
    assert [one.entry.phone for one in newest] == [phone(3), phone(2)]
    (last,) = await view.suppressions(newest[-1].entry_id, 2)
    assert (last.entry.phone, last.entry.reason, last.entry.source) == (phone(1), "asked", "here")
    assert await view.suppression(last.entry_id) == last
    assert await view.entries_of([phone(1)]) == [last]
    assert await view.barred_among([phone(1), phone(4)]) == {phone(1)}
    with pytest.raises(UnknownName):
        await view.suppression(999)


async def test_some_of_the_settled_are_called_again(ledger: FullLedger) -> None:
    campaign = await called(ledger)
    view = sql(ledger).people
    ids = [one.contact_id for one in (await view.page(campaign.campaign_id, PeopleFilter(), 0, 10)).people][:2]
    assert await view.call_again(campaign.campaign_id, ids, "two", OPERATOR, only_look=True) == {"": 2}
    assert await view.call_again(campaign.campaign_id, ids, "two", OPERATOR) == {"": 2}
    assert "" not in await view.call_again(campaign.campaign_id, ids, "two", OPERATOR)
    (act,) = [act for act in await listed(ledger.acts("spring")) if act.act == "redial"]
    assert (act.who, act.why, json.loads(act.after)) == (
        "ann@here", "the second week", {"people": 2, "meant": "two"},
    )  # fmt: skip
    assert sorted(one.phone for one in await place(ledger, campaign))[:2] == [phone(1), phone(2)]


async def test_those_meant_are_called_no_more_and_nobody_else_is_touched(ledger: FullLedger) -> None:
    campaign = await called(ledger)
    assert await stop(ledger, campaign, attempts=0) == 2
    assert [(await contact(ledger, campaign, phone(n))).status for n in range(1, 7)] == [
        ContactStatus.REACHED, ContactStatus.EXHAUSTED, ContactStatus.ACTIVE, ContactStatus.ACTIVE,
        ContactStatus.CANCELLED, ContactStatus.CANCELLED,
    ]  # fmt: skip
    (act,) = [act for act in await listed(ledger.acts("spring")) if act.act == "stop calling"]
    assert (act.who, act.why, json.loads(act.after)) == ("ann@here", "the second week", {"meant": "called 0 times"})
    assert await claim(ledger, campaign) == []
    assert await stop(ledger, campaign, attempts=0) == 0


async def test_a_queued_call_that_is_stopped_does_not_leave(ledger: FullLedger) -> None:
    campaign = await running(ledger, 1)
    (queued,) = await claim(ledger, campaign)
    assert await stop(ledger, campaign) == 1
    (answer,) = await gate(ledger, [queued])
    assert isinstance(answer, Turned)
    assert answer.state is S.CANCELLED


async def test_a_call_that_is_on_goes_on_and_is_the_last(ledger: FullLedger) -> None:
    campaign = await running(ledger, 2)
    calls = await place(ledger, campaign)
    assert await stop(ledger, campaign) == 2
    assert [await state(ledger, call.attempt_id) for call in calls] == [S.PLACED, S.PLACED]
    assert await stop(ledger, campaign) == 0
    await end(ledger, calls[0], D.NO_ANSWER, Redial(START + 60))
    await end(ledger, calls[1], D.ANSWERED, REACHED)
    assert (await contact(ledger, campaign, phone(1))).status is ContactStatus.CANCELLED
    assert (await contact(ledger, campaign, phone(2))).status is ContactStatus.REACHED
    assert await ledger.finish_campaigns() == ["spring"]


async def test_what_was_not_placed_is_not_tried_again_once_it_was_stopped(ledger: FullLedger) -> None:
    campaign = await running(ledger, 1)
    (call,) = await dial(ledger, campaign)
    assert await stop(ledger, campaign) == 1
    await ledger.record_sends([outcome(call, NotPlaced("429"), due_at=START)])
    last = await attempt(ledger, call.attempt_id)
    assert (last.state, last.reason) == (S.CANCELLED, STOPPED)
    assert (await contact(ledger, campaign, phone(1))).status is ContactStatus.CANCELLED


async def test_the_source_does_not_bring_back_who_was_stopped(ledger: FullLedger, clock: ManualClock) -> None:
    campaign = await opened(ledger, [patient(1, 48)], SPEC)
    assert await stop(ledger, campaign) == 1
    clock.skip(H)
    await read(ledger, campaign, [patient(1, 72)])
    await read(ledger, campaign, [])
    await read(ledger, campaign, [patient(1, 72)])
    assert (await contact(ledger, campaign, phone(1))).status is ContactStatus.CANCELLED
    await read(ledger, campaign, [patient(1, 72, key="another")])
    assert (await contact(ledger, campaign, phone(1))).status is ContactStatus.PENDING


async def test_who_is_called_again_after_a_stop_has_all_calls_again(ledger: FullLedger) -> None:
    campaign = await running(ledger, 1)
    (call,) = await place(ledger, campaign)
    await stop(ledger, campaign)
    await end(ledger, call, D.NO_ANSWER, EXHAUSTED)
    view = sql(ledger).people
    (one,) = await view.of_number(phone(1))
    assert await view.call_again(campaign.campaign_id, [one.contact_id], "him", OPERATOR) == {"": 1}
    (call,) = await place(ledger, campaign)
    await end(ledger, call, D.NO_ANSWER, Redial(START + 60))
    assert (await contact(ledger, campaign, phone(1))).status is ContactStatus.ACTIVE


async def test_two_stops_of_one_campaign_are_both_done(ledger: FullLedger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unfinished, "PAGE", 2)
    campaign = await called(ledger)
    assert await stop(ledger, campaign, waits="later") == 1
    assert await stop(ledger, campaign, waits="ready") == 2
    assert await of(ledger, campaign, status=ContactStatus.CANCELLED) == [phone(3), phone(5), phone(6)]
    assert (await ledger.campaign("spring")).status is CampaignStatus.RUNNING
