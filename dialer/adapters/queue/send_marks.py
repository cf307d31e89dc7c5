"""How far the ledger was, noted in Redis and in a file beside it, as one may be lost."""

import asyncio
import json
import os
from pathlib import Path

from redis.asyncio import Redis
from redis.exceptions import RedisError

from dialer.errors import QueueUnavailable

FILE = "sends.json"


class KeptMarks:
    """SendMarks under a ``name``, which keeps ledgers and accounts apart; the file is in ``home``."""

    def __init__(self, redis: Redis, home: Path, name: str) -> None:
        self._redis, self._path, self._name = redis, home / FILE, name
        self._key = f"dialer:{name}:sends"

    async def highest(self) -> tuple[int, float]:
        """Of both notes."""
        try:
            kept = await self._redis.get(self._key)
        except (RedisError, OSError) as broken:
            raise QueueUnavailable(f"Redis cannot be reached: {broken}") from broken
        return max(_read(kept), _read(json.dumps(self._file().get(self._name))))

    async def note(self, sends: int, at: float) -> None:
        """In both."""
        text = json.dumps([sends, at])
        await asyncio.to_thread(self._write, sends, at)
        try:
            await self._redis.set(self._key, text)
        except (RedisError, OSError) as broken:
            raise QueueUnavailable(f"Redis cannot be reached: {broken}") from broken

    def _file(self) -> dict[str, list[float]]:
        try:
            marks = json.loads(self._path.read_text())
        except (OSError, ValueError):
            return {}
        return marks if isinstance(marks, dict) else {}

    def _write(self, sends: int, at: float) -> None:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = self._path.with_suffix(f".{os.getpid()}")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump({**self._file(), self._name: [sends, at]}, file)
        fresh.replace(self._path)


def _read(text: str | bytes | None) -> tuple[int, float]:
    try:
        sends, at = json.loads(text or "null")
        return int(sends), float(at)
    except (ValueError, TypeError):
        return 0, 0.0
