"""Nothing in one campaign stops another: its source, its settings, its people."""

import asyncio
import math
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace

import pytest

from dialer.adapters.ledger.spec_text import usable_spec, write_spec
from dialer.domain.campaign import CampaignSpec, CampaignStatus, Pace, Reminder, Schedule, Source
from dialer.domain.campaign_flaw import flaw_of
from dialer.domain.contact import NewContact
from dialer.errors import LedgerUnavailable, SourceUnavailable
from dialer.pipeline.keep_calendar import KeepCalendar
from dialer.pipeline.read_source import LONGEST_RETRY_S, ReadSource, retry_s
from dialer.ports import ContactSource, Reject
from tests.fakes.clock import START
from tests.fakes.source import MemorySource
from tests.house import SPEC, House, phone
from tests.unit.pipeline.test_keep_calendar import PLAIN, READ, NoRejects, Office, person

S = CampaignStatus
ODD = [
    RuntimeError("odd"),
    OverflowError("date value out of range"),
    ValueError(phone(9)),
    KeyError("x"),
    RecursionError(),
]
EVERY_MINUTE = replace(READ, source=replace(READ.source, refresh="* * * * *"))


@dataclass
class ManySources:
    """A calendar whose campaigns have a source each, by name."""

    office: Office = field(default_factory=Office)
    sources: dict[str, ContactSource] = field(default_factory=dict)

    def __post_init__(self) -> None:
        reader = ReadSource(self.office.ledger, self.office.clock, lambda _: lambda _: NoRejects(), "one")
        ledger, clock = self.office.ledger, self.office.clock
        self.calendar = KeepCalendar(ledger, ledger, clock, reader, lambda spec: self.sources[spec.name])

    async def people(self, name: str) -> int:
        campaign = await self.office.ledger.campaign(name)
        return len(await self.office.statuses(campaign))


class Hanging:
    """A source that never answers."""

    fingerprint, header, notes = "hanging", ("name", "phone"), ()

    def __init__(self) -> None:
        self.asked = self.given_up = 0

    async def batches(self, size: int) -> AsyncIterator[Sequence[NewContact | Reject]]:
        del size
        self.asked += 1
        try:
            await asyncio.Event().wait()
        finally:
            self.given_up += 1
        yield []


@dataclass
class Tally:
    """How many sources were read to their ends; ``enough`` is set when they are ``wanted``."""

    wanted: int
    done: int = 0
    enough: asyncio.Event = field(default_factory=asyncio.Event)


class Counted(MemorySource):
    """A source of one person that tells when it was read."""

    def __init__(self, tally: Tally) -> None:
        super().__init__([person(1)])
        self.tally = tally

    async def batches(self, size: int) -> AsyncIterator[Sequence[NewContact | Reject]]:
        async for batch in super().batches(size):
            yield batch
        self.tally.done += 1
        if self.tally.done == self.tally.wanted:
            self.tally.enough.set()


@pytest.mark.parametrize("error", ODD)
async def test_a_source_that_fails_as_nobody_foresaw_stops_no_other_and_says_so(error: Exception) -> None:
    many = ManySources()
    for name in ("a", "b", "c"):
        await many.office.opened(replace(EVERY_MINUTE, name=name))
        many.sources[name] = MemorySource([person(1)])
    many.sources["b"] = MemorySource([person(1)], 0, error)
    await many.calendar.read_sources()
    assert [await many.people(name) for name in ("a", "b", "c")] == [1, 0, 1]
    told = await many.office.error(await many.office.ledger.campaign("b"))
    assert told == f"reading the source failed in a way nobody foresaw ({type(error).__name__})"


async def test_a_source_that_fails_is_asked_ever_more_rarely_until_it_is_well() -> None:
    office = Office()
    campaign = await office.opened(EVERY_MINUTE)
    waits = []
    for _ in range(7):
        office.source = MemorySource([], 0, SourceUnavailable("down"))
        await office.calendar.read_sources()
        state = (await office.ledger.source_states())[campaign.campaign_id]
        assert state.next_at is not None
        waits.append(state.next_at - office.clock.now())
        office.clock.skip(waits[-1])
    assert waits == [60, 120, 240, 480, 900, 900, 900]
    assert retry_s(5_000) == LONGEST_RETRY_S
    office.source = MemorySource([person(1)])
    await office.calendar.read_sources()
    state = (await office.ledger.source_states())[campaign.campaign_id]
    assert (state.error, state.failures) == ("", 0)
    assert state.next_at is not None
    assert state.next_at - office.clock.now() <= 60


async def test_a_source_that_hangs_keeps_no_other_waiting() -> None:
    many, tally = ManySources(), Tally(8)
    for n in range(9):
        await many.office.opened(replace(READ, name=f"c{n}"))
        many.sources[f"c{n}"] = Counted(tally)
    hanging = Hanging()
    many.sources["c0"] = hanging
    reading = asyncio.create_task(many.calendar.read_sources())
    async with asyncio.timeout(20):
        await tally.enough.wait()
    assert hanging.asked == 1
    assert await many.people("c0") == 0
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert hanging.given_up == 1


async def test_many_sources_that_hang_are_left_to_themselves_in_time() -> None:
    many, tally = ManySources(), Tally(1)
    for n in range(6):
        await many.office.opened(replace(READ, name=f"c{n}"))
        many.sources[f"c{n}"] = Hanging()
    many.sources["c5"] = Counted(tally)

    async def time_passes() -> None:
        while True:
            many.office.clock.skip(10)
            await asyncio.sleep(0)

    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        background = [group.create_task(many.calendar.read_sources()), group.create_task(time_passes())]
        await tally.enough.wait()
        for task in background:
            task.cancel()
    assert await many.people("c5") == 1


class OneIsOdd:
    """The ledger, which fails for one campaign."""

    def __init__(self, office: Office, campaign_id: int, error: Exception) -> None:
        self._office, self._campaign_id, self._error = office, campaign_id, error

    def __getattr__(self, name: str) -> object:
        return getattr(self._office.ledger, name)

    async def expire(self, campaign_id: int, reason: str, limit: int, *, passed: bool) -> int:
        if campaign_id == self._campaign_id:
            raise self._error
        return await self._office.ledger.expire(campaign_id, reason, limit, passed=passed)


@pytest.mark.parametrize("error", ODD)
async def test_one_campaign_the_calendar_cannot_keep_stops_no_other(error: Exception) -> None:
    office = Office()
    odd = await office.opened(replace(PLAIN, name="odd", reminder=Reminder("visit", (60.0,))))
    await office.opened(replace(PLAIN, name="next", schedule=Schedule(START + 60)), 1)
    office.clock.skip(60)
    await replace(office.calendar, ledger=OneIsOdd(office, odd.campaign_id, error)).tick()  # type: ignore[arg-type]
    assert await office.status("next") is S.RUNNING


async def test_a_ledger_that_is_away_is_no_fault_of_a_campaign() -> None:
    office = Office()
    campaign = await office.opened(replace(PLAIN, reminder=Reminder("visit", (60.0,))))
    away = OneIsOdd(office, campaign.campaign_id, LedgerUnavailable("away"))
    with pytest.raises(LedgerUnavailable):
        await replace(office.calendar, ledger=away).tick()  # type: ignore[arg-type]


@pytest.mark.parametrize("number", [math.nan, math.inf, -1.0, 1e308])
async def test_a_campaign_that_cannot_be_obeyed_halts_and_the_others_are_fed(number: float) -> None:
    house = await House(spec=replace(SPEC, pace=Pace(number, 0))).opened(3)
    other = await house.ledger.open_campaign(replace(SPEC, name="november", pace=Pace(0, 5)))
    await house.ledger.add_contacts(other.campaign_id, [house.contact(n) for n in range(100, 103)])
    await house.ledger.move_campaign(other.campaign_id, "start", "")
    assert {attempt.campaign_id for attempt in await house.queued()} == {other.campaign_id}
    bad = await house.ledger.campaign(SPEC.name)
    assert bad.status is S.HALTED
    assert bad.halt_reason.startswith(f"it cannot be obeyed: calls_per_second is {number}")


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        (replace(PLAIN, max_cost=math.nan), "max_cost is nan"),
        (replace(PLAIN, timezone="Mars/Phobos"), 'there is no time zone "Mars/Phobos"'),
        (replace(PLAIN, reminder=Reminder("visit", (math.inf,))), "before is inf"),
        (replace(PLAIN, schedule=Schedule(end=math.nan)), "schedule is nan"),
        (replace(PLAIN, pace=Pace(1, 0, 0)), "concurrent_calls or weight is out of range"),
        (
            replace(PLAIN, source=Source("x", "y", "nonsense")),
            '"nonsense" is no cron expression: Wrong number of fields',
        ),
        (replace(PLAIN, window=replace(PLAIN.window, also_rules=("gone",))), 'there is no calling rule "gone"'),
        (READ, ""),
        (SPEC, ""),
    ],
)
def test_what_cannot_be_obeyed(spec: CampaignSpec, why: str) -> None:
    assert flaw_of(spec) == why


@pytest.mark.parametrize(
    "spoilt",
    [
        replace(PLAIN, pace=Pace("fast", 0)),  # type: ignore[arg-type]
        replace(PLAIN, pace=Pace(1, 0, True)),
        replace(PLAIN, agent=7),  # type: ignore[arg-type]
        replace(PLAIN, max_cost=None),  # type: ignore[arg-type]
        replace(PLAIN, window=replace(PLAIN.window, always="yes")),  # type: ignore[arg-type]
    ],
)
def test_settings_of_another_type_do_not_read(spoilt: CampaignSpec) -> None:
    spec, flaw = usable_spec(write_spec(spoilt), "plain", "simulator")
    assert (spec, flaw) == (CampaignSpec("plain", "", "simulator"), "its settings do not read (ValidationError)")
    assert usable_spec(write_spec(READ), "plain", "simulator") == (READ, "")
