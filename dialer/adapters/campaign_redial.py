"""The tables [redial] and [suppression] of a campaign file: who is tried again when, and who never."""

from collections.abc import Mapping
from typing import Any

from dialer.adapters.campaign_tables import Keys
from dialer.adapters.duration import parse_duration
from dialer.domain.disposition import Disposition
from dialer.domain.redial import RedialPolicy
from dialer.domain.suppression import OptOut
from dialer.errors import CampaignFileError

DELAYS = tuple(RedialPolicy().delays_s)

REDIAL_TABLES: dict[str, Keys] = {
    "redial": {
        "max_attempts": int,
        **{str(disposition): str for disposition in DELAYS},
        **{f"max_{disposition}": int for disposition in DELAYS},
        "jitter": str,
        "other_hour": bool,
        "callback": str,
    },
    "suppression": {"entities": list, "dispositions": list},
}


def read_redial(place: str, raw: Mapping[str, Any], max_attempts: int) -> RedialPolicy:
    """Raises CampaignFileError for a duration that does not read."""
    standard = RedialPolicy()
    delays, most = dict(standard.delays_s), {}
    for disposition in DELAYS:
        if str(disposition) in raw:
            delays[disposition] = parse_duration(place, f"[redial] {disposition}", raw[str(disposition)])
        if own := raw.get(f"max_{disposition}", 0):
            most[Disposition(disposition)] = own
    return RedialPolicy(
        max_attempts,
        delays,
        most,
        parse_duration(place, "[redial] jitter", raw.get("jitter") or "0s"),
        raw.get("other_hour", standard.other_hour),
        parse_duration(place, "[redial] callback", raw.get("callback", "1h")) if raw.get("callback", "1h") else None,
    )


def read_opt_out(place: str, raw: Mapping[str, Any]) -> OptOut:
    """Raises CampaignFileError for an entry that is no text."""
    for name, entries in raw.items():
        if not all(isinstance(entry, str) and entry.strip() for entry in entries):
            raise CampaignFileError(f'{place}: [suppression] {name} must list words, e.g. ["opt_out"]')
    return OptOut(**{name: tuple(entries) for name, entries in raw.items()})
