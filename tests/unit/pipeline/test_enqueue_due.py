"""The feeder: just in time, in the measure that can be dialed."""

from collections import Counter
from dataclasses import replace

import pytest

from dialer.domain.attempt import AttemptState
from dialer.domain.call import Placed, PlaceResult, Unknown
from dialer.domain.campaign import CampaignStatus, Pace
from dialer.domain.disposition import Disposition as D
from dialer.errors import QueueUnavailable
from dialer.ports import Limits, Matched, SendOutcome
from tests.fakes.provider import ScriptedProvider, log_row
from tests.house import SPEC, House, phone

S = AttemptState


async def test_a_paced_campaign_has_a_few_seconds_of_work_queued() -> None:
    house = await House(spec=replace(SPEC, pace=Pace(10, 0))).opened(500)
    assert (len(await house.queued()), len(await house.queued())) == (31, 0)


async def test_no_more_is_queued_than_lines_could_take() -> None:
    house = await House(spec=replace(SPEC, pace=Pace(100, 12))).opened(500)
    assert len(await house.queued()) == 12


async def test_campaigns_take_turns() -> None:
    house = await House(spec=replace(SPEC, pace=Pace(1, 0))).opened(10)
    other = await house.ledger.open_campaign(replace(SPEC, name="november", pace=Pace(1, 0)))
    await house.ledger.add_contacts(other.campaign_id, [house.contact(n) for n in range(100, 110)])
    await house.ledger.move_campaign(other.campaign_id, "start", "")
    turns = [attempt.campaign_id for attempt in await house.queued()]
    assert turns == [1, 2, 1, 2, 1, 2, 1, 2]


async def test_a_paused_campaign_is_not_fed() -> None:
    house = await House().opened(5)
    await house.clock.run(house.control.move("october", "pause"))
    assert await house.queued() == []


async def test_attempts_of_a_dead_worker_are_rung_again_when_their_lease_is_over() -> None:
    house = await House().opened(3)
    first = await house.queued()
    await house.clock.advance(6)
    again = await house.queued()
    assert [a.attempt_id for a in again] == [a.attempt_id for a in first]
    assert {a.dispatch for a in again} == {2}


async def test_an_intent_without_an_answer_becomes_unknown_never_planned() -> None:
    house = await House(provider=ScriptedProvider(answer=lambda _: Unknown("lost"))).opened()
    attempts = await house.queued()
    await house.ledger.pass_gate([house.gate_request(attempts[0])])
    await house.clock.advance(61)
    assert await house.queued() == []
    assert await house.states() == [S.UNKNOWN]


async def test_what_could_not_be_rung_is_rung_later() -> None:
    house = await House().opened(2)
    house.queue.down = True
    with pytest.raises(QueueUnavailable):
        await house.queued()
    house.queue.down = False
    await house.clock.advance(6)
    assert len(await house.queued()) == 2


async def test_a_campaign_finishes_when_every_contact_is_final() -> None:
    house = await House().opened(0)
    tick = await house.feeder.tick()
    assert tick.finished == ("october",)
    assert (await house.ledger.campaign("october")).status is CampaignStatus.FINISHED


LOST: PlaceResult = Unknown("reset")
ACCEPTED: PlaceResult = Placed("call")


async def lose(house: House, count: int, accepted: int = 0) -> None:
    """So many requests get no readable answer, and so many more are accepted."""
    attempts = (await house.queued())[: count + accepted]
    requests = [house.gate_request(attempt) for attempt in attempts]
    await house.ledger.pass_gate(requests)
    results = [LOST] * count + [ACCEPTED] * accepted
    await house.ledger.record_sends(
        [SendOutcome(r.attempt_id, r.token, result, 1, 0.0) for r, result in zip(requests, results, strict=True)]
    )


async def test_an_account_that_loses_most_answers_is_halted_with_the_reason() -> None:
    house = await House().opened(200)
    house.feeder = replace(house.feeder, unpaced_ahead=32_000)  # all at once
    for lost, accepted in ((8, 4), (9, 4), (9, 4), (9, 4), (8, 4), (8, 0)):
        assert (await house.ledger.campaign("october")).status is CampaignStatus.RUNNING
        await house.clock.advance(6)
        await lose(house, lost, accepted)
    await house.queued()
    campaign = await house.ledger.campaign("october")
    assert campaign.status is CampaignStatus.HALTED
    assert campaign.halt_reason == (
        "51 of the last 71 requests got no readable answer. Check the provider and the network, then `dialer start`"
    )


async def test_a_small_list_is_halted_by_ten_in_a_row() -> None:
    house = await House().opened(15)
    await lose(house, 9)
    await house.queued()
    assert (await house.ledger.campaign("october")).status is CampaignStatus.RUNNING
    await house.clock.advance(6)
    await lose(house, 1)
    await house.queued()
    campaign = await house.ledger.campaign("october")
    assert campaign.status is CampaignStatus.HALTED
    assert campaign.halt_reason.startswith("10 of the last 10 requests got no readable answer")


async def test_what_a_killed_worker_had_on_the_wire_halts_nothing() -> None:
    house = await House().opened(30)
    attempts = (await house.queued())[:20]
    await house.ledger.pass_gate([house.gate_request(attempt) for attempt in attempts])
    await house.clock.advance(100)
    await house.queued()
    assert (await house.states()).count(S.UNKNOWN) == 20
    assert (await house.ledger.campaign("october")).status is CampaignStatus.RUNNING


async def test_after_a_start_only_new_requests_count() -> None:
    house = await House().opened(60)
    await lose(house, 55)
    await house.queued()
    assert (await house.ledger.campaign("october")).status is CampaignStatus.HALTED
    await house.clock.run(house.control.move("october", "start"))
    await house.queued()
    assert (await house.ledger.campaign("october")).status is CampaignStatus.RUNNING


async def test_a_campaign_without_limits_is_fed_as_fast_as_it_is_dialed() -> None:
    house = await House().opened(550)
    house.feeder = replace(house.feeder, unpaced_ahead=200)
    depths = []
    for _ in range(4):
        attempts = await house.queued()
        depths.append(len(attempts))
        await house.dialed(attempts)
    assert depths == [100, 200, 200, 50]


async def test_a_campaign_that_is_dialed_slowly_is_fed_less() -> None:
    house = await House().opened(3000)
    assert len(await house.queued()) == 124
    assert len(await house.queued()) == 0
    await house.clock.advance(6)
    assert len(await house.queued()) == 100


async def test_workers_that_let_leases_run_out_are_fed_half_until_they_keep_them() -> None:
    house = await House(spec=replace(SPEC, pace=Pace(20, 0))).opened(500)
    depths = []
    for _ in range(3):
        depths.append(len(await house.queued()))
        await house.clock.advance(6)
    for _ in range(3):
        attempts = await house.queued()
        depths.append(len(attempts))
        await house.ledger.hand_back(attempts, "no line", house.clock.now())
    assert depths == [61, 30, 15, 7, 14, 28]


async def test_leases_that_run_out_at_one_account_ease_no_other() -> None:
    house = await House(spec=replace(SPEC, pace=Pace(20, 0))).opened(200)
    late = house.campaign_id
    await house.queued()
    await house.clock.advance(6)
    house.spec = replace(house.spec, name="november", provider="vaani")
    await house.opened(200)
    assert Counter(attempt.campaign_id for attempt in await house.queued()) == {late: 30, house.campaign_id: 61}


async def test_a_spent_budget_halts_the_campaign_once_nothing_is_open() -> None:
    house = await House(spec=replace(SPEC, max_cost=10.0)).opened(5)
    await house.dialed((await house.queued())[:2])
    rows = [log_row(call.call_id or "", call.phone, 1.0, disposition=D.ANSWERED, cost=6.0) for call in
            await house.ledger.live_attempts("vaanivoice")]  # fmt: skip
    await house.ledger.record_logs("vaanivoice", [Matched(rows[0], 1, "call id")])
    assert await house.queued() == []
    assert (await house.ledger.campaign("october")).status is CampaignStatus.RUNNING
    await house.ledger.record_logs("vaanivoice", [Matched(rows[1], 2, "call id")])
    await house.queued()
    campaign = await house.ledger.campaign("october")
    assert campaign.halt_reason == "the budget of 10 is spent (12). Raise [budget] max_cost, then `dialer start`"


async def test_a_call_that_began_late_holds_its_line_from_then_on() -> None:
    house = await House(
        spec=replace(SPEC, pace=Pace(0, 5)), provider=ScriptedProvider(answer=lambda _: Unknown("lost"))
    ).opened()
    await house.dialed()
    await house.clock.advance(850)
    row = log_row("call-9", phone(0), house.clock.now(), ended_at=None)
    await house.ledger.record_logs("vaanivoice", [Matched(row, 1, "number and time")])
    await house.clock.advance(100)
    await house.queued()
    assert await house.lines() == 1


async def test_an_account_is_shared_by_weight_however_little_it_allows() -> None:
    house = await House(spec=replace(SPEC, pace=Pace(1, 10))).opened(0)
    house.feeder = replace(house.feeder, account_limits={"vaanivoice": Limits(2, 0)})
    for number in range(20):
        spec = replace(SPEC, name=f"c{number}", pace=Pace(1, 10, weight=1 + number % 2))
        campaign = await house.ledger.open_campaign(spec)
        people = [house.contact(1000 + 100 * number + n) for n in range(60)]
        await house.ledger.add_contacts(campaign.campaign_id, people)
        await house.ledger.move_campaign(campaign.campaign_id, "start", "")
    rung = Counter[int]()
    most = 0
    for _ in range(40):
        attempts = await house.queued()
        most = max(most, len(attempts))
        await house.dialed(attempts)
        rung.update(attempt.campaign_id for attempt in attempts)
    heavy = sum(count for campaign_id, count in rung.items() if campaign_id % 2 == 1)
    assert most <= 7
    assert len(rung) == 20
    assert abs(heavy / rung.total() - 2 / 3) < 0.05


async def test_nobody_is_queued_for_a_line_that_will_not_come_free() -> None:
    house = await House(spec=replace(SPEC, pace=Pace(0, 2))).opened(10)
    await house.dialed()
    assert len(await house.queued()) <= 2 + 2 * 2
    assert await house.queued() == []
