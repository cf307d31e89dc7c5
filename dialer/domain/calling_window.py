"""When a person may be called: the campaign's own hours, and the calling rules of every place they may be in."""

from dataclasses import dataclass
from datetime import date

from dialer.domain.hours import WHOLE_DAY, Hours, Week, parse_days, parse_hours, week_of
from dialer.domain.time_zones import zone_flaw
from dialer.errors import CampaignFileError

NINE_TO_EIGHT: Hours = ((9 * 60, 20 * 60),)


@dataclass(frozen=True, slots=True)
class CallingWindow:
    """Days and half-open local hours, in minutes of the day; ``always`` ignores both.

    ``zone`` is an IANA name, or "contact" for the person's own zones. No call starts less than ``lead_s``
    seconds before closing, so that a queue at the provider does not carry it over the edge. ``holidays`` are
    ISO 3166 places whose public holidays are no calling days, ``blackout`` further days. A stretch over midnight
    belongs to the day it begins on, and ends at midnight before a day without calls.
    ``rules``: "strict" applies the country rules beside the window, and ``also_rules`` by their ids; "off" applies
    none and needs ``rules_reason``.
    """

    days: frozenset[int] = frozenset(range(6))
    hours: Hours = NINE_TO_EIGHT
    zone: str = "contact"
    always: bool = False
    lead_s: float = 120.0
    holidays: tuple[str, ...] = ()
    blackout: tuple[date, ...] = ()
    rules: str = "strict"
    rules_reason: str = ""
    also_rules: tuple[str, ...] = ()

    @property
    def unbounded(self) -> bool:
        """Whether nobody has to be waited for, whatever the hour."""
        return self.always and self.rules == "off" and not self.holidays and not self.blackout

    @property
    def week(self) -> Week:
        """The hours of each day."""
        return week_of(frozenset(range(7)), WHOLE_DAY) if self.always else week_of(self.days, self.hours)

    def zones_of(self, contact_zones: tuple[str, ...]) -> tuple[str, ...]:
        """The zones whose clocks the campaign's own hours mean; empty when they are unknown."""
        return contact_zones if self.zone == "contact" else (self.zone,)


ALWAYS = CallingWindow(always=True, rules="off", rules_reason="nobody is called")
"""For rehearsals and tests."""


def parse_window(text: str, zone: str = "contact") -> CallingWindow:
    """Read ``always`` or ``mon-sat 09:00-20:00``.

    Raises CampaignFileError for anything else.
    """
    if text.strip().lower() == "always":
        return CallingWindow(always=True, zone=zone)
    days, _, hours = text.strip().partition(" ")
    return make_window(days, hours, zone)


def make_window(days: str, hours: str, zone: str = "contact") -> CallingWindow:
    """Build a window from ``days`` ("mon-sat", "mon,wed", "always") and ``hours``, as ``parse_hours`` reads them."""
    if zone != "contact":
        _known_zone(zone)
    if days.strip().lower() == "always":
        return CallingWindow(always=True, zone=zone)
    return CallingWindow(days=parse_days(days), hours=parse_hours(hours), zone=zone)


def _known_zone(name: str) -> None:
    if flaw := zone_flaw(name):
        raise CampaignFileError(f'time zone "{name}" {flaw}')
