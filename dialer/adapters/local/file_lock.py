"""An exclusive lock between processes on one machine, held by the kernel and freed with its holder."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class FileLock:
    """Opened once, taken many times. First come first served, unlike SQLite's own busy handler."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    @property
    def fileno(self) -> int:
        """The open file: a child that inherits it holds the lock until it ends, even after us."""
        return self._file

    def __enter__(self) -> None:
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        fcntl.flock(self._file, fcntl.LOCK_UN)

    def take_now(self) -> bool:
        """Take it if nobody else holds it, without waiting."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def close(self) -> None:
        """Give the file back."""
        os.close(self._file)


@contextmanager
def file_lock(path: Path) -> Iterator[None]:
    """Hold the lock at ``path`` for the block."""
    lock = FileLock(path)
    try:
        with lock:
            yield
    finally:
        lock.close()
