"""How far back the call log is read: a look at what is new, or a walk past everything that waits.

A page costs a request, and a call that is waited for may be an hour old while thousands came after it. So most readings
are *looks*: they end where nothing is news any more, and cost what is new. Only a *walk* reads on until all is older
than the oldest call that waits; it finds rows that came late, and it alone proves absence.
"""

import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

import structlog

from dialer.domain.call import CallLog, LogPage
from dialer.domain.checkpoint import Passing, unwatched
from dialer.errors import ProviderError
from dialer.ports import CallProvider, Ledger

log = structlog.get_logger()

FRESH_S = 120.0
"""A row that explains nothing yet is news for so long: its request may still wait for its answer."""
TAIL = 8
"""A look ends after a page whose last eighth holds no news."""
WALK_PAGE_S = 0.5
"""A walk of so many pages is followed by so many seconds for each of them without one, within the bounds below."""
WALKS_OF_A_HORIZON, FEWEST_WALKS_OF_A_HORIZON = 40, 4
OVERDUE_S, OVERDUE_PART = 300.0, 10
"""A call without an outcome is walked for when it is so old, or a tenth of the horizon if that is less."""
FILLED = 0.85
"""The part of its pages that a look should find to be news."""
SLOWEST = 2
"""Where much is new, a reading waits for full pages, but never longer than so many intervals."""
REMEMBERED = 50_000


@dataclass(slots=True)
class LogReading:
    """What was read, from the newest row back. ``complete``: as far as it was to go, and without a gap."""

    started: float
    pages: int = 0
    rows: dict[str, CallLog] = field(default_factory=dict)
    settled: set[str] = field(default_factory=set)
    """Calls of which all is known already."""
    news: int = 0
    complete: bool = False
    unreadable: int = 0


@dataclass(slots=True)
class LogReader:
    """Reads the log of one account. ``horizon_s``: for how long a call may turn up in it."""

    ledger: Ledger
    provider: CallProvider
    horizon_s: float
    passing: Passing = unwatched
    walked_at: float = -math.inf
    walked_pages: int = 0
    seen: dict[str, tuple[str, bool]] = field(default_factory=dict)
    """Rows that are not settled, and how they stood when they were read."""

    def should_walk(self, now: float, oldest: float | None, *, at_once: bool = False) -> bool:
        """Whether it is time to look for what has waited since ``oldest`` (unix seconds; None: for nothing)."""
        late = oldest is not None and now - oldest >= min(OVERDUE_S, self.horizon_s / OVERDUE_PART)
        return (late or at_once) and now - self.walked_at >= self._rest_s()

    async def read(self, since: float, now: float, *, whole: bool) -> LogReading:
        """Walk back to ``since`` when ``whole``, else look. A page that fails leaves the reading incomplete.

        It stops early only in a log that proved to run from new to old: nobody promises an order.
        """
        reading, newest = LogReading(now), None
        try:
            async for page in self.provider.read_logs(since):
                fresh = await self._take(reading, page)
                begun = [row.started_at for row in page.rows if row.started_at is not None]
                newest = begun[0] if newest is None and begun else newest
                if newest is None or not begun or begun[-1] >= newest:
                    continue
                if max(begun) < since:
                    break
                if not whole and not any(fresh[-max(1, len(fresh) // TAIL) :]):
                    return reading
        except ProviderError as failed:
            log.warning("log.unreadable", account=self.provider.account, pages=reading.pages, error=str(failed))
            return reading
        reading.complete = True
        if whole:
            self.walked_at, self.walked_pages = now, reading.pages
        return reading

    def remember(self, rows: Iterable[CallLog], explained: Collection[str], now: float) -> None:
        """These are no news when they come again as they are."""
        if len(self.seen) > REMEMBERED:
            self.seen.clear()
        for row in rows:
            if row.call_id in explained or (row.started_at or now) < now - FRESH_S:
                self.seen[row.call_id] = _standing(row)

    async def _take(self, reading: LogReading, page: LogPage) -> list[bool]:
        """Add a page; for each of its rows, whether it is news."""
        reading.pages += 1
        self.passing("reconcile.page")
        reading.unreadable += page.unreadable
        added = {row.call_id: row for row in page.rows if row.call_id not in reading.rows}
        reading.rows |= added
        reading.settled |= (await self.ledger.known_calls(self.provider.account, list(added))).keys()
        fresh = [
            row.call_id in added and row.call_id not in reading.settled and self.seen.get(row.call_id) != _standing(row)
            for row in page.rows
        ]
        reading.news += sum(fresh)
        return fresh

    def _rest_s(self) -> float:
        dear = min(self.walked_pages * WALK_PAGE_S, self.horizon_s / FEWEST_WALKS_OF_A_HORIZON)
        return max(self.horizon_s / WALKS_OF_A_HORIZON, dear)


def _standing(row: CallLog) -> tuple[str, bool]:
    return row.raw_status, row.disposition is not None


def next_look_s(interval_s: float, elapsed_s: float, news: int, page_size: float) -> float:
    """When to look again, in seconds: after the interval, or later if so much is new that whole pages can be filled.

    ``news`` rows came up in the ``elapsed_s`` seconds since the reading before.
    """
    target = FILLED * page_size
    if elapsed_s <= 0 or not news or news * SLOWEST < target:
        return interval_s
    a_second = news / elapsed_s
    pages = max(1, math.ceil(a_second * interval_s / target))
    return min(max(interval_s, pages * target / a_second), SLOWEST * interval_s)
