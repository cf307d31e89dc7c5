"""A log that cannot be read is told, and stops what would be called blindly."""

from collections.abc import AsyncIterator

import pytest

from dialer.adapters.ledger import SqlLedger
from dialer.domain.campaign import CampaignStatus
from dialer.errors import Forbidden, KeyRefused, NotFound, ProviderError, ServerFailed
from tests.fakes.clock import ManualClock
from tests.ledger_steps import ACCOUNT, FullLedger
from tests.log_desk import HORIZON_S, LogDesk


@pytest.fixture
async def ledger(sqlite_ledger_url: str, clock: ManualClock) -> AsyncIterator[SqlLedger]:
    opened = await SqlLedger.open(sqlite_ledger_url, clock)
    yield opened
    await opened.aclose()


@pytest.mark.parametrize("error", [Forbidden("HTTP 403"), KeyRefused("HTTP 401"), NotFound("HTTP 404")])
async def test_a_key_that_may_not_read_the_log_halts_the_account_at_the_second_look(
    ledger: FullLedger, clock: ManualClock, error: ProviderError
) -> None:
    desk = await LogDesk(ledger, clock).placed(1)
    desk.provider.pages = [error]
    await desk.tick()
    assert (await ledger.campaign("spring")).status is CampaignStatus.RUNNING, "one such answer may be odd"
    await desk.tick()
    campaign = await ledger.campaign("spring")
    assert campaign.status is CampaignStatus.HALTED
    assert str(error) in campaign.halt_reason and "dialer start" in campaign.halt_reason


async def test_one_odd_answer_between_good_ones_halts_nothing(ledger: FullLedger, clock: ManualClock) -> None:
    desk = await LogDesk(ledger, clock).placed(1)
    for pages in ([Forbidden("HTTP 403")], [], [Forbidden("HTTP 403")], []):
        desk.provider.pages = pages
        await desk.tick()
    assert (await ledger.campaign("spring")).status is CampaignStatus.RUNNING
    assert (await desk.report()).log_notes == ()


async def test_a_log_that_is_down_is_shown_and_past_a_horizon_no_more_calls_are_placed(
    ledger: FullLedger, clock: ManualClock
) -> None:
    desk = await LogDesk(ledger, clock).placed(1)
    desk.provider.pages = [ServerFailed("HTTP 500")]
    await desk.tick()
    assert (await desk.report()).log_notes == ("the call log cannot be read: HTTP 500",)
    assert (await desk.pacer.state(ACCOUNT)).braked_until is None
    desk.reconciler = desk.another()
    await desk.tick(every_s=HORIZON_S + 1)
    note = (await desk.report()).log_notes[0]
    assert "No more calls are placed" in note, "since when is known after a restart"
    assert (await desk.pacer.state(ACCOUNT)).braked_until is not None
    desk.show(desk.row())
    await desk.tick()
    assert (await desk.report()).log_notes == ()


async def test_readings_that_fail_are_spaced_out(ledger: FullLedger, clock: ManualClock) -> None:
    desk = await LogDesk(ledger, clock).placed(1)
    desk.provider.pages = [ServerFailed("HTTP 500")]
    rests = []
    for _ in range(8):
        await desk.tick()
        rests.append(desk.reconciler.trouble.rest_s(5.0))
    assert rests == [10, 20, 40, 60, 60, 60, 60, 60]
    desk.show()
    await desk.tick()
    assert desk.reconciler.trouble.rest_s(5.0) == 0
