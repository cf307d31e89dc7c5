"""The rooms behind the page and the API, joined to the ledger."""

import asyncio
import os
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from config import Settings
from dialer.adapters.ledger import SqlLedger
from dialer.adapters.lists.suppressions import CsvSuppressions
from dialer.adapters.local.recordings import RecordingFiles
from dialer.adapters.providers.vaanivoice import hooks_in
from dialer.bootstrap import may_use, open_pacer, rejects_in, report_room, ring_feeder, ring_reader
from dialer.control_room import dialing_times, open_ledger
from dialer.doctor import Finding, every_check
from dialer.domain.act import By
from dialer.domain.campaign import SIMULATOR
from dialer.domain.campaign_name import file_stem
from dialer.errors import UnknownName, UsageError
from dialer.list_access import open_campaigns, open_lists, open_people
from dialer.pipeline.act_on_people import ActOnPeople
from dialer.pipeline.add_people import AddPeople
from dialer.pipeline.change_campaign import ChangeCampaign
from dialer.pipeline.control_campaign import ControlCampaign
from dialer.pipeline.count_progress import CountProgress
from dialer.pipeline.hear_webhooks import HearWebhooks
from dialer.pipeline.import_suppressions import Barred, ImportSuppressions, campaign_ids
from dialer.pipeline.keep_access import KeepAccess
from dialer.pipeline.keep_replies import KeepReplies
from dialer.pipeline.note_looks import NoteLooks
from dialer.pipeline.prepare_list import PrepareList
from dialer.pipeline.recent_acts import RecentActs
from dialer.pipeline.replay_call import ReplayCall
from dialer.pipeline.report import ReportCampaign
from dialer.pipeline.show_accounts import ShowAccounts
from dialer.pipeline.tell_story import TellStory
from dialer.ports import CallArchive
from dialer.provider_access import account_limits, require_key
from dialer.reaching import reach

MOST_UNREAD = 1_000
"""So many rejected rows of a list are shown; all of them are in its file."""
DIGEST = re.compile("[0-9a-f]{64}")


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
    accounts: ShowAccounts
    lists: PrepareList
    drafts: ChangeCampaign
    adding: AddPeople
    stories: TellStory
    replay: ReplayCall
    looks: NoteLooks
    webhooks: HearWebhooks
    simulator_url: str = ""
    """Where the provider of rehearsals is; "": not known here."""

    def control(self, by: By) -> ControlCampaign:
        """The operator's room, for the one who asks."""
        within_s = dialing_times(self.settings).send_within_s
        return ControlCampaign(self.ledger, self.ledger, self.ledger.clock, within_s, by=by)

    def acting(self, by: By) -> ActOnPeople:
        """The room for the people of a filter, for the one who asks."""
        return ActOnPeople(self.ledger.people, self.ledger.people, self.ledger, self.control(by))

    async def import_suppressions(self, path: Path, region: str, by: By, digest: str) -> Barred:
        """Bar every number of a CSV file; its name is the entries' source, and ``digest`` names its rejects.

        Raises InputFileError.
        """
        listed = CsvSuppressions(path, region.strip().upper(), campaigns=campaign_ids(await self.ledger.campaigns()))
        opened = rejects_in(self.settings.home, _rejects_name(digest))
        return await ImportSuppressions(self.control(by), opened, MOST_UNREAD).run(listed.header, listed.rows())

    async def suppression_rejects(self, digest: str, by: By) -> Path:
        """The file with the rejects of such a list. Raises UnknownName."""
        path = self.settings.home / "rejects" / f"{file_stem(_rejects_name(digest))}.csv"
        if not DIGEST.fullmatch(digest) or not await asyncio.to_thread(path.is_file):
            raise UnknownName("there are no rejects of that list")
        await self.looks.note(by, "export", "", "rejects of a suppression list")
        return path

    async def examined(self) -> list[Finding]:
        """What the doctor says of this machine and of every provider with a key."""
        return await every_check(self.settings, probing=False)

    def may_use(self, provider: str) -> bool:
        """Whether calls can go out by this provider: it is that of rehearsals, or its key is set."""
        return may_use(self.settings, provider)

    def rejects_of(self, name: str) -> Path | None:
        """Where this machine keeps the rows that were rejected of a campaign's last list, if it does."""
        path = rejects_in(self.settings.home, name).path
        return path if path.is_file() else None

    async def ring(self) -> None:
        """Let the worker that feeds look now."""
        await ring_feeder(self.settings, self.ledger)


def _rejects_name(digest: str) -> str:
    return f"suppress-{digest[:16]}"


@asynccontextmanager
async def open_console(settings: Settings, simulator_url: str = "") -> AsyncIterator[Console]:
    """The rooms over a ledger of their own. Raises LedgerUnavailable."""
    async with AsyncExitStack() as stack:
        ledger = await stack.enter_async_context(open_ledger(settings))
        pacer = await stack.enter_async_context(open_pacer(settings, ledger))
        usable = partial(may_use, settings)
        pace_of = pacer.state if pacer else None
        looks = NoteLooks(ledger, ledger.clock)
        webhooks = _open_webhooks(settings, ledger)
        recordings = RecordingFiles(settings.home / "recordings", ledger.clock)
        yield Console(
            settings=settings,
            ledger=ledger,
            access=open_access(settings, ledger),
            replies=KeepReplies(ledger.keys),
            report=report_room(settings, ledger, pacer),
            progress=CountProgress(ledger.people, ledger.clock),
            recent_acts=RecentActs(ledger.people),
            accounts=ShowAccounts(ledger, ledger, ledger.people, account_limits(settings), usable, pace_of, webhooks),
            lists=open_lists(settings, ledger),
            drafts=open_campaigns(settings, ledger),
            adding=open_people(ledger),
            stories=TellStory(ledger, ledger.clock, ledger.webhooks),
            replay=ReplayCall(ledger, partial(_open_archive, settings, simulator_url), recordings, looks),
            looks=looks,
            webhooks=webhooks,
            simulator_url=simulator_url,
        )


def _open_webhooks(settings: Settings, ledger: SqlLedger) -> HearWebhooks:
    read = partial(hooks_in.read_webhook, secrets=settings.webhook_secrets)
    ring = partial(ring_reader, settings, ledger, hooks_in.ACCOUNT)
    return HearWebhooks(ledger.webhooks, ledger.clock, hooks_in.ACCOUNT, read, ring, os.urandom)


@asynccontextmanager
async def _open_archive(settings: Settings, simulator_url: str, account: str) -> AsyncIterator[CallArchive]:
    if account == SIMULATOR and not simulator_url:
        raise UsageError("the simulator of a rehearsal ends with it, and what was said in it too")
    require_key(settings, account)
    async with reach(settings, account, simulator_url) as reached:
        yield reached.archive


def open_access(settings: Settings, ledger: SqlLedger) -> KeepAccess:
    """The doorkeeper's room over a ledger."""
    return KeepAccess(ledger.keys, ledger.clock, os.urandom, settings.web_token.get_secret_value())
