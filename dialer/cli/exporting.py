"""dialer export: one row for each contact or attempt, streamed."""

import csv
import json
import sys
from collections.abc import AsyncIterator, Sequence
from typing import Any

from config import Settings
from dialer.adapters.ledger import SqlLedger
from dialer.adapters.lists.spreadsheet_cells import harmless
from dialer.cli.bars import Bar, open_bar
from dialer.cli.opening import with_ledger
from dialer.cli.printing import cells
from dialer.control_room import operator
from dialer.domain.plain_text import inert_json
from dialer.errors import UsageError
from dialer.pipeline.row_documents import ATTEMPT_COLUMNS, CONTACT_COLUMNS, attempt_document, contact_document


def export_campaign(
    name: str, *, attempts: bool, output_format: str, raw: bool, files: Sequence[str] = (), reason: str = ""
) -> None:
    """Write to stdout; the audit has it before the first row leaves. ``raw``: also what a spreadsheet would run.

    Raises UsageError for an unknown format, UnknownName, LedgerUnavailable.
    """
    if output_format not in ("csv", "jsonl"):
        raise UsageError(f'--format "{output_format}" must be csv or jsonl')

    async def use(_: Settings, ledger: SqlLedger) -> None:
        campaign = await ledger.campaign(name)
        campaign_id, what = campaign.campaign_id, ["attempts" if attempts else "contacts", *files]
        await ledger.record_act("export", operator(reason), campaign.spec.handle, ", ".join(what))
        # Where the rows themselves run over the terminal, a bar would only be in their way.
        with open_bar(f"exporting {name}", quiet=sys.stdout.isatty()) as bar:
            counted = await ledger.report(campaign_id)
            bar.expect(sum((counted.attempts if attempts else counted.contacts).values()))
            if attempts:
                rows = (attempt_document(row) async for row in ledger.attempt_rows(campaign_id))
                await _write(rows, ATTEMPT_COLUMNS, (), output_format, bar, raw=raw)
            else:
                own = await _own_columns(ledger, campaign_id)
                rows = (contact_document(row) async for row in ledger.contact_rows(campaign_id))
                await _write(rows, CONTACT_COLUMNS, own, output_format, bar, raw=raw)

    with_ledger(use)


async def _own_columns(ledger: SqlLedger, campaign_id: int) -> tuple[str, ...]:
    """The list's own columns, in the order in which they first appear."""
    columns: dict[str, None] = {}
    async for row in ledger.contact_rows(campaign_id):
        columns |= dict.fromkeys(row.variables)
    return tuple(columns)


async def _write(
    rows: AsyncIterator[dict[str, Any]],
    columns: tuple[str, ...],
    own: tuple[str, ...],
    output_format: str,
    bar: Bar,
    *,
    raw: bool,
) -> None:
    if output_format == "jsonl":
        async for row in rows:
            sys.stdout.write(inert_json(json.dumps(row, ensure_ascii=False)) + "\n")
            bar.advance()
        return
    writer, kept = csv.writer(sys.stdout, lineterminator="\n"), list if raw else harmless
    writer.writerow(cells(kept([*columns, *own])))
    async for row in rows:
        values = [row[name] for name in columns] + [row.get("variables", {}).get(name, "") for name in own]
        writer.writerow(cells(kept(values)))
        bar.advance()
