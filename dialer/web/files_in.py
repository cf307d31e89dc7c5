"""A file that somebody sends, kept privately on disk while it is read."""

import asyncio
import re
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path, PurePosixPath

LONGEST = 80
PREFIX = "taken-"
LEFT_S = 86_400.0
"""A folder of ours that is older was left by a process that was killed."""


@dataclass(frozen=True, slots=True)
class Taken:
    """The file, and the SHA-256 of what is in it."""

    path: Path
    digest: str


@asynccontextmanager
async def taken(chunks: AsyncIterator[bytes], name: str, home: Path, now: float) -> AsyncIterator[Taken]:
    """The file under a name that is safe, in a folder of its own that goes with the block."""
    await asyncio.to_thread(_take_away, home, now - LEFT_S)
    folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix=PREFIX, dir=home))
    try:
        path, digest = folder / safe_name(name), sha256()
        with await asyncio.to_thread(path.open, "wb") as file:
            async for chunk in chunks:
                digest.update(chunk)
                await asyncio.to_thread(file.write, chunk)
        yield Taken(path, digest.hexdigest())
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


def _take_away(home: Path, before: float) -> None:
    for left in home.glob(f"{PREFIX}*"):
        with suppress(FileNotFoundError):
            if left.stat().st_mtime < before:
                shutil.rmtree(left, ignore_errors=True)


def safe_name(name: str) -> str:
    """What a browser calls a file, without folders and odd signs."""
    last = PurePosixPath(name.replace("\\", "/")).name
    plain = re.sub(r"[^\w. -]", "_", last)[:LONGEST].strip(". ")
    return plain or "list.csv"
