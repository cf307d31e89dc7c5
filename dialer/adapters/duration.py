"""Durations as people write them."""

import re

from dialer.errors import CampaignFileError

UNITS_S = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
LONGEST_S = 3660 * 86400.0
DURATION = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,12})?) ?([smhd])")


def parse_duration(place: str, key: str, text: str) -> float:
    """Seconds from ``"90s"``, ``"15m"``, ``"2h"`` or ``"1d"``. Raises CampaignFileError."""
    parts = DURATION.fullmatch(text.strip())
    if parts is None:
        raise CampaignFileError(f'{place}: {key} = "{text}" must read like "15m", "2h" or "1d"')
    seconds = float(parts[1]) * UNITS_S[parts[2]]
    if seconds > LONGEST_S:
        raise CampaignFileError(f'{place}: {key} = "{text}" is longer than ten years')
    return seconds
