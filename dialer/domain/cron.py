"""When a cron expression falls due, on the clock of a place."""

from datetime import datetime

from cronsim import CronSim, CronSimError

from dialer.domain.time_zones import zone_of


def next_moment(expression: str, zone: str, after: float) -> float:
    """The first moment past ``after`` (unix seconds) on the clocks of ``zone`` (IANA).

    A time that the clocks skip in spring falls due when they have been set forward; one that they show twice in
    autumn falls due once. Raises ValueError for an expression that does not read, or never falls due.
    """
    try:
        coming = CronSim(expression, datetime.fromtimestamp(after, zone_of(zone)))
    except CronSimError as wrong:
        raise ValueError(str(wrong)) from None
    for moment in coming:
        if (at := moment.timestamp()) > after:
            return at
    raise ValueError("it never falls due")
