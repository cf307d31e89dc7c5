"""Each layer that may keep people from being called is made the one that does."""

from dataclasses import replace

import pytest

from dialer.adapters.ledger import SqlLedger
from dialer.adapters.ledger.dial import ON_TRIAL
from dialer.domain.calling_window import ALWAYS, CallingWindow
from dialer.domain.campaign import CampaignSpec, Pace
from dialer.domain.disposition import Disposition
from dialer.domain.limits import UNLIMITED, PersonLimits
from dialer.domain.redial import Redial
from dialer.errors import QueueUnavailable
from dialer.pipeline.what_limits import Layer, WhatLimits
from dialer.ports import Campaign, Limits, PaceState
from tests.fakes.clock import START, ManualClock
from tests.ledger_steps import ACCOUNT, claim, end, gate, person, phone, place, spec
from tests.memory_ledger import memory_ledger

FREE = PaceState(0, 0.0, 0.0)
UNBOUND = Pace(0, 0)
NO_LIMITS = Limits(0, 0)


@pytest.fixture
def ledger(clock: ManualClock) -> SqlLedger:
    return memory_ledger(clock)


async def started(ledger: SqlLedger, people: int = 3, **changes: object) -> Campaign:
    """A running campaign without any limit, but for these, and a worker that feeds."""
    asked = replace(CampaignSpec("spring", "agent", ACCOUNT, window=ALWAYS, limits=UNLIMITED, pace=UNBOUND), **changes)  # type: ignore[arg-type]
    campaign = await ledger.open_campaign(asked)
    await ledger.add_contacts(campaign.campaign_id, [person(n, "America/Los_Angeles") for n in range(1, people + 1)])
    moved = await ledger.move_campaign(campaign.campaign_id, "start", "")
    assert moved is not None
    await ledger.hold_leases(["feeder"], "worker", 60.0)
    return moved


async def layers(
    ledger: SqlLedger, at: PaceState = FREE, account: Limits = NO_LIMITS, key: bool = True
) -> dict[str, Layer]:
    async def pace_of(name: str) -> PaceState:
        assert name == ACCOUNT
        return at

    room = WhatLimits(ledger, ledger.clock, {ACCOUNT: account}, lambda _: key, pace_of)
    return {layer.name: layer for layer in await room.of("spring")}


def holding(found: dict[str, Layer]) -> list[str]:
    return [name for name, layer in found.items() if layer.holds]


async def test_nothing_limits_a_campaign_without_limits(ledger: SqlLedger) -> None:
    await started(ledger)
    assert holding(await layers(ledger)) == []


@pytest.mark.parametrize(("verb", "word"), [("pause", "paused"), ("halt", "halted: no credit")])
async def test_its_status(ledger: SqlLedger, verb: str, word: str) -> None:
    campaign = await started(ledger)
    await ledger.move_campaign(campaign.campaign_id, verb, "no credit")
    found = await layers(ledger)
    assert (found["status"].now, found["status"].people, holding(found)) == (word, 3, ["status"])


async def test_its_window(ledger: SqlLedger) -> None:
    """At 14:13 UTC it is early morning in San Francisco."""
    campaign = await started(ledger, window=CallingWindow(hours=((540, 1200),), rules="off", rules_reason="a test"))
    assert await claim(ledger, campaign) == []
    found = await layers(ledger)
    assert (found["window"].people, found["window"].until) == (3, START + 6400)
    assert "window opens" in found["window"].now
    assert holding(found) == ["window"]


async def test_the_limits_of_people(ledger: SqlLedger, clock: ManualClock) -> None:
    campaign = await started(ledger, people=1, limits=PersonLimits(per_day=1))
    (call,) = await place(ledger, campaign)
    await end(ledger, call, Disposition.NO_ANSWER, Redial(START + 60))
    clock.skip(120)
    assert await claim(ledger, campaign) == []
    await ledger.hold_leases(["feeder"], "worker", 60.0)
    found = await layers(ledger)
    assert (found["people"].people, holding(found)) == (1, ["people"])
    assert found["people"].until is not None
    assert found["people"].until > START + 86_000


async def test_a_number_that_is_called_by_another_campaign(ledger: SqlLedger) -> None:
    campaign = await started(ledger, people=1)
    other = await ledger.open_campaign(spec("other"))
    await ledger.add_contacts(other.campaign_id, [person(1)])
    await ledger.move_campaign(other.campaign_id, "start", "")
    await place(ledger, other)
    await gate(ledger, await claim(ledger, campaign))
    found = await layers(ledger)
    assert (found["number busy"].people, holding(found)) == (1, ["number busy"])
    assert phone(1) not in found["number busy"].now


async def test_redials_to_come(ledger: SqlLedger) -> None:
    campaign = await started(ledger, people=1)
    (call,) = await place(ledger, campaign)
    await end(ledger, call, Disposition.NO_ANSWER, Redial(START + 7200))
    found = await layers(ledger)
    assert (found["later"].people, found["later"].until, holding(found)) == (1, START + 7200, ["later"])


@pytest.mark.parametrize(
    ("own", "account", "at", "words"),
    [
        (Pace(2, 0), NO_LIMITS, FREE, "2 calls/s of the campaign"),
        (UNBOUND, Limits(5, 0), FREE, "5 calls/s of the account"),
        (
            UNBOUND,
            Limits(5, 0),
            PaceState(0, 5.0, 0.5),
            "5 calls/s of the account, 0.5 calls/s that the provider takes",
        ),
    ],
)
async def test_the_pace(ledger: SqlLedger, own: Pace, account: Limits, at: PaceState, words: str) -> None:
    await started(ledger, pace=own)
    found = await layers(ledger, at, account)
    assert (found["pace"].now, found["pace"].people, holding(found)) == (words, 3, ["pace"])


@pytest.mark.parametrize(
    ("own", "account", "at", "words"),
    [
        (Pace(2, 1), NO_LIMITS, FREE, "1 of 1 lines of the campaign"),
        (Pace(2, 0), Limits(0, 7), PaceState(7, 0.0, 0.0), "7 of 7 lines of the account"),
        (Pace(2, 1), Limits(0, 7), PaceState(1, 0.0, 0.0), "1 of 1 lines of the campaign, 1 of 7 lines of the account"),
    ],
)
async def test_the_lines(ledger: SqlLedger, own: Pace, account: Limits, at: PaceState, words: str) -> None:
    campaign = await started(ledger, pace=own)
    await place(ledger, campaign, limit=1)
    found = await layers(ledger, at, account)
    assert (found["lines"].now, found["lines"].people, holding(found)) == (words, 2, ["lines"])


async def test_the_brake(ledger: SqlLedger) -> None:
    await started(ledger)
    found = await layers(ledger, PaceState(0, 5.0, 2.0, START + 30))
    assert (found["brake"].people, found["brake"].until, holding(found)) == (3, START + 30, ["brake"])


async def test_the_budget(ledger: SqlLedger) -> None:
    campaign = await started(ledger, people=2, max_cost=0.5)
    (call,) = await place(ledger, campaign, limit=1)
    await end(ledger, call, Disposition.NO_ANSWER, Redial(START + 7200))
    found = await layers(ledger)
    assert (found["budget"].now, found["budget"].people) == ("0.5 of 0.5 spent", 1)
    assert holding(found) == ["later", "budget"]


async def test_no_worker(ledger: SqlLedger, clock: ManualClock) -> None:
    await started(ledger)
    clock.skip(61)
    found = await layers(ledger)
    assert (found["worker"].people, holding(found)) == (3, ["worker"])


async def test_no_key(ledger: SqlLedger) -> None:
    await started(ledger)
    assert holding(await layers(ledger, key=False)) == ["key"]


async def test_a_worker_without_the_key(ledger: SqlLedger) -> None:
    campaign = await started(ledger, people=2)
    await ledger.hand_back(await claim(ledger, campaign), "no key for vaanivoice in this worker", START + 60)
    found = await layers(ledger)
    assert (found["key"].people, found["key"].until, holding(found)) == (2, START + 60, ["key"])


async def test_the_first_calls_that_are_tried_on_a_few(ledger: SqlLedger) -> None:
    campaign = await started(ledger, people=2)
    await ledger.hand_back(await claim(ledger, campaign), ON_TRIAL, START + 1)
    found = await layers(ledger)
    assert (found["trial"].people, holding(found)) == (2, ["trial"])


async def test_nothing_is_said_of_a_campaign_that_is_over(ledger: SqlLedger) -> None:
    campaign = await started(ledger)
    await ledger.move_campaign(campaign.campaign_id, "cancel", "")
    assert await layers(ledger) == {}


async def test_without_redis_it_tells_what_the_ledger_knows(ledger: SqlLedger) -> None:
    async def away(_: str) -> PaceState:
        raise QueueUnavailable("away")

    await started(ledger, pace=Pace(2, 0))
    for pace_of in (away, None):
        room = WhatLimits(ledger, ledger.clock, {}, lambda _: True, pace_of)
        assert [layer.name for layer in await room.of("spring") if layer.holds] == ["pace"]
