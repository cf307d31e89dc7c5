"""check and enqueue: a list goes in, every row is accounted for."""

from pathlib import Path

from config import Settings
from dialer.adapters.campaign_file import Overrides, override, read_campaign
from dialer.adapters.ledger import SqlLedger
from dialer.bootstrap import open_list, rejects_in, ring_feeder
from dialer.cli.bars import CountedSource, open_bar
from dialer.cli.opening import settings as load
from dialer.cli.opening import with_ledger
from dialer.cli.printing import print_import, print_json
from dialer.cli.stopping import run
from dialer.control_room import has_ledger, open_ledger, operator
from dialer.domain.campaign import CampaignSpec
from dialer.list_access import SOURCE, check_source, import_list, name_of, standing_limits
from dialer.pipeline.report import import_document
from dialer.ports import ContactSource, ImportCounts

ANY_AGENT = "check"
UNUSABLE = 1
"""The exit code when not one row of a list can be used."""


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
    rejects = rejects_in(settings.home, spec.name, ".check")
    if not has_ledger(settings):
        return await check_source(None, spec, source, rejects)
    async with open_ledger(settings) as ledger:
        return await check_source(ledger, spec, source, rejects)


def enqueue_list(
    path: Path | None, campaign: str | None, overrides: Overrides, encoding: str | None, *, as_json: bool
) -> int:
    """Import a list into a campaign, and let workers dial it. Answers the exit code."""

    async def use(settings: Settings, ledger: SqlLedger) -> tuple[ImportCounts, ContactSource]:
        spec = await _spec(settings, ledger, campaign, overrides, path)
        source = open_list(path, spec, encoding)
        with open_bar(f"reading {path.name if path else SOURCE}", quiet=as_json) as bar:
            counted = CountedSource(source, bar)
            _, counts = await import_list(settings, ledger, spec, counted, str(path or SOURCE), operator())
        await ring_feeder(settings, ledger)
        return counts, source

    counts, source = with_ledger(use)
    _print(counts, source, as_json=as_json)
    return 0 if counts.usable else UNUSABLE


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
