"""When a cron expression falls due, on the clock of a place."""

import re
from datetime import datetime

from cronsim import CronSim, CronSimError

from dialer.domain.time_zones import zone_of

_SIZES = {5: (60, 24, 31, 12, 7), 6: (60, 60, 24, 31, 12, 7)}
"""How many values each field has; six fields begin with the seconds."""
_STEP = re.compile(r"/(\d+)")


def next_moment(expression: str, zone: str, after: float) -> float:
    """The first moment past ``after`` (unix seconds) on the clocks of ``zone`` (IANA).

    A time that the clocks skip in spring falls due when they have been set forward; one that they show twice in
    autumn falls due once. Raises ValueError for an expression that does not read, or never falls due.
    """
    _refuse_long_steps(expression)
    try:
        coming = CronSim(expression, datetime.fromtimestamp(after, zone_of(zone)))
    except CronSimError as wrong:
        raise ValueError(str(wrong)) from None
    for moment in coming:
        if (at := moment.timestamp()) > after:
            return at
    raise ValueError("it never falls due")


def _refuse_long_steps(expression: str) -> None:
    """A step that is longer than its field, as in "*/90 * * * *", is taken by cron for the first value alone."""
    fields = expression.split()
    for field, size in zip(fields, _SIZES.get(len(fields), ()), strict=False):
        for step in _STEP.findall(field):
            if int(step) >= size:
                raise ValueError(f"{field} steps over the whole field, which has {size} values")
