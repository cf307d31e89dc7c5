"""The clocks: the packaged ones, each country's own, and what may be named instead of a place."""

import re
import subprocess
import sys
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

import phonenumbers
import pytest
from phonenumbers import PhoneNumberType
from phonenumbers.tzdata import TIMEZONE_DATA

from dialer.domain.local_time import clock_text
from dialer.domain.phone_number import Phone, parse_phone, zones_of
from dialer.domain.time_zones import (
    bare_clock_fits,
    is_bare_clock,
    offer,
    same_clock,
    zone_flaw,
    zone_names,
    zone_of,
    zones_of_country,
    zones_within,
)

EVENING = datetime(2027, 1, 16, 4, 30, tzinfo=UTC).timestamp()
ROOT = Path(__file__).parents[3]


def test_the_packaged_clocks_count_whatever_the_system_has(tmp_path: Path) -> None:
    """A system whose files are of another year, here: British Columbia in India."""
    (tmp_path / "America").mkdir()
    kolkata = files("tzdata").joinpath("zoneinfo", "Asia", "Kolkata").read_bytes()
    (tmp_path / "America" / "Vancouver").write_bytes(kolkata)
    code = (
        "from dialer.domain.local_time import clock_text; from dialer.domain.cron import next_moment;"
        f"print(clock_text('America/Vancouver', {EVENING}), next_moment('0 9 * * *', 'America/Vancouver', {EVENING}))"
    )
    environment = {"PYTHONTZPATH": str(tmp_path), "PATH": "", "PYTHONPATH": str(ROOT)}
    ran = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    nine = datetime(2027, 1, 16, 16, 0, tzinfo=UTC).timestamp()
    assert ran.stdout.split() == ["Fri", "21:30", "America/Vancouver", str(nine)]
    assert clock_text("America/Vancouver", EVENING) == "Fri 21:30 America/Vancouver"


def test_nothing_else_makes_a_clock() -> None:
    made = re.compile(r"\bZoneInfo\(|available_timezones|\bZoneInfo\.")
    packages = [ROOT / "dialer", ROOT / "config", ROOT / "jobs"]
    makers = {
        path.relative_to(ROOT).as_posix()
        for package in packages
        for path in package.rglob("*.py")
        if made.search(path.read_text("utf-8"))
    }
    # The simulator plays a provider, which has clocks of its own.
    assert makers == {"dialer/domain/time_zones.py", "dialer/simulator/vaani_batches.py"}


def test_every_name_is_a_zone() -> None:
    assert len(zone_names()) > 590
    for name in zone_names():
        zone_of(name)
    with pytest.raises(KeyError):
        zone_of("../../../etc/passwd")


def sharing(region: str) -> set[str]:
    code = phonenumbers.country_code_for_region(region)
    return {zone for other in phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code] for zone in zones_of_country(other)}


@pytest.mark.parametrize("region", sorted(phonenumbers.SUPPORTED_REGIONS))
def test_every_country_is_on_clocks_of_its_own(region: str) -> None:
    """Held against zone.tab. A country that shares a code may have the clocks of those it shares it with, too."""
    own = zones_of_country(region)
    if not own:
        assert region in ("AC", "TA", "XK")
        return
    numbers = [phonenumbers.example_number_for_type(region, kind) for kind in PhoneNumberType.values()]
    phones = [parse_phone(phonenumbers.format_number(number, 0)) for number in numbers if number]
    for phone in phones:
        if isinstance(phone, Phone) and phone.region == region:
            allowed = set(own)
            if phonenumbers.region_code_for_country_code(phonenumbers.country_code_for_region(region)) == region:
                allowed |= sharing(region)
            assert phone.zones
            assert set(phone.zones) <= allowed


def test_every_prefix_of_the_library_is_on_a_clock_of_its_country() -> None:
    held = 0
    for prefix in TIMEZONE_DATA:
        code = next(
            (n for n in (int(prefix[:k]) for k in (1, 2, 3)) if n in phonenumbers.COUNTRY_CODE_TO_REGION_CODE), 0
        )
        regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(code, ())
        if len(regions) != 1 or not zones_of_country(regions[0]):
            continue
        zones = zones_of(code, prefix[len(str(code)) :], PhoneNumberType.FIXED_LINE)
        own = zones_of_country(regions[0])
        assert set(zones_within(regions[0], zones)) <= set(own)
        held += 1
    assert held > 100


@pytest.mark.parametrize(
    ("number", "zones"),
    [
        ("+213551234567", ("Africa/Algiers",)),
        ("+218912345678", ("Africa/Tripoli",)),
        ("+212650123456", ("Africa/Casablanca",)),
        ("+50581234567", ("America/Managua",)),
        ("+211977123456", ("Africa/Juba",)),
        ("+970599123456", ("Asia/Gaza", "Asia/Hebron")),
        ("+12684641234", ("America/Antigua",)),
        ("+447400123456", ("Europe/London",)),
        ("+16045550123", ("America/Vancouver",)),
    ],
)
def test_zones_of_numbers(number: str, zones: tuple[str, ...]) -> None:
    phone = parse_phone(number)
    assert isinstance(phone, Phone)
    assert phone.zones == zones


@pytest.mark.parametrize(
    ("name", "place", "fits"),
    [
        ("EST", "America/New_York", False),
        ("MST", "America/Denver", False),
        ("HST", "America/Anchorage", False),
        ("Etc/GMT+5", "America/New_York", False),
        ("GMT", "Europe/London", False),
        ("CET", "Africa/Algiers", False),  # the CET of the database has summer time
        ("UTC", "Asia/Kolkata", False),
        ("EST", "America/Panama", True),
        ("MST", "America/Phoenix", True),
        ("HST", "Pacific/Honolulu", True),
        ("GMT", "Africa/Accra", True),
        ("EST5EDT", "America/New_York", True),
        ("CET", "Europe/Berlin", True),
    ],
)
def test_a_clock_without_a_place_counts_only_where_it_is_right_all_year(name: str, place: str, fits: bool) -> None:
    assert is_bare_clock(name)
    assert bare_clock_fits(name, (place,)) is fits


@pytest.mark.parametrize("name", ["Asia/Kolkata", "US/Eastern", "Japan", "GB", "NZ", "PRC", "Eire", "GB-Eire"])
def test_places_are_no_bare_clocks(name: str) -> None:
    assert not is_bare_clock(name)
    assert zone_flaw(name) == ""


@pytest.mark.parametrize("name", ["EST", "MST", "HST", "GMT", "Etc/GMT-5", "IST", "Factory", "localtime", ""])
def test_an_option_names_a_place_or_utc(name: str) -> None:
    assert zone_flaw(name)
    assert zone_flaw("UTC") == zone_flaw("Etc/UTC") == zone_flaw("CET") == ""


@pytest.mark.parametrize(
    ("written", "country", "zones", "offered"),
    [
        ("IST", "IN", ("Asia/Kolkata",), {"Asia/Kolkata"}),
        ("India Standard Time", "IN", (), {"Asia/Kolkata"}),
        ("GMT+5:30", "IN", ("Asia/Kolkata",), {"Asia/Kolkata"}),
        ("Asia/Kolkatta", "IN", (), {"Asia/Kolkata"}),
        ("AEST", "AU", ("Australia/Brisbane",), {"Australia/Brisbane"}),
        ("america/new york", "US", (), {"America/New_York"}),
        ("Eastern", "US", (), set()),
        ("IST", "", (), set()),
    ],
)
def test_a_remedy_names_a_zone_of_the_number_or_none(
    written: str, country: str, zones: tuple[str, ...], offered: set[str]
) -> None:
    assert set(re.findall(r'"(.*?)"', offer(written, country, zones))) == offered


def test_same_clock() -> None:
    assert same_clock("Europe/Jersey", "Europe/London")
    assert not same_clock("Europe/Paris", "Africa/Algiers")
