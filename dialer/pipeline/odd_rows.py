"""Rows of a log that nobody explains, counted once, when their calls had time to be explained."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from dialer.domain.call import CallLog
from dialer.ports import Ledger
from dialer.ports.meter import UNMETERED, Meter

TIME_S = 120.0
"""So long a row may be that of a request whose answer is not recorded yet."""
MOST = 10_000


@dataclass
class OddRows:
    """For one account. Only the process that reads the log knows them: a restart forgets those that wait."""

    ledger: Ledger
    account: str
    meter: Meter = UNMETERED
    waiting: dict[str, float] = field(default_factory=dict)
    """Call id -> since when its row has been seen."""
    words: dict[str, None] = field(default_factory=dict)
    """Calls whose unknown word was counted."""

    async def mind(self, strays: Iterable[CallLog], rows: Iterable[CallLog], since: float, now: float) -> None:
        """Take in a reading. ``strays``: rows that nothing explains and that were not there before; those of calls
        before ``since`` do not count. Times are unix seconds.
        """
        if self.meter is UNMETERED:
            return
        new = [row.call_id for row in rows if row.unmapped and row.call_id not in self.words]
        self.words |= dict.fromkeys(new)
        self.meter.rows(self.account, "unmapped", len(new))
        for row in strays:
            if row.outbound and (row.started_at or now) >= since:
                self.waiting.setdefault(row.call_id, now)
        for kept in (self.words, self.waiting):
            for call_id in list(kept)[: max(0, len(kept) - MOST)]:
                del kept[call_id]
        await self._count(now)

    async def _count(self, now: float) -> None:
        due = [call_id for call_id, seen_at in self.waiting.items() if seen_at <= now - TIME_S]
        if not due:
            return
        known = await self.ledger.known_calls(self.account, due)
        unexplained = [call_id for call_id in due if call_id in known and known[call_id].attempt_id is None]
        self.meter.rows(self.account, "unexplained", len(unexplained))
        for call_id in due:
            del self.waiting[call_id]
