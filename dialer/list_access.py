"""Lists and campaigns come in: what the commands, the page and the API have in common."""

import asyncio
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from config import Settings
from dialer.adapters.campaign_file import read_settings, settings_of
from dialer.adapters.ledger import SqlLedger
from dialer.adapters.ledger.drafts import SqlDrafts
from dialer.adapters.lists.people_rows import read_people
from dialer.adapters.local.daemon_thread import in_daemon_thread
from dialer.adapters.local.private_files import private_file
from dialer.adapters.local.system_clock import SystemClock
from dialer.adapters.providers.answers.values import storable
from dialer.adapters.providers.registry import installed
from dialer.bootstrap import RejectsAt, open_import, open_list, open_reader, outlook_now
from dialer.domain.act import By
from dialer.domain.campaign import SIMULATOR, CampaignSpec, CampaignStatus
from dialer.domain.contact import NewContact
from dialer.domain.contact_plan import first_due
from dialer.domain.limits import UNLIMITED, PersonLimits
from dialer.domain.reminder import NoMoment
from dialer.errors import UsageError
from dialer.pipeline.add_people import AddPeople
from dialer.pipeline.change_campaign import ChangeCampaign
from dialer.pipeline.import_contacts import CheckContacts, Foresee, OpenRejects
from dialer.pipeline.prepare_list import SOURCE, PrepareList
from dialer.ports import Campaign, ContactSource, ImportCounts
from dialer.provider_access import has_key

__all__ = [
    "REHEARSAL",
    "SOURCE",
    "check_source",
    "first_settings",
    "import_list",
    "name_of",
    "open_campaigns",
    "open_lists",
    "open_people",
    "standing_limits",
]

REHEARSAL: dict[str, Any] = {
    "provider": SIMULATOR,
    "agent": "rehearsal",
    "window": {"days": "always", "rules": "off", "rules_reason": "a rehearsal calls nobody"},
    "pace": {"calls_per_second": 25.0, "concurrent_calls": 200},
    "redial": {"max_attempts": 2},
}
"""What a campaign is where nothing says who makes its calls; in the shape of a campaign file."""
LOOKS_AT_ONCE = 2
PATIENCE_S = 300.0
"""How long to wait for another process that is reading the same source."""


async def check_source(
    ledger: SqlLedger | None, spec: CampaignSpec, source: ContactSource, rejects: OpenRejects
) -> ImportCounts:
    """As an import would answer now: the ledger, where there is one, has people and those not to be called.

    Raises InputFileError for a list that is refused whole.
    """
    if ledger is None:
        return await CheckContacts(rejects, _as_new(spec), outlook_now(spec)).run(source)

    async def look_up(contacts: Sequence[NewContact]) -> Sequence[str]:
        return await ledger.foresee(spec, contacts, source.fingerprint)

    return await CheckContacts(rejects, look_up, outlook_now(spec)).run(source)


def _as_new(spec: CampaignSpec) -> Foresee:
    now = SystemClock().now()

    async def foresee(contacts: Sequence[NewContact]) -> Sequence[str]:
        plans = (first_due(spec, one.zones, one.places, one.event_at, now) for one in contacts)
        return ["deferred" if isinstance(plan, NoMoment) else "queued" for plan in plans]

    return foresee


async def import_list(
    settings: Settings,
    ledger: SqlLedger,
    spec: CampaignSpec,
    source: ContactSource,
    origin: str,
    by: By,
    *,
    start: bool = True,
) -> tuple[Campaign, ImportCounts]:
    """Open the campaign, add the list, and set it running if it waits for nothing else.

    A list that is refused whole leaves no campaign behind. Without ``start`` one that never ran does not run yet.
    Raises InputFileError, UsageError.
    """
    await in_daemon_thread(lambda: source.header)
    campaign = await ledger.open_campaign(spec, by)
    if campaign.status is CampaignStatus.CANCELLED:
        raise UsageError(f'campaign "{spec.name}" was cancelled: choose another name with --name')
    counts = await _bring(settings, ledger, campaign, source, origin, by)
    fresh = campaign.status is CampaignStatus.DRAFT
    if (fresh and start) or (not fresh and (counts.queued or counts.deferred)):
        campaign = await ledger.move_campaign(campaign.campaign_id, "reopen", "contacts added", by) or campaign
    return campaign, counts


async def _bring(
    settings: Settings, ledger: SqlLedger, campaign: Campaign, source: ContactSource, origin: str, by: By
) -> ImportCounts:
    """What a list brings; the source of a recurring campaign is read for each of its rounds instead."""
    if origin != SOURCE:
        return await open_import(settings, ledger, campaign.spec, by).run(
            campaign.campaign_id, source, storable(origin)
        )
    if campaign.spec.schedule.repeat:
        return ImportCounts()
    return await open_reader(settings, ledger).run(campaign, lambda _: source, PATIENCE_S)


def name_of(path: Path) -> str:
    """What a campaign is called whose list this is. Raises UsageError for a directory."""
    if path.is_dir():
        raise UsageError(f"{path}: a directory, not a list")
    return path.stem


def standing_limits(settings: Settings) -> PersonLimits:
    """The limits of a person where a campaign names none.

    A rehearsal, where days are minutes (``DIALER_REDIAL_SCALE``), would wait for tomorrow: only named ones hold there.
    """
    return PersonLimits() if settings.redial_scale == 1.0 else UNLIMITED


def open_lists(settings: Settings, ledger: SqlLedger) -> PrepareList:
    """The room for lists that come over the network."""
    standing = standing_limits(settings)

    async def check(spec: CampaignSpec, source: ContactSource, rejects: OpenRejects) -> ImportCounts:
        return await check_source(ledger, spec, source, rejects)

    async def bring(
        spec: CampaignSpec, source: ContactSource, origin: str, by: By, *, start: bool
    ) -> tuple[Campaign, ImportCounts]:
        return await import_list(settings, ledger, spec, source, origin, by, start=start)

    return PrepareList(
        uploads=ledger.uploads,
        clock=ledger.clock,
        private_file=partial(private_file, settings.home / "uploads"),
        read=lambda raw: read_settings(raw, standing),
        opened=open_list,
        rejects_at=RejectsAt,
        check=check,
        bring=bring,
        rehearsal=REHEARSAL,
        turn=asyncio.Semaphore(LOOKS_AT_ONCE),
    )


def open_campaigns(settings: Settings, ledger: SqlLedger) -> ChangeCampaign:
    """The room where campaigns are made and changed."""
    standing = standing_limits(settings)
    return ChangeCampaign(
        ledger,
        SqlDrafts(ledger.uploads.store, ledger.clock),
        read=lambda raw: read_settings(raw, standing),
        written=lambda spec: settings_of(spec, standing),
    )


def open_people(ledger: SqlLedger) -> AddPeople:
    """The room where people are added one by one."""
    return AddPeople(ledger, ledger, read_people, outlook_now)


def first_settings(settings: Settings, file_name: str) -> dict[str, Any]:
    """What a campaign for this list begins with, in the shape of its file.

    Where no provider's key is set it is a rehearsal, which calls nobody.
    """
    name = Path(file_name).stem
    if any(has_key(settings, one) for one in installed() if one != SIMULATOR):
        return {"name": name}
    return {"name": name} | REHEARSAL
