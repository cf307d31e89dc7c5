"""May this person be called at this second? Read from the rules' file and the campaign's words, minute by minute."""

import tomllib
from dataclasses import dataclass
from functools import cache
from typing import Any

import holidays

from dialer.rules import calling_rules
from tests.oracle.tzif import DAY_S, civil, weekday, zone

DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


@dataclass(frozen=True)
class Campaign:
    """The table [window] of a campaign file."""

    days: str = "mon-sat"
    hours: str = "09:00-20:00"
    timezone: str = "contact"
    holidays: str = ""
    blackout: tuple[str, ...] = ()
    lead_s: int = 120
    rules: str = "strict"
    also_rules: tuple[str, ...] = ()


@dataclass(frozen=True)
class Hours:
    """One set of hours as it is written. ``holidays``: "open", "closed" or hours."""

    days: tuple[tuple[str, str], ...]
    holidays: str = "open"
    calendars: tuple[str, ...] = ()
    blackout: tuple[str, ...] = ()


def may_call(campaign: Campaign, zones: tuple[str, ...], places: tuple[str, ...], at: int) -> bool:
    """Whether the whole lead from ``at`` on is open everywhere."""
    moments = {at, at + campaign.lead_s, *range(at - at % 60 + 60, at + campaign.lead_s, 60)}
    return all(open_at(campaign, zones, places, moment) for moment in sorted(moments))


def open_at(campaign: Campaign, zones: tuple[str, ...], places: tuple[str, ...], at: int) -> bool:
    """Whether every clock stands in the hours of the campaign and of every rule."""
    own = zones if campaign.timezone == "contact" else (campaign.timezone,)
    if not all(_clock_open(_own_hours(campaign), name, at) for name in own):
        return False
    if campaign.rules == "off":
        return True
    return all(
        _clock_open(hours, name, at) for hours in _rule_hours(places, campaign.also_rules) for name in zones or own
    )


@cache
def _own_hours(campaign: Campaign) -> Hours:
    days = (("mon-sun", "00:00-24:00"),) if campaign.days == "always" else ((campaign.days, campaign.hours),)
    calendars = tuple(campaign.holidays.replace(",", " ").split())
    return Hours(days, "closed" if calendars else "open", calendars, campaign.blackout)


@cache
def _rules() -> dict[str, dict[str, Any]]:
    return {rule["id"]: rule for rule in tomllib.loads(calling_rules())["rule"]}


@cache
def _rule_hours(places: tuple[str, ...], also: tuple[str, ...]) -> tuple[Hours, ...]:
    """A country's rule, its states' rules, and the unknown rule for what has none."""
    chosen: dict[str, set[str]] = {name: set(places) for name in also}
    unknown = not places
    for place in {*places, *(place.split("-")[0] for place in places)}:
        mine = [name for name, rule in _rules().items() if place in rule["places"]]
        within = {other for other in places if other == place or other.startswith(place + "-")}
        for name in mine:
            chosen.setdefault(name, set()).update(within, {place})
        if "-" not in place:
            unknown |= not mine or (bool(_rules()[mine[0]].get("by_state")) and within <= {place})
    if unknown:
        chosen.setdefault("unknown", set()).update(places, (place.split("-")[0] for place in places))
    return tuple(
        Hours(tuple(_rules()[name]["hours"].items()), _rules()[name]["holidays"], tuple(sorted(calendars)))
        for name, calendars in sorted(chosen.items())
    )


def _clock_open(hours: Hours, name: str, at: int) -> bool:
    local = at + zone(name).offset(at)
    day, second = divmod(local, DAY_S)
    today = any(opens <= second < closes for opens, closes in _of_day(hours, day))
    if today:
        return True
    if _barred(hours, day):
        return False
    return any(opens <= second + DAY_S < closes for opens, closes in _of_day(hours, day - 1))


@cache
def _of_day(hours: Hours, day: int) -> tuple[tuple[int, int], ...]:
    """The stretches, in seconds, that begin on a day."""
    if _iso(day) in hours.blackout:
        return ()
    if hours.holidays != "open" and _holiday(hours, day):
        return () if hours.holidays == "closed" else _stretches(hours.holidays)
    return tuple(found for days, text in hours.days if _named(days, weekday(day)) for found in _stretches(text))


@cache
def _barred(hours: Hours, day: int) -> bool:
    return _iso(day) in hours.blackout or (hours.holidays != "open" and _holiday(hours, day))


def _named(days: str, number: int) -> bool:
    for part in days.split(","):
        ends = [DAYS.index(word) for word in part.split("-")]
        first, last = ends[0], ends[-1]
        if (number - first) % 7 <= (last - first) % 7:
            return True
    return False


@cache
def _stretches(text: str) -> tuple[tuple[int, int], ...]:
    found = []
    for part in text.split(","):
        begin, end = part.strip().split("-")
        later = end.endswith("+1")
        opens, closes = (int(clock[:2]) * 3600 + int(clock[3:5]) * 60 for clock in (begin, end))
        found.append((opens, closes + (DAY_S if later else 0)))
    return tuple(found)


def _iso(day: int) -> str:
    year, month, number = civil(day)
    return f"{year:04d}-{month:02d}-{number:02d}"


def _holiday(hours: Hours, day: int) -> bool:
    return any(_iso(day) in _calendar(place, civil(day)[0]) for place in hours.calendars)


@cache
def _calendar(place: str, year: int) -> frozenset[str]:
    country, _, part = place.partition("-")
    known = holidays.list_supported_countries()
    if country not in known:
        return frozenset()
    found = holidays.country_holidays(country, subdiv=part if part in known[country] else None, years=year)
    return frozenset(str(day) for day in found)
