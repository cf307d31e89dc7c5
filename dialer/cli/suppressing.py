"""dialer suppress: the numbers that must not be called."""

import csv
import sys
from collections.abc import Sequence
from pathlib import Path

from config import Settings
from dialer.adapters.csv_contacts import CsvContacts
from dialer.adapters.sql_ledger import SqlLedger
from dialer.bootstrap import open_control
from dialer.cli.opening import number, with_ledger
from dialer.cli.printing import print_json
from dialer.domain.campaign import ContactColumns
from dialer.pipeline.report import iso
from dialer.ports import Reject, Suppression

BATCH = 2000
REASON_COLUMNS = ("reason", "note", "why")


def add(phones: Sequence[str], reason: str, region: str, *, as_json: bool) -> None:
    """Add numbers; returns when no request leaves for them any more."""
    entries = [Suppression(phone, reason, "command line") for phone in _parsed(phones, region)]

    async def use(settings: Settings, ledger: SqlLedger) -> list[bool]:
        return await open_control(settings, ledger).suppress(entries)

    _tell(sum(with_ledger(use)), len(entries), [], as_json=as_json)


def remove(phones: Sequence[str], region: str, *, as_json: bool) -> None:
    """Take numbers off the list."""
    parsed = _parsed(phones, region)

    async def use(_: Settings, ledger: SqlLedger) -> list[bool]:
        return await ledger.unsuppress(parsed)

    removed = sum(with_ledger(use))
    if as_json:
        print_json({"removed": removed, "not_listed": len(parsed) - removed})
    else:
        print(f"{removed:,} removed, {len(parsed) - removed:,} were not on the list")


def import_file(path: Path, region: str, phone_column: str, encoding: str | None, *, as_json: bool) -> None:
    """Add every number of a CSV file."""
    source = CsvContacts(path, ContactColumns(phone=phone_column), region, encoding)

    async def use(settings: Settings, ledger: SqlLedger) -> tuple[int, int, list[Reject]]:
        control, added, total, rejects = open_control(settings, ledger), 0, 0, []
        async for batch in source.batches(BATCH):
            entries = []
            for row in batch:
                if isinstance(row, Reject):
                    rejects.append(row)
                else:
                    told = {name.lower(): value for name, value in row.variables.items()}
                    reason = next((told[name] for name in REASON_COLUMNS if told.get(name)), "do not call")
                    entries.append(Suppression(row.phone, reason, path.name))
            added += sum(await control.suppress(entries))
            total += len(entries)
        return added, total, rejects

    added, total, rejects = with_ledger(use)
    _tell(added, total, rejects, as_json=as_json)


def print_list(*, as_json: bool) -> None:
    """The whole list on stdout."""

    async def use(_: Settings, ledger: SqlLedger) -> list[dict[str, object]]:
        names = {campaign.campaign_id: campaign.spec.name for campaign in await ledger.campaigns()}
        return [
            {
                "phone": entry.phone,
                "reason": entry.reason,
                "source": entry.source,
                "campaign": names.get(entry.campaign_id or 0, ""),
                "added_at": iso(entry.added_at),
            }
            async for entry in ledger.suppressions()
        ]

    rows = with_ledger(use)
    if as_json:
        print_json(rows)
        return
    writer = csv.DictWriter(sys.stdout, ("phone", "reason", "source", "campaign", "added_at"), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)


def _parsed(phones: Sequence[str], region: str) -> list[str]:
    return [number(text, region) for text in phones]


def _tell(added: int, total: int, rejects: Sequence[Reject], *, as_json: bool) -> None:
    if as_json:
        bad = [{"row": reject.row, "reason": reject.reason, "remedy": reject.remedy} for reject in rejects]
        print_json({"added": added, "already_listed": total - added, "invalid": bad})
        return
    print(f"{added:,} suppressed, {total - added:,} were on the list already, {len(rejects):,} not readable")
    for reject in rejects:
        print(f"  line {reject.row}: {reject.reason}. {reject.remedy}")
