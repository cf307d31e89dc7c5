"""Single values off the wire, read as far as they can be and never further: what is not there is missing."""

import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

Row = Mapping[str, Any]

_EPOCH_MS_FROM = 1e11


def pick(row: Row, *names: str) -> Any:
    """The first of these fields that is there and not null or blank."""
    for name in names:
        value = row.get(name)
        if value is not None and value != "":
            return value
    return None


def text(value: object) -> str:
    """A string or a number as text; anything else as nothing."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return str(value).strip()


def number(value: object) -> float | None:
    """A number, also when it came as a string."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def when(value: object) -> float | None:
    """Unix seconds of an ISO 8601 time or an epoch number; a time without a zone is UTC."""
    plain = number(value)
    if plain is not None:
        return plain / 1000 if plain > _EPOCH_MS_FROM else plain
    try:
        moment = datetime.fromisoformat(text(value))
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def phone(value: object) -> str:
    """A number as ``+`` and digits; empty when there are none ("N/A")."""
    digits = re.sub(r"\D", "", text(value))
    return "+" + digits.removeprefix("00") if digits else ""


def word(value: object) -> str:
    """A status word in one spelling: lower case, single spaces."""
    return re.sub(r"[\W_]+", " ", text(value).lower()).strip()


def mapping(value: object) -> Row:
    """An object, also when it came as JSON in a string; else an empty one."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return {}
    return value if isinstance(value, dict) else {}
