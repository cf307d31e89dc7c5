"""dialer suppress: the numbers that must not be called."""

import csv
import json
import sys
from collections.abc import AsyncIterator, Iterable, Sequence
from pathlib import Path

from config import Settings
from dialer.adapters.csv_contacts import known_region
from dialer.adapters.csv_suppressions import CsvSuppressions
from dialer.adapters.sql_ledger import SqlLedger
from dialer.cli.bars import open_bar
from dialer.cli.opening import number, with_ledger
from dialer.cli.printing import print_json
from dialer.cli.spreadsheets import harmless
from dialer.control_room import open_control
from dialer.domain.suppression import read_hash
from dialer.errors import UsageError
from dialer.pipeline.report import iso
from dialer.ports import Reject, Suppression

COLUMNS = ("phone", "reason", "source", "campaign", "added_at")


def add(phones: Sequence[str], reason: str, region: str, campaign: str | None, *, as_json: bool) -> None:
    """Add numbers; returns when no request leaves for them any more."""
    named = _named(phones, region)

    async def use(settings: Settings, ledger: SqlLedger) -> list[bool]:
        campaign_id = await _campaign_id(ledger, campaign)
        entries = [Suppression(name, reason, "command line", campaign_id) for name in named]
        return await open_control(settings, ledger).suppress(entries)

    _tell(sum(with_ledger(use)), len(named), [], as_json=as_json)


def remove(phones: Sequence[str], region: str, campaign: str | None, *, as_json: bool) -> None:
    """Take numbers off the list."""
    named = _named(phones, region)

    async def use(_: Settings, ledger: SqlLedger) -> list[bool]:
        return await ledger.unsuppress(named, await _campaign_id(ledger, campaign))

    removed = sum(with_ledger(use))
    if as_json:
        print_json({"removed": removed, "not_listed": len(named) - removed})
    else:
        print(f"{removed:,} removed, {len(named) - removed:,} were not on the list")


def import_file(
    path: Path, region: str, phone_column: str, encoding: str | None, campaign: str | None, *, as_json: bool
) -> None:
    """Add every number of a CSV file; returns when no request leaves for them any more."""
    region = known_region(region) if region else ""

    async def use(settings: Settings, ledger: SqlLedger) -> tuple[int, list[Suppression], list[Reject]]:
        rehearsals_first = sorted(await ledger.campaigns(), key=lambda known: not known.spec.is_rehearsal)
        ids = {known.spec.name: known.campaign_id for known in rehearsals_first}
        campaign_id = await _campaign_id(ledger, campaign)
        listed = CsvSuppressions(path, region, phone_column, encoding, ids, campaign_id)
        with open_bar(f"reading {path.name}", quiet=as_json) as bar:
            bar.expect(listed.expected_rows)
            read = list(bar.over(listed.rows()))
        entries = [row for row in read if isinstance(row, Suppression)]
        with open_bar("barring", len(entries), quiet=as_json) as bar:
            added = sum(await open_control(settings, ledger).suppress(entries, bar.advance))
        return added, entries, [row for row in read if isinstance(row, Reject)]

    added, entries, rejects = with_ledger(use)
    _tell(added, len(entries), rejects, as_json=as_json)


def print_list(output_format: str, *, as_json: bool) -> None:
    """The whole list on stdout. Raises UsageError for an unknown format."""
    if output_format not in ("csv", "jsonl"):
        raise UsageError(f'--format "{output_format}" must be csv or jsonl')

    async def use(_: Settings, ledger: SqlLedger) -> None:
        if as_json:
            print_json([row async for row in _rows(ledger)])
        elif output_format == "jsonl":
            async for row in _rows(ledger):
                sys.stdout.write(json.dumps(row, ensure_ascii=False) + "\n")
        else:
            writer = csv.writer(sys.stdout, lineterminator="\n")
            writer.writerow(COLUMNS)
            async for row in _rows(ledger):
                writer.writerow(harmless(row.values()))

    with_ledger(use)


async def _rows(ledger: SqlLedger) -> AsyncIterator[dict[str, str | None]]:
    names = {campaign.campaign_id: campaign.spec.name for campaign in await ledger.campaigns()}
    async for entry in ledger.suppressions():
        told = (entry.phone, entry.reason, entry.source, names.get(entry.campaign_id or 0, ""), iso(entry.added_at))
        yield dict(zip(COLUMNS, told, strict=True))


def _named(phones: Iterable[str], region: str) -> list[str]:
    return [read_hash(text) or number(text, region) for text in phones]


async def _campaign_id(ledger: SqlLedger, name: str | None) -> int | None:
    return (await ledger.campaign(name)).campaign_id if name else None


def _tell(added: int, total: int, rejects: Sequence[Reject], *, as_json: bool) -> None:
    if as_json:
        bad = [{"row": reject.row, "reason": reject.reason, "remedy": reject.remedy} for reject in rejects]
        print_json({"added": added, "already_listed": total - added, "invalid": bad})
        return
    print(f"{added:,} suppressed, {total - added:,} were on the list already, {len(rejects):,} not readable")
    for reject in rejects:
        print(f"  line {reject.row}: {reject.reason}. {reject.remedy}")
