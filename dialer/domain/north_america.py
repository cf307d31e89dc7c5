"""States and provinces: by area code, by postal code and by name.

The table is ``dialer/rules/north_america.toml``, which names its sources.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from dialer.domain.state_names import index_names, match_state
from dialer.rules import north_america

COUNTRIES = frozenset({"US", "CA"})
_ZIP = re.compile(r"(\d{3})\d{2}(?:-?\d{4})?")
_CANADIAN = re.compile(r"([ABCEGHJ-NPRSTVXY])\d[A-Z] ?\d[A-Z]\d")


@dataclass(frozen=True, slots=True)
class State:
    """A state, district or province. ``code`` is ISO 3166-2; ``zones`` are all it has."""

    code: str
    name: str
    zones: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Table:
    states: Mapping[str, State]
    by_area: Mapping[str, tuple[str, ...]]
    by_postal: Mapping[tuple[str, str], tuple[str, ...]]
    """(country, first digits or letter) -> codes."""
    overlays: Mapping[str, str]


def states_of_area(area_code: str) -> tuple[str, ...]:
    """The codes of the states that an area code serves; empty for one that serves no place."""
    return _table().by_area.get(area_code, ())


def base_of(area_code: str) -> str:
    """The area code whose ground an overlay shares; itself for one that is no overlay."""
    return _table().overlays.get(area_code, area_code)


def state_called(country: str, text: str) -> str | None:
    """The ISO 3166-2 code for "FL", "Fla.", "Florida" or "US-FL"; None for what is no state of the country."""
    part = match_state(country, text, _names()[country])
    return f"{country}-{part}" if part else None


def is_military(text: str) -> bool:
    """Whether a state is that of military post, which is anywhere."""
    return text.strip().upper() in ("AA", "AE", "AP") or "ARMED FORCES" in text.upper()


def states_of_postal(country: str, text: str) -> tuple[str, ...]:
    """The codes of the states that a postal code may be in; empty for what is no postal code of a state."""
    word = text.strip().upper()
    match = (_ZIP if country == "US" else _CANADIAN).fullmatch(word)
    return _table().by_postal.get((country, match[1]), ()) if match else ()


def zones_of_states(codes: Iterable[str]) -> tuple[str, ...]:
    """Every zone of these states, in order."""
    return tuple(sorted({zone for code in codes for zone in _table().states[code].zones}))


@cache
def _names() -> dict[str, dict[str, str]]:
    """Country -> names of its states, for ``match_state``."""
    names: dict[str, list[tuple[str, str]]] = {country: [] for country in COUNTRIES}
    for code, state in _table().states.items():
        names[code[:2]] += [(code[3:], code[3:]), (state.name, code[3:])]
    return {country: index_names(country, of_country) for country, of_country in names.items()}


@cache
def _table() -> _Table:
    raw = tomllib.loads(north_america())
    by_area: dict[str, tuple[str, ...]] = {}
    by_postal: dict[tuple[str, str], tuple[str, ...]] = {}
    for one in raw["state"]:
        code = one["code"]
        for area in one["area_codes"]:
            by_area[area] = (*by_area.get(area, ()), code)
        for prefix in _prefixes(one["postal"]):
            by_postal[code[:2], prefix] = (*by_postal.get((code[:2], prefix), ()), code)
    states = {one["code"]: State(one["code"], one["name"], tuple(one["zones"])) for one in raw["state"]}
    return _Table(states, by_area, by_postal, raw["overlays"])


def _prefixes(listed: Iterable[str]) -> Iterable[str]:
    for text in listed:
        first, dash, last = text.partition("-")
        yield from (f"{n:03d}" for n in range(int(first), int(last) + 1)) if dash else (first,)
