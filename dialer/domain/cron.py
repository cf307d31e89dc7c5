"""When a cron expression falls due, on the clock of a place."""

from datetime import datetime
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

_FIELDS = (("minutes", 60), ("hours", 24), ("days", 31), ("months", 12), ("weekdays", 7))


def next_moment(expression: str, zone: str, after: float) -> float:
    """The first moment past ``after`` (unix seconds) on the clocks of ``zone`` (IANA).

    A time that the clocks skip in spring falls due when they have been set forward; one that they show twice in
    autumn falls due once. Raises ValueError for an expression that does not read, or never falls due.
    """
    try:
        coming = CronSim(expression, datetime.fromtimestamp(after, ZoneInfo(zone)))
    except CronSimError as wrong:
        raise ValueError(str(wrong)) from None
    for moment in coming:
        if (at := moment.timestamp()) > after:
            return at
    raise ValueError("it never falls due")


def idle_step(expression: str) -> str:
    """Why a step in an expression is none, e.g. "*/90" minutes, which would be every hour; "" when all are."""
    for field, (name, size) in zip(expression.split(), _FIELDS, strict=False):
        for part in field.split(","):
            step = part.partition("/")[2]
            if step.isdecimal() and int(step) > size:
                return f"{name} have no step of {step}: it would never be taken"
    return ""
