"""``${NAME}`` in the address of a source: the environment's value, put in at the moment of use and kept nowhere."""

import os
import re
from pathlib import Path
from urllib.parse import quote

from config.env_file import read_env_file
from config.settings import SettingsError

_PLACEHOLDER = re.compile(r"\$\{(\w+)\}")


def fill_url(url: str, env_file: Path = Path(".env")) -> str:
    """The address with every ``${NAME}`` filled from the environment, else from ``.env``.

    A value that stands for user or password may hold any character. Raises SettingsError for a name that is not set.
    """
    known = {**read_env_file(env_file), **os.environ}

    def value(found: re.Match[str]) -> str:
        filled = known.get(found[1])
        if not filled:
            raise SettingsError(f"{found[1]} is not set in the environment: the [source] url needs it")
        return filled

    owner, at, rest = url.rpartition("@")
    return _PLACEHOLDER.sub(lambda found: quote(value(found), safe=""), owner) + at + _PLACEHOLDER.sub(value, rest)
