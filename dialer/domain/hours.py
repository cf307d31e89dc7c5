"""Days and hours as people write them.

A span is minutes of the local clock from the midnight that begins its day, half-open. One that ends on the day
after ends beyond 1440.
"""

import re
from itertools import pairwise

from dialer.errors import CampaignFileError

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_MIN = 1440

Span = tuple[int, int]
Hours = tuple[Span, ...]
"""Spans of one day, in order, none touching another."""

Week = tuple[Hours, Hours, Hours, Hours, Hours, Hours, Hours]
"""Hours for each day, Monday first."""

WHOLE_DAY: Hours = ((0, DAY_MIN),)
_SPAN = re.compile(r"(\d{1,2}):(\d{2})\s*[-–]\s*(\d{1,2}):(\d{2})\s*(\+1)?")


def parse_days(text: str) -> frozenset[int]:
    """Days (Monday is 0) from "mon-sat", "mon,wed,fri" or "sat-mon". Raises CampaignFileError."""
    days: set[int] = set()
    for part in text.lower().replace(" ", "").split(","):
        first, dash, last = part.partition("-")
        if first not in DAYS or (dash and last not in DAYS):
            raise CampaignFileError(f'window days "{text}" must read like "mon-sat" or "mon,wed,fri" or "always"')
        start, end = DAYS.index(first), DAYS.index(last or first)
        days.update(day % 7 for day in range(start, (end if end >= start else end + 7) + 1))
    return frozenset(days)


def parse_hours(text: str) -> Hours:
    """Spans from "09:00-12:00, 14:00-20:00"; "20:00-02:00+1" ends on the day after. Raises CampaignFileError."""
    spans = sorted(_span(part.strip(), text) for part in text.split(","))
    for (_, closes), (opens, _) in pairwise(spans):
        if opens <= closes:
            raise CampaignFileError(f'window hours "{text}" overlap or touch: write each stretch once')
    if spans[-1][1] - DAY_MIN > spans[0][0]:
        raise CampaignFileError(f'window hours "{text}" run into the next day\'s')
    return tuple(spans)


def _span(part: str, text: str) -> Span:
    match = _SPAN.fullmatch(part)
    if match:
        opens_h, opens_m, closes_h, closes_m = (int(match[n]) for n in range(1, 5))
        opens, closes = opens_h * 60 + opens_m, closes_h * 60 + closes_m
        clocks = opens_m < 60 and closes_m < 60 and opens < DAY_MIN and closes <= DAY_MIN
        if clocks and (opens < closes) != bool(match[5]):
            return opens, closes + (DAY_MIN if match[5] else 0)
        if clocks and not match[5]:
            remedy = f'if it ends on the next day, write "{part}+1"' if closes else 'write "24:00" for midnight'
            raise CampaignFileError(f'window hours "{text}": must open before closing; {remedy}')
    raise CampaignFileError(f'window hours "{text}" must read like "09:00-20:00" or "09:00-12:00, 14:00-20:00"')


def week_of(days: frozenset[int], hours: Hours) -> Week:
    """The same hours on each of ``days``, none on the others."""
    return tuple(hours if day in days else () for day in range(7))  # type: ignore[return-value]


def hours_text(hours: Hours) -> str:
    """As it is written in a campaign file."""
    return ", ".join(f"{_clock(opens)}-{_clock(closes)}" for opens, closes in hours)


def _clock(minutes: int) -> str:
    over = minutes > DAY_MIN
    hour, minute = divmod(minutes - DAY_MIN if over else minutes, 60)
    return f"{hour:02d}:{minute:02d}{'+1' if over else ''}"
