"""The report of a campaign as people read it."""

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.bar import Bar
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from dialer.cli.printing import in_words, local, plain, print_import, screen

NO_TERMINAL = 0
NARROW, WIDE = 16, 32
"""Cells of a bar."""
FIRST_COLUMN = 14
COUNTS = (("contacts", "contacts"), ("calls", "attempts"), ("outcomes", "dispositions"))
"""Title of a part, and where its counts stand in the document."""


def print_report(document: Mapping[str, Any], console: Console | None = None) -> None:
    """The report (``report_document``) on stdout: bars on a terminal, the same words and numbers elsewhere."""
    to = console or screen()
    width = _bar_width(to)
    status = document["status"] + (f" ({document['halt_reason']})" if document["halt_reason"] else "")
    print(plain(f"campaign {document['campaign']} · {document['provider']} · {status}"), file=to.file)
    print_import(document["import"], file=to.file)
    for title, key in COUNTS:
        _print_counts(to, title, document[key], width)
    _print_reasons(to, "waiting", document["waiting"])
    _print_reasons(to, "expired", document["expired"])
    _print_limits(to, document.get("limits", []))
    for name, words in _facts(document):
        _print_folded(to, Text(f"{name:<{FIRST_COLUMN}}  ", "bold"), words)


def _bar_width(console: Console) -> int:
    drawn = console.is_terminal and not console.options.ascii_only
    return NO_TERMINAL if not drawn else WIDE if console.width >= 100 else NARROW


def _print_counts(console: Console, title: str, counts: Mapping[str, int], width: int) -> None:
    total = counts.get("total", sum(counts.values()))
    rows = {name: count for name, count in counts.items() if count and name != "total"}
    _print_part(console, title, total, {name.replace("_", " "): count for name, count in rows.items()}, width)


def _print_reasons(console: Console, title: str, counts: Mapping[str, int]) -> None:
    """Why, and how many: the reason may be a long sentence, so it comes last."""
    total = sum(counts.values())
    if total:
        console.print(Text(f"{title:<{FIRST_COLUMN}}  {total:>9,}", "bold"))
    for reason, count in sorted(counts.items(), key=lambda item: -item[1]):
        _print_folded(console, Text(f"{'':<{FIRST_COLUMN}}  {count:>9,}  {_share(count, total):>6}  "), reason)


def _print_limits(console: Console, layers: Sequence[Mapping[str, Any]]) -> None:
    """What keeps calls from being made now: each layer that does, with whom it holds and until when."""
    holding = [layer for layer in layers if layer["holds"]]
    for number, layer in enumerate(holding):
        people = f" · {layer['people']:,} people" if layer["people"] else ""
        until = f" · until {local(layer['until'])}" if layer["until"] else ""
        remedy = f" · {layer['remedy']}" if layer["remedy"] else ""
        head = Text(f"{'' if number else 'limited by':<{FIRST_COLUMN}}  ", "bold")
        _print_folded(console, head, f"{layer['layer']}: {layer['now']}{people}{until}{remedy}")


def _print_folded(console: Console, head: Text, words: str) -> None:
    """Words behind a head; on a narrow terminal they go on below themselves."""
    room = max(20, console.width - len(head))
    for number, line in enumerate(textwrap.wrap(plain(words), room) or [""]):
        console.print((head if number == 0 else Text(" " * len(head))) + Text(line), soft_wrap=True)


def _print_part(console: Console, title: str, total: int, rows: Mapping[str, int], width: int) -> None:
    console.print(Text(f"{title:<{FIRST_COLUMN}}  {total:>9,}" if total else f"{title:<{FIRST_COLUMN}}  none", "bold"))
    table = _grid()
    if width:
        table.add_column(width=width)
    for name, count in rows.items():
        bar: list[RenderableType] = [Bar(total, 0, count, width=width, color="cyan")] if width else []
        table.add_row(Text(f"  {plain(name)}"), f"{count:,}", _share(count, total), *bar)
    if rows:
        console.print(table)


def _grid() -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(min_width=FIRST_COLUMN)
    table.add_column(justify="right", min_width=9)
    table.add_column(justify="right", min_width=6)
    return table


def _share(count: int, total: int) -> str:
    percent = 100 * count / total if total else 0.0
    return f"{percent:.0f} %" if percent >= 9.95 or percent in (0.0, 100.0) else f"{percent:.1f} %"


def _facts(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if moved := document["moved"]:
        why = f": {moved['why']}" if moved["why"] and moved["why"] != document["halt_reason"] else ""
        yield "last moved", f"{moved['act']} by {moved['by']}, {local(moved['at'])}{why}"
    if document["rules"] == "off":
        yield "country rules", f"off ({document['rules_reason']})"
    yield from _calendar(document["schedule"], document["source"])
    rate = document["calls_per_second"]
    configured = f"{rate['configured']:g} calls/s configured" if rate["configured"] else "no limit configured"
    learned = f", {rate['learned']:g} allowed by the provider" if rate["learned"] else ""
    yield "pace", configured + learned + (f", {rate['measured']:.3g} measured" if rate["measured"] else "")
    for name in ("unknown_now", "unconfirmed", "unexplained_calls"):
        if document[name]:
            yield name.replace("_", " "), f"{document[name]:,}"
    for word, count in document["unmapped_words"].items():
        yield "unknown word", f'the provider says "{word}" ({count:,} times), which this version does not know'
    for note in document["log_notes"]:
        yield "call log", note
    if document["cost"]:
        yield "cost", f"{document['cost']:g}"
    started, finished = document["started_at"], document["finished_at"]
    yield "started", local(started)
    took = f", after {in_words(_seconds(started, finished))}" if started and finished else ""
    yield "finished", local(finished) + took


def _calendar(schedule: Mapping[str, str | None], source: Mapping[str, str | None] | None) -> Iterator[tuple[str, str]]:
    dates = {"starts": "start", "ends": "end", "next round": "next_round"}
    moments = [f"{word} {local(schedule[key])}" for word, key in dates.items() if schedule[key]]
    if moments:
        yield "schedule", ", ".join(moments)
    if source is None:
        return
    if source["error"]:
        yield "source", f"not read at {local(source['failed_at'])}: {source['error']}"
    if source["read_at"] or source["next_refresh"]:
        yield "source", f"last read {local(source['read_at'])}, next {local(source['next_refresh'])}"


def _seconds(start: str, end: str) -> float:
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()
