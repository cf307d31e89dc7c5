"""What the log says of a call after its outcome counts, whoever reads it and whenever it comes."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from dialer.adapters.ledger import SqlLedger
from dialer.domain.attempt import AttemptState as S
from dialer.domain.call import CallLog
from dialer.domain.campaign import CampaignStatus
from dialer.domain.contact import ContactStatus as C
from dialer.domain.disposition import Disposition as D
from dialer.domain.redial import RedialPolicy
from dialer.pipeline.follow_calls import ANALYSED_WITHIN_S
from dialer.pipeline.late_words import FIRST_S
from tests.fakes.clock import ManualClock
from tests.fakes.provider import log_row
from tests.ledger_steps import FullLedger, events, phone, spec
from tests.log_desk import LogDesk


@pytest.fixture
async def ledger(ledger_url: str, clock: ManualClock) -> AsyncIterator[SqlLedger]:
    opened = await SqlLedger.open(ledger_url, clock)
    yield opened
    await opened.aclose()


async def talked(ledger: FullLedger, clock: ManualClock, **more: Any) -> tuple[LogDesk, CallLog]:
    """One call that was answered, of which more may come; the campaign is finished."""
    desk = await LogDesk(ledger, clock, ids=True).placed(1)
    row = desk.row(ended_at=clock.now(), analysed=False, **more)
    desk.show(row)
    await desk.tick()
    assert await ledger.finish_campaigns() == [desk.campaign.spec.name]
    return desk, row


async def later(desk: LogDesk, row: CallLog) -> None:
    """Another process reads the log, which says something new."""
    desk.reconciler = desk.another()
    desk.show(row)
    desk.clock.skip(FIRST_S)
    await desk.tick()


async def test_an_opt_out_that_comes_after_the_run_bars_the_person(ledger: FullLedger, clock: ManualClock) -> None:
    desk, row = await talked(ledger, clock)
    await later(desk, replace(row, analysed=True, entities={"opt_out": "true"}))
    assert await desk.barred() == [desk.calls[0].phone]
    assert (await ledger.owed("vaanivoice")).calls == 0


async def test_a_call_back_that_comes_after_the_run_is_made(ledger: FullLedger, clock: ManualClock) -> None:
    desk, row = await talked(ledger, clock)
    asked = replace(row, analysed=True, callback_requested=True)
    await later(desk, asked)
    first, second = await desk.attempts()
    assert (first.disposition, second.state, second.reason) == (D.ANSWERED, S.PLANNED, "callback requested")
    report = await desk.report()
    assert (report.campaign.status, report.contacts[C.ACTIVE]) == (CampaignStatus.RUNNING, 1)
    await later(desk, asked)
    assert len(await desk.attempts()) == 2, "once"


async def test_a_call_back_that_cannot_be_made_is_written_down_once(ledger: FullLedger, clock: ManualClock) -> None:
    never = replace(spec(), redial=RedialPolicy(callback_s=None))
    desk = await LogDesk(ledger, clock, ids=True, spec=never).placed(1)
    row = desk.row(analysed=False, ended_at=clock.now())
    desk.show(row)
    await desk.tick()
    asked = replace(row, callback_requested=True)
    for _ in range(3):
        await later(desk, asked)
    assert len(await desk.attempts()) == 1
    told = [event.reason for event in await events(ledger, desk.calls[0].attempt_id)]
    assert sum("told later" in reason for reason in told) == 1


async def test_a_machine_that_is_found_out_later_is_no_person(ledger: FullLedger, clock: ManualClock) -> None:
    desk, row = await talked(ledger, clock)
    await later(desk, replace(row, analysed=True, disposition=D.VOICEMAIL, raw_status="Voicemail detected"))
    first, second = await desk.attempts()
    assert (first.disposition, second.state) == (D.VOICEMAIL, S.PLANNED)
    told = (await events(ledger, first.attempt_id))[-1]
    assert (told.before, told.after, told.reason) == ("ended", "ended", "voicemail: Voicemail detected (told later)")


async def test_nothing_unsays_a_talk(ledger: FullLedger, clock: ManualClock) -> None:
    desk, row = await talked(ledger, clock)
    for word in (D.NO_ANSWER, D.FAILED, None):
        await later(desk, replace(row, disposition=word))
    assert [attempt.disposition for attempt in await desk.attempts()] == [D.ANSWERED]


async def test_a_cost_that_comes_later_is_counted(ledger: FullLedger, clock: ManualClock) -> None:
    desk, row = await talked(ledger, clock, cost=None)
    assert (await desk.report()).cost == 0
    await later(desk, replace(row, cost=1.5))
    assert (await desk.report()).cost == 1.5


@pytest.mark.parametrize(("most", "owed"), [(0.0, 0), (6.0, 1)])
async def test_a_cost_is_waited_for_where_there_is_a_budget(
    ledger: FullLedger, clock: ManualClock, most: float, owed: int
) -> None:
    desk = await LogDesk(ledger, clock, ids=True, spec=replace(spec(), max_cost=most)).placed(1)
    desk.show(desk.row(cost=None))
    await desk.tick()
    assert (await ledger.owed("vaanivoice")).calls == owed


async def test_what_is_owed_is_asked_for_less_and_less_and_not_for_ever(ledger: FullLedger, clock: ManualClock) -> None:
    desk, _ = await talked(ledger, clock)
    readings = 0
    for _ in range(int(ANALYSED_WITHIN_S) + 60):
        readings += (await desk.tick(every_s=1.0)).pages
    assert 4 <= readings <= 10
    assert (await ledger.owed("vaanivoice")).calls == 0


async def test_who_says_it_in_a_call_to_us_is_barred_too(ledger: FullLedger, clock: ManualClock) -> None:
    desk = await LogDesk(ledger, clock, ids=True).placed(1)
    inbound = {"outbound": False, "disposition": D.ANSWERED, "entities": {"opt_out": "true"}}
    rows = [
        log_row("in-1", "+14155559000", clock.now(), from_number=phone(700), **inbound),
        log_row("in-2", "+14155559000", clock.now(), from_number="5550701", **inbound),
        log_row("in-3", "+14155559000", clock.now(), from_number="+1415555?", **inbound),
    ]
    desk.show(desk.row(), *rows)
    await desk.tick()
    assert await desk.barred() == [phone(700)], "a number that is not whole could be anybody's"


class Unfit(SqlLedger):
    """A ledger whose database takes no row of one call."""

    async def record_logs(self, account, rows):  # type: ignore[no-untyped-def]
        if any(row.log.raw_status == "poison" for row in rows):
            raise ValueError("cannot be stored")
        return await super().record_logs(account, rows)


async def test_one_row_that_cannot_be_stored_keeps_no_other_out(sqlite_ledger_url: str, clock: ManualClock) -> None:
    ledger = await Unfit.open(sqlite_ledger_url, clock)
    desk = await LogDesk(ledger, clock, ids=True).placed(5)
    desk.show(*(desk.row(n, raw_status="poison" if n == 3 else "ok") for n in range(5)))
    await desk.tick()
    assert await desk.came_to() == [D.ANSWERED] * 5, "its texts are left out, its outcome is not"
    await ledger.aclose()
