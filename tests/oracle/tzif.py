"""Offsets of time zones, read from the compiled files (RFC 8536) by hand: neither zoneinfo nor datetime is asked."""

import re
import struct
from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

DAY_S = 86400
QUARTER_S = 900
_RULE = re.compile(r"M(\d+)\.(\d)\.(\d)(?:/(-?[\d:]+))?")
_NAME = r"(?:<[^>]+>|[A-Za-z]+)"
_FOOTER = re.compile(rf"{_NAME}([-+]?[\d:]+)(?:({_NAME})([-+]?[\d:]+)?,([^,]+),([^,]+))?")


def civil(day: int) -> tuple[int, int, int]:
    """Year, month and day of a count of days since 1970-01-01 (Howard Hinnant's algorithm)."""
    shifted = day + 719468
    era = shifted // 146097
    of_era = shifted - era * 146097
    year_of_era = (of_era - of_era // 1460 + of_era // 36524 - of_era // 146096) // 365
    of_year = of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    month = (5 * of_year + 2) // 153
    return (
        year_of_era + era * 400 + (1 if month >= 10 else 0),
        month + 3 if month < 10 else month - 9,
        of_year - (153 * month + 2) // 5 + 1,
    )


def days_from_civil(year: int, month: int, day: int) -> int:
    """The inverse of ``civil``."""
    year -= month <= 2
    era = year // 400
    of_era = year - era * 400
    of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468


def weekday(day: int) -> int:
    """Monday is 0; 1970-01-01 was a Thursday."""
    return (day + 3) % 7


@dataclass(frozen=True)
class Zone:
    """Changes listed in the file, and the rule for what comes after them."""

    moments: tuple[int, ...]
    offsets: tuple[int, ...]
    footer: str
    known: dict[int, int] = field(default_factory=dict)

    def offset(self, at: int) -> int:
        """Seconds ahead of UTC. Clocks change on the quarter of an hour only, which a test holds."""
        quarter = at // QUARTER_S
        if quarter not in self.known:
            self.known[quarter] = self._offset(quarter * QUARTER_S)
        return self.known[quarter]

    def _offset(self, at: int) -> int:
        if self.moments and at < self.moments[-1]:
            return self.offsets[max(0, bisect_right(self.moments, at) - 1)]
        return self._by_rule(at)

    def _by_rule(self, at: int) -> int:
        found = _FOOTER.fullmatch(self.footer)
        assert found, self.footer
        standard = -_seconds(found[1])
        if not found[2]:
            return standard
        summer = -_seconds(found[3]) if found[3] else standard + 3600
        year = civil((at + standard) // DAY_S)[0]
        changes = []
        for n in (year - 1, year, year + 1):
            changes.append((_moment(found[4], n) - standard, summer))
            changes.append((_moment(found[5], n) - summer, standard))
        return next(offset for moment, offset in sorted(changes, reverse=True) if moment <= at)


def _seconds(text: str) -> int:
    sign, parts = (-1 if text.startswith("-") else 1), [int(part) for part in text.lstrip("+-").split(":")]
    return sign * sum(part * unit for part, unit in zip(parts, (3600, 60, 1), strict=False))


def _moment(rule: str, year: int) -> int:
    """The local second of a rule such as "M3.2.0/2": second Sunday of March, two o'clock."""
    found = _RULE.fullmatch(rule)
    assert found, rule
    month, week, day = (int(found[n]) for n in (1, 2, 3))
    first = days_from_civil(year, month, 1)
    wanted = first + ((day + 6) % 7 - weekday(first)) % 7 + 7 * (week - 1)
    after = days_from_civil(year + month // 12, month % 12 + 1, 1)
    return (wanted if wanted < after else wanted - 7) * DAY_S + (_seconds(found[4]) if found[4] else 7200)


@cache
def zone(name: str) -> Zone:
    """From the packaged files, whatever the system has."""
    data = _bytes(name)
    assert data[:4] == b"TZif"
    assert data[4:5] >= b"2"
    counts = struct.unpack(">6l", data[20:44])
    start = 44 + _body(counts, 4)
    isut, isstd, leap, times, types, chars = struct.unpack(">6l", data[start + 20 : start + 44])
    at = start + 44
    moments = struct.unpack(f">{times}q", data[at : at + 8 * times])
    indexes = data[at + 8 * times : at + 9 * times]
    at += 9 * times
    offsets = [struct.unpack(">l", data[at + 6 * n : at + 6 * n + 4])[0] for n in range(types)]
    footer = data[at + 6 * types + chars + 12 * leap + isstd + isut :].strip(b"\n").decode()
    return Zone(moments, tuple(offsets[index] for index in indexes), footer)


def _body(counts: tuple[int, ...], width: int) -> int:
    isut, isstd, leap, times, types, chars = counts
    return times * width + times + types * 6 + chars + leap * (width + 4) + isstd + isut


def _bytes(name: str) -> bytes:
    return files("tzdata").joinpath("zoneinfo", *name.split("/")).read_bytes()
