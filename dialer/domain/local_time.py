"""Local clocks over UTC: stretches of one offset, and what a stretch of the clock on the wall is in UTC.

Whatever the clocks do, a moment counts as open when the clock on the wall reads an open time. An hour that is
skipped is not there; one that comes twice is open twice.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime

from dialer.domain.time_zones import zone_of

DAY_S = 86400
_PROBE_S = 12 * 3600
_EPOCH = date(1970, 1, 1).toordinal()

Stretch = tuple[int, int]
"""From, and until but not including: seconds, of UTC or of a local clock read as if it were UTC."""


def offset_at(zone: str, at: float) -> int:
    """Seconds that the local clock is ahead of UTC."""
    offset = datetime.fromtimestamp(at, UTC).astimezone(zone_of(zone)).utcoffset()
    return round(offset.total_seconds()) if offset is not None else 0


def midnight(day: date) -> int:
    """The local clock's second at which a day begins."""
    return (day.toordinal() - _EPOCH) * DAY_S


def local_date(zone: str, at: float) -> date:
    """The date on the wall."""
    return datetime.fromtimestamp(at, zone_of(zone)).date()


def clock_text(zone: str, at: float) -> str:
    """The clock on the wall, e.g. "Mon 14:05 Asia/Kolkata"."""
    return f"{datetime.fromtimestamp(at, zone_of(zone)):%a %H:%M} {zone}"


def to_utc(zone: str, local: Sequence[Stretch], start: int, end: int) -> list[Stretch]:
    """When, between ``start`` and ``end`` (unix seconds), the local clock reads a time in ``local``, in order."""
    stretches = [
        (max(opens - offset, since), min(closes - offset, until))
        for since, until, offset in _offsets(zone, start, end)
        for opens, closes in local
    ]
    return merged(stretch for stretch in stretches if stretch[0] < stretch[1])


def merged(stretches: Iterable[Stretch]) -> list[Stretch]:
    """In order, with what touches made one."""
    joined: list[Stretch] = []
    for opens, closes in sorted(stretches):
        if joined and opens <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(closes, joined[-1][1])
        else:
            joined.append((opens, closes))
    return joined


def common(one: Sequence[Stretch], other: Sequence[Stretch]) -> list[Stretch]:
    """What is in both; each is in order and touches itself nowhere."""
    shared, i, j = [], 0, 0
    while i < len(one) and j < len(other):
        opens, closes = max(one[i][0], other[j][0]), min(one[i][1], other[j][1])
        if opens < closes:
            shared.append((opens, closes))
        if one[i][1] < other[j][1]:
            i += 1
        else:
            j += 1
    return shared


def _offsets(zone: str, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """(from, until, offset) over a time; no zone changes twice within half a day."""
    since, offset = start, offset_at(zone, start)
    for at in range(start + _PROBE_S, end + _PROBE_S, _PROBE_S):
        probe = min(at, end)
        after = offset_at(zone, probe)
        if after != offset:
            change = _change(zone, probe - _PROBE_S, probe, offset)
            yield since, change, offset
            since, offset = change, after
    yield since, end, offset


def _change(zone: str, before: int, after: int, offset: int) -> int:
    """The first second in (before, after] whose offset is not ``offset``."""
    while after - before > 1:
        middle = (before + after) // 2
        if offset_at(zone, middle) == offset:
            before = middle
        else:
            after = middle
    return after
