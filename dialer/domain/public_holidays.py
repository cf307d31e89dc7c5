"""Public holidays by country and subdivision: the calendars of the library ``holidays``.

https://github.com/vacanza/holidays. A default, not the law: what a rule means by a holiday may differ, and moon-sighted
days of years to come are estimates.
"""

from datetime import date
from functools import cache, lru_cache

from dialer.domain.state_names import index_names, match_state


def is_calendar(place: str) -> bool:
    """Whether there is a calendar of this name, e.g. "IN" or "US-FL"."""
    country, _, part = place.partition("-")
    return country in _subdivisions() and (not part or part in _subdivisions()[country])


_FEW_LISTED = frozenset({"BE", "FR", "NL"})
"""Countries that have calendars for a few of their parts only."""


@lru_cache(maxsize=4096)
def parts_called(country: str, text: str) -> tuple[str, ...] | None:
    """The calendars for a state or province as a list writes it, e.g. ("DE-BY",) for "Bavaria"; None: there is none.

    Empty for a country whose calendar is the same everywhere. Where only some parts have calendars, another text may
    stand for any of them: all count.
    """
    listed = {part for part in _subdivisions().get(country, ()) if " " not in part}
    if not listed:
        return ()
    if part := match_state(country, text, _part_names(country)):
        return (f"{country}-{part}",)
    return tuple(sorted(f"{country}-{part}" for part in listed)) if country in _FEW_LISTED else None


@cache
def _part_names(country: str) -> dict[str, str]:
    import holidays

    calendar = holidays.country_holidays(country)
    codes = [(part, part) for part in calendar.subdivisions if " " not in part]
    named = [(name, part) for name, part in calendar.subdivisions_aliases.items() if " " not in part]
    return index_names(country, [*codes, *named])


@lru_cache(maxsize=1024)
def holidays_of(place: str, year: int) -> frozenset[date]:
    """The public holidays in a place; of a country for a subdivision without days of its own; else none."""
    import holidays  # a fifth of a second, so only where a campaign has use for it

    country, _, part = place.partition("-")
    if country not in _subdivisions():
        return frozenset()
    subdivision = part if part in _subdivisions()[country] else None
    days = holidays.country_holidays(country, subdiv=subdivision, years=year)
    return frozenset(day for day in days if day.year == year)


@cache
def _subdivisions() -> dict[str, frozenset[str]]:
    import holidays

    return {country: frozenset(parts) for country, parts in holidays.list_supported_countries().items()}
