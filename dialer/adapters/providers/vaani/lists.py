"""Lists at api.vaani.ai without documented pages, and files that are sent there."""

import asyncio
import mimetypes
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, TypeVar

from dialer.adapters.providers.answers.pages import items_of, pages_of
from dialer.adapters.providers.answers.values import Row
from dialer.adapters.providers.http.client import File, ProviderClient, Query
from dialer.errors import InputFileError

T = TypeVar("T")

WHOLE = 1_000_000
"""Whatever comes is all, unless the list itself says that more follows."""


def whole_list(
    client: ProviderClient,
    path: str,
    parse: Callable[[Row], T],
    id_of: Callable[[T], str],
    what: str,
    *,
    query: Query | None = None,
    bare: str = "",
) -> AsyncIterator[T]:
    """Every item. Rows that are plain texts are read as objects with that text under ``bare``."""

    async def ask(page: int) -> Any:
        body = await client.read(path, {**(query or {}), "page": page if page > 1 else None})
        return _as_objects(body, bare) if bare else body

    return items_of(pages_of(ask, WHOLE, parse, id_of, what), id_of)


async def file_at(path: Path) -> File:
    """A file as it is sent. Raises InputFileError when it cannot be read."""
    try:
        content = await asyncio.to_thread(path.read_bytes)
    except OSError as error:
        problem = f"cannot be read ({error.strerror})"
        raise InputFileError(str(path), problem, "Name a file that can.") from None
    return path.name, content, mimetypes.guess_type(path.name)[0] or "application/octet-stream"


def _as_objects(body: Any, bare: str) -> Any:
    if isinstance(body, dict):
        return {name: _as_objects(value, bare) if isinstance(value, list) else value for name, value in body.items()}
    return [{bare: row} if isinstance(row, str) else row for row in body] if isinstance(body, list) else body
