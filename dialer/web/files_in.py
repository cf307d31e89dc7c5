"""A file that somebody sends, kept privately on disk while it is read."""

import asyncio
import re
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path, PurePosixPath

LONGEST = 80


@dataclass(frozen=True, slots=True)
class Taken:
    """The file, and the SHA-256 of what is in it."""

    path: Path
    digest: str


@asynccontextmanager
async def taken(chunks: AsyncIterator[bytes], name: str, home: Path) -> AsyncIterator[Taken]:
    """The file under a name that is safe, in a folder of its own that goes with the block."""
    folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="taken-", dir=home))
    try:
        path, digest = folder / safe_name(name), sha256()
        with await asyncio.to_thread(path.open, "wb") as file:
            async for chunk in chunks:
                digest.update(chunk)
                await asyncio.to_thread(file.write, chunk)
        yield Taken(path, digest.hexdigest())
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


def safe_name(name: str) -> str:
    """What a browser calls a file, without folders and odd signs."""
    last = PurePosixPath(name.replace("\\", "/")).name
    plain = re.sub(r"[^\w. -]", "_", last)[:LONGEST].strip(". ")
    return plain or "list.csv"
