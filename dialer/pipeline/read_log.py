"""How far back the call log is read: a look at what is new, or a walk past everything that waits.

A page costs a request, and a call that is waited for may be an hour old while thousands came after it. So most
readings are *looks*: they end where nothing is news any more, and cost what is new. Now and then one goes on past the
oldest call that may just have ended, for some last longer than others. A *walk* reads on until all is older than the
oldest call that waits, and finds rows that came late. Absence is proved by a reading that got so far, whichever it was.
"""

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from dialer.domain.call import CallLog, LogPage
from dialer.domain.checkpoint import Passing, unwatched
from dialer.domain.log_clock import LogClock
from dialer.errors import ProviderError
from dialer.ports import CallProvider, KnownCall, Ledger

FRESH_S = 120.0
"""A row that explains nothing yet is news for so long: its request may still wait for its answer."""
TAIL = 8
"""A look ends after a page whose last eighth holds no news."""
WALK_PAGE_S = 0.5
"""A walk of so many pages is followed by so many seconds for each of them without one, within the bounds below."""
WALKS_OF_A_HORIZON, FEWEST_WALKS_OF_A_HORIZON = 40, 4
OVERDUE_S, OVERDUE_PART = 300.0, 10
"""A call without an outcome is walked for when it is so old, or a tenth of the horizon if that is less."""
COVERS_OF_A_HORIZON, CHEAP_PAGES = 70, 2
"""How often a look goes past the calls that may just have ended: always, where that is so cheap."""
CLOCK_SKEW_S, NEAR_S = 300.0, 10.0
"""How much earlier than its request a call may begin by the provider's clock: at most, and beyond what was seen."""
FULL_PAGES, SLOWEST = 10, 4
"""Where much is new, a look waits for so many pages of it, but never longer than so many intervals."""
REMEMBERED = 50_000


@dataclass(slots=True)
class LogReading:
    """What was read, from the newest row back. ``complete``: as far as it was to go, and without a gap."""

    started: float
    pages: int = 0
    rows: dict[str, CallLog] = field(default_factory=dict)
    """Their times are by our clock, as far as the log's is known."""
    known: dict[str, KnownCall] = field(default_factory=dict)
    news: int = 0
    complete: bool = False
    unreadable: int = 0
    failure: ProviderError | None = None
    """Why it ended early."""

    def is_settled(self, call_id: str) -> bool:
        """Whether a row settled its attempt before, or belongs to a call that another row settled."""
        return call_id in self.known and self.known[call_id].settled

    def first_seen(self, call_id: str) -> float:
        """Since when the row has been seen: unix seconds."""
        return self.known[call_id].first_seen_at if call_id in self.known else self.started


@dataclass(slots=True)
class LogReader:
    """Reads the log of one account. ``horizon_s``: for how long a call may turn up in it."""

    ledger: Ledger
    provider: CallProvider
    horizon_s: float
    passing: Passing = unwatched
    clock: LogClock = field(default_factory=LogClock)
    walked_at: float = -math.inf
    walked_pages: int = 0
    covered_at: float = -math.inf
    covered_pages: int = 0
    seen: dict[str, tuple[str, bool]] = field(default_factory=dict)
    """Rows that are not settled, and how they stood when they were read."""

    def should_walk(self, now: float, oldest: float | None, *, at_once: bool = False) -> bool:
        """Whether it is time to look for what has waited since ``oldest`` (unix seconds; None: for nothing)."""
        late = oldest is not None and oldest <= self._overdue(now)
        return (late or at_once) and now - self.walked_at >= self._rest_s()

    def since(self, dialed_at: Sequence[float], now: float, *, scarce: bool) -> float:
        """How far back a look must go for calls that were dialed then: unix seconds, ``inf`` for no further than news.

        ``scarce``: a line that comes free is waited for.
        """
        due = now - self.covered_at >= self.horizon_s / COVERS_OF_A_HORIZON
        if not (due or scarce or self.covered_pages <= CHEAP_PAGES):
            return math.inf
        overdue = self._overdue(now)
        young = min((moment for moment in dialed_at if moment > overdue), default=now)
        return young - self.most_behind_s

    @property
    def most_behind_s(self) -> float:
        """How much earlier than its request a call may begin: less, once calls have shown how much it is."""
        behind_s = self.clock.behind_s
        return CLOCK_SKEW_S if behind_s is None else min(CLOCK_SKEW_S, behind_s + NEAR_S)

    async def read(self, since: float, now: float, look_since: float | None) -> LogReading:
        """Walk back to ``since``; or, with ``look_since``, look: past that moment, and on while there is news.

        A page that fails leaves the scan incomplete. It stops early only in a log that proved to run from new to
        old: nobody promises an order.
        """
        scan, newest = LogReading(now), None
        try:
            async for page in self.provider.read_logs(since):
                fresh = await self._take(scan, page)
                begun = [row.started_at - self.clock.shift_s for row in page.rows if row.started_at is not None]
                newest = begun[0] if newest is None and begun else newest
                if newest is None or not begun or begun[-1] >= newest:
                    continue
                if max(begun) < since:
                    break
                covered = look_since is not None and max(begun) < look_since
                if covered and not any(fresh[-max(1, len(fresh) // TAIL) :]):
                    self._note(scan, look_since)
                    return scan
        except ProviderError as failed:
            scan.failure = failed
            return scan
        scan.complete = True
        self._note(scan, look_since)
        return scan

    def remember(self, rows: Iterable[CallLog], explained: Collection[str], now: float) -> None:
        """These are no news when they come again as they are."""
        if len(self.seen) > REMEMBERED:
            self.seen.clear()
        for row in rows:
            if row.call_id in explained or (row.started_at or now) < now - FRESH_S:
                self.seen[row.call_id] = _standing(row)

    def learn(self, begun_before_s: Iterable[float]) -> None:
        """How much earlier than their requests calls began, by the provider's clock; negative for later."""
        for seconds in begun_before_s:
            before = self.clock.behind_s
            self.clock.behind_s = seconds if before is None else max(before, seconds)

    def _note(self, scan: LogReading, look_since: float | None) -> None:
        if look_since is None:
            self.walked_at, self.walked_pages = scan.started, scan.pages
        if look_since != math.inf:
            self.covered_at, self.covered_pages = scan.started, scan.pages

    def _overdue(self, now: float) -> float:
        return now - min(OVERDUE_S, self.horizon_s / OVERDUE_PART)

    async def _take(self, scan: LogReading, page: LogPage) -> list[bool]:
        """Add a page; for each of its rows, whether it is news."""
        scan.pages += 1
        self.passing("reconcile.page")
        scan.unreadable += page.unreadable
        odd = page.odd or tuple(_unreadable(scan.pages, n) for n in range(page.unreadable))
        added = {row.call_id: self.clock.corrected(row) for row in (*page.rows, *odd) if row.call_id not in scan.rows}
        scan.rows |= added
        scan.known.update(await self.ledger.known_calls(self.provider.account, list(added)))
        fresh = [
            row.call_id in added and not scan.is_settled(row.call_id) and self.seen.get(row.call_id) != _standing(row)
            for row in page.rows
        ]
        scan.news += sum(fresh)
        return fresh

    def _rest_s(self) -> float:
        dear = min(self.walked_pages * WALK_PAGE_S, self.horizon_s / FEWEST_WALKS_OF_A_HORIZON)
        return max(self.horizon_s / WALKS_OF_A_HORIZON, dear)


def _unreadable(page: int, number: int) -> CallLog:
    """A row without anything to recognise it by."""
    return CallLog(f"unreadable:{page}:{number}", "", "", None, None, None, None, "", readable=False)


def _standing(row: CallLog) -> tuple[str, bool]:
    return row.raw_status, row.disposition is not None


def next_look_s(interval_s: float, elapsed_s: float, news: int, page_size: float) -> float:
    """When to look again, in seconds: after the interval, or later where half a page or more is new.

    ``news`` rows came up in the ``elapsed_s`` seconds since the reading before.
    """
    if elapsed_s <= 0 or not news:
        return interval_s
    filled_s = FULL_PAGES * page_size * elapsed_s / news
    return max(interval_s, min(filled_s, SLOWEST * interval_s)) if 2 * news > page_size else interval_s
