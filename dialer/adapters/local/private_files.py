"""Files for a moment, which nobody else can read and which a process that is killed does not leave for long."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def private_file(folder: Path, name: str) -> Iterator[Path]:
    """A path for a file of this name, in a directory of its own in ``folder`` that is gone after the block.

    A process holds a lock on its directory. What nobody holds any more was left by one that was killed, and is taken
    away. Raises OSError.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _locked(folder):
        for left in folder.iterdir():
            _take_away(left)
        own = Path(tempfile.mkdtemp(dir=folder))
        descriptor = os.open(own, os.O_RDONLY)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        yield own / name
    finally:
        shutil.rmtree(own, ignore_errors=True)
        os.close(descriptor)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _take_away(left: Path) -> None:
    with suppress(OSError):  # somebody works in it, or it is gone
        descriptor = os.open(left, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(left, ignore_errors=True)
        finally:
            os.close(descriptor)
