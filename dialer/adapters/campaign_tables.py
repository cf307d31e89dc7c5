"""The tables [limits], [source], [schedule] and [reminder] of a campaign file."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from dialer.adapters.duration import parse_duration
from dialer.domain.campaign import Reminder, Schedule, Source
from dialer.domain.limits import PersonLimits
from dialer.errors import CampaignFileError

Keys = dict[str, type | tuple[type, ...]]
"""Key of a table -> the types its value may have."""

TABLES: dict[str, Keys] = {
    "source": {"url": str, "query": str, "refresh": str},
    "limits": {"per_day": int, "per_7_days": int, "per_30_days": int, "lifetime": int},
    "schedule": {"start": str, "end": str},
    "reminder": {"event": str, "before": list},
}


def read_limits(place: str, raw: Mapping[str, Any], standard: PersonLimits) -> PersonLimits:
    """Raises CampaignFileError for a negative number."""
    for name, most in raw.items():
        if most < 0:
            raise CampaignFileError(f"{place}: [limits] {name} must not be negative (0: no limit)")
    return PersonLimits(**{name: getattr(standard, name) for name in PersonLimits.__slots__} | dict(raw))


def read_source(place: str, raw: Mapping[str, Any]) -> Source:
    """Raises CampaignFileError when only one of url and query is given."""
    source = Source(raw.get("url", ""), raw.get("query", ""), raw.get("refresh", ""))
    if bool(source.url) != bool(source.query):
        raise CampaignFileError(f"{place}: [source] needs both url and query")
    return source


def read_schedule(place: str, raw: Mapping[str, Any]) -> Schedule:
    """Raises CampaignFileError for a time without a zone, and an end before the start."""
    start, end = (_moment(place, name, raw.get(name, "")) for name in ("start", "end"))
    if start is not None and end is not None and end <= start:
        raise CampaignFileError(f"{place}: [schedule] end must be after start")
    return Schedule(start, end)


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
    return moment.timestamp()


def read_reminder(place: str, raw: Mapping[str, Any]) -> Reminder:
    """Raises CampaignFileError for a duration that does not read, and for one of event and before alone."""
    before = [parse_duration(place, "[reminder] before", str(text)) for text in raw.get("before", [])]
    event = raw.get("event", "")
    if bool(event) != bool(before):
        raise CampaignFileError(f'{place}: [reminder] needs both event (a column) and before, e.g. ["24h", "2h"]')
    return Reminder(event, tuple(sorted(set(before), reverse=True)))
