"""A campaign whose calls were placed, on a real ledger, and the reconciler that reads their log."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from dialer.domain.call import CallLog, LogPage
from dialer.domain.campaign import CampaignSpec
from dialer.domain.disposition import Disposition
from dialer.pipeline.reconcile_calls import ReconcileCalls, Reconciled
from dialer.ports import Admitted, AttemptRow, Campaign, Report
from tests.fakes.clock import ManualClock
from tests.fakes.pacer import MemoryPacer
from tests.fakes.provider import ScriptedProvider, log_row
from tests.ledger_steps import ACCOUNT, FullLedger, listed, place, running

HORIZON_S = 600.0
HALF_HOURS = 5.5 * 3600


@dataclass
class LogDesk:
    """``ids``: the provider tells the id that its log shows; else only numbers and times tell whose a row is."""

    ledger: FullLedger
    clock: ManualClock
    ids: bool = False
    spec: CampaignSpec | None = None
    calls: list[Admitted] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.provider = ScriptedProvider(ACCOUNT, silent_when_unanswered=not self.ids, ids_are_final=self.ids)
        self.pacer = MemoryPacer(self.clock)
        self.reconciler = self.another()

    def another(self) -> ReconcileCalls:
        """The reconciler of another process, or after a restart."""
        return ReconcileCalls(self.ledger, self.ledger, self.provider, self.pacer, self.clock, HORIZON_S)

    async def placed(self, people: int = 4) -> "LogDesk":
        """So many people called at once."""
        self.campaign: Campaign = await running(self.ledger, people)
        if self.spec is not None:
            await self.ledger.open_campaign(replace(self.spec, name=self.campaign.spec.name))
        self.calls = await place(self.ledger, self.campaign, ids=self.ids)
        self.clock.skip(40)
        return self

    def row(self, n: int = 0, disposition: Disposition | None = Disposition.ANSWERED, **more: Any) -> CallLog:
        """The row of call ``n``; ``more`` sets any field."""
        call = self.calls[n]
        name = f"call-{call.attempt_id}" if self.ids else f"row-{call.attempt_id}"
        told: dict[str, Any] = {"call_id": name, "disposition": disposition, "agent": "agent-1", "cost": 0.5}
        return replace(log_row(name, call.phone, call.dialed_at + 1), **(told | more))

    def show(self, *rows: CallLog, odd: Sequence[CallLog] = ()) -> None:
        """The log, from now on: one page."""
        self.provider.pages = [LogPage(rows, len(odd), odd=tuple(odd))]

    async def tick(self, times: int = 1, every_s: float = 0.0) -> Reconciled:
        """Read the log so many times."""
        for _ in range(times):
            self.clock.skip(every_s)
            told = await self.reconciler.tick()
        return told

    async def past_horizon(self) -> None:
        """Read it when every call's time is up, as often as absence takes."""
        self.clock.skip(HORIZON_S + 1)
        await self.tick(3, every_s=20)

    async def attempts(self) -> list[AttemptRow]:
        """Every attempt, oldest first."""
        return await listed(self.ledger.attempt_rows(self.campaign.campaign_id))

    async def came_to(self) -> list[str]:
        """Disposition, or state where there is none, of the first attempts."""
        return [str(row.disposition or row.state) for row in await self.attempts() if row.number_of == 1]

    async def report(self) -> Report:
        """The campaign's."""
        return await self.ledger.report(self.campaign.campaign_id)

    async def barred(self) -> list[str]:
        """Numbers on the suppression list."""
        return [entry.phone async for entry in self.ledger.suppressions()]
