"""What every ledger promises: nobody is called more often than the limits of a campaign allow."""

from dataclasses import replace

import pytest

from dialer.domain.attempt import AttemptState as S
from dialer.domain.call import NotPlaced, Placed, PlaceResult, Refused, Unknown
from dialer.domain.contact import ContactStatus
from dialer.domain.disposition import Disposition
from dialer.domain.limits import DAY_S, SETTLE_S, UNLIMITED, PersonLimits
from dialer.domain.redial import Redial
from dialer.ports import Absent, Admitted, Campaign, Matched, Turned
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
    gate,
    listed,
    log_of,
    outcome,
    person,
    phone,
    place,
    spec,
)

ONCE_A_DAY = replace(UNLIMITED, per_day=1)


async def opened(
    ledger: FullLedger, name: str, *people: int, limits: PersonLimits = ONCE_A_DAY, key: str | None = None
) -> Campaign:
    """A running campaign; ``key`` is everybody's, where it is not the one that ``person`` gives."""
    campaign = await ledger.open_campaign(spec(name, limits=limits))
    contacts = [person(n) if key is None else replace(person(n), key=key) for n in people]
    await ledger.add_contacts(campaign.campaign_id, contacts)
    started = await ledger.move_campaign(campaign.campaign_id, "start", "")
    assert started is not None
    return started


async def spend(ledger: FullLedger, campaign: Campaign, result: PlaceResult) -> Admitted:
    """One call of a campaign, and what the provider said to it."""
    (call,) = await dial(ledger, campaign, 1)
    follow = EXHAUSTED if isinstance(result, Refused) else None
    assert await ledger.record_sends([outcome(call, result, START + 1, follow)]) == [True]
    return call


@pytest.mark.parametrize("result", [Placed("c"), Unknown("reset")])
async def test_a_call_that_may_have_rung_counts_over_all_campaigns(ledger: FullLedger, result: PlaceResult) -> None:
    one, two = await opened(ledger, "one", 1), await opened(ledger, "two", 1)
    await spend(ledger, one, result)
    assert await claim(ledger, two) == []
    waiting = (await ledger.report(two.campaign_id)).waiting
    assert waiting == {"1 call in 24 h already": 1}


@pytest.mark.parametrize("result", [NotPlaced("refused connection"), Refused(Disposition.REJECTED, "no")])
async def test_a_call_that_provably_was_none_is_given_back(ledger: FullLedger, result: PlaceResult) -> None:
    one, two = await opened(ledger, "one", 1), await opened(ledger, "two", 1)
    await spend(ledger, one, result)
    assert len(await dial(ledger, two)) == 1


async def test_an_attempt_without_a_trace_counts(ledger: FullLedger, clock: ManualClock) -> None:
    one, two = await opened(ledger, "one", 1), await opened(ledger, "two", 1)
    call = await spend(ledger, one, Unknown("lost"))
    absent = Absent(call.attempt_id, Disposition.UNCONFIRMED, "no trace", EXHAUSTED)
    assert await ledger.settle_absent([absent]) == [True]
    clock.skip(3600)
    assert await claim(ledger, two) == []


async def test_a_refusal_that_the_log_gives_the_lie_counts(ledger: FullLedger) -> None:
    one, two = await opened(ledger, "one", 1), await opened(ledger, "two", 1)
    call = await spend(ledger, one, Refused(Disposition.REJECTED, "no"))
    await ledger.record_phantoms(ACCOUNT, [Matched(log_of(call), call.attempt_id, "the log shows a call")])
    assert await claim(ledger, two) == []


async def test_a_call_in_review_counts_from_when_the_log_says(ledger: FullLedger, clock: ManualClock) -> None:
    one, two = await opened(ledger, "one", 1), await opened(ledger, "two", 1)
    call = await spend(ledger, one, NotPlaced("no"))
    await ledger.record_phantoms(ACCOUNT, [Matched(log_of(call), call.attempt_id, "the log shows a call")])
    row = await attempt(ledger, call.attempt_id)
    assert (row.state, row.dialed_at) == (S.REVIEW, START + 5)
    assert await claim(ledger, two) == []
    clock.skip(DAY_S + SETTLE_S + 5)
    assert len(await claim(ledger, two)) == 1


async def test_the_gate_defers_to_the_moment_the_limit_frees(ledger: FullLedger, clock: ManualClock) -> None:
    one, two = await opened(ledger, "one", 1), await opened(ledger, "two", 1)
    queued = await claim(ledger, two)
    call = await spend(ledger, one, Placed("c"))
    await end(ledger, call, Disposition.NO_ANSWER, EXHAUSTED)
    clock.skip(10)
    why = "1 call in 24 h already: free at 2026-09-22 14:14 UTC"
    assert await gate(ledger, queued) == [Turned(queued[0].attempt_id, S.PLANNED, why)]
    row = await attempt(ledger, queued[0].attempt_id)
    assert (row.due_at, row.reason, row.number_of, row.dialed_at) == (START + DAY_S + SETTLE_S, why, 1, None)
    clock.skip(DAY_S + SETTLE_S - 10.5)
    assert await claim(ledger, two) == []
    clock.skip(0.5)
    assert len(await dial(ledger, two)) == 1


async def test_one_key_with_two_numbers_is_one_person(ledger: FullLedger) -> None:
    one = await opened(ledger, "one", 1, key="ann")
    two = await opened(ledger, "two", 2, key="ann")
    await spend(ledger, one, Placed("c"))
    assert await claim(ledger, two) == []


@pytest.mark.parametrize(("first", "second"), [("ann", "bob"), ("ann", ""), ("", "ann")])
async def test_one_number_under_two_keys_is_called_as_often_as_one(ledger: FullLedger, first: str, second: str) -> None:
    one, two = await opened(ledger, "one", 1, key=first), await opened(ledger, "two", 1, key=second)
    call = await spend(ledger, one, Placed("c"))
    await end(ledger, call, Disposition.NO_ANSWER, EXHAUSTED)
    assert await claim(ledger, two) == []


async def test_two_requests_in_one_commit_share_the_limit(ledger: FullLedger, clock: ManualClock) -> None:
    one = await opened(ledger, "one", 1, key="ann")
    two = await opened(ledger, "two", 2, 3, key="ann")
    queued = [*await claim(ledger, one), *await claim(ledger, two)]
    assert len(queued) == 3
    answers = await gate(ledger, queued)
    assert [isinstance(answer, Admitted) for answer in answers] == [True, False, False]
    why = "another call to this person is open"
    assert answers[1] == Turned(queued[1].attempt_id, S.PLANNED, why)
    clock.skip(60)
    assert await claim(ledger, two) == []


async def test_the_lifetime_limit_ends_the_contact(ledger: FullLedger, clock: ManualClock) -> None:
    once = replace(UNLIMITED, lifetime=1)
    one, two = await opened(ledger, "one", 1, limits=once), await opened(ledger, "two", 1, 2, limits=once)
    queued = await claim(ledger, two, 1)
    call = await spend(ledger, one, Placed("c"))
    await end(ledger, call, Disposition.NO_ANSWER, Redial(START + 60))
    why = "1 call already: the lifetime limit is 1"
    assert await gate(ledger, queued) == [Turned(queued[0].attempt_id, S.CANCELLED, why)]
    assert (await contact(ledger, two, phone(1))).status is ContactStatus.EXHAUSTED
    clock.skip(60)
    assert await claim(ledger, one) == []
    assert (await contact(ledger, one, phone(1))).status is ContactStatus.EXHAUSTED
    rows = await listed(ledger.attempt_rows(one.campaign_id))
    assert [(row.state, row.reason) for row in rows] == [(S.ENDED, "call log: call id"), (S.CANCELLED, why)]


async def test_the_feeder_ends_who_was_called_enough_without_a_line(ledger: FullLedger) -> None:
    once = replace(UNLIMITED, lifetime=1)
    one, two = await opened(ledger, "one", 1, limits=once), await opened(ledger, "two", 1, 2, limits=once)
    call = await spend(ledger, one, Placed("c"))
    await end(ledger, call, Disposition.NO_ANSWER, EXHAUSTED)
    (queued,) = await claim(ledger, two)
    assert (await attempt(ledger, queued.attempt_id)).phone == phone(2)
    assert (await contact(ledger, two, phone(1))).status is ContactStatus.EXHAUSTED
    (story, told) = (await ledger.story(phone=phone(1)))[-1]
    assert (story.state, story.number_of, story.dialed_at) == (S.CANCELLED, 1, None)
    assert [(event.actor, event.after, event.reason) for event in told] == [
        ("feeder", "cancelled", "1 call already: the lifetime limit is 1"),
    ]


async def test_people_who_must_wait_do_not_hold_up_the_others(ledger: FullLedger) -> None:
    one = await opened(ledger, "one", *range(1, 41))
    await place(ledger, one)
    two = await opened(ledger, "two", *range(1, 43))
    queued = await claim(ledger, two, 2)
    assert {(await attempt(ledger, one.attempt_id)).phone for one in queued} == {phone(41), phone(42)}
    assert await claim(ledger, two, 2) == [], "and nobody is looked at again before the limit frees"


async def test_silence_after_a_conversation_holds_in_every_campaign(ledger: FullLedger, clock: ManualClock) -> None:
    quiet = replace(UNLIMITED, silence_s=7 * DAY_S)
    one = await opened(ledger, "one", 1, limits=UNLIMITED)
    two = await opened(ledger, "two", 1, limits=quiet)
    call = await spend(ledger, one, Placed("c"))
    assert await claim(ledger, two) == []
    assert (await ledger.report(two.campaign_id)).waiting == {"another call to this person is open": 1}
    await end(ledger, call, Disposition.ANSWERED, EXHAUSTED)
    clock.skip(7 * DAY_S)
    assert await claim(ledger, two) == []
    clock.skip(35)
    assert len(await claim(ledger, two)) == 1


async def test_a_campaign_without_limits_is_not_held_but_counts(ledger: FullLedger) -> None:
    free, held = await opened(ledger, "free", 1, limits=UNLIMITED), await opened(ledger, "held", 1)
    call = await spend(ledger, free, Placed("c"))
    await end(ledger, call, Disposition.NO_ANSWER, Redial(START))
    assert len(await dial(ledger, free)) == 1
    assert await claim(ledger, held) == []


async def test_an_hour_of_the_day_is_not_tried_twice(ledger: FullLedger, clock: ManualClock) -> None:
    told = spec("one")
    campaign = await ledger.open_campaign(replace(told, redial=replace(told.redial, other_hour=True)))
    await ledger.add_contacts(campaign.campaign_id, [person(1, "UTC")])
    await ledger.move_campaign(campaign.campaign_id, "start", "")
    call = await spend(ledger, campaign, Placed("c"))
    await end(ledger, call, Disposition.BUSY, Redial(START + 900))
    clock.skip(900)
    queued = await claim(ledger, campaign)
    why = "called at this hour of the day before"
    assert await gate(ledger, queued) == [Turned(queued[0].attempt_id, S.PLANNED, why)]
    next_hour = START - START % 3600 + 3600
    assert (await attempt(ledger, queued[0].attempt_id)).due_at == next_hour
    clock.skip(next_hour - clock.now())
    assert len(await dial(ledger, campaign)) == 1


async def test_a_disposition_has_a_cap_of_its_own(ledger: FullLedger) -> None:
    campaign = await opened(ledger, "one", 1, limits=UNLIMITED)
    for follow in (Redial(START, most=2), Redial(START, "callback requested"), Redial(START, most=2)):
        (call,) = await place(ledger, campaign)
        await end(ledger, call, Disposition.BUSY if follow.why else Disposition.NO_ANSWER, follow)
    rows = await listed(ledger.attempt_rows(campaign.campaign_id))
    assert [row.state for row in rows] == [S.ENDED] * 3
    assert (await contact(ledger, campaign, phone(1))).status is ContactStatus.EXHAUSTED
