"""What every ledger promises about calling hours: the rules at the gate, waiting in groups, windows that change."""

from dataclasses import replace
from datetime import datetime

import pytest

from dialer.domain.calling_window import ALWAYS, CallingWindow, parse_window
from dialer.domain.contact import NewContact
from dialer.domain.disposition import Disposition
from dialer.domain.redial import Redial
from dialer.ports import Admitted, Campaign, ImportCounts, Turned
from tests.fakes.clock import START, ManualClock
from tests.ledger_steps import (
    FullLedger,
    attempt,
    claim,
    contact,
    end,
    events,
    gate,
    person,
    phone,
    place,
    running,
    spec,
)

DAY_AND_NIGHT = parse_window("mon-sun 00:00-24:00")
MORNINGS = replace(parse_window("mon-sun 09:00-12:00"), rules="off", rules_reason="a test")


def resident(n: int, zone: str, *places: str) -> NewContact:
    return replace(person(n, zone), places=places)


async def with_people(ledger: FullLedger, window: CallingWindow, *people: NewContact) -> Campaign:
    campaign = await running(ledger, 0, window=window)
    await ledger.add_contacts(campaign.campaign_id, people)
    return campaign


def at(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


async def test_i6_the_rules_of_the_persons_places_are_kept_and_the_verdict_tells_them(ledger: FullLedger) -> None:
    """14:13 UTC on a Monday: 10:13 in New York, 19:43 in India, 16:13 in Paris."""
    campaign = await with_people(
        ledger,
        DAY_AND_NIGHT,
        resident(1, "America/New_York", "US", "US-NY"),
        resident(2, "Asia/Tokyo", "IN"),
        resident(3, "Europe/Paris", "FR"),
        resident(4, "Europe/Paris"),
        resident(5, "Asia/Tokyo", "IN"),
    )
    queued = await claim(ledger, campaign)
    answers = await gate(ledger, queued)
    assert all(isinstance(answer, Admitted) for answer in answers)
    verdicts = {(await attempt(ledger, q.attempt_id)).phone: (await events(ledger, q.attempt_id))[-1] for q in queued}
    assert {number: event.reason for number, event in verdicts.items()} == {
        phone(1): "window open: Mon 10:13 America/New_York; rules US@1",
        phone(3): "window open: Mon 16:13 Europe/Paris; rules FR@1",
        phone(4): "window open: Mon 16:13 Europe/Paris; rules unknown@1",
    }
    waiting = (await ledger.report(campaign.campaign_id)).waiting
    assert waiting == {"window opens Tue 09:00 Asia/Tokyo; rules IN@1": 2, "being dialed": 3}


async def test_i6_an_hour_that_ends_in_the_queue_turns_back_at_the_gate(ledger: FullLedger, clock: ManualClock) -> None:
    campaign = await with_people(ledger, DAY_AND_NIGHT, resident(1, "Europe/Paris", "FR"))
    (queued,) = await claim(ledger, campaign, lease_s=1e6)
    clock.skip(at("2026-09-21T17:58:00+00:00") - START)  # two minutes before 20:00 in Paris
    (answer,) = await gate(ledger, [queued])
    assert isinstance(answer, Turned)
    row, told = await attempt(ledger, queued.attempt_id), (await events(ledger, queued.attempt_id))[-1]
    assert row.reason == "window opens Tue 10:00 Europe/Paris; rules FR@1"
    assert told.reason == f"{row.reason}; clock Mon 19:58 Europe/Paris"
    assert (row.due_at, row.dialed_at) == (at("2026-09-22T08:00:00+00:00"), None)


async def test_people_of_one_zone_and_two_places_wait_apart(ledger: FullLedger, clock: ManualClock) -> None:
    clock.skip(at("2026-09-21T23:30:00+00:00") - START)  # 19:30 in New York
    campaign = await with_people(
        ledger,
        DAY_AND_NIGHT,
        *(resident(n, "America/New_York", "US", "US-RI") for n in (1, 2)),
        *(resident(n, "America/New_York", "US", "US-NY") for n in (3, 4)),
    )
    numbers = {(await attempt(ledger, q.attempt_id)).phone for q in await claim(ledger, campaign, 10)}
    assert numbers == {phone(3), phone(4)}
    waiting = (await ledger.report(campaign.campaign_id)).waiting
    assert waiting["window opens Tue 09:00 America/New_York; rules US@1 US-RI@1"] == 2


@pytest.mark.parametrize(
    ("eve", "opening"),
    [
        ("2027-03-13T20:00:00-05:00", "2027-03-14T09:00:00-04:00"),  # clocks go forward in the night
        ("2027-11-06T20:00:00-04:00", "2027-11-07T09:00:00-05:00"),  # and back
    ],
)
async def test_a_campaign_paused_across_a_change_of_the_clocks(
    ledger: FullLedger, clock: ManualClock, eve: str, opening: str
) -> None:
    clock.skip(at(eve) - START)
    campaign = await with_people(ledger, MORNINGS, person(1, "America/New_York"))
    assert await claim(ledger, campaign) == []
    await ledger.move_campaign(campaign.campaign_id, "pause", "")
    clock.skip(at(opening) - 60 - clock.now())
    await ledger.move_campaign(campaign.campaign_id, "resume", "")
    assert await claim(ledger, campaign) == []
    clock.skip(59)
    assert await claim(ledger, campaign) == []
    clock.skip(1)
    (queued,) = await claim(ledger, campaign)
    assert isinstance((await gate(ledger, [queued]))[0], Admitted)


async def test_a_campaign_paused_into_the_night_waits_for_the_next_day(ledger: FullLedger, clock: ManualClock) -> None:
    clock.skip(at("2027-03-13T13:00:00-05:00") - START)
    campaign = await with_people(ledger, MORNINGS, person(1, "America/New_York"))
    assert await claim(ledger, campaign) == []  # put off to Sunday 09:00, summer time
    await ledger.move_campaign(campaign.campaign_id, "pause", "")
    clock.skip(at("2027-03-14T12:00:00-04:00") - clock.now())
    await ledger.move_campaign(campaign.campaign_id, "resume", "")
    assert await claim(ledger, campaign) == []
    waiting = (await ledger.report(campaign.campaign_id)).waiting
    assert waiting == {"window opens Mon 09:00 America/New_York": 1}


async def test_who_waits_for_an_opening_is_looked_at_again_when_the_window_changes(
    ledger: FullLedger, clock: ManualClock
) -> None:
    campaign = await with_people(ledger, ALWAYS, person(1, "UTC"))
    (call,) = await place(ledger, campaign)
    await end(ledger, call, Disposition.NO_ANSWER, Redial(START + 60))
    await ledger.open_campaign(spec("spring", MORNINGS))
    await ledger.add_contacts(campaign.campaign_id, [person(2, "UTC"), person(3)])
    clock.skip(60)
    assert await claim(ledger, campaign) == []
    await ledger.open_campaign(spec("spring", MORNINGS))
    assert await claim(ledger, campaign) == [], "the same window changes nothing"
    await ledger.open_campaign(spec("spring", ALWAYS))
    assert len(await claim(ledger, campaign)) == 3
    assert (await contact(ledger, campaign, phone(2))).attempts == 0


async def test_i3_what_was_deferred_once_is_counted_once(ledger: FullLedger) -> None:
    campaign_id = (await ledger.open_campaign(spec())).campaign_id
    await ledger.record_import(campaign_id, "sha", "l.csv", ImportCounts(rows=5, queued=2, invalid=1, deferred=2))
    await ledger.record_import(campaign_id, "sha", "l.csv", ImportCounts(rows=5, duplicate=4, invalid=1))
    assert (await ledger.report(campaign_id)).imported == ImportCounts(rows=5, queued=2, invalid=1, deferred=2)
