"""May a call to this person start now, and if not, when?

What is open is worked out once for each week, window, set of zones and set of places, as stretches of UTC in which
the clock of every zone the person may be in reads an open time under the campaign's hours and under every rule of
every place they may be in. Asking is a search in that list.
"""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache

from dialer.domain.calling_window import CallingWindow
from dialer.domain.country_rules import rulebook
from dialer.domain.hours import DAY_MIN, Hours, Week
from dialer.domain.local_time import (
    DAY_S,
    Stretch,
    clock_text,
    common,
    local_date,
    merged,
    midnight,
    to_utc,
)
from dialer.domain.public_holidays import holidays_of
from dialer.domain.time_zones import zone_of

WEEK_S = 7 * DAY_S
SEARCH_WEEKS = 58
"""A year and more: an opening that is further away is not waited for."""

LONGEST_LEAD_S = DAY_S
UNKNOWN_ZONE = "time zone unknown: give a timezone column or --timezone"
CLOSED_WORDS = ("window opens ", "time zone unknown", "no common calling hour")
"""What the reason of a Closed begins with."""

_NAMED_ZONES = 3


@dataclass(frozen=True, slots=True)
class Open:
    """A call may start now. ``why`` names the clocks that were looked at and the rules."""

    why: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Closed:
    """No call may start; ``opens_at`` is unix seconds, or None when no opening is in sight.

    ``reason`` names the opening, so that those who wait for it can be counted; ``clock`` is what the clocks said.
    """

    opens_at: float | None
    reason: str
    clock: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Timetable:
    """Hours by the week, what holds on holidays (None: a day like any other), and days without calls."""

    week: Week
    on_holidays: Hours | None = None
    calendars: tuple[str, ...] = ()
    blackout: tuple[date, ...] = ()

    def hours(self, day: date) -> Hours:
        """The hours that begin on a day."""
        if day in self.blackout:
            return ()
        return self.on_holidays if self.on_holidays is not None and self._holiday(day) else self.week[day.weekday()]

    def ends_the_night(self, day: date) -> bool:
        """Whether what began the day before must end at this day's midnight."""
        return day in self.blackout or (self.on_holidays is not None and self._holiday(day))

    def _holiday(self, day: date) -> bool:
        return any(day in holidays_of(place, day.year) for place in self.calendars)


def window_at(
    window: CallingWindow, contact_zones: tuple[str, ...], now: float, places: tuple[str, ...] = ()
) -> Open | Closed:
    """Whether a call may start at ``now`` (unix seconds) to a person who may be in these zones and places."""
    if window.unbounded:
        return Open("window always")
    zones = _rule_zones(window, contact_zones)
    if not zones:
        return Closed(None, UNKNOWN_ZONE)
    opens, closes = _startable(window, contact_zones, places, int(now // WEEK_S))
    at = bisect_right(opens, now) - 1
    if at >= 0 and now < closes[at]:
        return Open(_why_open(window, zones, places, int(now // 60)))
    opens_at = _next_opening(window, contact_zones, places, now)
    clock = _clocks(zones, int(now // 60))
    if opens_at is None:
        return Closed(None, _never(window, zones, places), clock)
    return Closed(opens_at, _why_closed(window, zones, places, opens_at, local_date(zones[0], now)), clock)


def _next_opening(window: CallingWindow, zones: tuple[str, ...], places: tuple[str, ...], now: float) -> float | None:
    week = int(now // WEEK_S)
    for ahead in range(week, week + SEARCH_WEEKS):
        opens, _ = _startable(window, zones, places, ahead)
        at = bisect_right(opens, now)
        if at < len(opens):
            return float(opens[at])
    return None


def _rule_zones(window: CallingWindow, zones: tuple[str, ...]) -> tuple[str, ...]:
    """The zones a person may be in: rules mean their clocks, also where the campaign's own hours mean another's."""
    return zones or window.zones_of(())


@lru_cache(maxsize=16384)
def _startable(
    window: CallingWindow, zones: tuple[str, ...], places: tuple[str, ...], week: int
) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """The moments of a UTC week at which a call may start: where they begin, and before where they end."""
    start, end = week * WEEK_S, (week + 1) * WEEK_S
    shared: list[Stretch] = [(start, end + LONGEST_LEAD_S + 1)]
    for timetable, of_zones in _timetables(window, zones, places):
        for zone in of_zones:
            if not shared:
                return (), ()
            shared = common(shared, _open_stretches(timetable, zone, week))
    stretches = [(opens, min(closes - window.lead_s, end)) for opens, closes in shared if opens < end]
    kept = [(opens, closes) for opens, closes in stretches if opens < closes]
    return tuple(opens for opens, _ in kept), tuple(closes for _, closes in kept)


def _timetables(
    window: CallingWindow, zones: tuple[str, ...], places: tuple[str, ...]
) -> Iterator[tuple[Timetable, tuple[str, ...]]]:
    """All timetables that hold at once, each with the zones whose clocks it means."""
    closed_on_holidays: Hours | None = () if window.holidays else None
    own = Timetable(window.week, closed_on_holidays, window.holidays, window.blackout)
    yield own, window.zones_of(zones)
    if window.rules == "strict":
        for applied in rulebook().applied(places, window.also_rules):
            rule = applied.rule
            yield Timetable(rule.week, rule.on_holidays, applied.calendars), _rule_zones(window, zones)


@lru_cache(maxsize=16384)
def _open_stretches(timetable: Timetable, zone: str, week: int) -> list[Stretch]:
    """When a timetable is open in one zone, over a UTC week and the longest lead after it."""
    start, end = week * WEEK_S, (week + 1) * WEEK_S + LONGEST_LEAD_S + 1
    first, last = local_date(zone, start) - timedelta(days=1), local_date(zone, end)
    local: list[Stretch] = []
    for n in range((last - first).days + 1):
        local += _local_stretches(timetable, first + timedelta(days=n))
    return to_utc(zone, merged(local), start, end)


def _local_stretches(timetable: Timetable, day: date) -> Iterator[Stretch]:
    begins = midnight(day)
    for opens, closes in timetable.hours(day):
        until = DAY_MIN if closes > DAY_MIN and timetable.ends_the_night(day + timedelta(days=1)) else closes
        yield begins + opens * 60, begins + until * 60


@lru_cache(maxsize=4096)
def _why_open(window: CallingWindow, zones: tuple[str, ...], places: tuple[str, ...], minute: int) -> str:
    return f"window open: {_clocks(zones, minute)}{_rules_text(window, places) or '; rules off'}"


@lru_cache(maxsize=4096)
def _why_closed(
    window: CallingWindow, zones: tuple[str, ...], places: tuple[str, ...], opens_at: float, today: date
) -> str:
    first = datetime.fromtimestamp(opens_at, zone_of(zones[0]))
    form = "%a %H:%M" if (first.date() - today).days < 7 else "%a %Y-%m-%d %H:%M"
    return f"window opens {first.strftime(form)} {zones[0]}{_rules_text(window, places)}"


def _never(window: CallingWindow, zones: tuple[str, ...], places: tuple[str, ...]) -> str:
    named = ", ".join(zones) if len(zones) <= _NAMED_ZONES else f"{len(zones)} zones"
    return f"no common calling hour in {named}{_rules_text(window, places)}"


def _rules_text(window: CallingWindow, places: tuple[str, ...]) -> str:
    if window.rules != "strict":
        return ""
    return "; rules " + " ".join(applied.rule.label for applied in rulebook().applied(places, window.also_rules))


@lru_cache(maxsize=4096)
def _clocks(zones: tuple[str, ...], minute: int) -> str:
    if len(zones) <= _NAMED_ZONES:
        return ", ".join(clock_text(zone, minute * 60) for zone in zones)
    by_clock = sorted(zones, key=lambda zone: datetime.fromtimestamp(minute * 60, zone_of(zone)).isoformat()[:16])
    return f"{clock_text(by_clock[0], minute * 60)} to {clock_text(by_clock[-1], minute * 60)}, {len(zones)} zones"
