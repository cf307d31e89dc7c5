"""Rooms with one part wrong, each as somebody in a hurry might have written it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from dialer.adapters.ledger import SqlLedger, feed
from dialer.adapters.ledger.moves import STATES, add_events, event
from dialer.adapters.ledger.transaction import Transaction
from dialer.domain.attempt import Actor, AttemptState
from dialer.domain.call import CallLog, NotPlaced
from dialer.domain.campaign import CampaignSpec
from dialer.pipeline.follow_calls import FollowCalls
from dialer.pipeline.read_log import LogReader, LogReading
from dialer.pipeline.reconcile_calls import ReconcileCalls
from dialer.ports import LiveCall, Swept
from tests.simulation.faults import CALM, Rates
from tests.simulation.processes import TIMES, Build
from tests.simulation.world import Plan

TRY_AGAIN = """
UPDATE attempts SET state = 'planned', due_at = :now, token = NULL, dialed_at = NULL WHERE id = :id
"""
NOTHING_SENT = "UPDATE sends SET class = 'not_placed' WHERE attempt_id = :id AND class = 'inflight'"


def sweep_to_planned(transaction: Transaction, sweeps: Sequence[None], now: float) -> list[Swept]:
    """Whoever owes an answer is dialed again."""
    for attempt_id, _ in transaction.all(feed.OVERDUE_ANSWERS, {"now": now}):
        transaction.run(TRY_AGAIN, {"id": attempt_id, "now": now})
        transaction.run(NOTHING_SENT, {"id": attempt_id})
        add_events(transaction, [event(attempt_id, now, Actor.SWEEPER, "dialing", AttemptState.PLANNED, "again")])
    return feed.sweep(transaction, sweeps, now)


class SweepsToPlanned(SqlLedger):
    """A dead worker's attempts are tried again."""

    async def sweep(self) -> Swept:
        return (await self._store.submit(sweep_to_planned, [None]))[0]


class FreesUnknownLines(SqlLedger):
    """A call of unknown fate holds no line."""

    async def live_calls(self, account: str, after: int, limit: int) -> list[LiveCall]:
        calls = await super().live_calls(account, after, limit)
        return [call for call in calls if call.state is not AttemptState.UNKNOWN]

    async def live_among(self, attempt_ids: Sequence[int]) -> set[int]:
        told = {"ids": list(attempt_ids)}
        known = await self._store.read(lambda transaction: transaction.all(STATES, told))
        return {row[0] for row in known if row[1] in ("dialing", "placed")}


@dataclass(frozen=True)
class BelievesHalfScans(ReconcileCalls):
    """What a reading that broke off did not show is taken for absent."""

    @cached_property
    def reader(self) -> LogReader:
        return ReadsHalf(self.ledger, self.provider, self.horizon_s)


class ReadsHalf(LogReader):
    """A reading that broke off passes for a whole one."""

    async def read(self, since: float, now: float, look_since: float | None) -> LogReading:
        reading = await super().read(since, now, look_since)
        reading.complete, reading.unreadable = True, 0
        return reading


@dataclass(frozen=True)
class ExpectsNoMore(FollowCalls):
    """What is told of a call after its outcome is not waited for."""

    def owed_until(self, spec: CampaignSpec, row: CallLog) -> float | None:
        return None


@dataclass(frozen=True)
class ForgetsLateWords(ReconcileCalls):
    """An outcome is the last that is read of a call."""

    @cached_property
    def follow(self) -> FollowCalls:
        return ExpectsNoMore(self.clock, self.chance, self.redial_scale)


STORMY = Rates()
MUTANTS: dict[str, tuple[str, Plan]] = {
    "sweeper to planned": ("I1 once", Plan(0, build=Build(ledger=SweepsToPlanned))),
    "read time-out to not placed": (
        "I1 once",
        Plan(0, rates=replace(STORMY, timed_out=0.1), build=Build(reads_timeout_as=NotPlaced)),
    ),
    "absence from incomplete scans": (
        "found again",
        Plan(0, people=15, shared=2, faults_for_s=1900.0, rates=replace(STORMY, page_fails=0.97, kill_every_s=200.0),
             build=Build(reconciler=BelievesHalfScans)),
    ),
    "no bound between gate and first byte": (
        "I7 no means no",
        Plan(0, rates=replace(STORMY, stall_after_gate=0.2, suppress_every_s=4.0, kill_every_s=60.0),
             build=Build(times=replace(TIMES, send_within_s=1e6))),
    ),
    "late words not waited for": (
        "I7 no means no",
        Plan(0, people=4, shared=3, campaigns=10, rates=replace(CALM, opt_out_late=1.0),
             build=Build(reconciler=ForgetsLateWords)),
    ),
    "lines without unknown": (
        "I5 lines",
        Plan(0, rates=replace(STORMY, dropped_before=0.2), build=Build(ledger=FreesUnknownLines)),
    ),
}  # fmt: skip
"""Name -> the invariant that must break, and the storm to show it in."""
