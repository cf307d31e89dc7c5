"""The calendar's room over fakes: starts, ends, readings of a source, rounds."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import pytest

from dialer.domain.calling_window import ALWAYS
from dialer.domain.campaign import CampaignSpec, CampaignStatus, Reminder, Schedule, Source
from dialer.domain.contact import ContactStatus, NewContact
from dialer.domain.disposition import Disposition as D
from dialer.domain.limits import UNLIMITED
from dialer.domain.redial import Settle
from dialer.errors import InputFileError, SourceUnavailable
from dialer.pipeline.keep_calendar import KeepCalendar
from dialer.pipeline.read_source import ReadSource
from dialer.ports import Campaign, ImportCounts, Reject
from tests.fakes.clock import START, ManualClock
from tests.fakes.source import MemorySource
from tests.house import phone
from tests.ledger_steps import EXHAUSTED, REACHED, end, place
from tests.memory_ledger import memory_ledger

S = CampaignStatus
PLAIN = CampaignSpec("plain", "a", window=ALWAYS, limits=UNLIMITED)
HOURLY = Schedule(timezone="UTC")
READ = replace(PLAIN, source=Source("sqlite:///x.db", "SELECT 1", "0 * * * *"), schedule=HOURLY)
NEXT_HOUR = datetime.fromisoformat("2026-09-21T15:00+00:00").timestamp()


class NoRejects:
    """Keeps nothing."""

    def add(self, rejects: Sequence[Reject]) -> None:
        del rejects

    def close(self) -> str:
        return ""

    def discard(self) -> None:
        """Nothing is kept."""


def person(n: int, **more: object) -> NewContact:
    return replace(NewContact(phone(n), f"Person {n}", n), **more)  # type: ignore[arg-type]


@dataclass
class Office:
    """A calendar over a ledger in memory, and a source that tests change."""

    clock: ManualClock = field(default_factory=ManualClock)
    source: MemorySource = field(default_factory=MemorySource)

    def __post_init__(self) -> None:
        self.ledger = memory_ledger(self.clock)
        self.calendar, self.other = self.keeper("one"), self.keeper("two")

    def keeper(self, name: str) -> KeepCalendar:
        reader = ReadSource(self.ledger, self.clock, lambda _: lambda _: NoRejects(), name)
        return KeepCalendar(self.ledger, self.ledger, self.clock, reader, lambda _: self.source)

    async def opened(self, spec: CampaignSpec, people: int = 0) -> Campaign:
        campaign = await self.ledger.open_campaign(spec)
        await self.ledger.add_contacts(campaign.campaign_id, [person(n) for n in range(people)])
        if people:
            await self.ledger.record_import(campaign.campaign_id, "sha", "l.csv", ImportCounts(people, people))
        await self.ledger.move_campaign(campaign.campaign_id, "reopen", "")
        return campaign

    async def status(self, name: str) -> CampaignStatus:
        return (await self.ledger.campaign(name)).status

    async def statuses(self, campaign: Campaign) -> dict[str, ContactStatus]:
        return {row.phone: row.status async for row in self.ledger.contact_rows(campaign.campaign_id)}

    async def error(self, campaign: Campaign) -> str:
        return (await self.ledger.source_states())[campaign.campaign_id].error


async def test_a_campaign_starts_at_its_start() -> None:
    office = Office()
    campaign = await office.opened(replace(PLAIN, schedule=Schedule(START + 60)), 1)
    for seconds, status in ((0, S.SCHEDULED), (59, S.SCHEDULED), (1, S.RUNNING)):
        office.clock.skip(seconds)
        await office.calendar.tick()
        assert await office.status("plain") is status
    assert len((await office.ledger.claim_due({campaign.campaign_id: 9}, 5))[0]) == 1


@pytest.mark.parametrize("verb", ["pause", "start"])
async def test_at_its_end_a_campaign_expires_and_finishes(verb: str) -> None:
    office = Office()
    campaign = await office.opened(replace(PLAIN, schedule=Schedule(None, START + 60)), 3)
    await office.ledger.move_campaign(campaign.campaign_id, verb, "")
    office.clock.skip(60)
    await office.calendar.tick()
    report = await office.ledger.report(campaign.campaign_id)
    assert (report.contacts[ContactStatus.EXPIRED], report.expired) == (3, {"the campaign has ended": 3})
    assert await office.ledger.finish_campaigns() == ["plain"]


async def test_whose_appointment_passes_expires_in_a_paused_campaign_too() -> None:
    office = Office()
    campaign = await office.opened(replace(PLAIN, reminder=Reminder("visit", (60.0,))))
    await office.ledger.add_contacts(campaign.campaign_id, [person(1, event_at=START + 90)])
    await office.ledger.move_campaign(campaign.campaign_id, "pause", "")
    office.clock.skip(90)
    await office.calendar.tick()
    assert await office.statuses(campaign) == {phone(1): ContactStatus.EXPIRED}


async def test_a_source_is_read_at_once_and_then_by_its_expression() -> None:
    office = Office()
    campaign = await office.opened(READ)
    office.source.rows = [person(1), person(2), Reject(3, (), "bad", "mend")]
    await office.calendar.read_sources()
    report = await office.ledger.report(campaign.campaign_id)
    assert report.imported == ImportCounts(rows=3, queued=2, invalid=1)
    assert report.source is not None
    assert (report.source.read_at, report.source.next_at) == (START, NEXT_HOUR)
    office.source.rows = [person(2), person(3)]
    office.clock.skip(NEXT_HOUR - START - 1)
    await office.calendar.read_sources()
    assert phone(3) not in await office.statuses(campaign)
    office.clock.skip(1)
    await office.calendar.read_sources()
    assert await office.statuses(campaign) == {
        phone(1): ContactStatus.CANCELLED, phone(2): ContactStatus.PENDING, phone(3): ContactStatus.PENDING,
    }  # fmt: skip
    assert (await office.ledger.report(campaign.campaign_id)).imported == ImportCounts(rows=2, queued=2)


@pytest.mark.parametrize(
    "error",
    [SourceUnavailable("the source cannot be read: down"), InputFileError("source", "no column", "Name it")],
)
@pytest.mark.parametrize("after", [0, 1])
async def test_a_source_that_cannot_be_read_to_its_end_drops_nobody_and_is_shown(error: Exception, after: int) -> None:
    office = Office()
    campaign = await office.opened(READ)
    office.source.rows = [person(1), person(2)]
    await office.calendar.read_sources()
    office.clock.skip(3600)
    office.source = MemorySource([person(3)], after, error)
    await office.calendar.read_sources()
    known = await office.statuses(campaign)
    assert [known[phone(n)] for n in (1, 2)] == [ContactStatus.PENDING] * 2
    assert await office.error(campaign) == str(error)
    assert (await office.ledger.report(campaign.campaign_id)).imported.rows == 2
    office.clock.skip(3600)
    office.source = MemorySource([person(1)])
    await office.calendar.read_sources()
    assert await office.error(campaign) == ""


async def test_a_reader_that_dies_leaves_the_source_to_others_when_its_lease_is_over() -> None:
    office = Office()
    campaign = await office.opened(READ)
    assert await office.ledger.begin_reading(campaign.campaign_id, "dead", 120) == 1
    office.source.rows = [person(1)]
    await office.other.read_sources()
    assert await office.statuses(campaign) == {}
    office.clock.skip(120)
    await office.other.read_sources()
    assert await office.statuses(campaign) == {phone(1): ContactStatus.PENDING}


async def test_a_reading_that_is_cut_off_is_taken_up_again_at_once() -> None:
    office = Office()
    campaign = await office.opened(READ)
    office.source = MemorySource([person(1), person(2)], 1, asyncio.CancelledError())
    with pytest.raises(asyncio.CancelledError):
        await office.calendar.read_sources()
    assert await office.error(campaign) == "the reading was interrupted"
    office.source = MemorySource([person(1), person(2)])
    await office.other.read_sources()
    assert len(await office.statuses(campaign)) == 2


async def test_a_command_waits_for_another_reader_and_gives_up() -> None:
    office = Office()
    campaign = await office.opened(READ)
    await office.ledger.begin_reading(campaign.campaign_id, "other", 60)
    with pytest.raises(SourceUnavailable, match="being read by another process"):
        await office.clock.run(office.calendar.reader.run(campaign, lambda _: office.source, 30.0))
    office.source.rows = [person(1)]
    counts = await office.clock.run(office.calendar.reader.run(campaign, lambda _: office.source, 60.0))
    assert counts == ImportCounts(rows=1, queued=1)
    again = await office.calendar.reader.run(campaign, lambda _: office.source)
    assert again == ImportCounts(rows=1, duplicate=1)


async def test_a_recurring_campaign_dials_its_list_again_in_rounds_of_their_own() -> None:
    office = Office()
    await office.opened(replace(PLAIN, schedule=Schedule(repeat="0 9 * * *", timezone="Asia/Kolkata")), 3)
    assert await office.status("plain") is S.SCHEDULED
    for _ in range(3):
        await office.calendar.read_sources()
        await office.other.read_sources()
    assert len(await office.ledger.campaigns()) == 1
    office.clock.skip(24 * 3600)
    for _ in range(3):
        await office.calendar.read_sources()
        await office.other.read_sources()
    office.clock.skip(24 * 3600)
    await office.calendar.read_sources()
    names = [campaign.spec.name for campaign in await office.ledger.campaigns()]
    assert names == ["plain", "plain 2026-09-22 09:00", "plain 2026-09-23 09:00"]
    made = await office.ledger.campaign("plain 2026-09-22 09:00")
    assert (made.status, made.spec.schedule.repeat) == (S.RUNNING, "")
    assert len((await office.ledger.claim_due({made.campaign_id: 9}, 5))[0]) == 3
    assert (await office.ledger.report(made.campaign_id)).imported == ImportCounts(rows=3, queued=3)


@pytest.mark.parametrize(("word", "status"), [(D.INVALID_NUMBER, "invalid"), (D.BLOCKED, "suppressed")])
async def test_a_round_calls_nobody_whose_number_is_known_to_be_wrong_or_blocked(word: D, status: str) -> None:
    office = Office()
    await office.opened(replace(PLAIN, schedule=Schedule(repeat="0 9 * * *", timezone="Asia/Kolkata")), 3)
    await office.calendar.read_sources()
    office.clock.skip(24 * 3600)
    await office.calendar.read_sources()
    first = await office.ledger.campaign("plain 2026-09-22 09:00")
    (wrong, answered, silent) = await place(office.ledger, first)
    await end(office.ledger, wrong, word, Settle(ContactStatus(status)))
    await end(office.ledger, answered, D.ANSWERED, REACHED)
    await end(office.ledger, silent, D.NO_ANSWER, EXHAUSTED)
    office.clock.skip(24 * 3600)
    await office.calendar.read_sources()
    second = await office.ledger.campaign("plain 2026-09-23 09:00")
    assert set(await office.statuses(second)) == {answered.phone, silent.phone}


async def test_a_round_of_a_source_reads_it_and_is_tried_again_until_it_can() -> None:
    office = Office()
    again = Schedule(repeat="0 15 * * *", timezone="UTC")
    campaign = await office.opened(replace(READ, source=replace(READ.source, refresh=""), schedule=again))
    await office.calendar.read_sources()
    office.clock.skip(NEXT_HOUR - START)
    office.source = MemorySource([person(1)], 0, SourceUnavailable("down"))
    await office.calendar.read_sources()
    assert await office.error(campaign) == "down"
    office.source = MemorySource([person(1)])
    office.clock.skip(30)
    await office.calendar.read_sources()
    assert await office.error(campaign) == "down"
    office.clock.skip(30)
    await office.calendar.read_sources()
    made = await office.ledger.campaign("plain 2026-09-21 15:00")
    assert (made.status, await office.error(campaign)) == (S.RUNNING, "")
    assert len(await office.statuses(made)) == 1


async def test_rounds_wait_for_the_start_and_stop_at_the_end() -> None:
    office = Office()
    at_15 = Schedule(NEXT_HOUR, NEXT_HOUR + 3 * 86400 - 1, "0 15 * * *", "UTC")
    await office.opened(replace(PLAIN, schedule=at_15), 1)
    for _ in range(6 * 24):
        await office.calendar.tick()
        await office.calendar.read_sources()
        await office.ledger.finish_campaigns()
        office.clock.skip(3600)
    names = [campaign.spec.name for campaign in await office.ledger.campaigns()]
    assert names == ["plain", *(f"plain 2026-09-2{day} 15:00" for day in (1, 2, 3))]
    assert await office.status("plain") is S.FINISHED
