"""dialer suppress: the numbers that must not be called."""

import csv
import json
import sys
from collections.abc import AsyncIterator, Iterable, Sequence
from pathlib import Path

from config import Settings
from dialer.adapters.ledger import SqlLedger
from dialer.adapters.lists.contacts import known_region
from dialer.adapters.lists.spreadsheet_cells import harmless
from dialer.adapters.lists.suppressions import CsvSuppressions
from dialer.adapters.providers.answers.values import storable
from dialer.bootstrap import rejects_in
from dialer.cli.bars import open_bar
from dialer.cli.opening import number, with_ledger
from dialer.cli.printing import cells, print_json, put
from dialer.control_room import open_control, operator
from dialer.domain.plain_text import inert_json
from dialer.domain.suppression import read_hash
from dialer.errors import UsageError
from dialer.pipeline.import_suppressions import Barred, ImportSuppressions, campaign_ids
from dialer.pipeline.row_documents import SUPPRESSION_COLUMNS, suppression_document
from dialer.ports import Suppression

MOST_SHOWN = 20


def add(phones: Sequence[str], reason: str, region: str, campaign: str | None, *, as_json: bool) -> None:
    """Add numbers; returns when no request leaves for them any more."""
    named = _named(phones, region)

    async def use(settings: Settings, ledger: SqlLedger) -> list[bool]:
        campaign_id = await _campaign_id(ledger, campaign)
        entries = [Suppression(name, storable(reason), "command line", campaign_id) for name in named]
        return await open_control(settings, ledger).suppress(entries)

    _tell(Barred(sum(with_ledger(use)), len(named), (), 0, ""), as_json=as_json)


def remove(phones: Sequence[str], region: str, campaign: str | None, reason: str = "", *, as_json: bool) -> None:
    """Take numbers off the list."""
    named = _named(phones, region)

    async def use(_: Settings, ledger: SqlLedger) -> list[bool]:
        return await ledger.unsuppress(named, await _campaign_id(ledger, campaign), operator(reason))

    removed = sum(with_ledger(use))
    if as_json:
        print_json({"removed": removed, "not_listed": len(named) - removed})
    else:
        print(f"{removed:,} removed, {len(named) - removed:,} were not on the list")


def import_file(
    path: Path, region: str, phone_column: str, encoding: str | None, campaign: str | None, *, as_json: bool
) -> int:
    """Add every number of a CSV file; returns when no request leaves for them any more.

    Answers the exit code: 1 when anything in the file could not be read.
    """
    region = known_region(region) if region else ""

    async def use(settings: Settings, ledger: SqlLedger) -> Barred:
        ids = campaign_ids(await ledger.campaigns())
        listed = CsvSuppressions(path, region, phone_column, encoding, ids, await _campaign_id(ledger, campaign))
        room = ImportSuppressions(open_control(settings, ledger), rejects_in(settings.home, f"suppress {path.stem}"))
        with open_bar(f"barring those of {path.name}", listed.expected_rows, quiet=as_json) as bar:
            return await room.run(listed.header, listed.rows(), bar.advance)

    barred = with_ledger(use)
    _tell(barred, as_json=as_json)
    return 1 if barred.unread else 0


def print_list(output_format: str, *, as_json: bool, raw: bool) -> None:
    """The whole list on stdout; ``raw``: also what a spreadsheet would run. Raises UsageError for an unknown format."""
    if output_format not in ("csv", "jsonl"):
        raise UsageError(f'--format "{output_format}" must be csv or jsonl')

    async def use(_: Settings, ledger: SqlLedger) -> None:
        await ledger.record_act("export", operator(), subject="suppressions")
        if as_json:
            print_json([row async for row in _rows(ledger)])
        elif output_format == "jsonl":
            async for row in _rows(ledger):
                sys.stdout.write(inert_json(json.dumps(row, ensure_ascii=False)) + "\n")
        else:
            writer = csv.writer(sys.stdout, lineterminator="\n")
            writer.writerow(SUPPRESSION_COLUMNS)
            async for row in _rows(ledger):
                writer.writerow(cells(list(row.values()) if raw else harmless(row.values())))

    with_ledger(use)


async def _rows(ledger: SqlLedger) -> AsyncIterator[dict[str, str | None]]:
    names = {campaign.campaign_id: campaign.spec.name for campaign in await ledger.campaigns()}
    async for entry in ledger.suppressions():
        yield suppression_document(entry, names)


def _named(phones: Iterable[str], region: str) -> list[str]:
    return [read_hash(text) or number(text, region) for text in phones]


async def _campaign_id(ledger: SqlLedger, name: str | None) -> int | None:
    return (await ledger.campaign(name)).campaign_id if name else None


def _tell(barred: Barred, *, as_json: bool) -> None:
    if as_json:
        print_json(barred.document)
        return
    known = barred.total - barred.added
    print(f"{barred.added:,} suppressed, {known:,} were on the list already, {barred.invalid:,} not readable")
    for reject in barred.unread[:MOST_SHOWN]:
        put(f"  line {reject.row}: {reject.reason}. {reject.remedy}")
    if barred.rejects:
        print(
            f"people in these rows can still be called; the rows are in {barred.rejects}: correct and import that file"
        )
