"""A campaign's spec as text, and back."""

import json
from dataclasses import asdict
from datetime import date, time
from functools import lru_cache

from pydantic import TypeAdapter

from dialer.domain.campaign import CampaignSpec
from dialer.domain.campaign_flaw import flaw_of

SPEC = TypeAdapter(CampaignSpec)
KEPT = 4096
"""Specs that are not parsed again each time: more than there are campaigns at once."""


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
    """The spec that ``write_spec`` wrote. Raises ValueError, KeyError, TypeError for other text."""
    if '"opens"' in text:
        text = _with_hours(text)
    return SPEC.validate_json(text, strict=True, extra="forbid")


@lru_cache(maxsize=KEPT)
def usable_spec(text: str, name: str, account: str) -> tuple[CampaignSpec, str]:
    """The spec, and why it cannot be obeyed ("": it can). One that does not read is an empty one of this name."""
    try:
        spec = read_spec(text)
        return spec, flaw_of(spec)
    except (ValueError, TypeError, KeyError) as unreadable:
        return CampaignSpec(name, "", account), f"its settings do not read ({type(unreadable).__name__})"


def _with_hours(text: str) -> str:
    """Specs once had one stretch a day, from ``opens`` to ``closes``."""
    raw = json.loads(text)
    opens, closes = (time.fromisoformat(raw["window"].pop(name)) for name in ("opens", "closes"))
    hours = [opens.hour * 60 + opens.minute, closes.hour * 60 + closes.minute]
    return json.dumps(raw | {"window": raw["window"] | {"hours": [hours]}})
