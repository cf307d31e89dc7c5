"""The home directory: there, ours, and closed to everybody else."""

import os
import stat
from pathlib import Path

from dialer.errors import UsageError

OURS = frozenset({"ledger.db", "redis.lock", "redis.json", "rejects", "health", "transcripts"})


def make_private(home: Path) -> None:
    """Make the home, or close one of ours to others. Raises UsageError with the remedy."""
    place = home.absolute()
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        facts = home.stat()
        if not os.access(home, os.W_OK | os.X_OK):
            raise PermissionError(0, "this user may not write there")
        _close(home, facts)
    except FileExistsError:
        raise UsageError(f"{place} is a file: set DIALER_HOME to a directory") from None
    except OSError as broken:
        raise UsageError(
            f"{place} cannot be used ({broken.strerror}): set DIALER_HOME to a directory that this user may write"
        ) from None


def _close(home: Path, facts: os.stat_result) -> None:
    """People's numbers lie there. What is not plainly ours is not changed behind its owner's back."""
    mode, ours = stat.S_IMODE(facts.st_mode), facts.st_uid == os.geteuid()
    # Group 0 is root's, and that of containers whose user is of no account: it shares the home with nobody else.
    shut = mode & (0o007 if facts.st_gid == 0 else 0o077) == 0
    if shut:
        return
    of_all = mode & stat.S_ISVTX  # such as /tmp
    if ours and not of_all and _holds_ours_only(home):
        home.chmod(mode & 0o700)
    elif mode & 0o007:
        place = home.absolute()
        mend = f"mend it with: chmod 700 {place}"
        if of_all or not ours:
            mend = f"set DIALER_HOME={place}/dialer, which is made private"
        raise UsageError(f"{place} is open to every user of this machine, and numbers of people lie there: {mend}")


def _holds_ours_only(home: Path) -> bool:
    names = {path.name for path in home.iterdir()}
    return not names or bool(names & OURS)
