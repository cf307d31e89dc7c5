"""Long work on the ledger holds the gate for a moment, gives way between two commits, and is done to the end."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from dialer.adapters.ledger import SqlLedger, importing, unfinished
from dialer.adapters.ledger.store import Store
from dialer.adapters.ledger.turns import HOLD_S
from dialer.domain.act import By
from dialer.domain.attempt import AttemptState
from dialer.domain.calling_window import CallingWindow, parse_window
from dialer.domain.campaign import CampaignStatus
from dialer.domain.contact import ContactStatus, NewContact
from dialer.domain.limits import PersonLimits
from dialer.domain.people_filter import PeopleFilter
from dialer.errors import LedgerUnavailable
from dialer.ports import Campaign, ImportCounts, Suppression
from tests.fakes.clock import ManualClock
from tests.ledger_steps import claim, contact, dial, listed, person, phone, place, running, spec, state
from tests.reminder_steps import LEASE

NIGHTS = replace(parse_window("mon-sun 01:00-02:00"), rules="off", rules_reason="a test")


class SlowClock(ManualClock):
    """The machine's time goes on at every look, so that each slice of work seems to take as long as it may."""

    def monotonic(self) -> float:
        self._start -= 2 * HOLD_S
        return super().monotonic()


class Commits:
    """What a store is asked to commit, and what somebody does in between."""

    def __init__(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sizes: list[int] = []
        self.between: Callable[[], Any] | None = None
        submit = store.submit

        async def watched(verb: Any, items: Sequence[Any], *context: Any, serial: bool = True) -> list[Any]:
            if self.between is not None and self.sizes:
                between, self.between = self.between, None
                await between()
            answers = await submit(verb, items, *context, serial=serial)
            self.sizes.append(len(answers))
            return answers

        monkeypatch.setattr(store, "submit", watched)


@pytest_asyncio.fixture
async def ledger(ledger_url: str) -> AsyncIterator[SqlLedger]:
    opened = await SqlLedger.open(ledger_url, SlowClock())
    yield opened
    await opened.aclose()


@pytest.fixture
def commits(ledger: SqlLedger, monkeypatch: pytest.MonkeyPatch) -> Commits:
    monkeypatch.setattr(unfinished, "PAGE", 5)
    monkeypatch.setattr(unfinished, "AT_ONCE", 2)
    monkeypatch.setattr(importing, "AT_ONCE", 2)
    return Commits(ledger._store, monkeypatch)


async def statuses(ledger: SqlLedger, campaign: Campaign) -> dict[str, int]:
    return {str(word): n for word, n in (await ledger.report(campaign.campaign_id)).contacts.items() if n}


async def test_a_cancel_gives_way_and_is_done_to_the_end(ledger: SqlLedger, commits: Commits) -> None:
    other = await running(ledger, 1, "other", first=100)
    campaign = await running(ledger, 12)
    (placed,) = await place(ledger, campaign, 1)
    queued = await claim(ledger, campaign, 3)
    called: list[int] = []

    async def call_somebody_else() -> None:
        called.extend(call.attempt_id for call in await dial(ledger, other))

    commits.sizes.clear()
    commits.between = call_somebody_else
    moved = await ledger.move_campaign(campaign.campaign_id, "cancel", "")
    assert moved is not None and moved.status is CampaignStatus.CANCELLED
    assert len(called) == 1
    assert max(commits.sizes) == 2
    assert await statuses(ledger, campaign) == {"active": 1, "cancelled": 11}
    assert [await state(ledger, attempt.attempt_id) for attempt in queued] == [AttemptState.CANCELLED] * 3
    assert await state(ledger, placed.attempt_id) is AttemptState.PLACED
    assert await ledger._store.read(unfinished.marks) == []


@pytest.mark.parametrize("after", [1, 2, 4])
async def test_what_an_interrupted_cancel_leaves_is_gone_on_with(
    ledger: SqlLedger, commits: Commits, after: int
) -> None:
    campaign = await running(ledger, 12)

    async def break_off() -> None:
        raise LedgerUnavailable("killed here")

    async def wait_for_it() -> None:
        commits.between = break_off if len(commits.sizes) >= after else wait_for_it

    commits.sizes.clear()
    commits.between = wait_for_it
    with pytest.raises(LedgerUnavailable):
        await ledger.move_campaign(campaign.campaign_id, "cancel", "")
    assert (await ledger.campaign("spring")).status is CampaignStatus.CANCELLED
    assert (await statuses(ledger, campaign)).get("pending", 0) > 0
    assert await claim(ledger, campaign) == []
    for _ in range(4):  # pages of five, and one that finds nobody
        await ledger.sweep()
    assert await statuses(ledger, campaign) == {"cancelled": 12}
    assert await ledger._store.read(unfinished.marks) == []


@pytest.mark.parametrize("after", [1, 2, 4])
async def test_what_an_interrupted_stop_leaves_is_gone_on_with(ledger: SqlLedger, commits: Commits, after: int) -> None:
    campaign = await running(ledger, 12)
    await place(ledger, campaign, 1)

    async def break_off() -> None:
        raise LedgerUnavailable("killed here")

    async def wait_for_it() -> None:
        commits.between = break_off if len(commits.sizes) >= after else wait_for_it

    commits.sizes.clear()
    commits.between = wait_for_it
    with pytest.raises(LedgerUnavailable):
        await ledger.people.stop(campaign.campaign_id, PeopleFilter(attempts=0), By("ann@here", "enough"))
    assert (await statuses(ledger, campaign)).get("pending", 0) > 0
    assert [act.act async for act in ledger.acts("spring")].count("stop calling") == 1
    for _ in range(4):  # pages of five, and one that finds nobody
        await ledger.sweep()
    assert await statuses(ledger, campaign) == {"active": 1, "cancelled": 11}
    assert max(commits.sizes) <= 2
    assert await ledger._store.read(unfinished.marks) == []


async def test_new_hours_reach_everybody_though_they_change_again_meanwhile(
    ledger: SqlLedger, commits: Commits
) -> None:
    campaign = await running(ledger, 12, window=NIGHTS)
    assert await claim(ledger, campaign, 12) == []
    assert len(await due(ledger, campaign)) == 0
    always = spec("spring")

    async def change_again() -> None:
        await ledger.open_campaign(spec("spring", replace(NIGHTS, hours=((180, 240),))))
        assert await claim(ledger, campaign, 12) == []
        await ledger.open_campaign(always)

    commits.sizes.clear()
    commits.between = change_again
    await ledger.open_campaign(spec("spring", replace(NIGHTS, hours=((120, 180),))))
    assert (await ledger.campaign("spring")).spec == always
    assert len(await due(ledger, campaign)) == 12
    assert max(commits.sizes) == 2


async def due(ledger: SqlLedger, campaign: Campaign) -> list[tuple[int]]:
    sql = "SELECT id FROM contacts WHERE campaign_id = :id AND due_at <= :now"
    told = {"id": campaign.campaign_id, "now": ledger.clock.now()}
    return await ledger._store.read(lambda transaction: transaction.all(sql, told))


async def read_source(ledger: SqlLedger, campaign: Campaign, people: Sequence[NewContact]) -> list[str]:
    reading = await ledger.begin_reading(campaign.campaign_id, "w", LEASE)
    assert reading is not None
    told = await ledger.take_rows(campaign.campaign_id, reading, people, LEASE)
    assert await ledger.drop_gone(campaign.campaign_id, reading, LEASE) == 0
    await ledger.end_reading(campaign.campaign_id, reading, None)
    return told


async def test_a_changed_source_gives_way_and_is_taken_over_to_the_end(ledger: SqlLedger, commits: Commits) -> None:
    campaign = await running(ledger, 0)
    people = [person(n) for n in range(12)]
    assert await read_source(ledger, campaign, people) == ["queued"] * 12
    commits.sizes.clear()
    commits.between = lambda: ledger.move_campaign(campaign.campaign_id, "pause", "")
    told = await read_source(ledger, campaign, [replace(one, variables={"plan": "new"}) for one in people])
    assert told == ["changed"] * 12
    assert commits.sizes.count(2) == 6
    assert (await ledger.campaign("spring")).status is CampaignStatus.PAUSED
    assert {row.variables["plan"] for row in await listed(ledger.contact_rows(campaign.campaign_id))} == {"new"}
    reading = await ledger.begin_reading(campaign.campaign_id, "w", LEASE)
    assert reading is not None
    commits.sizes.clear()
    assert await ledger.drop_gone(campaign.campaign_id, reading, LEASE) == 12
    assert commits.sizes == [2] * 6
    assert await statuses(ledger, campaign) == {"cancelled": 12}


async def test_a_list_of_numbers_gives_way_and_bars_them_all(
    ledger: SqlLedger, commits: Commits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dialer.adapters.ledger.ledger.AT_ONCE", 2)
    campaign = await running(ledger, 10)
    commits.sizes.clear()
    commits.between = lambda: ledger.move_campaign(campaign.campaign_id, "pause", "")
    assert await ledger.suppress([Suppression(phone(n), "asked") for n in range(1, 11)]) == [True] * 10
    assert max(commits.sizes) == 2
    assert (await ledger.campaign("spring")).status is CampaignStatus.PAUSED
    assert await statuses(ledger, campaign) == {"suppressed": 10}
    assert [act.act for act in await listed(ledger.acts())].count("suppress") == 5


async def test_a_campaign_that_ends_gives_way_and_ends_for_everybody(
    ledger: SqlLedger, commits: Commits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dialer.adapters.ledger.ledger.AT_ONCE", 2)
    campaign = await running(ledger, 10)
    commits.sizes.clear()
    called: list[int] = []

    async def call_somebody() -> None:
        called.extend(call.attempt_id for call in await dial(ledger, campaign, 10))

    commits.between = call_somebody
    assert await ledger.expire(campaign.campaign_id, "the campaign has ended", 8, passed=False) == 8
    assert max(commits.sizes) <= 8
    assert await statuses(ledger, campaign) == {"active": len(called), "expired": 10 - len(called)}
    assert called


async def test_a_claim_puts_off_a_page_at_a_time_and_finds_who_stands_behind(
    ledger: SqlLedger, commits: Commits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dialer.adapters.ledger.claiming.LOOK_AT_ONCE", 4)
    window = CallingWindow(frozenset(range(7)), ((540, 1080),), lead_s=0.0, rules="off", rules_reason="a test")
    campaign = await running(ledger, 0, window=window)
    asleep = [replace(person(n, "Asia/Tokyo"), places=("JP", f"JP-{n}")) for n in range(10)]
    await ledger.add_contacts(campaign.campaign_id, [*asleep, person(50, "America/New_York")])
    found: list[int] = []
    commits.sizes.clear()
    commits.between = lambda: ledger.move_campaign(campaign.campaign_id, "start", "")
    for _ in range(4):  # a claim looks for so long; the next one goes on
        found += [attempt.attempt_id for attempt in await claim(ledger, campaign, 1)]
    assert len(found) == 1
    assert set(commits.sizes) == {1}
    waiting = (await ledger.report(campaign.campaign_id)).waiting
    assert sum(n for why, n in waiting.items() if why.startswith("window opens")) == 10


async def test_a_claim_gives_way_among_people_who_had_their_calls_of_the_day(
    ledger: SqlLedger, commits: Commits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dialer.adapters.ledger.claiming.LOOK_AT_ONCE", 4)
    await place(ledger, await running(ledger, 10, "before"))
    campaign = await ledger.open_campaign(spec("spring", limits=PersonLimits(per_day=1)))
    await ledger.add_contacts(campaign.campaign_id, [person(n) for n in [*range(1, 11), 50]])
    await ledger.record_import(campaign.campaign_id, "sha", "list", ImportCounts(11, 11))
    await ledger.move_campaign(campaign.campaign_id, "start", "")
    found: list[int] = []
    for _ in range(4):
        found += [attempt.attempt_id for attempt in await claim(ledger, campaign, 1)]
    assert len(found) == 1
    assert (await contact(ledger, campaign, phone(50))).status is ContactStatus.PENDING
    assert await claim(ledger, campaign, 10) == []


async def test_long_work_of_two_processes_is_done_once(ledger: SqlLedger, commits: Commits, ledger_url: str) -> None:
    other = await SqlLedger.open(ledger_url, SlowClock())
    campaign = await running(ledger, 12)
    queued = await claim(ledger, campaign, 12)
    await asyncio.gather(
        ledger.move_campaign(campaign.campaign_id, "cancel", ""),
        *(other.sweep() for _ in range(6)),
    )
    await other.aclose()
    assert await statuses(ledger, campaign) == {"cancelled": 12}
    stories = [await ledger.story(attempt_id=attempt.attempt_id) for attempt in queued]
    assert [[event.after for event in told[0][1]] for told in stories] == [["queued", "cancelled"]] * 12
