"""What every ledger promises: the gate, what became of a request, pause and suppression."""

import pytest

from dialer.domain.attempt import AttemptState as S
from dialer.domain.call import NotPlaced, Placed, Refused, Unknown
from dialer.domain.campaign import CampaignStatus
from dialer.domain.contact import ContactStatus
from dialer.domain.disposition import Disposition
from dialer.domain.gate import BUSY_NUMBER_S
from dialer.domain.redial import Redial
from dialer.domain.suppression import hash_of
from dialer.ports import Admitted, GateRequest, SendOutcome, Suppression, Swept, Turned
from tests.fakes.clock import START, ManualClock
from tests.ledger_steps import (
    ACCOUNT,
    EXHAUSTED,
    FullLedger,
    attempt,
    claim,
    contact,
    dial,
    end,
    events,
    gate,
    listed,
    moves,
    outcome,
    person,
    phone,
    place,
    request,
    running,
    spec,
    state,
)


async def test_an_admitted_attempt_carries_all_a_worker_needs(ledger: FullLedger) -> None:
    campaign = await running(ledger)
    (queued,) = await claim(ledger, campaign)
    (answer,) = await ledger.pass_gate([request(queued, "token-1")])
    assert isinstance(answer, Admitted)
    assert (answer.attempt_id, answer.campaign_id, answer.attempts_made) == (queued.attempt_id, campaign.campaign_id, 1)
    assert (answer.token, answer.phone, answer.name) == ("token-1", phone(1), "Person 1")
    assert (dict(answer.variables), answer.dialed_at, answer.spec) == ({"plan": "p1"}, START, campaign.spec)
    row = await contact(ledger, campaign, phone(1))
    assert (row.status, row.attempts, row.last_attempt_at) == (ContactStatus.ACTIVE, 1, START)
    assert await moves(ledger, queued.attempt_id) == [
        ("feeder", "planned", "queued"), ("worker", "queued", "dialing"),
    ]  # fmt: skip


async def test_i1_once_dialed_an_attempt_is_never_admitted_again(ledger: FullLedger, clock: ManualClock) -> None:
    campaign = await running(ledger)
    (queued,) = await claim(ledger, campaign)
    (call,) = await gate(ledger, [queued])
    assert isinstance(call, Admitted)
    again = await ledger.pass_gate([request(queued, "second")])
    assert again == [Turned(queued.attempt_id, S.DIALING, "attempt is dialing, dispatch 1")]
    await ledger.record_sends([outcome(call, Unknown("reset"))])
    clock.skip(10_000)
    assert await ledger.sweep() == Swept()
    assert await claim(ledger, campaign) == []
    (stuck,) = await ledger.pass_gate([request(queued, "third")])
    assert stuck == Turned(queued.attempt_id, S.UNKNOWN, "attempt is unknown, dispatch 1")


async def test_i1_the_same_attempt_twice_in_one_batch_is_admitted_once(ledger: FullLedger) -> None:
    campaign = await running(ledger)
    (queued,) = await claim(ledger, campaign)
    one, two = await ledger.pass_gate([request(queued, "one"), request(queued, "two")])
    assert isinstance(one, Admitted) and one.token == "one"
    assert two == Turned(queued.attempt_id, S.DIALING, "attempt is dialing, dispatch 1")
    assert await state(ledger, queued.attempt_id) is S.DIALING
    assert await ledger.record_sends([outcome(one, Placed("c"))]) == [True]


async def test_i1_proof_that_nothing_was_placed_allows_another_send(ledger: FullLedger) -> None:
    campaign = await running(ledger)
    (call,) = await dial(ledger, campaign)
    assert await ledger.record_sends([outcome(call, NotPlaced("refused connection"), START)]) == [True]
    (again,) = await dial(ledger, campaign)
    assert (again.attempt_id, again.attempts_made, again.token != call.token) == (call.attempt_id, 1, True)
    assert await ledger.record_sends([outcome(call, Placed("old"))]) == [False]
    assert await ledger.record_sends([outcome(again, Placed("new"))]) == [True]
    assert (await attempt(ledger, call.attempt_id)).call_id == "new"


async def test_i2_one_number_has_one_live_attempt_over_all_campaigns(ledger: FullLedger, clock: ManualClock) -> None:
    spring, autumn = await running(ledger), await running(ledger, name="autumn")
    (first,) = await claim(ledger, spring)
    (second,) = await claim(ledger, autumn)
    one, two = await gate(ledger, [first, second])
    assert isinstance(one, Admitted)
    assert two == Turned(second.attempt_id, S.PLANNED, "another call to this number is open")
    assert (await attempt(ledger, second.attempt_id)).due_at == START + BUSY_NUMBER_S
    clock.skip(BUSY_NUMBER_S)
    await ledger.record_sends([outcome(one, Unknown("no answer"))])
    (busy,) = await gate(ledger, await claim(ledger, autumn))
    assert isinstance(busy, Turned), "an unknown call keeps its number"
    await end(ledger, one, Disposition.NO_ANSWER, EXHAUSTED)
    clock.skip(BUSY_NUMBER_S)
    (free,) = await gate(ledger, await claim(ledger, autumn))
    assert isinstance(free, Admitted)


async def test_a_stale_dispatch_is_turned_away(ledger: FullLedger) -> None:
    campaign = await running(ledger)
    (old,) = await claim(ledger, campaign)
    await ledger.hand_back([old], "", START)
    (new,) = await claim(ledger, campaign)
    (turned,) = await gate(ledger, [old])
    assert turned == Turned(old.attempt_id, S.QUEUED, "attempt is queued, dispatch 2")
    assert isinstance((await gate(ledger, [new]))[0], Admitted)


async def test_an_attempt_nobody_knows_is_turned_away(ledger: FullLedger) -> None:
    answer = await ledger.pass_gate([GateRequest(999, 1, "t", "w", 60)])
    assert answer == [Turned(999, S.CANCELLED, "no such attempt")]


async def test_i7_a_queued_number_is_not_dialed_after_the_add_returned(ledger: FullLedger) -> None:
    spring, autumn = await running(ledger), await running(ledger, name="autumn")
    waiting = [*await claim(ledger, spring), *await claim(ledger, autumn)]
    assert await ledger.suppress([Suppression(phone(1), "asked", "mail")]) == [True]
    for queued in waiting:
        (turned,) = await gate(ledger, [queued])
        assert turned == Turned(queued.attempt_id, S.CANCELLED, "attempt is cancelled, dispatch 1")
        assert (await events(ledger, queued.attempt_id))[-1].reason == "suppressed"
        assert (await attempt(ledger, queued.attempt_id)).ended_at == START
    for campaign in (spring, autumn):
        assert (await contact(ledger, campaign, phone(1))).status is ContactStatus.SUPPRESSED
    assert sorted(await ledger.finish_campaigns()) == ["autumn", "spring"]


async def test_i7_the_suppression_of_one_campaign_leaves_the_others(ledger: FullLedger) -> None:
    spring, autumn = await running(ledger), await running(ledger, name="autumn")
    await ledger.suppress([Suppression(phone(1), "asked", campaign_id=spring.campaign_id)])
    assert await claim(ledger, spring) == []
    assert len(await dial(ledger, autumn)) == 1


async def test_i7_a_number_added_during_its_call_is_not_tried_again(ledger: FullLedger) -> None:
    campaign = await running(ledger)
    (call,) = await place(ledger, campaign)
    await ledger.suppress([Suppression(phone(1), "asked")])
    assert (await contact(ledger, campaign, phone(1))).status is ContactStatus.ACTIVE
    await end(ledger, call, Disposition.NO_ANSWER, Redial(START))
    assert await claim(ledger, campaign) == []
    redial, told = (await ledger.story(phone=phone(1)))[-1]
    assert (redial.state, redial.dialed_at, redial.ended_at) == (S.CANCELLED, None, START)
    assert [(event.actor, event.after, event.reason) for event in told] == [
        ("feeder", "cancelled", "suppressed: asked"),
    ]  # fmt: skip
    assert (await contact(ledger, campaign, phone(1))).status is ContactStatus.SUPPRESSED


async def test_i7_a_hash_bars_its_number_from_the_moment_it_is_listed(ledger: FullLedger) -> None:
    campaign = await running(ledger, 2)
    (queued,) = await claim(ledger, campaign, 1)
    barred = [Suppression(hash_of(phone(n)), "law", "register") for n in (1, 2, 3)]
    assert await ledger.suppress([*barred, barred[0]]) == [True, True, True, False]
    assert await gate(ledger, [queued]) == [Turned(queued.attempt_id, S.CANCELLED, "suppressed: law")]
    assert await claim(ledger, campaign) == []
    for n in (1, 2):
        assert (await contact(ledger, campaign, phone(n))).status is ContactStatus.SUPPRESSED
    assert await ledger.add_contacts(campaign.campaign_id, [person(3), person(4)]) == ["suppressed", "queued"]
    assert await ledger.unsuppress([hash_of(phone(3))]) == [True]
    assert await ledger.finish_campaigns() == []


async def test_i7_a_hash_for_one_campaign_leaves_the_others(ledger: FullLedger) -> None:
    spring, autumn = await running(ledger), await running(ledger, name="autumn")
    await ledger.suppress([Suppression(hash_of(phone(1)), "asked", campaign_id=spring.campaign_id)])
    assert await claim(ledger, spring) == []
    assert await ledger.unsuppress([hash_of(phone(1))]) == [False], "it is not on the list of all campaigns"
    assert await ledger.unsuppress([hash_of(phone(1))], spring.campaign_id) == [True]
    assert len(await dial(ledger, autumn)) == 1


async def test_the_suppression_list_adds_removes_and_tells(ledger: FullLedger, clock: ManualClock) -> None:
    entries = [Suppression(phone(2), "asked", "mail"), Suppression(phone(1), "law", "register", campaign_id=None)]
    assert await ledger.suppress([*entries, entries[0]]) == [True, True, False]
    clock.skip(5)
    assert await ledger.suppress([Suppression(phone(1), "again")]) == [False]
    kept = await listed(ledger.suppressions())
    assert kept == [
        Suppression(phone(2), "asked", "mail", None, START), Suppression(phone(1), "law", "register", None, START),
    ]  # fmt: skip
    assert await ledger.unsuppress([phone(2), phone(3)]) == [True, False]
    assert [entry.phone for entry in await listed(ledger.suppressions())] == [phone(1)]
    campaign = await ledger.open_campaign(spec())
    assert await ledger.add_contacts(campaign.campaign_id, [person(1), person(2)]) == ["suppressed", "queued"]


async def test_who_is_taken_off_the_list_is_not_put_back_by_what_had_put_them_there(ledger: FullLedger) -> None:
    spring = await running(ledger, 2)
    first, second = (Suppression(phone(1), "asked", once=call) for call in ("call 1", "call 2"))
    assert await ledger.suppress([first, second, first]) == [True, False, False]
    assert await ledger.unsuppress([phone(1)]) == [True]
    late = Suppression(phone(2), "asked", once="call 3")
    assert await ledger.suppress([second, late, first]) == [False, True, False]
    assert await listed(ledger.suppressions()) == [Suppression(phone(2), "asked", added_at=START)]
    assert await ledger.unsuppress([phone(2)]) == [True]
    again = Suppression(phone(1), "asked once more", once="call 4")
    assert await ledger.suppress([late, again, Suppression(phone(2), "by hand")]) == [False, True, True]
    assert await claim(ledger, spring) == []


async def test_i8_pause_takes_back_the_queue_and_the_gate_admits_none(ledger: FullLedger) -> None:
    campaign = await running(ledger, 2)
    queued = await claim(ledger, campaign)
    paused = await ledger.move_campaign(campaign.campaign_id, "pause", "lunch")
    assert paused is not None and paused.status is CampaignStatus.PAUSED
    turned = await gate(ledger, queued)
    assert turned == [Turned(q.attempt_id, S.PLANNED, "attempt is planned, dispatch 1") for q in queued]
    assert await claim(ledger, campaign) == []
    assert (await events(ledger, queued[0].attempt_id))[-1].reason == "campaign paused"
    assert (await moves(ledger, queued[0].attempt_id))[-1] == ("operator", "queued", "planned")
    await ledger.move_campaign(campaign.campaign_id, "resume", "")
    assert [one.attempt_id for one in await dial(ledger, campaign)] == [q.attempt_id for q in queued]


async def test_i8_cancel_ends_what_waits_and_settles_the_contacts(ledger: FullLedger) -> None:
    campaign = await running(ledger, 3)
    (call,) = await place(ledger, campaign, 1)
    (queued,) = await claim(ledger, campaign, 1)
    cancelled = await ledger.move_campaign(campaign.campaign_id, "cancel", "")
    assert cancelled is not None
    assert (cancelled.status, cancelled.finished_at) == (CampaignStatus.CANCELLED, START)
    assert await moves(ledger, queued.attempt_id) == [
        ("feeder", "planned", "queued"), ("operator", "queued", "cancelled"),
    ]  # fmt: skip
    statuses = [row.status for row in await listed(ledger.contact_rows(campaign.campaign_id))]
    assert statuses == [ContactStatus.ACTIVE, ContactStatus.CANCELLED, ContactStatus.CANCELLED]
    await end(ledger, call, Disposition.NO_ANSWER, Redial(START + 10))
    row = await contact(ledger, campaign, phone(1))
    assert (row.status, row.disposition) == (ContactStatus.CANCELLED, Disposition.NO_ANSWER)
    assert len(await listed(ledger.attempt_rows(campaign.campaign_id))) == 2


@pytest.mark.parametrize(
    ("verbs", "allowed"),
    [
        (["resume"], False), (["finish"], False), (["halt"], False), (["start", "start"], True),
        (["pause", "resume"], True), (["cancel", "start"], False), (["start", "finish", "cancel"], False),
        (["start", "finish", "reopen"], True), (["start", "halt", "start"], True), (["cancel", "cancel"], True),
    ],
)  # fmt: skip
async def test_a_campaign_moves_only_as_its_table_says(ledger: FullLedger, verbs: list[str], allowed: bool) -> None:
    campaign = await ledger.open_campaign(spec())
    answers = [await ledger.move_campaign(campaign.campaign_id, verb, "why") for verb in verbs]
    assert [answer is not None for answer in answers] == [True] * (len(verbs) - 1) + [allowed]


async def test_halting_an_account_stops_its_running_campaigns_only(ledger: FullLedger) -> None:
    await running(ledger, name="one")
    two = await running(ledger, name="two", first=9)
    draft = await ledger.open_campaign(spec("draft"))
    other = await ledger.open_campaign(spec("other", provider="vaani"))
    await ledger.move_campaign(other.campaign_id, "start", "")
    queued = await claim(ledger, two)
    assert await ledger.halt_account(ACCOUNT, "no credit") == ["one", "two"]
    statuses = {campaign.spec.name: campaign.status.value for campaign in await ledger.campaigns()}
    assert statuses == {"one": "halted", "two": "halted", "draft": "draft", "other": "running"}
    assert (await ledger.campaign("two")).halt_reason == "no credit"
    assert await state(ledger, queued[0].attempt_id) is S.PLANNED
    assert draft.status is CampaignStatus.DRAFT
    started = await ledger.move_campaign(two.campaign_id, "start", "")
    assert started is not None and started.halt_reason == ""


async def test_young_intents_are_counted_for_the_drain(ledger: FullLedger, clock: ManualClock) -> None:
    campaign = await running(ledger, 2)
    await dial(ledger, campaign)
    clock.skip(3)
    assert await ledger.dialing(campaign_id=campaign.campaign_id, since=START - 1) == 2
    assert await ledger.dialing(campaign_id=campaign.campaign_id, since=START) == 0
    assert await ledger.dialing(phones=[phone(1), phone(9)], since=START - 1) == 1
    assert await ledger.dialing(phones=[hash_of(phone(2))], since=START - 1) == 1
    assert await ledger.dialing(since=START - 1) == 0


async def test_a_worker_that_owes_an_answer_makes_its_attempt_unknown(ledger: FullLedger, clock: ManualClock) -> None:
    campaign = await running(ledger)
    (call,) = await dial(ledger, campaign)
    clock.skip(60)
    assert await ledger.sweep() == Swept(made_unknown=1)
    assert await state(ledger, call.attempt_id) is S.UNKNOWN
    assert (await moves(ledger, call.attempt_id))[-1] == ("sweeper", "dialing", "unknown")
    (live,) = await ledger.live_attempts(ACCOUNT)
    assert (live.attempt_id, live.campaign_id, live.state, live.dialed_at) == (
        call.attempt_id, campaign.campaign_id, S.UNKNOWN, START,
    )  # fmt: skip
    assert await ledger.record_sends([outcome(call, NotPlaced("late"), START)]) == [False], "never back to planned"
    assert await ledger.record_sends([outcome(call, Placed("c9"))]) == [True], "late, and believed"
    assert (await moves(ledger, call.attempt_id))[-1] == ("worker", "unknown", "placed")
    assert (await attempt(ledger, call.attempt_id)).call_id == "c9"


async def test_what_became_of_each_request(ledger: FullLedger) -> None:
    campaign = await running(ledger, 4)
    placed, deferred, refused, lost = await dial(ledger, campaign)
    answers = await ledger.record_sends(
        [
            outcome(placed, Placed("c1", 200)),
            outcome(deferred, NotPlaced("throttled", http_status=429), START + 7),
            outcome(refused, Refused(Disposition.INVALID_NUMBER, "no such number"), follow=EXHAUSTED),
            outcome(lost, Unknown("reset after the first byte")),
            SendOutcome(placed.attempt_id, "another token", Placed("c2"), 1, 0.0),
            SendOutcome(999, "t", Placed("c3"), 1, 0.0),
        ]
    )
    assert answers == [True, True, True, True, False, False]
    rows = [await attempt(ledger, call.attempt_id) for call in (placed, deferred, refused, lost)]
    assert [row.state for row in rows] == [S.PLACED, S.PLANNED, S.REFUSED, S.UNKNOWN]
    assert [row.reason for row in rows] == [
        "accepted by the provider", "throttled", "no such number", "reset after the first byte",
    ]  # fmt: skip
    assert (rows[0].call_id, rows[1].due_at, rows[1].dialed_at) == ("c1", START + 7, None)
    assert (rows[2].disposition, rows[2].ended_at) == (Disposition.INVALID_NUMBER, START)
    settled = await contact(ledger, campaign, refused.phone)
    assert (settled.status, settled.disposition) == (ContactStatus.EXHAUSTED, Disposition.INVALID_NUMBER)


async def test_a_refusal_may_be_followed_by_a_redial(ledger: FullLedger) -> None:
    campaign = await running(ledger)
    (call,) = await dial(ledger, campaign)
    refused = outcome(call, Refused(Disposition.FAILED, "carrier"), follow=Redial(START + 5))
    assert await ledger.record_sends([refused, refused]) == [True, False]
    rows = [row for row, _ in await ledger.story(phone=phone(1))]
    assert [(row.number_of, row.state, row.due_at) for row in rows] == [
        (1, S.REFUSED, START), (2, S.PLANNED, START + 5),
    ]  # fmt: skip
    assert rows[1].reason == "redial after failed"


async def test_what_was_not_placed_in_a_cancelled_campaign_ends(ledger: FullLedger) -> None:
    campaign = await running(ledger)
    (call,) = await dial(ledger, campaign)
    await ledger.move_campaign(campaign.campaign_id, "cancel", "")
    assert await ledger.record_sends([outcome(call, NotPlaced("withdrawn"), START)]) == [True]
    assert (await moves(ledger, call.attempt_id))[-2:] == [
        ("worker", "dialing", "planned"), ("operator", "planned", "cancelled"),
    ]  # fmt: skip
    assert (await contact(ledger, campaign, phone(1))).status is ContactStatus.CANCELLED


async def test_live_attempts_hold_a_line_until_they_are_over(ledger: FullLedger) -> None:
    campaign = await running(ledger, 3)
    one, two, three = await dial(ledger, campaign)
    await ledger.record_sends([outcome(two, Placed("c2")), outcome(three, Unknown("lost"))])
    assert [(live.attempt_id, live.state) for live in await ledger.live_attempts(ACCOUNT)] == [
        (one.attempt_id, S.DIALING), (two.attempt_id, S.PLACED), (three.attempt_id, S.UNKNOWN),
    ]  # fmt: skip
    assert await ledger.live_attempts("vaani") == []
    await ledger.record_sends([outcome(one, NotPlaced("refused connection"), START + 9)])
    await end(ledger, three, Disposition.BUSY, EXHAUSTED)
    assert [live.attempt_id for live in await ledger.live_attempts(ACCOUNT)] == [two.attempt_id]
