"""What every command prints the same way."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from dialer.domain.phone_number import mask

FILE_WIDTH = 200
"""Where there is no terminal no cell is folded for want of room."""


def print_json(document: object) -> None:
    """One JSON document on stdout."""
    json.dump(document, sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")


def say(text: str) -> None:
    """A line for people, on stderr, so that stdout stays clean."""
    print(text, file=sys.stderr, flush=True)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A plain table on stdout."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*("" if cell is None else str(cell) for cell in row))
    console = Console(soft_wrap=True)
    if not console.is_terminal:
        console.width = FILE_WIDTH
    console.print(table)


def print_import(counts: Mapping[str, Any], notes: Sequence[str] = ()) -> None:
    """The import report for people."""
    for note in notes:
        print(note)
    parts = [f"{counts[name]:,} {name}" for name in ("queued", "duplicate", "suppressed", "invalid", "deferred")]
    print(f"{counts['rows']:,} rows: " + ", ".join(parts))
    for reason, count in sorted(counts.get("waits", {}).items(), key=lambda item: -item[1]):
        print(f"  cannot be called now: {count:,} · {reason}")
    if counts["rejects"]:
        print(f"rejected rows, each with its reason and remedy: {counts['rejects']}")


def print_report(document: Mapping[str, Any]) -> None:
    """The report for people."""
    status = document["status"] + (f" ({document['halt_reason']})" if document["halt_reason"] else "")
    print(f"campaign {document['campaign']} · {document['provider']} · {status}")
    imported = document["import"]
    print_import(imported)
    _line("contacts", document["contacts"])
    _line("attempts", document["attempts"])
    _line("outcomes", document["dispositions"])
    for reason, count in sorted(document["waiting"].items(), key=lambda item: -item[1]):
        print(f"  waiting: {count:,} · {reason}")
    if document["rules"] == "off":
        print(f"country rules: off ({document['rules_reason']})")
    for reason, count in sorted(document["expired"].items(), key=lambda item: -item[1]):
        print(f"  expired: {count:,} · {reason}")
    _print_calendar(document["schedule"], document["source"])
    rate = document["calls_per_second"]
    measured = f", measured {rate['measured']:g}" if rate["measured"] else ""
    print(f"pace: {rate['configured']:g} calls/s configured{measured}")
    for name in ("unknown_now", "unconfirmed", "unexplained_calls"):
        if document[name]:
            print(f"{name.replace('_', ' ')}: {document[name]:,}")
    for word, count in document["unmapped_words"].items():
        print(f'the provider says "{word}" ({count:,} times), which this version does not know')
    for note in document["log_notes"]:
        print(f"call log: {note}")
    if document["cost"]:
        print(f"cost: {document['cost']:g}")
    print(f"started {document['started_at'] or '-'}, finished {document['finished_at'] or '-'}")


def _print_calendar(schedule: Mapping[str, str | None], source: Mapping[str, str | None] | None) -> None:
    dates = {"starts": "start", "ends": "end", "next round": "next_round"}
    told = [f"{word} {schedule[key]}" for word, key in dates.items() if schedule[key]]
    if told:
        print("schedule: " + ", ".join(told))
    if source is None:
        return
    if source["error"]:
        print(f"source: not read at {source['failed_at']}: {source['error']}")
    if source["read_at"] or source["next_refresh"]:
        print(f"source: last read {source['read_at'] or '-'}, next {source['next_refresh'] or '-'}")


def _line(title: str, counts: Mapping[str, int]) -> None:
    parts = [f"{count:,} {name}" for name, count in counts.items() if count and name != "total"]
    total = f"{counts['total']:,}: " if "total" in counts else ""
    print(f"{title}: {total}{', '.join(parts) or 'none'}")


def masked(phone: str) -> str:
    """A number as it may be shown: country code and last two digits."""
    return mask(phone)
