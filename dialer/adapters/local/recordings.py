"""Recordings kept for a while as private files, so that a player may seek in them; old ones make room."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from weakref import WeakValueDictionary

from dialer.adapters.local.private_home import make_private
from dialer.ports import Clock

KEPT_S = 3600.0
MOST_BYTES = 512 * 1024 * 1024
STALE_PART_S = 3600.0
KINDS = {".mp3": "audio/mpeg", ".wav": "audio/wav", ".ogg": "audio/ogg"}
"""Everything that is not said to be one of the others is ``.ogg``, which both providers document."""
_ENDINGS = {"audio/mpeg": ".mp3", "audio/wav": ".wav", "audio/x-wav": ".wav"}


@dataclass(frozen=True)
class RecordingFiles:
    """Files in ``folder``, which is ours alone: ``kept_s`` seconds each, ``most_bytes`` in all."""

    folder: Path
    clock: Clock
    kept_s: float = KEPT_S
    most_bytes: int = MOST_BYTES
    _locks: WeakValueDictionary[str, asyncio.Lock] = field(default_factory=WeakValueDictionary)

    async def get(self, call_id: str, fetch: Callable[[Path], Awaitable[tuple[str, int]]]) -> tuple[Path, str]:
        """The recording of a call and its content type, fetched once for all who ask meanwhile. Raises as ``fetch``."""
        stem = sha256(call_id.encode()).hexdigest()
        lock = self._locks.setdefault(stem, asyncio.Lock())
        async with lock:
            kept = await asyncio.to_thread(self._kept, stem)
            if kept is None:
                await asyncio.to_thread(make_private, self.folder)
                part = self.folder / f"{stem}.{os.getpid()}"
                kind, _ = await fetch(part)
                kept = self.folder / f"{stem}{_ENDINGS.get(kind.partition(';')[0].strip(), '.ogg')}"
                await asyncio.to_thread(part.replace, kept)
                await asyncio.to_thread(self._make_room, kept)
            return kept, KINDS[kept.suffix]

    def _kept(self, stem: str) -> Path | None:
        for ending in KINDS:
            path = self.folder / f"{stem}{ending}"
            with suppress(FileNotFoundError):
                if self._age_s(path.stat()) <= self.kept_s:
                    return path
                path.unlink()
        return None

    def _make_room(self, newest: Path) -> None:
        """Take away what is too old, then the oldest, until the others fit."""
        files = []
        for path in self.folder.iterdir():
            with suppress(FileNotFoundError):
                files.append((path.stat(), path))
        left = sum(stat.st_size for stat, _ in files)
        for stat, path in sorted(files, key=lambda file: file[0].st_mtime):
            limit_s = self.kept_s if path.suffix in KINDS else max(self.kept_s, STALE_PART_S)
            if path != newest and (self._age_s(stat) > limit_s or (left > self.most_bytes and path.suffix in KINDS)):
                path.unlink(missing_ok=True)
                left -= stat.st_size

    def _age_s(self, stat: os.stat_result) -> float:
        return self.clock.now() - stat.st_mtime
