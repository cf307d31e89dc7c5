"""Our reading of numbers and area codes, held against all that libphonenumber's tables list."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from importlib.resources import files

import phonenumbers
from phonenumbers import PhoneNumberType
from phonenumbers.geodata import GEOCODE_DATA
from phonenumbers.timezone import time_zones_for_number
from phonenumbers.tzdata import TIMEZONE_DATA

from dialer.domain.north_america import states_of_area, zones_of_states
from dialer.domain.phone_number import CALLABLE_TYPES, Phone, Unusable, parse_phone, zones_of
from dialer.domain.time_zones import same_clock, zone_of, zones_of_country


def _examples() -> list[phonenumbers.PhoneNumber]:
    found = (
        phonenumbers.example_number_for_type(region, kind)
        for region in sorted(phonenumbers.SUPPORTED_REGIONS)
        for kind in PhoneNumberType.values()
    )
    return [number for number in found if number]


def same_clocks(one: Iterable[str], other: Iterable[str]) -> bool:
    """Whether zones have the same set of clocks, whatever they are called."""
    moments = [datetime(2026, month, 1, 12, tzinfo=UTC) for month in range(1, 13)]

    def clocks(zones: Iterable[str]) -> set[tuple[timedelta | None, ...]]:
        return {tuple(moment.astimezone(zone_of(zone)).utcoffset() for moment in moments) for zone in zones}

    return clocks(one) == clocks(other)


def test_verdict_and_zones_are_those_of_the_library_for_every_country_and_type() -> None:
    for number in _examples():
        text = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        phone = parse_phone(text)
        if phonenumbers.number_type(number) in CALLABLE_TYPES:
            zones = {zone for zone in time_zones_for_number(number) if zone != "Etc/Unknown"}
            assert isinstance(phone, Phone)
            assert phone[:2] == (text, phonenumbers.region_code_for_number(number) or "")
            own = zones_of_country(phone.region)
            # Where the library has a number on clocks of its country, it has those; test_time_zones.py has the others.
            if all(any(same_clock(zone, mine) for mine in own) for zone in zones):
                assert same_clocks(phone.zones, zones)
        else:
            assert isinstance(phone, Unusable)


def test_every_zone_of_the_library_is_known_here_by_its_present_name() -> None:
    table = files("tzdata").joinpath("zoneinfo", "zone.tab").read_text()
    present = {line.split("\t")[2] for line in table.splitlines() if not line.startswith("#")}
    for prefix in TIMEZONE_DATA:
        kind = PhoneNumberType.FIXED_LINE
        for zone in zones_of(int(prefix[:1]), prefix[1:], kind):
            assert zone in present


def test_every_area_code_of_the_library_has_its_state() -> None:
    """A new area code must be added to the table before a new libphonenumber is taken."""
    known = {prefix[1:4] for prefix in GEOCODE_DATA if prefix.startswith("1") and len(prefix) >= 4}
    numbers = {area: parse_phone(f"+1{area}2345678") for area in known}
    of_states = {area for area, phone in numbers.items() if isinstance(phone, Phone) and phone.region in ("US", "CA")}
    assert len(of_states) > 400
    assert {area for area in of_states if not states_of_area(area)} == set()


def test_every_state_has_the_zones_of_its_area_codes() -> None:
    zones: dict[str, set[str]] = defaultdict(set)
    for prefix, listed in TIMEZONE_DATA.items():
        area = prefix[1:4]
        if prefix.startswith("1") and len(area) == 3 and len(states_of_area(area)) == 1:
            zones[states_of_area(area)[0]].update(listed)
    # The same clocks by other names.
    same = {"America/North_Dakota/Center", "America/Boise", "America/Juneau"}
    assert len(zones) > 55
    for state, found in zones.items():
        assert found - same <= set(zones_of_states([state])), state
