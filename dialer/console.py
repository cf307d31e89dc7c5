"""The rooms behind the page and the API, joined to the ledger."""

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from config import Settings
from dialer.adapters.ledger import SqlLedger
from dialer.bootstrap import open_report, ring_feeder
from dialer.control_room import dialing_times, open_ledger
from dialer.domain.act import By
from dialer.pipeline.control_campaign import ControlCampaign
from dialer.pipeline.count_progress import CountProgress
from dialer.pipeline.keep_access import KeepAccess
from dialer.pipeline.keep_replies import KeepReplies
from dialer.pipeline.recent_acts import RecentActs
from dialer.pipeline.report import ReportCampaign


@dataclass(frozen=True)
class Console:
    """What the page and the API ask."""

    settings: Settings
    ledger: SqlLedger
    access: KeepAccess
    replies: KeepReplies
    report: ReportCampaign
    progress: CountProgress
    recent_acts: RecentActs

    def control(self, by: By) -> ControlCampaign:
        """The operator's room, for the one who asks."""
        within_s = dialing_times(self.settings).send_within_s
        return ControlCampaign(self.ledger, self.ledger, self.ledger.clock, within_s, by=by)

    async def ring(self) -> None:
        """Let the worker that feeds look now."""
        await ring_feeder(self.settings, self.ledger)


@asynccontextmanager
async def open_console(settings: Settings) -> AsyncIterator[Console]:
    """The rooms over a ledger of their own. Raises LedgerUnavailable."""
    async with AsyncExitStack() as stack:
        ledger = await stack.enter_async_context(open_ledger(settings))
        report = await stack.enter_async_context(open_report(settings, ledger))
        progress = CountProgress(ledger.people, ledger.clock)
        access, replies = open_access(settings, ledger), KeepReplies(ledger.keys)
        yield Console(settings, ledger, access, replies, report, progress, RecentActs(ledger.people))


def open_access(settings: Settings, ledger: SqlLedger) -> KeepAccess:
    """The doorkeeper's room over a ledger."""
    return KeepAccess(ledger.keys, ledger.clock, os.urandom, settings.web_token.get_secret_value())
