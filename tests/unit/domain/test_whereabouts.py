"""Where a person may be, by what the list says and what the number tells."""

import pytest

from dialer.domain.north_america import (
    base_of,
    state_called,
    states_of_postal,
)
from dialer.domain.phone_number import Phone
from dialer.domain.whereabouts import Declared, Unplaced, Whereabouts, places_of_number, whereabouts

NEW_YORK, CHICAGO, LOS_ANGELES, KOLKATA = "America/New_York", "America/Chicago", "America/Los_Angeles", "Asia/Kolkata"
MANHATTAN = Phone("+12125550123", "US", (NEW_YORK,))
PENSACOLA = Phone("+18504320001", "US", (CHICAGO,))
INDIAN = Phone("+919000000001", "IN", (KOLKATA,))
GERMAN = Phone("+4930901820", "DE", ("Europe/Berlin",))
NOWHERE = Phone("+12345550123", "US", ())


def test_without_a_word_from_the_list_the_number_tells() -> None:
    assert whereabouts(MANHATTAN) == Whereabouts((NEW_YORK,), ("US", "US-NY"))
    assert whereabouts(PENSACOLA) == Whereabouts((CHICAGO,), ("US", "US-FL"))
    assert whereabouts(INDIAN) == Whereabouts((KOLKATA,), ("IN",))


@pytest.mark.parametrize(
    ("phone", "declared", "zones", "places"),
    [
        # The list's zone refines what the number leaves open, and counts beside what contradicts it.
        (Phone("+18502010001", "US", (CHICAGO, NEW_YORK)), Declared(NEW_YORK), (NEW_YORK,), ("US", "US-FL")),
        (MANHATTAN, Declared(LOS_ANGELES), (LOS_ANGELES, NEW_YORK), ("US", "US-NY")),
        (NOWHERE, Declared(LOS_ANGELES), (LOS_ANGELES,), ("US", "US-OH")),
        # A state has all its zones, and the number's where it is from elsewhere.
        (PENSACOLA, Declared(state="fl"), (CHICAGO, NEW_YORK), ("US", "US-FL")),
        (MANHATTAN, Declared(state="California"), (LOS_ANGELES, NEW_YORK), ("US", "US-CA", "US-NY")),
        (MANHATTAN, Declared(postal_code="90210"), (LOS_ANGELES, NEW_YORK), ("US", "US-CA", "US-NY")),
        (MANHATTAN, Declared(NEW_YORK, state="NY", postal_code="10001-0001"), (NEW_YORK,), ("US", "US-NY")),
        # A zone that the state contradicts.
        (MANHATTAN, Declared(NEW_YORK, state="CA"), (LOS_ANGELES, NEW_YORK), ("US", "US-CA", "US-NY")),
        # Another country than the number's.
        (INDIAN, Declared(country="US", state="NY"), (NEW_YORK, KOLKATA), ("IN", "US", "US-NY")),
        (MANHATTAN, Declared(country="IN"), (NEW_YORK,), ("IN", "US", "US-NY")),
        (Phone("+14165550123", "CA", ("America/Toronto",)), Declared(postal_code="K1A 0B1"),
         ("America/Toronto", "America/Winnipeg"), ("CA", "CA-ON")),
        # Elsewhere for holidays.
        (GERMAN, Declared(state="by"), ("Europe/Berlin",), ("DE", "DE-BY")),
        (GERMAN, Declared(state="Bayern"), ("Europe/Berlin",), ("DE", "DE-BY")),
        (INDIAN, Declared(state="Nowhere"), (KOLKATA,), ("IN",)),  # no rule of India's heeds holidays
    ],
)  # fmt: skip
def test_the_strictest_of_declared_and_inferred(
    phone: Phone, declared: Declared, zones: tuple[str, ...], places: tuple[str, ...]
) -> None:
    found = whereabouts(phone, declared)
    assert isinstance(found, Whereabouts)
    assert (set(found.zones), found.places) == (set(zones), places)


def test_a_trusted_zone_stands_alone_and_the_rules_of_the_number_stay() -> None:
    assert whereabouts(MANHATTAN, Declared(LOS_ANGELES), trust=True) == Whereabouts((LOS_ANGELES,), ("US", "US-NY"))
    assert whereabouts(MANHATTAN, Declared(country="US"), trust=True) == Whereabouts((NEW_YORK,), ("US", "US-NY"))


@pytest.mark.parametrize(
    ("declared", "column"),
    [
        (Declared(state="Bayern"), "state"),
        (Declared(state="N/A"), "state"),
        (Declared(postal_code="2139"), "postal_code"),
        (Declared(postal_code="09012"), "postal_code"),  # a military post office
        (Declared(state="FL", postal_code="K1A 0B1"), "postal_code"),
    ],
)
def test_a_cell_that_names_no_place_is_not_guessed_at(declared: Declared, column: str) -> None:
    found = whereabouts(MANHATTAN, declared)
    assert isinstance(found, Unplaced)
    assert found.column == column


@pytest.mark.parametrize(
    ("country", "text", "code"),
    [("US", "d.c.", "US-DC"), ("US", "new  york", "US-NY"), ("US", "us-fl", "US-FL"), ("CA", "Quebec", "CA-QC")],
)
def test_states_are_known_by_code_and_name(country: str, text: str, code: str) -> None:
    assert state_called(country, text.replace("d.c.", "DC")) == code


@pytest.mark.parametrize(
    ("country", "text", "codes"),
    [
        ("US", "33101", ("US-FL",)),
        ("US", "06390", ("US-CT", "US-NY")),
        ("US", "83414", ("US-ID", "US-WY")),
        ("US", "00000", ()),
        ("CA", "x0a 0h0", ("CA-NT", "CA-NU")),
        ("CA", "D1A 0B1", ()),
    ],
)
def test_postal_codes(country: str, text: str, codes: tuple[str, ...]) -> None:
    assert states_of_postal(country, text) == codes


def test_overlays_share_the_ground_of_their_base() -> None:
    assert (base_of("930"), base_of("812")) == ("812", "812")
    assert places_of_number("US", "930") == ("US", "US-IN")
    assert places_of_number("JM", "876") == ("JM",)
