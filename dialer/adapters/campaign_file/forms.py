"""A campaign file as fields of a form: every key as text, and back."""

import json
import tomllib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from dialer.adapters.campaign_file.writing import Key, keys_of

UNSET_WHEN_EMPTY = "limits"
"""Of this table an empty field leaves the key out: what holds then is up to its preset."""


def field_name(key: Key) -> str:
    """``window.hours``."""
    return f"{key.table}.{key.name}" if key.table else key.name


def fields_of(settings: Mapping[str, Any], tables: Iterable[str]) -> dict[str, str]:
    """Field -> what stands in it, for every key of these tables ("": the top)."""
    shown = {}
    for table in tables:
        said = settings.get(table, {}) if table else settings
        for key in keys_of(table):
            default = "" if table == UNSET_WHEN_EMPTY else key.default
            shown[field_name(key)] = _text(said.get(key.name, default))
    return shown


def with_fields(settings: Mapping[str, Any], fields: Mapping[str, str], tables: Iterable[str]) -> dict[str, Any]:
    """The settings with what stands in the fields of these tables; a key that says its default is left out.

    A number that does not read stays text, for the model to refuse; so does all else.
    """
    result = dict(settings)
    for table in tables:
        keys = [key for key in keys_of(table) if field_name(key) in fields]
        said = dict(result.get(table, {})) if table else result
        for key in keys:
            value = _value(key, fields[field_name(key)])
            said.pop(key.name, None)
            if value is not None and (value != key.default or table == UNSET_WHEN_EMPTY):
                said[key.name] = value
        if table:
            result.pop(table, None)
            if said:
                result[table] = said
    return result


def _value(key: Key, text: str) -> Any:
    """What a field says; None: nothing."""
    text = text.replace("\r\n", "\n").strip()
    kind = type(key.default)
    if kind is list and text.startswith("["):
        with suppress(tomllib.TOMLDecodeError):  # as it stands in a campaign file
            return json.loads(json.dumps(tomllib.loads(f"list = {text}")["list"], default=str))
    if kind is list:
        return [part.strip() for part in text.split("\n" if "\n" in text else ",") if part.strip()]
    if kind is bool:
        return {"true": True, "false": False}.get(text.lower(), text)
    if kind in (int, float):
        return _number(text) if text else None
    return None if not text and key.table == UNSET_WHEN_EMPTY else text


def _number(text: str) -> Any:
    plain = text.replace(",", "").replace("_", "")
    try:
        return int(plain)
    except ValueError:
        pass
    try:
        return float(plain)
    except ValueError:
        return text


def _text(value: Any) -> str:
    if isinstance(value, list):
        joined = ", ".join(map(str, value))
        return "\n".join(map(str, value)) + "\n" if any("," in str(one) for one in value) else joined
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) and abs(value) < 1e6 else str(value)
