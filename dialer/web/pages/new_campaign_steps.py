"""What the steps of a new campaign show: where one is, and the keys of the campaign file as fields."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import Request

from dialer.adapters.campaign_file import Key, keys_of, meaning_of
from dialer.adapters.campaign_file.forms import field_name
from dialer.adapters.providers.registry import installed
from dialer.domain.limits import PRESETS

MOST_FIELDS = 120
STEPS = (("list", "List"), ("columns", "Columns"), ("rules", "Hours, rules and pace"), ("start", "Start"))
RULES = ("", "window", "pace", "redial", "limits", "suppression", "schedule", "reminder", "budget")
"""The tables of the third step; "" is the top of the file."""
TITLES = {
    "": "Who calls",
    "window": "Hours",
    "pace": "Pace",
    "redial": "Calling again",
    "limits": "Limits of a person",
    "suppression": "Who asked not to be called",
    "schedule": "From when until when",
    "reminder": "Reminders of appointments",
    "budget": "Budget",
}
LABELS = {
    "name": "name of the campaign",
    "contacts.name": "name",
    "contacts.timezone": "time zone",
    "contacts.trust_timezone": "believe the time zone",
    "contacts.region": "region or country",
    "window.timezone": "whose clock",
    "window.blackout": "no calls on",
    "window.lead": "stop before closing",
    "window.rules": "calling rules of each place",
    "window.rules_reason": "why the rules are off",
    "window.also_rules": "further rules",
    "pace.concurrent_calls": "calls at the same time",
    "redial.max_attempts": "attempts for each person",
    "redial.jitter": "scatter",
    "redial.other_hour": "at another hour",
    "redial.callback": "asked for a callback",
    "limits.per_day": "calls in 24 hours",
    "limits.per_7_days": "calls in 7 days",
    "limits.per_30_days": "calls in 30 days",
    "limits.lifetime": "calls ever",
    "limits.silence": "silence after a conversation",
    "limits.refusal_silence": "silence after a refusal",
    "budget.max_cost": "it may cost",
    "source.max_rows": "most rows",
}
IN_PAGE = (
    (r"Say which with --phone-column", "Choose it below"),
    (r"Name it with --phone-column", "Choose it below"),
    (r"Say which with --sheet", "Name it under sheet"),
    (r" \(--region\)", ""),
    (r"add --encoding (\w+)", r"upload it again with the character set \1"),
    (r"Name the encoding it was saved in", "Upload it again with its character set"),
    (r"; name it under (\w+) in \[contacts\] to use it", r"; choose it as \1 to use it"),
    (r" \(name = \.\.\., or --name\)", ""),
    (r" \(agent = \.\.\., or --agent\)", ""),
    (r", with --name\b", ""),
    (r"^settings: ", ""),
)
"""Words that are meant for a terminal -> those of the page."""


@dataclass(frozen=True, slots=True)
class Field:
    """A key as a field. ``choices``: the only values, if there are few; ``long``: it may have several lines."""

    key: Key
    name: str
    label: str
    value: str
    default: str
    choices: tuple[str, ...]
    long: bool


@dataclass(frozen=True, slots=True)
class Group:
    """A table of the file: its fields, and what it means for this list."""

    table: str
    title: str
    about: str
    means: str
    fields: tuple[Field, ...]


async def entered(request: Request) -> dict[str, str]:
    """What stands in the fields of a form that was sent."""
    async with request.form(max_files=0, max_fields=MOST_FIELDS) as form:
        return {name: value for name, value in form.items() if isinstance(value, str)}


def stepped(upload_id: int, here: str) -> list[tuple[str, str, bool]]:
    """(address, words, whether it is this one) of each step; those that cannot be gone to have no address."""
    first = f"/new/{upload_id}/list" if upload_id else "/new"
    address = {step: f"/new/{upload_id}/{step}" if upload_id else "" for step, _ in STEPS} | {"list": first}
    return [(address[step], words, step == here) for step, words in STEPS]


def groups(values: Mapping[str, str], means: Mapping[str, str]) -> list[Group]:
    """The third step's tables with what stands in their fields, and what they mean."""
    return [
        Group(table, TITLES[table], meaning_of(table) if table else "", means.get(table, ""), choices(table, values))
        for table in RULES
    ]


def choices(table: str, values: Mapping[str, str]) -> tuple[Field, ...]:
    """The fields of one table, "" for the top of the file, with what stands in them."""
    return tuple(_field(key, values) for key in keys_of(table))


def page_words(text: str) -> str:
    """What was written for a terminal, in the words of the page."""
    for pattern, words in IN_PAGE:
        text = re.sub(pattern, words, text)
    return text


def _field(key: Key, values: Mapping[str, str]) -> Field:
    name = field_name(key)
    value = values.get(name, "")
    some = key.choices
    if isinstance(key.default, bool):
        some = ("false", "true")
    elif key.table == "" and key.name == "provider":
        some = tuple(sorted(installed()))
    elif (key.table, key.name) == ("limits", "preset"):
        some = ("", *PRESETS)
    long = "\n" in value or (key.table, key.name) == ("source", "query")
    label = LABELS.get(name, key.name.replace("_", " "))
    return Field(key, name, label, value, _default(key), some, long)


def _default(key: Key) -> str:
    """What holds where nothing is said, in words."""
    if key.default in ("", []):
        return "none"
    if isinstance(key.default, bool):
        return "yes" if key.default else "no"
    return ", ".join(key.default) if isinstance(key.default, list) else f"{key.default}"
