"""When a person may be called, in every zone they may be in."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from datetime import time as clock_time
from functools import lru_cache
from zoneinfo import ZoneInfo

from dialer.errors import CampaignFileError

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
SEARCH_DAYS = 15


@dataclass(frozen=True, slots=True)
class CallingWindow:
    """Days and half-open local hours ``[opens, closes)``; ``always`` ignores both.

    ``rules``: "strict" applies the country rules beside the window, "off" does not and needs ``rules_reason``.
    ``zone`` is an IANA name, or "contact" for the person's own zones. No call starts less than ``lead_s``
    seconds before closing, so that a queue at the provider does not carry it over the edge.
    """

    days: frozenset[int] = frozenset(range(6))
    opens: clock_time = clock_time(9)
    closes: clock_time = clock_time(20)
    zone: str = "contact"
    always: bool = False
    lead_s: float = 120.0
    holidays: tuple[str, ...] = ()
    rules: str = "strict"
    rules_reason: str = ""

    def zones_of(self, contact_zones: tuple[str, ...]) -> tuple[str, ...]:
        """The zones that must all be open for this person; empty when they are unknown."""
        return contact_zones if self.zone == "contact" else (self.zone,)


ALWAYS = CallingWindow(always=True)


@dataclass(frozen=True, slots=True)
class Open:
    """A call may start now."""


@dataclass(frozen=True, slots=True)
class Closed:
    """No call may start; ``opens_at`` is unix seconds, or None when no opening is in sight."""

    opens_at: float | None
    reason: str


def window_at(window: CallingWindow, contact_zones: tuple[str, ...], now: float) -> Open | Closed:
    """Whether a call to a person in ``contact_zones`` may start at ``now`` (unix seconds)."""
    if window.always:
        return Open()
    zones = window.zones_of(contact_zones)
    if not zones:
        return Closed(None, "time zone unknown: give a timezone column or --timezone")
    if _all_open(window, zones, now):
        return Open()
    opens_at = _next_opening(window, zones, now)
    if opens_at is None:
        return Closed(None, f"no common calling hour in {', '.join(zones)}")
    first = datetime.fromtimestamp(opens_at, _zone(zones[0]))
    return Closed(opens_at, f"window opens {first:%a %H:%M} {zones[0]}")


def _all_open(window: CallingWindow, zones: Iterable[str], now: float) -> bool:
    return all(_open_in(window, zone, now) and _open_in(window, zone, now + window.lead_s) for zone in zones)


def _open_in(window: CallingWindow, zone: str, at: float) -> bool:
    local = datetime.fromtimestamp(at, _zone(zone))
    return local.weekday() in window.days and window.opens <= local.time() < window.closes


def _next_opening(window: CallingWindow, zones: tuple[str, ...], now: float) -> float | None:
    """The first local opening of any zone at which all of them are open."""
    openings = sorted({at for zone in zones for at in _openings(window, zone, now)})
    return next((at for at in openings if at > now and _all_open(window, zones, at)), None)


def _openings(window: CallingWindow, zone: str, now: float) -> Iterable[float]:
    today = datetime.fromtimestamp(now, _zone(zone)).date()
    for ahead in range(SEARCH_DAYS):
        day = today + timedelta(days=ahead)
        local = datetime.combine(day, window.opens, _zone(zone))
        yield local.astimezone(UTC).timestamp()


@lru_cache(maxsize=1024)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def parse_window(text: str, zone: str = "contact") -> CallingWindow:
    """Read ``always`` or ``mon-sat 09:00-20:00``.

    Raises CampaignFileError for anything else.
    """
    if text.strip().lower() == "always":
        return CallingWindow(always=True, zone=zone)
    days, _, hours = text.strip().partition(" ")
    return make_window(days, hours, zone)


def make_window(days: str, hours: str, zone: str = "contact") -> CallingWindow:
    """Build a window from ``days`` ("mon-sat", "mon,wed", "always") and ``hours`` ("09:00-20:00")."""
    if days.strip().lower() == "always":
        return CallingWindow(always=True, zone=zone)
    opens_text, dash, closes_text = hours.strip().partition("-")
    try:
        opens = clock_time.fromisoformat(opens_text.strip().zfill(5))
        closes = clock_time.fromisoformat(closes_text.strip().zfill(5))
    except ValueError:
        dash = ""
        opens = closes = clock_time(0)
    if not dash or opens >= closes:
        raise CampaignFileError(f'window hours "{hours}" must read like "09:00-20:00", opening before closing')
    if zone != "contact":
        _known_zone(zone)
    return CallingWindow(days=_parse_days(days), opens=opens, closes=closes, zone=zone)


def _known_zone(name: str) -> None:
    try:
        _zone(name)
    except (KeyError, ValueError, OSError) as unknown:
        raise CampaignFileError(f'time zone "{name}" is not an IANA name such as "Asia/Kolkata"') from unknown


def _parse_days(text: str) -> frozenset[int]:
    days: set[int] = set()
    for part in text.lower().replace(" ", "").split(","):
        first, dash, last = part.partition("-")
        if first not in DAYS or (dash and last not in DAYS):
            raise CampaignFileError(f'window days "{text}" must read like "mon-sat" or "mon,wed,fri" or "always"')
        start, end = DAYS.index(first), DAYS.index(last or first)
        days.update(day % 7 for day in range(start, (end if end >= start else end + 7) + 1))
    return frozenset(days)
