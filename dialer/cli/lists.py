"""check and enqueue: a list goes in, every row is accounted for."""

from collections.abc import Sequence
from pathlib import Path

from config import Settings
from dialer.adapters.campaign_file import Overrides, override, read_campaign
from dialer.adapters.ledger import SqlLedger
from dialer.adapters.local.daemon_thread import in_daemon_thread
from dialer.adapters.local.system_clock import SystemClock
from dialer.adapters.providers.answers.values import storable
from dialer.bootstrap import open_import, open_list, open_reader, outlook_now, rejects_in, ring_feeder
from dialer.cli.bars import CountedSource, open_bar
from dialer.cli.opening import settings as load
from dialer.cli.opening import with_ledger
from dialer.cli.printing import print_import, print_json
from dialer.cli.stopping import run
from dialer.control_room import has_ledger, open_ledger, operator
from dialer.domain.campaign import CampaignSpec, CampaignStatus
from dialer.domain.contact import NewContact
from dialer.domain.contact_plan import first_due
from dialer.domain.limits import UNLIMITED, PersonLimits
from dialer.domain.reminder import NoMoment
from dialer.errors import UsageError
from dialer.pipeline.import_contacts import CheckContacts, Foresee
from dialer.pipeline.report import import_document
from dialer.ports import Campaign, ContactSource, ImportCounts

ANY_AGENT = "check"
SOURCE = "source"
UNUSABLE = 1
"""The exit code when not one row of a list can be used."""
PATIENCE_S = 300.0
"""How long to wait for another process that is reading the same source."""


def check_list(
    path: Path | None, file: Path | None, overrides: Overrides, encoding: str | None, *, as_json: bool
) -> int:
    """The import report of a list; only the rejects are written. Answers the exit code."""
    settings = load()
    name = (name_of(path) if path else SOURCE) or "list"
    spec = read_campaign(file, overrides, {"name": name, "agent": ANY_AGENT})
    source = open_list(path, spec, encoding)
    with open_bar(f"checking {name}", quiet=as_json) as bar:
        counts = run(lambda: _check(settings, spec, CountedSource(source, bar)))
    _print(counts, source, as_json=as_json)
    return 0 if counts.usable else UNUSABLE


async def _check(settings: Settings, spec: CampaignSpec, source: ContactSource) -> ImportCounts:
    """As an import would answer now: the ledger, where there is one, has people and those not to be called."""
    rejects, outlook = rejects_in(settings.home, spec.name, ".check"), outlook_now(spec)
    if not has_ledger(settings):
        return await CheckContacts(rejects, _as_new(spec), outlook).run(source)
    async with open_ledger(settings) as ledger:

        async def look_up(contacts: Sequence[NewContact]) -> Sequence[str]:
            return await ledger.foresee(spec, contacts, source.fingerprint)

        return await CheckContacts(rejects, look_up, outlook).run(source)


def _as_new(spec: CampaignSpec) -> Foresee:
    now = SystemClock().now()

    async def foresee(contacts: Sequence[NewContact]) -> Sequence[str]:
        plans = (first_due(spec, one.zones, one.places, one.event_at, now) for one in contacts)
        return ["deferred" if isinstance(plan, NoMoment) else "queued" for plan in plans]

    return foresee


def enqueue_list(
    path: Path | None, campaign: str | None, overrides: Overrides, encoding: str | None, *, as_json: bool
) -> int:
    """Import a list into a campaign, and let workers dial it. Answers the exit code."""

    async def use(settings: Settings, ledger: SqlLedger) -> tuple[ImportCounts, ContactSource]:
        spec = await _spec(settings, ledger, campaign, overrides, path)
        source = open_list(path, spec, encoding)
        with open_bar(f"reading {path.name if path else SOURCE}", quiet=as_json) as bar:
            counted = CountedSource(source, bar)
            _, counts = await import_list(settings, ledger, spec, counted, str(path or SOURCE))
        await ring_feeder(settings, ledger)
        return counts, source

    counts, source = with_ledger(use)
    _print(counts, source, as_json=as_json)
    return 0 if counts.usable else UNUSABLE


async def import_list(
    settings: Settings, ledger: SqlLedger, spec: CampaignSpec, source: ContactSource, origin: str
) -> tuple[Campaign, ImportCounts]:
    """Open the campaign, add the list, and set it running if it waits for nothing else.

    A list that is refused whole leaves no campaign behind. Raises InputFileError, UsageError.
    """
    await in_daemon_thread(lambda: source.header)
    campaign = await ledger.open_campaign(spec, operator())
    if campaign.status is CampaignStatus.CANCELLED:
        raise UsageError(f'campaign "{spec.name}" was cancelled: choose another name with --name')
    counts = await _bring(settings, ledger, campaign, source, origin)
    if campaign.status is CampaignStatus.DRAFT or counts.queued or counts.deferred:
        campaign = await ledger.move_campaign(campaign.campaign_id, "reopen", "contacts added", operator()) or campaign
    return campaign, counts


async def _bring(
    settings: Settings, ledger: SqlLedger, campaign: Campaign, source: ContactSource, origin: str
) -> ImportCounts:
    """What a list brings; the source of a recurring campaign is read for each of its rounds instead."""
    if origin != SOURCE:
        return await open_import(settings, ledger, campaign.spec).run(campaign.campaign_id, source, storable(origin))
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


async def _spec(
    settings: Settings, ledger: SqlLedger, campaign: str | None, overrides: Overrides, path: Path | None
) -> CampaignSpec:
    if campaign is not None and not campaign.endswith(".toml") and not _is_file(campaign):
        return override((await ledger.campaign(campaign)).spec, overrides)
    defaults = {} if campaign or path is None else {"name": name_of(path)}
    return read_campaign(Path(campaign) if campaign else None, overrides, defaults, standing_limits(settings))


def _is_file(name: str) -> bool:
    return Path(name).is_file()


def _print(counts: ImportCounts, source: ContactSource, *, as_json: bool) -> None:
    document = import_document(counts) | {"waits": dict(counts.waits)}
    if as_json:
        print_json({"schema": 1} | document | {"notes": list(source.notes)})
    else:
        print_import(document, source.notes)
