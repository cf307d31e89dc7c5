"""The time of an appointment, as lists write it: never guessed."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from dialer.domain.time_zones import zone_of

_DATE = re.compile(r"(\d{4})([-/]?)(\d\d)\2(\d\d)")
_MOMENT = re.compile(rf"{_DATE.pattern}[Tt ]+(\d\d:?\d\d.*)")
_APART = re.compile(r"\s+(?=[+-]\d)")
_UTC = re.compile(r"\s*(?:[zZ]|UTC|GMT)$")
FIRST_YEAR, LAST_YEAR = 1800, 2200
"""Outside of these a date is no date: programs write 0001-01-01 or 9999-12-31 for "none" and "never"."""
_LEAVE_OUT = "leave the row out until there is a date"


@dataclass(frozen=True, slots=True)
class NoAppointment:
    """Why a cell is no time of an appointment, and what to do about it."""

    reason: str
    remedy: str


def read_appointment(text: str, zone: str) -> float | NoAppointment:
    """Unix seconds of ``text``, in ISO 8601, its short form, or with the date as 2027/03/01.

    ``zone`` (IANA, or "") is that of times without one. Of two moments that a clock shows twice in the night it is
    set back, the earlier one is taken.
    """
    text = text.strip()
    if not text:
        return NoAppointment("no appointment", "give its date and time, e.g. 2027-03-01T09:00+05:30")
    if _DATE.fullmatch(text):
        return NoAppointment("the appointment has no time of day", "give its time too, e.g. 2027-03-01T09:00+05:30")
    if text.lstrip("+-").lower() in ("infinity", "inf"):
        return NoAppointment("the appointment has no time: it is infinity", _LEAVE_OUT)
    moment = _moment(text)
    if moment is None:
        return NoAppointment("the appointment's time does not read", "write it like 2027-03-01T09:00+05:30")
    if not FIRST_YEAR <= moment.year < LAST_YEAR:
        return NoAppointment(f"an appointment in the year {moment.year} is none", _LEAVE_OUT)
    if moment.tzinfo is not None:
        return moment.timestamp()
    if not zone:
        return NoAppointment(
            "the appointment's time has no zone",
            "write it with its offset, e.g. 2027-03-01T09:00+05:30, or name a timezone column in [contacts], "
            "or a zone in [reminder] timezone",
        )
    local = moment.replace(tzinfo=zone_of(zone))
    if local.astimezone(UTC).astimezone(local.tzinfo).replace(tzinfo=None) != moment:
        return NoAppointment(f"this time does not exist in {zone}", "the clock is set forward then: correct the time")
    return local.timestamp()


def _moment(text: str) -> datetime | None:
    parts = _MOMENT.fullmatch(text)
    if parts is None:
        return None
    year, _, month, day, clock = parts.groups()
    try:
        return datetime.fromisoformat(f"{year}-{month}-{day}T{_UTC.sub('Z', _APART.sub('', clock))}")
    except ValueError:
        return None
