"""Hosts whose clocks are minutes apart, and set meanwhile, share the time of the database."""

from collections.abc import AsyncIterator

import pytest_asyncio

from dialer.adapters.ledger import SqlLedger
from dialer.adapters.ledger.ledger_clock import SET_EVERY_S, LedgerClock
from dialer.adapters.local.system_clock import SystemClock
from dialer.domain.attempt import AttemptState
from dialer.pipeline.control_campaign import ControlCampaign
from dialer.ports import Admitted
from tests.fakes.clock import ManualClock
from tests.ledger_steps import claim, gate, running, state

APART_S = 300.0


class WrongClock(SystemClock):
    """A machine whose clock is set wrong by so many seconds."""

    def __init__(self, ahead_s: float) -> None:
        self.ahead_s = ahead_s

    def now(self) -> float:
        return super().now() + self.ahead_s


@pytest_asyncio.fixture
async def hosts(postgres_ledger_url: str) -> AsyncIterator[tuple[SqlLedger, SqlLedger]]:
    slow, fast = [
        await SqlLedger.open(postgres_ledger_url, WrongClock(ahead_s), shared_time=True)
        for ahead_s in (-APART_S, APART_S)
    ]
    yield slow, fast
    await slow.aclose()
    await fast.aclose()


async def test_a_host_ahead_takes_no_lease_from_one_behind(hosts: tuple[SqlLedger, SqlLedger]) -> None:
    slow, fast = hosts
    campaign = await running(slow, 3)
    queued = await claim(slow, campaign, lease_s=60.0)
    assert len(queued) == 3
    assert (await fast.sweep()).leases_expired == 0
    (admitted, *_) = await gate(slow, queued)
    assert isinstance(admitted, Admitted)
    assert (await fast.sweep()).made_unknown == 0


async def test_a_pause_waits_for_the_intent_of_a_host_with_another_clock(hosts: tuple[SqlLedger, SqlLedger]) -> None:
    """Neither returns at once as if the request were long gone, nor waits until two clocks agree."""
    slow, fast = hosts
    campaign = await running(slow, 1)
    (queued,) = await claim(slow, campaign)
    (admitted,) = await gate(slow, [queued])
    assert isinstance(admitted, Admitted)
    assert abs(admitted.dialed_at - fast.clock.now()) < APART_S / 10
    just_now = fast.clock.now() - APART_S / 10
    assert await fast.dialing(campaign_id=campaign.campaign_id, since=just_now) == 1
    room = ControlCampaign(fast, fast, fast.clock, send_within_s=0.05)
    await room.move(campaign.spec.name, "pause")
    assert await state(fast, admitted.attempt_id) is AttemptState.DIALING


class SteppedClock(ManualClock):
    """A machine clock that somebody sets; the monotonic one does not notice."""

    set_by_s = 0.0

    def now(self) -> float:
        return super().now() + self.set_by_s


def test_a_clock_that_is_set_meanwhile_changes_nothing() -> None:
    own = SteppedClock()
    shared = LedgerClock(own)
    asked_at = own.monotonic()
    shared.set(5_000.0, asked_at, asked_at)
    own.set_by_s = -3 * 3600
    own.skip(SET_EVERY_S - 1)
    before = (shared.now(), shared.is_due)
    own.skip(1)
    after = (shared.now(), shared.is_due)
    assert (before, after) == ((5_000.0 + SET_EVERY_S - 1, False), (5_000.0 + SET_EVERY_S, True))
