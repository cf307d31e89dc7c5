"""What every command prints the same way."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import IO, TYPE_CHECKING, Any

from dialer.domain.phone_number import mask
from dialer.domain.plain_text import inert, inert_json

if TYPE_CHECKING:
    from rich.console import Console

FILE_WIDTH = 200
"""Where there is no terminal no cell is folded for want of room."""


def plain(text: object) -> str:
    """A text from outside, made safe for a line on a terminal."""
    return inert(str(text))


def put(text: object = "") -> None:
    """A line for people, on stdout."""
    print(plain(text))


def cells(row: Iterable[Any]) -> list[Any]:
    """The cells of a table that leads into a file, or onto a terminal after all: there they must not act."""
    return [plain(cell) if isinstance(cell, str) else cell for cell in row] if sys.stdout.isatty() else list(row)


def print_json(document: object) -> None:
    """One JSON document on stdout."""
    sys.stdout.write(inert_json(json.dumps(document, indent=2, ensure_ascii=False)) + "\n")


def say(text: str) -> None:
    """A line for people, on stderr, so that stdout stays clean. If stderr is closed, nothing is printed."""
    with suppress(OSError, ValueError):
        print(plain(text), file=sys.stderr, flush=True)


def screen() -> "Console":
    """Stdout for tables: as wide as the terminal, or wide enough for a file."""
    from rich.console import Console

    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = FILE_WIDTH
    return console


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A plain table on stdout."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text("" if cell is None else plain(cell)) for cell in row))
    screen().print(table)


def print_import(counts: Mapping[str, Any], notes: Sequence[str] = (), file: IO[str] | None = None) -> None:
    """The import report for people, on ``file`` or stdout."""
    for note in notes:
        print(plain(note), file=file)
    parts = [f"{counts[name]:,} {name}" for name in ("queued", "duplicate", "suppressed", "invalid", "deferred")]
    print(f"{counts['rows']:,} rows: " + ", ".join(parts), file=file)
    for reason, count in sorted(counts.get("waits", {}).items(), key=lambda item: -item[1]):
        print(f"  cannot be called now: {count:,} · {plain(reason)}", file=file)
    if counts["rejects"]:
        print(f"rejected rows, each with its reason and remedy: {plain(counts['rejects'])}", file=file)


def local(moment: str | float | None) -> str:
    """A moment (ISO 8601, or unix seconds) on this machine's clock, with its zone; "-" for none."""
    if moment is None:
        return "-"
    at = datetime.fromisoformat(moment) if isinstance(moment, str) else datetime.fromtimestamp(moment).astimezone()
    return at.astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")


def in_words(seconds: float) -> str:
    """How long, in its two largest units: "3 min 20 s"."""
    left, words = int(seconds), []
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")):
        count, left = divmod(left, size)
        if count:
            words.append(f"{count} {unit}")
    return " ".join(words[:2]) or "less than a second"


def masked(phone: str) -> str:
    """A number as it may be shown: country code and last two digits."""
    return mask(phone)
