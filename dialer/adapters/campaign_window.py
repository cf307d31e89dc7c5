"""The table [window] of a campaign file, and the window of the command line."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from dialer.adapters.campaign_tables import Keys
from dialer.adapters.duration import parse_duration
from dialer.domain.calling_window import CallingWindow, make_window, parse_window
from dialer.domain.country_rules import rulebook
from dialer.domain.opening import LONGEST_LEAD_S
from dialer.domain.public_holidays import is_calendar
from dialer.errors import CampaignFileError

WINDOW_KEYS: Keys = {
    "days": str, "hours": str, "timezone": str, "holidays": str, "blackout": list, "lead": str, "rules": str,
    "rules_reason": str, "also_rules": list,
}  # fmt: skip


def given_window(text: str, zone: str, reason: str) -> CallingWindow:
    """A window without a file. One that says "always" means it: the country rules are off, and say so."""
    window = parse_window(text, zone)
    return replace(window, rules="off", rules_reason=reason) if window.always else window


def read_window(raw: Mapping[str, Any], zone: str) -> CallingWindow:
    """Raises CampaignFileError that names the key."""
    window = make_window(str(raw.get("days", "mon-sat")), str(raw.get("hours", "09:00-20:00")), zone)
    rules, reason = raw.get("rules", "strict"), raw.get("rules_reason", "").strip()
    if rules not in ("strict", "off"):
        raise CampaignFileError(f'[window] rules = "{rules}" must be "strict" or "off"')
    if rules == "off" and not reason:
        raise CampaignFileError('[window] rules = "off" needs rules_reason, which every report shows')
    return replace(
        window,
        holidays=_holidays(raw.get("holidays", "")),
        blackout=tuple(sorted({_day(text) for text in raw.get("blackout", [])})),
        lead_s=_lead(raw["lead"]) if "lead" in raw else window.lead_s,
        rules=rules,
        rules_reason=reason if rules == "off" else "",
        also_rules=tuple(_rule(text) for text in raw.get("also_rules", [])),
    )


def _holidays(text: str) -> tuple[str, ...]:
    places = tuple(text.replace(",", " ").upper().split())
    for place in places:
        if not is_calendar(place):
            raise CampaignFileError(f'[window] holidays: there is no calendar "{place}"; write e.g. "IN" or "US-FL"')
    return places


def _day(text: object) -> date:
    if isinstance(text, date):
        return text
    try:
        return date.fromisoformat(str(text))
    except ValueError:
        raise CampaignFileError(f'[window] blackout: "{text}" must read like "2027-12-24"') from None


def _lead(text: str) -> float:
    seconds = parse_duration("[window]", "lead", text)
    if seconds > LONGEST_LEAD_S:
        raise CampaignFileError(f'[window] lead = "{text}" must be a day at most')
    return seconds


def _rule(text: object) -> str:
    if text not in rulebook().by_id:
        named = ", ".join(sorted(rule.rule_id for rule in rulebook().by_id.values() if not rule.places))
        raise CampaignFileError(f'[window] also_rules: there is no rule "{text}"; rules to name are {named}')
    return str(text)
