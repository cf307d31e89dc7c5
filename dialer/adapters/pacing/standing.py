"""What one process knows of an account, and whether a grant it gave still holds."""

import asyncio
import math
from collections.abc import Callable

from dialer.adapters.pacing.lane import Lane, PacedGrant
from dialer.adapters.pacing.redis_clock import RedisClock
from dialer.adapters.pacing.script import Look, PacerScript
from dialer.adapters.pacing.tally import Tally
from dialer.adapters.pacing.timing import Timing
from dialer.errors import QueueUnavailable

SPARSE_US = 20_000
LATEST_S = 0.25
ANSWER_S = 0.003
"""How long the request to make way may take; the call goes that much later at most."""


class Standing:
    """Epochs, limits and clocks as Redis last gave them. A change of ``fence`` voids every grant given."""

    def __init__(
        self,
        script: PacerScript,
        clock: Callable[[], float],
        timing: Timing,
        recall: Callable[[Lane | None], None],
    ) -> None:
        self.script, self.clock, self.timing, self._recall = script, clock, timing, recall
        self.redis_clock = RedisClock()
        self.lanes: dict[int, Lane] = {}
        self.epoch, self.epoch_at, self.sent_epoch, self.fence = 0, -math.inf, 0, 0
        self.version, self.highest_us, self.interval_us = -1, 0, 0
        self.ready = self.free = self.stale = self.stepped = False
        self.heard = self.touched = -math.inf
        self.tally = Tally()

    def is_free(self, lane: Lane) -> bool:
        """True while no limit of any kind is in force, by the latest answers of Redis."""
        fresh = self.clock() - self.heard <= 2 * self.timing.poll_s
        return self.free and lane.free and fresh and not self.stale

    def lane(self, campaign_id: int) -> Lane:
        """The campaign's queue."""
        lane = self.lanes.get(campaign_id)
        if lane is None:
            lane = self.lanes[campaign_id] = Lane(campaign_id)
        return lane

    def grant(self, lane: Lane, slot_us: int) -> PacedGrant:
        """A grant under what holds now; ``slot_us`` 0 for at once."""
        due = self.redis_clock.local(slot_us) if slot_us else self.clock()
        return PacedGrant(self, lane, self.epoch, self.fence, lane.fence, slot_us, due)

    def see(self, look: Look, sent: float) -> None:
        """Take in what is in force on the account; campaigns are as they were if nothing changed since."""
        self.note(sent, look.now_us)
        self.adopt(look.epoch, sent)
        self.ready, self.free = look.ready, look.free
        if look.version == self.version:
            self.heard = max(self.heard, sent)
        else:
            self.stale = True

    def see_lanes(self, look: Look, sent: float) -> None:
        """Take in what is in force, of all campaigns that matter now too."""
        self.version = look.version
        self.see(look, sent)
        self.stale = False
        for lane in self.lanes.values():
            lane.free = False
        for seen in look.campaigns:
            lane = self.lane(seen.campaign_id)
            self.adopt_lane(lane, seen.epoch, sent)
            lane.free = seen.free

    def take_epoch(self, epoch: int) -> None:
        """A message: every grant of an older epoch is void."""
        if epoch > self.epoch:
            self.adopt(epoch, self.clock())

    def take_campaign_epoch(self, campaign_id: int, epoch: int) -> None:
        """A message: every grant of the campaign of an older epoch is void."""
        lane = self.lane(campaign_id)
        lane.free = False
        self.adopt_lane(lane, epoch, self.clock())

    def note(self, sent: float, now_us: int) -> bool:
        """Compare clocks; False when Redis's was set since the last answer."""
        known = self.redis_clock.note(sent, now_us, self.clock())
        if not known:
            self.stepped = True
        return known

    def adopt(self, epoch: int, sent: float) -> bool:
        """False when the answer is older than what a message has said since."""
        if epoch != self.epoch:
            if epoch < self.epoch and sent < self.epoch_at:
                return False
            self.epoch, self.epoch_at, self.highest_us = epoch, self.clock(), 0
            self.void()
        return True

    def adopt_lane(self, lane: Lane, epoch: int, sent: float) -> bool:
        """The same for one campaign."""
        if epoch != lane.epoch:
            if epoch < lane.epoch and sent < lane.epoch_at:
                return False
            lane.epoch, lane.epoch_at = epoch, self.clock()
            lane.fence += 1
            self._recall(lane)
        return True

    def void(self) -> None:
        """Void every grant given so far; tasks without one yet ask again, and keep place and line."""
        self.fence += 1
        self._recall(None)

    def holds(self, grant: PacedGrant) -> bool:
        """Whether the grant is worth anything at this instant."""
        now = self.clock()
        return (
            grant.fence == self.fence
            and grant.lane_fence == grant.lane.fence
            and now - self.heard <= self.timing.deaf_s
            and now <= grant.due + (self.timing.deaf_s if grant.slot_us else self.timing.young_s / 2)
        )

    async def await_slot(self, grant: PacedGrant) -> bool:
        """Wait for the moment; a late one goes if the others can still make way."""
        while (wait := grant.due - self.clock()) > 0:  # noqa: ASYNC110 - timers may fire early
            await asyncio.sleep(wait)
        now = self.touched = self.clock()
        if not self.holds(grant):
            return False
        late = now - grant.due if grant.slot_us else 0.0
        guard = self.timing.guard_s - min(self.redis_clock.spread, self.timing.guard_s / 2)
        if late > guard and not await self._make_way(grant, late, guard):
            return False
        self.sent_epoch = grant.epoch
        self.tally.add(now)
        return True

    async def _make_way(self, grant: PacedGrant, late: float, guard: float) -> bool:
        if late > LATEST_S or max(self.interval_us, grant.lane.interval_us) < SPARSE_US:
            return False
        allowed = late + ANSWER_S
        shift = math.ceil((allowed - guard) * 1e6)
        try:
            moved = await self.script("late", grant.epoch, grant.lane.campaign_id, grant.slot_us, shift)
        except QueueUnavailable:
            return False
        return moved == 1 and self.clock() - grant.due <= allowed and self.holds(grant)
