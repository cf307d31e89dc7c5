"""Not twice at the same hour of the day: who did not answer at ten may answer at four."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from dialer.domain.time_zones import zone_of

HOUR_S = 3600.0
MEMORY_S = 30 * 24 * HOUR_S
"""For so long an hour counts as tried."""
SEARCH_HOURS = 7 * 24


def next_other_hour(
    called_at: Iterable[float], zone: str, now: float, is_open: Callable[[float], bool]
) -> float | None:
    """The next moment ``is_open`` in an hour at which the person was not called lately; None: now will do.

    Times are unix seconds, hours those of the clock in ``zone``. When every hour that is open was tried, any will do.
    """
    tried = {datetime.fromtimestamp(at, zone_of(zone)).hour for at in called_at if now - MEMORY_S < at <= now}
    local = datetime.fromtimestamp(now, zone_of(zone))
    if local.hour not in tried:
        return None
    into = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
    first = now - into.total_seconds()
    for hours in range(1, SEARCH_HOURS + 1):
        at = first + hours * HOUR_S
        if datetime.fromtimestamp(at, zone_of(zone)).hour not in tried and is_open(at):
            return at
    return None
