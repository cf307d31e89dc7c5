"""Public holidays by country and subdivision: the calendars of the library ``holidays``.

https://github.com/vacanza/holidays. A default, not the law: what a rule means by a holiday may differ, and moon-sighted
days of years to come are estimates.
"""

from datetime import date
from functools import cache, lru_cache


def is_calendar(place: str) -> bool:
    """Whether there is a calendar of this name, e.g. "IN" or "US-FL"."""
    country, _, part = place.partition("-")
    return country in _subdivisions() and (not part or part in _subdivisions()[country])


@lru_cache(maxsize=1024)
def holidays_of(place: str, year: int) -> frozenset[date]:
    """The public holidays in a place; of a country for a subdivision without days of its own; else none."""
    import holidays  # a fifth of a second, so only where a campaign has use for it

    country, _, part = place.partition("-")
    if country not in _subdivisions():
        return frozenset()
    subdivision = part if part in _subdivisions()[country] else None
    found = holidays.country_holidays(country, subdiv=subdivision, years=year)
    return frozenset(day for day in found if day.year == year)


@cache
def _subdivisions() -> dict[str, frozenset[str]]:
    import holidays

    return {country: frozenset(parts) for country, parts in holidays.list_supported_countries().items()}
