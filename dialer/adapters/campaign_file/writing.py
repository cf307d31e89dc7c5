"""Writes a campaign file, and what its keys are: for the file that can be downloaded, the page, and the reference."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, get_args, get_origin, get_type_hints

from pydantic import AfterValidator, BaseModel

from dialer.adapters.campaign_file.messages import tables_of
from dialer.adapters.campaign_file.tables import DELAYS, CampaignFile
from dialer.adapters.campaign_file.values import LONGEST_S, UNITS_S, Bounds
from dialer.domain.calling_window import CallingWindow
from dialer.domain.campaign import CampaignSpec, Reminder, Schedule, Source
from dialer.domain.hours import DAYS, hours_text
from dialer.domain.limits import PersonLimits
from dialer.domain.redial import RedialPolicy
from dialer.domain.suppression import OptOut

WIDTH = 32
"""Of a key and its value, before what it means."""


@dataclass(frozen=True, slots=True)
class Key:
    """One key of the file. ``table`` is "" for those at its top; ``choices`` are the only values, if there are few."""

    table: str
    name: str
    default: Any
    meaning: str
    bounds: str = ""
    choices: tuple[str, ...] = ()

    @property
    def said(self) -> str:
        """What it means, and what it may be."""
        return "; ".join(filter(None, (self.meaning, self.bounds)))


def keys_of(table: str) -> Iterator[Key]:
    """The keys of a table, "" for those at the top of the file, in its order."""
    model: type[BaseModel] = tables_of(CampaignFile)[table] if table else CampaignFile
    hints = get_type_hints(model, include_extras=True)
    for name, field in model.model_fields.items():
        if table or name not in tables_of(model):
            choices = tuple(get_args(hints[name])) if get_origin(hints[name]) is Literal else ()
            bounds = " or ".join(f'"{choice}"' for choice in choices) or _bounds(hints[name])
            yield Key(table, name, field.default, field.description or "", bounds, choices)


def table_names() -> tuple[str, ...]:
    """The tables of the file, in its order."""
    return tuple(tables_of(CampaignFile))


def meaning_of(table: str) -> str:
    """What a table is about, in a few words."""
    text = (tables_of(CampaignFile)[table].__doc__ or "").removesuffix(".")
    return text[:1].lower() + text[1:]


def write_settings(settings: Mapping[str, Any], notes: tuple[str, ...] = ()) -> str:
    """The campaign file with these tables and keys, each with what it means; ``notes`` stand above."""
    lines = [f"# {note}" for note in notes]
    lines += [_line(key, settings[key.name]) for key in keys_of("") if key.name in settings]
    for table in table_names():
        said = settings.get(table) or {}
        if said:
            lines += ["", f"[{table}]".ljust(WIDTH) + f" # {meaning_of(table)}"]
            lines += [_line(key, said[key.name]) for key in keys_of(table) if key.name in said]
    return "\n".join(lines).lstrip("\n") + "\n"


def settings_of(spec: CampaignSpec, standing: PersonLimits) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The tables and keys that make this campaign, without those that say what holds anyway.

    ``standing``: the limits of a person where no preset is named. Second is, in words, what no key can say.
    """
    top = {"name": spec.name, "provider": spec.provider, "agent": spec.agent, "caller_ids": list(spec.caller_ids)}
    columns = spec.columns
    contacts = {key.name: getattr(columns, key.name) for key in keys_of("contacts")}
    contacts |= {"region": columns.region or spec.region, "variables": list(columns.variables)}
    tables: dict[str, dict[str, Any]] = {
        "contacts": contacts,
        "window": _window(spec.window),
        "pace": {key.name: getattr(spec.pace, key.name) for key in keys_of("pace")},
        "redial": _redial(spec.redial),
        "suppression": _opt_out(spec.opt_out),
        "limits": _limits(spec.limits, standing),
        "source": _source(spec.source),
        "schedule": _schedule(spec.schedule),
        "reminder": _reminder(spec.reminder),
        "budget": {"max_cost": spec.max_cost},
    }
    settings: dict[str, Any] = {key.name: top[key.name] for key in keys_of("") if top[key.name] != key.default}
    for table, said in tables.items():
        keys = () if table == "limits" else keys_of(table)
        kept = {k.name: said[k.name] for k in keys if said[k.name] != k.default} if keys else said
        if kept:
            settings[table] = kept
    notes = []
    if spec.timezone:
        notes.append(f"no key says it: --timezone {spec.timezone} was given for numbers that show no zone")
    if spec.region and columns.region:
        notes.append(f"no key says it: --region {spec.region} was given for rows that name no country")
    return settings, tuple(notes)


def duration_text(seconds: float) -> str:
    """``"15m"``: so many seconds as the file has them."""
    for unit in ("d", "h", "m"):
        if seconds and seconds % UNITS_S[unit] == 0:
            return f"{seconds / UNITS_S[unit]:g}{unit}"
    return f"{min(seconds, LONGEST_S):.12f}".rstrip("0").rstrip(".") + "s"


def toml_value(value: Any) -> str:
    """A text, number, yes or no, or a list of them, as TOML."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _line(key: Key, value: Any) -> str:
    return f"{key.name} = {toml_value(value)}".ljust(WIDTH) + f" # {key.said}"


def _bounds(hint: Any) -> str:
    checks = [mark.func for mark in getattr(hint, "__metadata__", ()) if isinstance(mark, AfterValidator)]
    return next((str(check) for check in checks if isinstance(check, Bounds)), "")


def _window(window: CallingWindow) -> dict[str, Any]:
    week = window.days == CallingWindow().days
    days = "always" if window.always else "mon-sat" if week else ",".join(DAYS[day] for day in sorted(window.days))
    return {
        "days": days,
        "hours": hours_text(window.hours),
        "timezone": window.zone,
        "holidays": ", ".join(window.holidays),
        "blackout": [day.isoformat() for day in window.blackout],
        "lead": duration_text(window.lead_s),
        "rules": window.rules,
        "rules_reason": window.rules_reason,
        "also_rules": list(window.also_rules),
    }


def _redial(policy: RedialPolicy) -> dict[str, Any]:
    return {
        "max_attempts": policy.max_attempts,
        **{str(word): duration_text(policy.delays_s[word]) for word in DELAYS},
        **{f"max_{word}": policy.most.get(word, 0) for word in DELAYS},
        "jitter": duration_text(policy.jitter_s) if policy.jitter_s else "",
        "other_hour": policy.other_hour,
        "callback": "" if policy.callback_s is None else duration_text(policy.callback_s),
    }


def _opt_out(opt_out: OptOut) -> dict[str, Any]:
    return {"entities": list(opt_out.entities), "dispositions": list(opt_out.dispositions)}


def _limits(limits: PersonLimits, standing: PersonLimits) -> dict[str, Any]:
    """Every key that differs; a length of time of which there is none is written as 0 seconds."""
    said: dict[str, Any] = {}
    for key in keys_of("limits"):
        field = key.name if hasattr(limits, key.name) else f"{key.name}_s"
        if key.name != "preset" and getattr(limits, field) != getattr(standing, field):
            value = getattr(limits, field)
            said[key.name] = duration_text(value) if field.endswith("_s") else value
    return said


def _source(source: Source) -> dict[str, Any]:
    return {
        "url": source.url,
        "query": source.query,
        "refresh": source.refresh,
        "timeout": duration_text(source.timeout_s),
        "max_rows": source.max_rows,
    }


def _schedule(schedule: Schedule) -> dict[str, Any]:
    return {
        "start": _moment(schedule.start),
        "end": _moment(schedule.end),
        "repeat": schedule.repeat,
        "timezone": schedule.timezone,
    }


def _moment(at: float | None) -> str:
    return "" if at is None else datetime.fromtimestamp(at, UTC).isoformat()


def _reminder(reminder: Reminder) -> dict[str, Any]:
    before = [duration_text(seconds) for seconds in reminder.before_s]
    return {"event": reminder.event, "before": before, "timezone": reminder.timezone}
