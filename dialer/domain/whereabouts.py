"""Where a person may be: the zones whose clocks count, and the places whose rules apply.

What the list says goes before what the number shows. Where the two contradict each other both count, so that the
strictest wins; a zone that neither gives stays unknown.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from dialer.domain.country_rules import heeds_holidays
from dialer.domain.north_america import (
    COUNTRIES,
    is_military,
    state_called,
    states_of_area,
    states_of_postal,
    zones_of_states,
)
from dialer.domain.phone_number import Phone
from dialer.domain.public_holidays import parts_called


class Whereabouts(NamedTuple):
    """IANA zones, and ISO 3166 codes of countries and subdivisions; both empty when unknown."""

    zones: tuple[str, ...]
    places: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Declared:
    """What the list says of a person; empty where it says nothing. ``zone`` and ``country`` are known to be right."""

    zone: str = ""
    country: str = ""
    state: str = ""
    postal_code: str = ""


class Unplaced(NamedTuple):
    """A cell that names no place: which column, why, and what to do about it."""

    column: str
    reason: str
    remedy: str


NOTHING = Declared()


def whereabouts(phone: Phone, declared: Declared = NOTHING, *, trust: bool = False) -> Whereabouts | Unplaced:
    """Where a person may be. ``trust``: the list's zone holds even where the number contradicts it."""
    inferred = places_of_number(phone.region, phone.e164[2:5])
    if declared == NOTHING:
        return Whereabouts(phone.zones, inferred)
    country = declared.country or phone.region
    named = (_states if country in COUNTRIES else _parts)(country, declared.state, declared.postal_code)
    if isinstance(named, Unplaced):
        return named
    states = set(named) if country in COUNTRIES else set()
    of_states = zones_of_states(states)
    own = (declared.zone,) if declared.zone else of_states
    zones = own if trust and own else _agreed(own, of_states, phone.zones)
    places = {*named, *((country,) if declared.country or named else ())}
    return Whereabouts(zones, tuple(sorted({*places, *inferred})))


@lru_cache(maxsize=4096)
def places_of_number(region: str, area_code: str) -> tuple[str, ...]:
    """A number's country and, in North America, the states of its area code."""
    return (region, *states_of_area(area_code)) if region in COUNTRIES else (region,)


@lru_cache(maxsize=4096)
def _states(country: str, state: str, postal_code: str) -> tuple[str, ...] | Unplaced:
    """What the cells for state and postal code say."""
    named = state_called(country, state) if state else None
    if state and named is None:
        if country == "US" and is_military(state):
            remedy = "leave state and postal code empty, and name the person's zone in a timezone column"
            return Unplaced("state", "military post may be anywhere", remedy)
        return Unplaced("state", f"no state of {country} is called so", "write its name or its two letters, e.g. FL")
    of_code = states_of_postal(country, postal_code) if postal_code else ()
    if postal_code and not of_code:
        remedy = "write all of it (a spreadsheet drops a leading zero) or leave it empty"
        return Unplaced("postal_code", f"no state of {country} has this postal code", remedy)
    return (*of_code, *((named,) if named else ()))


@lru_cache(maxsize=4096)
def _parts(country: str, state: str, postal_code: str) -> tuple[str, ...] | Unplaced:
    """The parts of another country that the state may be. What is none is refused where holidays matter."""
    del postal_code
    parts = parts_called(country, state) if state else ()
    if parts is None:
        if not heeds_holidays(country):
            return ()
        remedy = "write its name or its short form, or leave it empty: the country's own holidays count then"
        return Unplaced("state", f"no state of {country} is called so", remedy)
    return parts


def _agreed(own: tuple[str, ...], *others: tuple[str, ...]) -> tuple[str, ...]:
    """``own``, or the first that says anything; those that contradict it count as well."""
    said = [zones for zones in (own, *others) if zones]
    if not said:
        return ()
    first, *rest = said
    against = [zone for zones in rest if not set(zones) & set(first) for zone in zones]
    return tuple(sorted({*first, *against})) if against else first
