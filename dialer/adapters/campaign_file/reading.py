"""Reads a campaign file."""

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dialer.adapters.campaign_file.messages import naming
from dialer.adapters.campaign_file.options import Overrides, apply
from dialer.adapters.campaign_file.tables import CampaignFile
from dialer.domain.campaign import CampaignSpec
from dialer.domain.limits import PersonLimits
from dialer.errors import CampaignFileError

LONGEST_FILE = 1_000_000
NO_OPTIONS = Overrides()


def read_campaign(
    path: Path | None,
    options: Overrides,
    defaults: Mapping[str, Any] | None = None,
    standing: PersonLimits | None = None,
) -> CampaignSpec:
    """The spec from a file (or none) and what the command line says over it.

    ``defaults``: keys and whole tables that a command assumes where the file has none of that name. ``standing``:
    the limits of a person where no preset is named. Raises CampaignFileError that names the file, the key and the
    remedy.
    """
    said = options.model_dump(include={"name", "provider", "agent"})
    said = {key: text for key, text in said.items() if text}
    raw = {**(defaults or {}), **(_read(path) if path is not None else {}), **said}
    return read_settings(raw, standing, str(path) if path is not None else "options", options)


def read_settings(
    settings: Mapping[str, Any],
    standing: PersonLimits | None = None,
    place: str = "settings",
    options: Overrides = NO_OPTIONS,
) -> CampaignSpec:
    """The spec from the tables and keys of a campaign file. Raises CampaignFileError that names ``place`` and key."""
    with naming(place, CampaignFile):
        file = CampaignFile.model_validate(dict(settings))
        return apply(options, file.spec(standing or PersonLimits()), file.window.timezone)


def parse_settings(content: bytes, place: str) -> dict[str, Any]:
    """The tables and keys of a campaign file that was sent, days and times as text. Raises CampaignFileError."""
    try:
        raw = tomllib.loads(content.decode("utf-8-sig"))
        plain: dict[str, Any] = json.loads(json.dumps(raw, default=str))
    except RecursionError:
        raise CampaignFileError(f"{place}: not a readable TOML file: lists or tables are nested too deep") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as broken:
        raise CampaignFileError(f"{place}: not a readable TOML file: {broken}") from None
    return plain


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            text = file.read(LONGEST_FILE + 1)
        if len(text) > LONGEST_FILE:
            raise CampaignFileError(f"{path}: longer than {LONGEST_FILE:,} bytes: it cannot be a campaign file")
        return tomllib.loads(text.decode("utf-8-sig"))
    except FileNotFoundError:
        raise CampaignFileError(f"{path}: there is no such campaign file") from None
    except IsADirectoryError:
        raise CampaignFileError(f"{path}: a directory, not a campaign file") from None
    except RecursionError:
        raise CampaignFileError(f"{path}: not a readable TOML file: lists or tables are nested too deep") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as broken:
        raise CampaignFileError(f"{path}: not a readable TOML file: {broken}") from broken
