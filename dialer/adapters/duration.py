"""Durations as people write them."""

from dialer.errors import CampaignFileError

UNITS_S = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def parse_duration(place: str, key: str, text: str) -> float:
    """Seconds from ``"90s"``, ``"15m"``, ``"2h"`` or ``"1d"``. Raises CampaignFileError."""
    number, unit = text.strip()[:-1], text.strip()[-1:]
    try:
        seconds = float(number) * UNITS_S[unit]
    except (ValueError, KeyError):
        seconds = -1.0
    if seconds < 0:
        raise CampaignFileError(f'{place}: {key} = "{text}" must read like "15m", "2h" or "1d"')
    return seconds
