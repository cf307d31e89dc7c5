"""The lines that Redis counts follow the calls that the ledger knows: a part in each round, the whole after a loss.

Workers take lines and free them; this repairs what got lost: a worker that died with a line, a line that
Redis forgot, a call that lasts longer than was thought.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from dialer.domain.attempt import AttemptState
from dialer.ports import Clock, LedgerView, LiveCall, Pacer

AT_ONCE = 1000
"""Calls looked at in one round."""
FRESH_S = 2.0
"""A reading of the ledger that took longer would hold lines of calls that are over."""
IN_FLIGHT_S = 5.0
"""So long after a loss calls may still become live that were let go before it."""
FORGOTTEN_SHARE, FORGOTTEN = 0.1, 10
"""Redis lost lines when it counts fewer than there are calls, by more than this share and this number."""


@dataclass(slots=True)
class Walk:
    """How far the rounds came with one account."""

    after: int = 0
    """The last attempt that was looked at."""
    cursor: int = 0
    """Where the pacer goes on with its lines."""
    whole_until: float = 0.0
    """Until this monotonic moment each round looks at everything."""


@dataclass(frozen=True)
class KeepLines:
    """Run by the feeder. ``line_life_s``: how long a call may hold its line without word from the log."""

    view: LedgerView
    pacer: Pacer
    clock: Clock
    line_life_s: float
    at_once: int = AT_ONCE
    walks: dict[str, Walk] = field(default_factory=dict)

    async def tick(self, account: str, counted: int | None, live: int) -> None:
        """One round. ``counted``: the lines in use by the pacer, None after a loss; ``live``: calls that are surely on.

        Raises QueueUnavailable, LedgerUnavailable.
        """
        walk, now = self.walks.setdefault(account, Walk()), self.clock.monotonic()
        if counted is None or counted + FORGOTTEN < live * (1 - FORGOTTEN_SHARE):
            walk.whole_until = now + IN_FLIGHT_S
        if counted is None or now < walk.whole_until:
            await self._whole(account, walk)
        elif await self._hold_some(account, walk):
            await self._free_some(account, walk)

    async def _whole(self, account: str, walk: Walk) -> None:
        walk.after = walk.cursor = 0
        held = await self._hold_some(account, walk)
        while held and walk.after:
            held = await self._hold_some(account, walk)
        if not held:
            return  # the next round starts over
        await self._free_some(account, walk)
        while walk.cursor:
            await self._free_some(account, walk)
        await self.pacer.restored(account)

    async def _hold_some(self, account: str, walk: Walk) -> bool:
        """False when the ledger answered too late."""
        asked = self.clock.monotonic()
        calls = await self.view.live_calls(account, walk.after, self.at_once)
        if self.clock.monotonic() - asked > FRESH_S:
            return False
        walk.after = calls[-1].attempt_id if len(calls) == self.at_once else 0
        if calls:
            await self.pacer.hold(account, self._lines(calls))
        return True

    async def _free_some(self, account: str, walk: Walk) -> None:
        old = await self.pacer.old_lines(account, walk.cursor)
        walk.cursor = old.cursor
        if old.attempt_ids:
            live = await self.view.live_among(old.attempt_ids)
            gone = [attempt_id for attempt_id in old.attempt_ids if attempt_id not in live]
            await self.pacer.drop(account, gone, old.granted_before)

    def _lines(self, calls: Iterable[LiveCall]) -> dict[int, tuple[int, float]]:
        """Who holds a line, and until when: an unknown call until it is settled, others for the longest call."""
        now = self.clock.now()
        lines = {}
        for call in calls:
            began_at = max(call.dialed_at, call.began_at or 0.0)
            since = now if call.state is AttemptState.UNKNOWN else began_at
            if since + self.line_life_s > now:
                lines[call.attempt_id] = (call.campaign_id, since + self.line_life_s)
        return lines
