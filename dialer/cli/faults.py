"""Unforeseen errors in one line: the place, the reason, and what to do."""

import errno
import sys
import traceback
from contextlib import suppress
from typing import Any

from config import SettingsError, load_settings
from config.logs import mask_phones
from dialer.domain.plain_text import inert
from dialer.errors import DialerError

WRITE_THERE = "let this user write there, or set DIALER_HOME to a directory that it may write"
REMEDIES = {
    errno.ENOSPC: "make room there",
    errno.EDQUOT: "make room there",
    errno.EACCES: WRITE_THERE,
    errno.EPERM: WRITE_THERE,
    errno.EROFS: WRITE_THERE,
    errno.ENOENT: "see whether it is there",
    errno.ENOTDIR: "a file is where a directory is needed: give another place",
    errno.EEXIST: "a file is where a directory is needed: give another place",
    errno.EISDIR: "name a file in it",
    errno.EMFILE: "raise the limit of open files (ulimit -n)",
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.EIO: "see whether the disk, or the terminal, is still there",
}


def in_a_line(error: BaseException) -> str:
    """Place, reason and remedy of any error; nothing of it acts on a terminal, and no secret and no number is shown."""
    return inert(" ".join(mask_phones(_message(_innermost(error)), _secrets()).split()))


def whole_story(error: BaseException) -> str:
    """The traceback, with numbers and secrets masked."""
    lines = "".join(traceback.format_exception(error)).splitlines()
    return "\n".join(inert(mask_phones(line, _secrets())) for line in lines)


def _innermost(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = next((one for one in error.exceptions if isinstance(one, DialerError)), error.exceptions[0])
    return error


def _message(error: BaseException) -> str:
    if isinstance(error, DialerError | SettingsError):
        return str(error)
    kind = type(error)
    origin = kind.__module__.partition(".")[0]
    if isinstance(error, OSError) and error.errno is not None:
        return _of_system(error)
    if origin == "redis":
        return f"Redis cannot be used ({error or kind.__name__}): see DIALER_REDIS_URL; `dialer doctor` looks again"
    if origin in ("sqlite3", "psycopg", "sqlalchemy", "alembic"):
        return f"the ledger cannot be used ({error}): see DIALER_DATABASE_URL and DIALER_HOME, and `dialer doctor`"
    if isinstance(error, MemoryError):
        return "out of memory: give the program more, or smaller files"
    what = f"{kind.__name__}: {error}" if str(error) else kind.__name__
    return f"something unforeseen went wrong ({what}). Run it again with --debug to see where"


def _of_system(error: OSError) -> str:
    place = error.filename2 or error.filename
    what = f"{place}: {error.strerror}" if place else f"{error.strerror}"
    remedy = REMEDIES.get(error.errno or 0)
    return f"{what}. Remedy: {remedy}" if remedy else what


def tell_words(error: Any) -> int:
    """What Typer says of words that do not fit, as it says it; the words may be names of files from elsewhere."""
    context = error.ctx if getattr(error, "ctx", None) is not None else None
    if type(error).__name__ == "NoArgsIsHelpError":
        error.show()
        return int(error.exit_code)
    if context is not None:
        tell(context.get_usage())
        tell(f"Try '{context.command_path} --help' for help.\n")
    tell(f"Error: {inert(error.format_message())}")
    return int(error.exit_code)


def _secrets() -> list[str]:
    with suppress(SettingsError, OSError, ValueError):
        return [secret for secret in load_settings().secrets if secret]
    return []


def tell(text: str) -> None:
    """Print on stderr, if there is still somebody to read it."""
    with suppress(OSError, ValueError):
        print(text, file=sys.stderr, flush=True)
