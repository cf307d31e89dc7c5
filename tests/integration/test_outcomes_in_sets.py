"""Outcomes of a page are read together, judged one by one in their order, and written together, on both engines."""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import pytest_asyncio

from dialer.adapters.ledger import SqlLedger
from dialer.adapters.ledger.engines import Engine, open_engine
from dialer.adapters.ledger.pieces import HELD_S
from dialer.adapters.ledger.store import Store
from dialer.adapters.ledger.transaction import NO_VALUES, Row, Transaction, Values
from dialer.domain.attempt import AttemptState as S
from dialer.domain.call import Refused, Unknown
from dialer.domain.contact import ContactStatus
from dialer.domain.disposition import Disposition
from dialer.domain.gate import REACHED_ELSEWHERE
from dialer.domain.redial import Redial
from dialer.pipeline.record_rows import RecordRows
from dialer.ports import Absent, Admitted, Campaign, Matched
from tests.fakes.clock import START, ManualClock
from tests.fakes.pacer import MemoryPacer
from tests.ledger_steps import (
    ACCOUNT,
    EXHAUSTED,
    REACHED,
    attempt,
    contact,
    dial,
    events,
    log_of,
    outcome,
    person,
    phone,
    place,
    running,
    spec,
)

LATER = Redial(START + 7200, most=2)
MOST_STATEMENTS = 14


@dataclass
class Counted(Transaction):
    """A transaction that counts what is sent: a list of items goes out at once."""

    inner: Transaction
    told: Callable[[int], None]

    def all(self, sql: str, values: Values = NO_VALUES) -> list[Row]:
        self.told(1)
        return self.inner.all(sql, values)

    def won(self, sql: str, values: Sequence[Values]) -> list[bool]:
        self.told(len(values))
        return self.inner.won(sql, values)

    def all_won(self, sql: str, values: Sequence[Values]) -> bool:
        self.told(len(values))
        return self.inner.all_won(sql, values)

    def run(self, sql: str, values: Values = NO_VALUES) -> int:
        self.told(1)
        return self.inner.run(sql, values)

    def many(self, sql: str, values: Sequence[Values]) -> None:
        self.told(len(values))
        self.inner.many(sql, values)


@dataclass
class CountingEngine:
    """An engine of whose writing transactions it is known what they sent. ``row_s``: how long a row takes them."""

    engine: Engine
    clock: ManualClock
    row_s: float = 0.0
    statements: int = 0
    held_s: list[float] = field(default_factory=list)

    @contextmanager
    def writing(self, *, serial: bool) -> Iterator[Transaction]:
        began = self.clock.monotonic()
        with self.engine.writing(serial=serial) as transaction:
            yield Counted(transaction, self._told)
        self.held_s.append(self.clock.monotonic() - began)

    def _told(self, rows: int) -> None:
        self.statements += rows > 0
        self.clock.skip(rows * self.row_s)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.engine, name)


@pytest.fixture
def engine(ledger_url: str, clock: ManualClock) -> CountingEngine:
    return CountingEngine(open_engine(ledger_url), clock)


@pytest_asyncio.fixture
async def sql(engine: CountingEngine, clock: ManualClock) -> AsyncIterator[SqlLedger]:
    ledger = SqlLedger(Store(engine, clock), clock, "counted")
    yield ledger
    await ledger.aclose()


def settled(call: Admitted, disposition: Disposition) -> Matched:
    follow = REACHED if disposition is Disposition.ANSWERED else LATER
    return Matched(log_of(call, disposition, "word"), call.attempt_id, "call id", follow)


async def of_two_numbers(ledger: SqlLedger) -> Campaign:
    """A running campaign of one person with two numbers."""
    campaign = await ledger.open_campaign(spec())
    await ledger.add_contacts(campaign.campaign_id, [replace(person(n), key="one") for n in (1, 2)])
    started = await ledger.move_campaign(campaign.campaign_id, "start", "")
    assert started is not None
    return started


async def lost_calls(ledger: SqlLedger, campaign: Campaign) -> list[Admitted]:
    """Calls to both, one after the other: of the first nobody knows what became of it when the second is made."""
    (first,) = await place(ledger, campaign, 1)
    await ledger.settle_absent([Absent(first.attempt_id, Disposition.UNCONFIRMED, "no trace", LATER)])
    (second,) = await place(ledger, campaign, 1)
    return [first, second]


async def test_a_page_of_outcomes_takes_few_statements(sql: SqlLedger, engine: CountingEngine) -> None:
    calls = await dial(sql, await running(sql, 40))
    lost = [outcome(call, Unknown("lost")) for call in calls]
    await sql.record_sends(lost)
    words = (Disposition.ANSWERED, Disposition.NO_ANSWER, Disposition.BUSY)
    engine.statements = 0
    page = [settled(call, words[n % 3]) for n, call in enumerate(calls[:20])]
    assert await sql.record_logs(ACCOUNT, page) == [True] * 20
    assert engine.statements <= MOST_STATEMENTS, "outcomes"
    engine.statements = 0
    absent = [Absent(call.attempt_id, Disposition.UNCONFIRMED, "no trace", LATER) for call in calls[20:]]
    assert await sql.settle_absent(absent) == [True] * 20
    assert engine.statements <= MOST_STATEMENTS, "absence"
    engine.statements = 0
    late = [settled(call, Disposition.ANSWERED) for call in calls[20:]]
    assert await sql.record_logs(ACCOUNT, late) == [True] * 20
    assert engine.statements <= MOST_STATEMENTS, "late evidence that cancels redials"
    engine.statements = 0
    again = [settled(call, Disposition.NO_ANSWER) for call in calls[20:]]
    assert await sql.correct_logs(ACCOUNT, again) == [True] * 20
    assert engine.statements <= MOST_STATEMENTS, "corrections"


async def test_a_page_of_refusals_takes_few_statements(sql: SqlLedger, engine: CountingEngine) -> None:
    calls = await dial(sql, await running(sql, 40))
    refused = [outcome(call, Refused(Disposition.REJECTED, "no"), follow=EXHAUSTED) for call in calls]
    engine.statements = 0
    assert await sql.record_sends(refused) == [True] * 40
    assert engine.statements <= MOST_STATEMENTS


async def test_who_is_reached_in_a_page_is_not_redialed_on_another_number(sql: SqlLedger) -> None:
    """Both numbers' outcomes are in one page; the redial of the first one ends by the second."""
    campaign = await of_two_numbers(sql)
    first, second = await lost_calls(sql, campaign)
    page = [settled(first, Disposition.NO_ANSWER), settled(second, Disposition.ANSWERED)]
    assert await sql.record_logs(ACCOUNT, page) == [True, True]
    other = await contact(sql, campaign, first.phone)
    redial = (await sql.story(phone=first.phone))[-1][0]
    assert (other.status, redial.state, redial.number_of) == (ContactStatus.CANCELLED, S.CANCELLED, 2)
    assert [event.reason for event in await events(sql, redial.attempt_id)] == [REACHED_ELSEWHERE]


async def test_two_attempts_of_one_contact_in_a_page_count_both(sql: SqlLedger, clock: ManualClock) -> None:
    """The second that came to the same is one too many, though the first is of this page as well."""
    campaign = await running(sql)
    (first,) = await place(sql, campaign)
    await sql.settle_absent([Absent(first.attempt_id, Disposition.UNCONFIRMED, "no trace", Redial(clock.now()))])
    (second,) = await place(sql, campaign)
    page = [settled(call, Disposition.NO_ANSWER) for call in (first, second)]
    assert await sql.record_logs(ACCOUNT, page) == [True, True]
    assert (await contact(sql, campaign, phone(1))).status is ContactStatus.EXHAUSTED
    assert [one.state for one, _ in await sql.story(phone=phone(1))] == [S.ENDED, S.ENDED]


async def test_a_row_that_cannot_be_stored_takes_nothing_along(sql: SqlLedger) -> None:
    calls = await place(sql, await running(sql, 3))
    page = [settled(call, Disposition.NO_ANSWER) for call in calls]
    bad = replace(page[1], log=replace(page[1].log, raw_status="\ud800"))
    with pytest.raises(UnicodeEncodeError):
        await sql.record_logs(ACCOUNT, [page[0], bad, page[2]])
    assert [(await attempt(sql, call.attempt_id)).state for call in calls] == [S.PLACED] * 3
    assert await sql.record_logs(ACCOUNT, [page[0], page[2]]) == [True, True]


async def test_many_outcomes_hold_the_gates_lock_in_pieces(sql: SqlLedger, engine: CountingEngine) -> None:
    """A thousand rows after an outage of the reader: whoever waits at the gate gets in between."""
    calls = await place(sql, await running(sql, 1000), 1000)
    engine.row_s, engine.held_s = 0.0002, []
    recorder = RecordRows(sql, MemoryPacer(engine.clock), ACCOUNT)
    assert await recorder.record([settled(call, Disposition.NO_ANSWER) for call in calls]) == 1000
    late = [settled(call, Disposition.ANSWERED) for call in calls]
    assert await recorder.correct(late) == 1000
    assert max(engine.held_s) <= HELD_S
    assert len(engine.held_s) < 200, "and not one by one"


async def test_many_absences_hold_the_gates_lock_in_pieces(sql: SqlLedger, engine: CountingEngine) -> None:
    calls = await place(sql, await running(sql, 300), 300)
    engine.row_s, engine.held_s = 0.0002, []
    absent = [Absent(call.attempt_id, Disposition.UNCONFIRMED, "no trace", LATER) for call in calls]
    assert await sql.settle_absent(absent) == [True] * 300
    assert max(engine.held_s) <= HELD_S
