"""The campaign file (TOML) and the overrides of the command line, as a CampaignSpec."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from dialer.adapters.campaign_redial import REDIAL_TABLES, read_opt_out, read_redial
from dialer.adapters.campaign_tables import (
    TABLES,
    Keys,
    check_calendar,
    given_zone,
    read_limits,
    read_reminder,
    read_schedule,
    read_source,
)
from dialer.adapters.campaign_values import check_name, check_options, check_value
from dialer.adapters.campaign_window import WINDOW_KEYS, given_window, read_window
from dialer.adapters.providers import PROVIDERS
from dialer.domain.calling_window import CallingWindow
from dialer.domain.campaign import CampaignSpec, ContactColumns, Pace
from dialer.domain.limits import PersonLimits
from dialer.domain.phone_number import is_region
from dialer.domain.redial import RedialPolicy
from dialer.errors import CampaignFileError

KEYS: dict[str, Keys] = {
    "": {"name": str, "provider": str, "agent": str, "caller_ids": list},
    "contacts": {"phone": str, "name": str, "timezone": str, "trust_timezone": bool, "region": str, "state": str,
                 "postal_code": str, "key": str, "variables": list, "sheet": str},
    "window": WINDOW_KEYS,
    "pace": {"calls_per_second": (int, float), "concurrent_calls": int, "weight": int},
    "budget": {"max_cost": (int, float)},
    **TABLES,
    **REDIAL_TABLES,
}  # fmt: skip
LONGEST_FILE = 1_000_000
ALWAYS_REASON = "the window is `always` on the command line"


@dataclass(frozen=True, slots=True)
class Overrides:
    """What the command line may set over the file; None leaves it."""

    name: str | None = None
    provider: str | None = None
    agent: str | None = None
    caller_ids: tuple[str, ...] | None = None
    rate: float | None = None
    concurrency: int | None = None
    max_attempts: int | None = None
    region: str | None = None
    timezone: str | None = None
    window: str | None = None
    phone_column: str | None = None
    name_column: str | None = None
    sheet: str | None = None
    defaults: Mapping[str, Any] = field(default_factory=dict)
    """Under the file: what a command assumes where neither file nor option says anything."""


def read_campaign(path: Path | None, overrides: Overrides) -> CampaignSpec:
    """The spec from a file (or none) and overrides.

    Raises CampaignFileError that names the file, the key and the nearest right one.
    """
    check_options(_options(overrides))
    raw = _read(path) if path is not None else {}
    place = str(path) if path is not None else "options"
    _check(raw, place)
    top = dict(overrides.defaults) | {key: value for key, value in raw.items() if not isinstance(value, dict)}
    return _spec(place, top, raw, overrides)


def override(spec: CampaignSpec, given: Overrides) -> CampaignSpec:
    """An existing campaign's spec with what the command line sets. Raises CampaignFileError."""
    check_options(_options(given))
    pace, columns = spec.pace, spec.columns
    spec = replace(
        spec,
        agent=given.agent or spec.agent,
        caller_ids=given.caller_ids or spec.caller_ids,
        region=(given.region or spec.region).upper(),
        timezone=given_zone(given.timezone) or spec.timezone,
        window=given_window(given.window, "contact", ALWAYS_REASON) if given.window else spec.window,
        pace=replace(
            pace,
            calls_per_second=pace.calls_per_second if given.rate is None else given.rate,
            concurrent_calls=pace.concurrent_calls if given.concurrency is None else given.concurrency,
        ),
        redial=replace(spec.redial, max_attempts=given.max_attempts or spec.redial.max_attempts),
        columns=replace(
            columns,
            phone=given.phone_column or columns.phone,
            name=given.name_column or columns.name,
            sheet=given.sheet or columns.sheet,
        ),
    )
    check_calendar("options", spec)
    return spec


def _options(given: Overrides) -> dict[str, Any]:
    return {part.name: getattr(given, part.name) for part in fields(given)}


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


def _check(raw: Mapping[str, Any], place: str) -> None:
    for key, value in raw.items():
        if isinstance(value, dict):
            if key not in KEYS or not key:
                raise CampaignFileError(f"{place}: there is no table [{key}]{_nearest(key, KEYS)}")
            for name, item in value.items():
                _check_key(place, f"[{key}] ", name, item, KEYS[key])
        else:
            _check_key(place, "", key, value, KEYS[""])


def _check_key(place: str, table: str, name: str, value: object, known: Mapping[str, type | tuple[type, ...]]) -> None:
    if name not in known:
        raise CampaignFileError(f'{place}: there is no key {table}"{name}"{_nearest(name, known)}')
    wanted = known[name]
    if not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool):
        kinds = wanted if isinstance(wanted, tuple) else (wanted,)
        names = " or ".join(
            {"str": "text", "list": "a list", "bool": "true or false"}.get(kind.__name__, "a number")
            for kind in kinds[:1]
        )
        raise CampaignFileError(f"{place}: {table}{name} must be {names}")
    check_value(place, table.strip("[] "), name, value)


def _nearest(name: str, known: Mapping[str, Any]) -> str:
    near = get_close_matches(name, [key for key in known if key], n=1, cutoff=0.0)
    return f': did you mean "{near[0]}"?' if near else ""


def _spec(place: str, top: Mapping[str, Any], raw: Mapping[str, Any], overrides: Overrides) -> CampaignSpec:
    name = check_name(place, overrides.name or top.get("name") or "")
    provider = overrides.provider or top.get("provider") or "vaanivoice"
    agent = overrides.agent or top.get("agent") or ""
    if not name:
        raise CampaignFileError(f"{place}: a campaign needs a name (name = ..., or --name)")
    if provider not in PROVIDERS:
        raise CampaignFileError(f'{place}: provider "{provider}" must be one of {", ".join(PROVIDERS)}')
    if not agent:
        what = "the agent's phone number" if provider == "vaani" else "an agent id"
        raise CampaignFileError(f"{place}: a campaign needs an agent: {what} (agent = ..., or --agent)")
    contacts = raw.get("contacts", {})
    spec = CampaignSpec(
        name=name,
        agent=agent,
        provider=provider,
        caller_ids=overrides.caller_ids or tuple(str(item) for item in top.get("caller_ids", ())),
        columns=_columns(contacts, overrides),
        region=(overrides.region or _default_region(contacts)).upper(),
        timezone=given_zone(overrides.timezone, place),
        window=_window(place, raw.get("window", {}), top, overrides),
        pace=_pace(raw.get("pace", {}), top, overrides),
        redial=read_redial(place, raw.get("redial", {}), _max_attempts(raw, top, overrides)),
        limits=read_limits(place, raw.get("limits", {}), top.get("person_limits", PersonLimits())),
        source=read_source(place, raw.get("source", {})),
        schedule=read_schedule(place, raw.get("schedule", {})),
        reminder=read_reminder(place, raw.get("reminder", {})),
        opt_out=read_opt_out(place, raw.get("suppression", {})),
        max_cost=float(raw.get("budget", {}).get("max_cost", 0.0)),
    )
    check_calendar(place, spec)
    return spec


def _default_region(contacts: Mapping[str, Any]) -> str:
    """``region = "IN"`` is a country for all numbers in national format; anything else names a column."""
    region = str(contacts.get("region", ""))
    return region if is_region(region.upper()) else ""


def _columns(contacts: Mapping[str, Any], overrides: Overrides) -> ContactColumns:
    return ContactColumns(
        phone=overrides.phone_column or contacts.get("phone", ""),
        name=overrides.name_column or contacts.get("name", ""),
        timezone=contacts.get("timezone", ""),
        region="" if _default_region(contacts) else contacts.get("region", ""),
        key=contacts.get("key", ""),
        variables=tuple(str(item) for item in contacts.get("variables", ["*"])),
        sheet=overrides.sheet or contacts.get("sheet", ""),
        state=contacts.get("state", ""),
        postal_code=contacts.get("postal_code", ""),
        trust_timezone=contacts.get("trust_timezone", False),
    )


def _window(place: str, raw: Mapping[str, Any], top: Mapping[str, Any], overrides: Overrides) -> CallingWindow:
    zone = str(raw.get("timezone", "contact"))
    try:
        if overrides.window:
            return given_window(overrides.window, zone, ALWAYS_REASON)
        if not raw and "window" in top:
            return given_window(str(top["window"]), zone, "a rehearsal calls nobody")
        return read_window(raw, zone)
    except CampaignFileError as wrong:
        raise CampaignFileError(f"{place}: {wrong}") from None


def _pace(raw: Mapping[str, Any], top: Mapping[str, Any], overrides: Overrides) -> Pace:
    rate = overrides.rate if overrides.rate is not None else raw.get("calls_per_second", top.get("rate", 1.0))
    lines = overrides.concurrency
    lines = lines if lines is not None else raw.get("concurrent_calls", top.get("concurrency", 10))
    return Pace(float(rate), int(lines), int(raw.get("weight", 1)))


def _max_attempts(raw: Mapping[str, Any], top: Mapping[str, Any], overrides: Overrides) -> int:
    if overrides.max_attempts is not None:
        return overrides.max_attempts
    return int(raw.get("redial", {}).get("max_attempts", top.get("max_attempts", RedialPolicy().max_attempts)))
