"""The tables [limits], [source], [schedule] and [reminder] of a campaign file."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from dialer.adapters.duration import parse_duration
from dialer.domain.campaign import CampaignSpec, Reminder, Schedule, Source
from dialer.domain.cron import next_moment
from dialer.domain.limits import PRESETS, PersonLimits
from dialer.domain.time_zones import zone_flaw
from dialer.errors import CampaignFileError

Keys = dict[str, type | tuple[type, ...]]
"""Key of a table -> the types its value may have."""

FIRST_YEAR, LAST_YEAR = 2000, 2200
PLACEHOLDER = re.compile(r"\$\{\w+\}")

TABLES: dict[str, Keys] = {
    "source": {"url": str, "query": str, "refresh": str},
    "limits": {"preset": str, "per_day": int, "per_7_days": int, "per_30_days": int, "lifetime": int,
               "silence": str, "refusal_silence": str, "spacing": str},
    "schedule": {"start": str, "end": str, "repeat": str, "timezone": str},
    "reminder": {"event": str, "before": list, "timezone": str},
}  # fmt: skip


def read_limits(place: str, raw: Mapping[str, Any], standard: PersonLimits) -> PersonLimits:
    """The preset, or ``standard``, with what is said key by key.

    Raises CampaignFileError for an unknown preset and a duration that does not read.
    """
    preset = raw.get("preset", "")
    if preset and preset not in PRESETS:
        raise CampaignFileError(f'{place}: [limits] preset = "{preset}" must be one of {", ".join(PRESETS)}')
    told: dict[str, float] = {}
    for name, value in raw.items():
        if isinstance(value, int):
            told[name] = value
        elif value and name != "preset":
            told[f"{name}_s"] = parse_duration(place, f"[limits] {name}", value)
    return replace(PRESETS[preset] if preset else standard, **told)  # type: ignore[arg-type]


def read_source(place: str, raw: Mapping[str, Any]) -> Source:
    """Raises CampaignFileError when only one of url and query is given, and for a password that can be read."""
    source = Source(raw.get("url", ""), raw.get("query", ""), raw.get("refresh", ""))
    if bool(source.url) != bool(source.query):
        raise CampaignFileError(f"{place}: [source] needs both url and query")
    if source.refresh and not source.url:
        raise CampaignFileError(f"{place}: [source] refresh needs url and query")
    if _shows_secret(source.url):
        raise CampaignFileError(
            f"{place}: [source] url holds a password. Write ${{SOURCE_NAME}} in its place, and set SOURCE_NAME in the "
            "environment or in .env: it is put in when the source is read, and kept nowhere"
        )
    if source.url and not source.url.startswith("${"):
        _check_address(place, source.url)
    _check_cron(place, "[source] refresh", source.refresh)
    return source


def _check_address(place: str, url: str) -> None:
    """Nothing of the address is quoted: what stands where a port is meant may be a password."""
    # Only a campaign with a source has to wait for this import.
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        make_url(PLACEHOLDER.sub("1", url))
    except (ArgumentError, ValueError):
        example = "postgresql://host:5432/name, with user:${PASSWORD}@ before the host"
        raise CampaignFileError(f"{place}: [source] url must read like {example}; a port is a number") from None


def _shows_secret(url: str) -> bool:
    """Whether a password stands in the address itself, not as a placeholder."""
    bare = PLACEHOLDER.sub("", url)
    scheme, _, rest = bare.partition("://")
    owner, at, _ = rest.rpartition("@")
    if not scheme.startswith("sqlite") and at and owner.partition(":")[2]:
        return True
    return re.search(r"(?:password|passwd|pwd)\s*=\s*[^&;\s]", unquote(bare), re.IGNORECASE) is not None


def read_schedule(place: str, raw: Mapping[str, Any]) -> Schedule:
    """Raises CampaignFileError for a time without a zone, an end before the start, and what does not read."""
    start, end = (_moment(place, name, raw.get(name, "")) for name in ("start", "end"))
    if start is not None and end is not None and end <= start:
        raise CampaignFileError(f"{place}: [schedule] end must be after start")
    schedule = Schedule(start, end, raw.get("repeat", ""), raw.get("timezone", ""))
    _check_cron(place, "[schedule] repeat", schedule.repeat)
    _check_zone(place, "[schedule] timezone", schedule.timezone)
    return schedule


def check_calendar(place: str, spec: CampaignSpec) -> None:
    """Raises CampaignFileError for a cron expression without a zone, and for more reminders than attempts."""
    for key, expression in (("[source] refresh", spec.source.refresh), ("[schedule] repeat", spec.schedule.repeat)):
        if expression and not spec.cron_zone:
            raise CampaignFileError(f'{place}: {key} needs a zone: [schedule] timezone = "Asia/Kolkata"')
    most, moments = spec.redial.max_attempts, len(spec.reminder.before_s)
    if most < moments:
        short = f"max_attempts = {most} leaves no attempt for each of the {moments} moments of [reminder] before"
        raise CampaignFileError(f"{place}: [redial] {short}: raise it to {moments} or more")


def _check_cron(place: str, key: str, expression: str) -> None:
    try:
        if expression:
            next_moment(expression, "UTC", 0.0)
    except ValueError as wrong:
        raise CampaignFileError(f'{place}: {key} = "{expression}" is no cron expression: {wrong}') from None


def _check_zone(place: str, key: str, zone: str) -> None:
    if zone and (flaw := zone_flaw(zone)):
        raise CampaignFileError(f'{place}: {key} = "{zone}" {flaw}')


def given_zone(zone: str | None, place: str = "options") -> str:
    """``--timezone``, or "". Raises CampaignFileError for what is no zone of a place."""
    _check_zone(place, "--timezone", zone or "")
    return zone or ""


def _moment(place: str, name: str, text: str) -> float | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        remedy = 'must be a time with its zone, e.g. "2027-03-01T09:00:00+05:30"'
        raise CampaignFileError(f'{place}: [schedule] {name} = "{text}" {remedy}')
    if not FIRST_YEAR <= moment.year < LAST_YEAR:
        raise CampaignFileError(f'{place}: [schedule] {name} = "{text}" is no time to wait for: leave {name} out')
    return moment.timestamp()


def read_reminder(place: str, raw: Mapping[str, Any]) -> Reminder:
    """Raises CampaignFileError for a duration that does not read, and for one of event and before alone."""
    before = [parse_duration(place, "[reminder] before", str(text)) for text in raw.get("before", [])]
    event = raw.get("event", "")
    if bool(event) != bool(before):
        raise CampaignFileError(f'{place}: [reminder] needs both event (a column) and before, e.g. ["24h", "2h"]')
    zone = raw.get("timezone", "")
    _check_zone(place, "[reminder] timezone", zone)
    return Reminder(event, tuple(sorted(set(before), reverse=True)), zone)
