"""A campaign's spec as text, and back."""

import json
from dataclasses import asdict
from datetime import date, time
from functools import lru_cache
from typing import Any

from dialer.domain.calling_window import CallingWindow
from dialer.domain.campaign import CampaignSpec, ContactColumns, Pace, Reminder, Schedule, Source
from dialer.domain.campaign_flaw import flaw_of
from dialer.domain.disposition import Disposition
from dialer.domain.limits import PersonLimits
from dialer.domain.redial import RedialPolicy
from dialer.domain.suppression import OptOut
from dialer.errors import CampaignFileError

KEPT = 4096
"""Specs that are not read anew each time: more than there are campaigns at once."""


def write_spec(spec: CampaignSpec) -> str:
    """JSON with sorted keys, so that equal specs are equal texts."""
    return json.dumps(asdict(spec), sort_keys=True, default=_plain)


def _plain(value: object) -> object:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, frozenset):
        return sorted(value)
    raise TypeError(f"cannot store {type(value).__name__}")


@lru_cache(maxsize=KEPT)
def read_spec(text: str) -> CampaignSpec:
    """The spec that ``write_spec`` wrote."""
    raw: dict[str, Any] = json.loads(text)
    return CampaignSpec(
        **raw
        | {
            "caller_ids": tuple(raw["caller_ids"]),
            "columns": ContactColumns(**raw["columns"] | {"variables": tuple(raw["columns"]["variables"])}),
            "window": _window(raw["window"]),
            "pace": Pace(**raw["pace"]),
            "limits": PersonLimits(**raw.get("limits", {})),
            "source": Source(**raw.get("source", {})),
            "schedule": Schedule(**raw.get("schedule", {})),
            "reminder": _reminder(raw.get("reminder", {})),
            "redial": _redial(raw["redial"]),
            "opt_out": OptOut(**{name: tuple(words) for name, words in raw.get("opt_out", {}).items()}),
        }
    )


@lru_cache(maxsize=KEPT)
def usable_spec(text: str, name: str, account: str) -> tuple[CampaignSpec, str]:
    """The spec, and why it cannot be obeyed ("": it can). One that does not read is an empty one of this name."""
    try:
        spec = read_spec(text)
        return spec, flaw_of(spec)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, CampaignFileError) as unreadable:
        return CampaignSpec(name, "", account), f"its settings do not read ({type(unreadable).__name__})"


def _redial(raw: dict[str, Any]) -> RedialPolicy:
    counted = {
        name: {Disposition(word): value for word, value in raw.get(name, {}).items()} for name in ("delays_s", "most")
    }
    return RedialPolicy(**raw | counted)


def _window(raw: dict[str, Any]) -> CallingWindow:
    hours = raw["hours"] if "hours" in raw else [_old_hours(raw)]
    rest = {name: value for name, value in raw.items() if name not in ("opens", "closes")}
    return CallingWindow(
        **rest
        | {
            "days": frozenset(raw["days"]),
            "hours": tuple((opens, closes) for opens, closes in hours),
            "holidays": tuple(raw.get("holidays", ())),
            "blackout": tuple(date.fromisoformat(day) for day in raw.get("blackout", ())),
            "also_rules": tuple(raw.get("also_rules", ())),
        }
    )


def _old_hours(raw: dict[str, Any]) -> tuple[int, int]:
    """Specs once had one stretch a day."""
    opens, closes = (time.fromisoformat(raw[name]) for name in ("opens", "closes"))
    return opens.hour * 60 + opens.minute, closes.hour * 60 + closes.minute


def _reminder(raw: dict[str, Any]) -> Reminder:
    return Reminder(**raw | {"before_s": tuple(raw.get("before_s", ()))})
