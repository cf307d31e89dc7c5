"""Rows of people as they leave: CSV that no spreadsheet runs, or JSON lines."""

import csv
import io
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any, Literal

from starlette.responses import StreamingResponse

from dialer.adapters.lists.spreadsheet_cells import harmless

Format = Literal["csv", "jsonl"]
KINDS = {"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl; charset=utf-8"}
AT_ONCE = 64 * 1024
"""Characters that are sent together."""


def download(
    rows: AsyncIterator[dict[str, Any]], columns: Sequence[str], own: Sequence[str], form: Format, stem: str
) -> StreamingResponse:
    """A file of rows, streamed. ``own``: columns that stand in "variables"; in JSON lines these stand there anyway."""
    lines = _json_lines(rows) if form == "jsonl" else _csv_lines(rows, columns, own)
    headers = {"Content-Disposition": f'attachment; filename="{stem}.{form}"'}
    return StreamingResponse(_together(lines), media_type=KINDS[form], headers=headers)


async def own_columns(rows: AsyncIterator[dict[str, Any]]) -> tuple[str, ...]:
    """The list's own columns, in the order in which they first appear."""
    columns: dict[str, None] = {}
    async for row in rows:
        columns |= dict.fromkeys(row["variables"])
    return tuple(columns)


async def _json_lines(rows: AsyncIterator[dict[str, Any]]) -> AsyncIterator[str]:
    async for row in rows:
        yield json.dumps(row, ensure_ascii=False) + "\n"


async def _csv_lines(
    rows: AsyncIterator[dict[str, Any]], columns: Sequence[str], own: Sequence[str]
) -> AsyncIterator[str]:
    yield _line([*columns, *own])
    async for row in rows:
        yield _line([row[name] for name in columns] + [row.get("variables", {}).get(name, "") for name in own])


def _line(cells: Sequence[Any]) -> str:
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerow(harmless(cells))
    return written.getvalue()


async def _together(lines: AsyncIterator[str]) -> AsyncIterator[bytes]:
    waiting: list[str] = []
    size = 0
    async for line in lines:
        waiting.append(line)
        size += len(line)
        if size >= AT_ONCE:
            yield "".join(waiting).encode("utf-8", "replace")
            waiting, size = [], 0
    yield "".join(waiting).encode("utf-8", "replace")
