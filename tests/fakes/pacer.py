"""An in-memory Pacer on an injected clock: the same contract, one process, no Redis."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count

from dialer.domain.pacing import FLOOR, interval_us, multiplier
from dialer.ports import Clock, Limits, OldLines, Pacer, PaceState

LEAD_S, GUARD_S, LIFE_S, YOUNG_S, STEP_S = 0.015, 0.005, 3900.0, 5.0, 0.005
OTHERS_S = 0.05
"""Between two looks of who waits for no slot but for others: for a line, or the end of a pause."""


@dataclass(slots=True)
class _Line:
    campaign_id: int
    ends: float
    born: float


@dataclass(slots=True)
class _Account:
    limits: Limits | None = None
    campaigns: dict[int, Limits] = field(default_factory=dict)
    restored: bool = False
    lines: dict[int, _Line] = field(default_factory=dict)
    used: Counter[int] = field(default_factory=Counter)
    """Campaign -> its lines."""
    first_end: float = math.inf
    waiting: dict[int, int] = field(default_factory=dict)
    """Ticket -> campaign, first come first."""
    next_slot: float = -math.inf
    campaign_slot: dict[int, float] = field(default_factory=dict)
    epoch: int = 0
    campaign_epoch: dict[int, int] = field(default_factory=dict)
    braked_until: float = -math.inf
    part: float = 1.0
    sent_epoch: int = -1

    def could_go(self, campaign_id: int, by: float) -> bool:
        """Whether the campaign has a line left, and a slot of its own by this moment."""
        own = self.campaigns.get(campaign_id)
        if own is None or own.paused or self.campaign_slot.get(campaign_id, -math.inf) > by:
            return False
        return not own.concurrent_calls or self.used[campaign_id] < own.concurrent_calls

    def hold(self, lines: Mapping[int, _Line]) -> None:
        """These lines, and no others, are in use."""
        self.lines = dict(lines)
        self.used = Counter(line.campaign_id for line in lines.values())
        self.first_end = min((line.ends for line in lines.values()), default=math.inf)


@dataclass(slots=True)
class MemoryGrant:
    """A slot and a line."""

    account: _Account
    campaign_id: int
    clock: Clock
    due: float
    epoch: int
    campaign_epoch: int

    async def slot(self) -> bool:
        """Wait for the moment; False when voided or more than the guard late."""
        while (wait := self.due - self.clock.monotonic()) > 0:
            await self.clock.sleep(wait)
        if not self.valid or self.clock.monotonic() - self.due > GUARD_S:
            return False
        self.account.sent_epoch = self.epoch
        return True

    @property
    def valid(self) -> bool:
        """No brake and no pause since it was given."""
        same = self.account.campaign_epoch.get(self.campaign_id) == self.campaign_epoch
        return self.epoch == self.account.epoch and same


class MemoryPacer:
    """Grants nothing until ``configure`` and ``restored`` ran, as the real one."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._accounts: dict[str, _Account] = {}
        self._tickets = count(1)

    async def configure(self, account: str, limits: Limits, campaigns: Mapping[int, Limits]) -> int | None:
        """Set the limits in force."""
        at = self._account(account)
        if limits.paused and at.limits is not None and not at.limits.paused:
            at.epoch += 1
        for campaign_id, before in at.campaigns.items():
            now = campaigns.get(campaign_id)
            if not before.paused and (now is None or now.paused):
                at.campaign_epoch[campaign_id] = at.campaign_epoch.get(campaign_id, 0) + 1
        at.limits, at.campaigns = limits, dict(campaigns)
        for campaign_id in campaigns:
            at.campaign_epoch.setdefault(campaign_id, 0)
        return len(at.lines) if at.restored else None

    async def acquire(self, account: str, campaign_id: int, attempt_id: int, patience_s: float) -> MemoryGrant | None:
        """A grant shortly before its slot."""
        at, ticket = self._account(account), next(self._tickets)
        at.waiting[ticket] = campaign_id
        try:
            return await self._wait(at, campaign_id, attempt_id, patience_s, ticket)
        finally:
            del at.waiting[ticket]

    async def again(self, account: str, campaign_id: int, attempt_id: int, patience_s: float) -> MemoryGrant | None:
        """Another slot, before all who wait; the line kept."""
        return await self._wait(self._account(account), campaign_id, attempt_id, patience_s, 0)

    async def _wait(
        self, at: _Account, campaign_id: int, attempt_id: int, patience_s: float, ticket: int
    ) -> MemoryGrant | None:
        deadline = self._clock.monotonic() + patience_s
        while not self._is_next(at, ticket) or (grant := self._grant(at, campaign_id, attempt_id)) is None:
            left = deadline - self._clock.monotonic()
            if left <= 0:
                return None
            until_slot = self._slot(at, campaign_id) - LEAD_S - self._clock.monotonic()
            await self._clock.sleep(min(max(STEP_S, until_slot) if until_slot > 0 else OTHERS_S, left))
        return grant

    def _slot(self, at: _Account, campaign_id: int) -> float:
        return max(at.next_slot, at.campaign_slot.get(campaign_id, -math.inf), at.braked_until)

    def _is_next(self, at: _Account, ticket: int) -> bool:
        """Nobody who came before could go now."""
        now = self._clock.monotonic()
        earlier = (campaign_id for other, campaign_id in at.waiting.items() if other < ticket)
        return not any(at.could_go(campaign_id, now + LEAD_S) for campaign_id in set(earlier))

    async def release(self, account: str, attempt_ids: Sequence[int]) -> None:
        """Free lines."""
        at, freed = self._account(account), set(attempt_ids)
        at.hold({id_: line for id_, line in at.lines.items() if id_ not in freed})

    async def brake(self, account: str, seconds: float) -> None:
        """Stop, then recover."""
        at, now = self._account(account), self._clock.monotonic()
        same = now < at.braked_until or -1 < at.sent_epoch < at.epoch
        if not same:
            at.part = multiplier(at.part, now - at.braked_until) if at.part < 1 else 1.0
        at.braked_until = max(at.braked_until, now + seconds)
        if not same:
            at.part = max(FLOOR, at.part)
        at.epoch += 1

    async def hold(self, account: str, lines: Mapping[int, tuple[int, float]]) -> None:
        """These too are in use."""
        at, now = self._account(account), self._clock.now()
        born = {id_: line.born for id_, line in at.lines.items()}
        named = {
            id_: _Line(campaign, max(ends, now + 60), born.get(id_, 0.0)) for id_, (campaign, ends) in lines.items()
        }
        at.hold(at.lines | named)

    async def old_lines(self, account: str, cursor: int) -> OldLines:
        """All of them at once."""
        before = self._clock.now() - YOUNG_S
        old = [id_ for id_, line in self._account(account).lines.items() if line.born <= before]
        return OldLines(0, old, before)

    async def drop(self, account: str, attempt_ids: Sequence[int], granted_before: float) -> None:
        """Free them, but for those granted since."""
        lines = self._account(account).lines
        old = [id_ for id_ in attempt_ids if id_ in lines and lines[id_].born <= granted_before]
        await self.release(account, old)

    async def restored(self, account: str) -> None:
        """Grants may be given."""
        self._account(account).restored = True

    async def state(self, account: str) -> PaceState:
        """What is in force."""
        at, now = self._account(account), self._clock.monotonic()
        rate = at.limits.calls_per_second if at.limits else 0.0
        until = at.braked_until - now
        braked = self._clock.now() + until if until > 0 else None
        return PaceState(len(at.lines), rate, rate * self._part(at), braked)

    def _account(self, name: str) -> _Account:
        return self._accounts.setdefault(name, _Account())

    def _part(self, at: _Account) -> float:
        if at.braked_until == -math.inf:
            return 1.0
        return multiplier(at.part, self._clock.monotonic() - at.braked_until)

    def _grant(self, at: _Account, campaign_id: int, attempt_id: int) -> MemoryGrant | None:
        own = at.campaigns.get(campaign_id)
        if not at.restored or at.limits is None or at.limits.paused or own is None or own.paused:
            return None
        now = self._clock.monotonic()
        due = self._slot(at, campaign_id)
        paced = at.limits.calls_per_second or own.calls_per_second
        if due > now + (LEAD_S if paced else 0.0):
            return None
        if not self._line(at, own, campaign_id, attempt_id):
            return None
        due = max(due, now + LEAD_S) if paced else now
        at.next_slot = due + interval_us(at.limits.calls_per_second * self._part(at)) / 1e6
        at.campaign_slot[campaign_id] = due + interval_us(own.calls_per_second) / 1e6
        return MemoryGrant(at, campaign_id, self._clock, due, at.epoch, at.campaign_epoch.get(campaign_id, 0))

    def _line(self, at: _Account, own: Limits, campaign_id: int, attempt_id: int) -> bool:
        now = self._clock.now()
        if at.first_end <= now:
            at.hold({id_: line for id_, line in at.lines.items() if line.ends > now})
        used = at.used[campaign_id]
        cap = at.limits.concurrent_calls if at.limits else 0
        if attempt_id in at.lines:
            # Who stood still too long between grant and intent finds its line given to another.
            if 0 < cap < len(at.lines) or 0 < own.concurrent_calls < used:
                return False
            at.hold(at.lines | {attempt_id: _Line(campaign_id, now + LIFE_S, now)})
            return True
        if (cap and len(at.lines) >= cap) or (own.concurrent_calls and used >= own.concurrent_calls):
            return False
        at.hold(at.lines | {attempt_id: _Line(campaign_id, now + LIFE_S, now)})
        return True


async def restore(pacer: Pacer, account: str, live: Mapping[int, tuple[int, float]]) -> None:
    """Make the lines equal to ``live``, as the feeder's round does by what the ledger knows."""
    await pacer.hold(account, live)
    cursor: int | None = None
    while cursor != 0:
        old = await pacer.old_lines(account, cursor or 0)
        await pacer.drop(account, [id_ for id_ in old.attempt_ids if id_ not in live], old.granted_before)
        cursor = old.cursor
    await pacer.restored(account)
