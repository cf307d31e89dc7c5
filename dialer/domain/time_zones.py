"""The clocks of the world: those of the package ``tzdata``, whatever files the operating system has.

Countries change their clocks with a few months' notice, and systems keep old files for years. Nothing but this module
makes a ``ZoneInfo``.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from functools import cache, lru_cache
from importlib.metadata import version
from importlib.resources import files
from zoneinfo import ZoneInfo

_NO_ZONES = frozenset({"Factory", "localtime"})
_SAMPLES = tuple(datetime(2027, 1, 1, tzinfo=UTC) + timedelta(days=14 * n) for n in range(260))
"""Every fortnight of ten years."""
_OFFERED = 3
_PLACES = frozenset({"GB", "NZ", "NZ-CHAT", "PRC", "ROC", "ROK", "W-SU"})
_UTC = frozenset({"UTC", "UCT", "Universal", "Zulu", "Etc/UTC", "Etc/UCT", "Etc/Universal", "Etc/Zulu"})
_UNPLACED = frozenset({"Universal", "Zulu", "Greenwich"})


def tzdata_version() -> str:
    """Which zones are in use, e.g. "2026.6"."""
    return version("tzdata")


@lru_cache(maxsize=1024)
def zone_of(name: str) -> ZoneInfo:
    """Raises KeyError for a name that is not in the IANA database."""
    if name not in zone_names():
        raise KeyError(name)
    with files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


@cache
def zone_names() -> frozenset[str]:
    """Every name of the IANA database that is a zone."""
    return frozenset(files("tzdata").joinpath("zones").read_text("utf-8").split()) - _NO_ZONES


@lru_cache(maxsize=4096)
def known_zones(zones: tuple[str, ...]) -> tuple[str, ...]:
    """Those that are in the database: a ledger may hold names of another one."""
    return tuple(zone for zone in zones if zone in zone_names())


def zones_of_country(code: str) -> tuple[str, ...]:
    """The zones of a country (ISO 3166), the most common first; empty for one that the database does not list."""
    return _by_country().get(code, ())


@cache
def _by_country() -> dict[str, tuple[str, ...]]:
    zones: dict[str, tuple[str, ...]] = {}
    for line in files("tzdata").joinpath("zoneinfo", "zone.tab").read_text("utf-8").splitlines():
        if not line.startswith("#"):
            code, _, zone = line.split("\t")[:3]
            zones[code] = (*zones.get(code, ()), zone)
    return zones


def same_clock(one: str, other: str) -> bool:
    """Whether two zones read the same clock all year, from now on."""
    return one == other or _offsets(one) == _offsets(other)


@lru_cache(maxsize=1024)
def _offsets(name: str) -> tuple[timedelta | None, ...]:
    zone = zone_of(name)
    return tuple(moment.astimezone(zone).utcoffset() for moment in _SAMPLES)


@lru_cache(maxsize=4096)
def zones_within(country: str, zones: tuple[str, ...], sharing: tuple[str, ...] = ()) -> tuple[str, ...]:
    """``zones`` of a number as those of its country: a foreign one stands for those of the country with its clock.

    libphonenumber has some countries on the clock of another, which has summer time where they have none: then the
    person may be in any zone of the country. ``sharing``: countries whose numbers may look like those of this
    one; their zones stay beside its own.
    """
    own = zones_of_country(country)
    if not own:
        return zones
    kept = {mine for zone in zones for mine in ((zone,) if zone in own else _alike(zone, own))}
    if kept:
        theirs = {zone for other in sharing for zone in zones_of_country(other)}
        kept.update(zone for zone in zones if zone in theirs and not _alike(zone, own))
    return tuple(sorted(kept)) or (own if zones else ())


def _alike(zone: str, own: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(mine for mine in own if same_clock(zone, mine))


def is_bare_clock(name: str) -> bool:
    """Whether a name says what the clock reads, and of no place that it does: "EST", "GMT", "CET", "Etc/GMT+5"."""
    return name.startswith("Etc/") or name in _UNPLACED or ("/" not in name and name.isupper() and name not in _PLACES)


def zone_flaw(name: str) -> str:
    """Why an option must not name this zone; "" when it may. UTC may be named: programs write their times in it."""
    if name not in zone_names():
        return "is not an IANA name (Continent/City)"
    if is_bare_clock(name) and name not in _UTC and len(set(_offsets(name))) == 1:
        return "has no summer time: write the zone of the place (Continent/City), or UTC"
    return ""


def bare_clock_fits(name: str, zones: Iterable[str]) -> bool:
    """Whether a clock without a place is, all year, that of one of these zones, in which the person may be."""
    return any(same_clock(name, zone) for zone in zones)


def offer(written: str, country: str, zones: tuple[str, ...] = ()) -> str:
    """What to write instead of ``written``: a zone of the person's country or none, never one of another.

    ``country`` (ISO 3166) and ``zones`` are those of the number; either may be empty.
    """
    own = zones_of_country(country)
    by_folded = {zone.casefold(): zone for zone in own}
    near = get_close_matches(written.casefold().replace(" ", "_"), by_folded, n=1, cutoff=0.75)
    if near:
        return f'did you mean "{by_folded[near[0]]}"?'
    offered = zones if 0 < len(zones) <= _OFFERED else own if len(own) <= _OFFERED else ()
    if not offered:
        return "write the IANA name of the person's zone (Continent/City)"
    return "write " + " or ".join(f'"{zone}"' for zone in offered)
