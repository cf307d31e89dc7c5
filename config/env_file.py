"""``.env`` in the working directory: options that are not set in the environment.

The working directory may be anybody's. What names a program, a place or an address is taken from the file only when
nobody but its owner, who is this user or root, can write it.
"""

import io
import os
from pathlib import Path

from dotenv import dotenv_values
from dotenv.parser import parse_stream

PREFIX = "DIALER_"
LARGEST = 1_000_000
GUARDED = ("_URL", "_HOME", "_SERVER")
"""Endings of the names that say what is run, where keys and people are sent, and where the ledger is."""


class SettingsError(ValueError):
    """An option, or a file of options, that is unknown or cannot be obeyed; the message names it, never its value."""


def read_env_file(path: Path) -> dict[str, str]:
    """What the file sets, by name; empty when there is none. Raises SettingsError."""
    try:
        with path.open("rb") as file:
            raw, facts = file.read(LARGEST + 1), os.fstat(file.fileno())
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as broken:
        if _cannot_look(path, broken):
            return {}
        remedy = "let this user read it, or start the command in another directory"
        raise SettingsError(f"{path.absolute()} cannot be read ({broken.strerror}): {remedy}") from None
    if len(raw) > LARGEST:
        raise SettingsError(f"{path.absolute()} is longer than {LARGEST:,} bytes: it cannot be a list of options")
    values = _parse(path, raw)
    writer = other_writer(facts.st_uid, facts.st_mode)
    guarded = [name for name in values if name.upper().startswith(PREFIX) and name.upper().endswith(GUARDED)]
    if guarded and writer:
        raise SettingsError(
            f"{path.absolute()} sets {guarded[0]}, and {writer}: what is run and where keys go must not be "
            f"another's choice. Fix it with: chmod go-w {path.absolute()} (as its owner: this user, or root)"
        )
    return values


def _cannot_look(path: Path, broken: OSError) -> bool:
    """In a directory that this user may not enter, a file cannot be seen: there is none for us."""
    return isinstance(broken, PermissionError) and not os.access(path.parent, os.X_OK)


def _parse(path: Path, raw: bytes) -> dict[str, str]:
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        line = raw.count(b"\n", 0, wrong.start) + 1
        raise SettingsError(f"{path.absolute()}:{line}: not UTF-8. Save the file as UTF-8") from None
    for binding in parse_stream(io.StringIO(text)):
        if binding.error and PREFIX.rstrip("_") in binding.original.string.upper():
            raise SettingsError(f"{path.absolute()}:{binding.original.line}: not a line such as {PREFIX}LOG_LEVEL=info")
    values = dotenv_values(stream=io.StringIO(text))
    return {name: value for name, value in values.items() if value is not None}


def other_writer(owner: int, mode: int) -> str:
    """Who else than this user and root may write a file, in words; "" for nobody."""
    if owner not in (0, os.geteuid()):
        return "it belongs to another user"
    return "others may write it" if mode & 0o022 else ""
