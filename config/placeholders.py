"""``${NAME}`` in the address of a source: the environment's value, put in at the moment of use and kept nowhere.

A campaign file may come from somebody who is not trusted, and its address says where values are sent. So it may name
only what was meant for sources: names that begin with ``SOURCE_``, and those in ``DIALER_SOURCE_NAMES``. Never an
option of the program, which may be a provider's key.
"""

import os
import re
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from config.env_file import PREFIX, SettingsError, read_env_file

FOR_SOURCES = "SOURCE_"
LISTED_IN = f"{PREFIX}SOURCE_NAMES"
_PLACEHOLDER = re.compile(r"\$\{([^}]*)\}")
_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)


class FilledUrl(NamedTuple):
    """The address, and the values that were put into it, which nobody may see."""

    url: str
    values: tuple[str, ...]


def fill_url(url: str, env_file: Path = Path(".env")) -> FilledUrl:
    """The address with every ``${NAME}`` filled from the environment, else from ``.env``.

    A value that stands for user or password may hold any character. Raises SettingsError for a name that is not set or
    may not be named.
    """
    known = {**read_env_file(env_file), **os.environ}
    listed = frozenset((known.get(LISTED_IN) or "").replace(",", " ").split())
    values: list[str] = []

    def value(match: re.Match[str]) -> str:
        _refuse(match[1], listed)
        filled = known.get(match[1])
        if not filled:
            raise SettingsError(f"{match[1]} is not set in the environment: the [source] url needs it")
        values.append(filled)
        return filled

    owner, at, rest = url.rpartition("@")
    whole = _PLACEHOLDER.sub(lambda match: quote(value(match), safe=""), owner) + at + _PLACEHOLDER.sub(value, rest)
    return FilledUrl(whole, tuple(values))


def _refuse(name: str, listed: frozenset[str]) -> None:
    if not _NAME.fullmatch(name):
        raise SettingsError("[source] url: between ${ and } belongs the name of a variable, e.g. ${SOURCE_PASSWORD}")
    # pydantic-settings reads options in either case.
    if name.upper().startswith(PREFIX):
        raise SettingsError(f"[source] url may not have {name}: it is an option of the program, not of a source")
    if not name.startswith(FOR_SOURCES) and name not in listed:
        raise SettingsError(
            f"[source] url may not have {name}: name the variable {FOR_SOURCES}{name}, or list {name} in {LISTED_IN}"
        )
