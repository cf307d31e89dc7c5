"""The time of an appointment, as lists write it: never guessed."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d.*")


@dataclass(frozen=True, slots=True)
class NoAppointment:
    """Why a cell is no time of an appointment, and what to do about it."""

    reason: str
    remedy: str


def read_appointment(text: str, zone: str) -> float | NoAppointment:
    """Unix seconds of ``text``, in ISO 8601; ``zone`` (IANA, or "") is that of times that tell none.

    Of two moments that a clock shows twice in the night it is set back, the earlier one is taken.
    """
    text = text.strip()
    if not text:
        return NoAppointment("no appointment", "give its date and time, e.g. 2027-03-01T09:00+05:30")
    if _DATE.fullmatch(text):
        return NoAppointment("the appointment has no time of day", "give its time too, e.g. 2027-03-01T09:00+05:30")
    try:
        moment = datetime.fromisoformat(text) if _MOMENT.fullmatch(text) else None
    except ValueError:
        moment = None
    if moment is None:
        return NoAppointment("the appointment's time does not read", "write it like 2027-03-01T09:00+05:30")
    if moment.tzinfo is not None:
        return moment.timestamp()
    if not zone:
        return NoAppointment(
            "the appointment's time has no zone",
            "write it with its offset, e.g. 2027-03-01T09:00+05:30, or name a timezone column in [contacts], "
            "or a zone in [reminder] timezone",
        )
    local = moment.replace(tzinfo=ZoneInfo(zone))
    if local.astimezone(UTC).astimezone(local.tzinfo).replace(tzinfo=None) != moment:
        return NoAppointment(f"this time does not exist in {zone}", "the clock is set forward then: correct the time")
    return local.timestamp()
