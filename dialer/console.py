"""The rooms behind the page and the API, joined to the ledger."""

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial

from config import Settings
from dialer.adapters.ledger import SqlLedger
from dialer.bootstrap import may_use, open_pacer, report_room, ring_feeder
from dialer.control_room import dialing_times, open_ledger
from dialer.doctor import Finding, every_check
from dialer.domain.act import By
from dialer.pipeline.control_campaign import ControlCampaign
from dialer.pipeline.count_progress import CountProgress
from dialer.pipeline.keep_access import KeepAccess
from dialer.pipeline.recent_acts import RecentActs
from dialer.pipeline.report import ReportCampaign
from dialer.pipeline.show_accounts import ShowAccounts
from dialer.provider_access import account_limits


@dataclass(frozen=True)
class Console:
    """What the page and the API ask."""

    settings: Settings
    ledger: SqlLedger
    access: KeepAccess
    report: ReportCampaign
    progress: CountProgress
    recent_acts: RecentActs
    accounts: ShowAccounts
    simulator_url: str = ""
    """Where the provider of rehearsals is; "": not known here."""

    def control(self, by: By) -> ControlCampaign:
        """The operator's room, for the one who asks."""
        within_s = dialing_times(self.settings).send_within_s
        return ControlCampaign(self.ledger, self.ledger, self.ledger.clock, within_s, by=by)

    async def examined(self) -> list[Finding]:
        """What the doctor says of this machine and of every provider with a key."""
        return await every_check(self.settings, probing=False)

    async def ring(self) -> None:
        """Let the worker that feeds look now."""
        await ring_feeder(self.settings, self.ledger)


@asynccontextmanager
async def open_console(settings: Settings, simulator_url: str = "") -> AsyncIterator[Console]:
    """The rooms over a ledger of their own. Raises LedgerUnavailable."""
    async with AsyncExitStack() as stack:
        ledger = await stack.enter_async_context(open_ledger(settings))
        pacer = await stack.enter_async_context(open_pacer(settings, ledger))
        usable = partial(may_use, settings)
        pace_of = pacer.state if pacer else None
        yield Console(
            settings=settings,
            ledger=ledger,
            access=open_access(settings, ledger),
            report=report_room(settings, ledger, pacer),
            progress=CountProgress(ledger.people, ledger.clock),
            recent_acts=RecentActs(ledger.people),
            accounts=ShowAccounts(ledger, ledger, ledger.people, account_limits(settings), usable, pace_of),
            simulator_url=simulator_url,
        )


def open_access(settings: Settings, ledger: SqlLedger) -> KeepAccess:
    """The doorkeeper's room over a ledger."""
    return KeepAccess(ledger.keys, ledger.clock, os.urandom, settings.web_token.get_secret_value())
