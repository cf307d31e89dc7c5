"""One account in one process: gathers local waiters, asks Redis for them, hands out what it gets."""

import asyncio
import math
from collections.abc import Callable, Sequence

from dialer.adapters.pacing.lane import Lane, PacedGrant, Waiter
from dialer.adapters.pacing.outbox import Outbox
from dialer.adapters.pacing.script import (
    FULL,
    LATER,
    CampaignGrants,
    Grants,
    Look,
    PacerScript,
    read_grants,
    read_look,
)
from dialer.adapters.pacing.standing import Standing
from dialer.adapters.pacing.timing import Timing
from dialer.adapters.queue.cancelling import cancelled
from dialer.errors import QueueUnavailable

BATCH = 256
ACTIVE_S = 2.0
COLD_S = 0.1
FULL_S = 0.25
Ask = tuple[Lane, list[Waiter]]


def _head(lane: Lane) -> int:
    return lane.queue[0].attempt_id


class AccountPacer:
    """The waiters of one account in this process. One request to Redis is in flight at a time."""

    def __init__(self, script: PacerScript, clock: Callable[[], float], timing: Timing) -> None:
        self.script, self.clock, self.timing = script, clock, timing
        self.known = Standing(script, clock, timing, self._recall)
        self.outbox = Outbox(script)
        self.busy: dict[Lane, None] = {}
        self.holding: dict[Waiter, None] = {}
        self.freed_at = self.asked_at = -math.inf
        self.rest_until = 0.0
        self._brake: tuple[int, int] | None = None
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    # asking ----------------------------------------------------------------------------------------------

    async def acquire(self, campaign_id: int, attempt_id: int, patience_s: float, again: bool) -> PacedGrant | None:
        """A grant shortly before its slot, or None."""
        self.known.touched = self.clock()
        lane = self.known.lane(campaign_id)
        lane.touched = self.known.touched
        self._start()
        if self.known.is_free(lane):
            return self.known.grant(lane, 0)
        loop = asyncio.get_running_loop()
        waiter = Waiter(lane, attempt_id, again, loop.create_future())
        self.outbox.keep(attempt_id)
        # One older than all who wait here had its turn before: its worker is gone, or the attempt is a later one.
        if again or (lane.queue and attempt_id < lane.queue[0].attempt_id):
            lane.queue.appendleft(waiter)
        else:
            lane.queue.append(waiter)
        self.busy[lane] = None
        self._wake.set()
        timer = loop.call_later(max(0.0, patience_s), self._expire, waiter)
        try:
            return await waiter.future
        except asyncio.CancelledError:
            self._abandon(waiter)
            raise
        finally:
            timer.cancel()

    def _expire(self, waiter: Waiter) -> None:
        waiter.late = True
        if waiter.asked or waiter.grant is not None or waiter.future.done():
            return
        waiter.lane.queue.remove(waiter)
        self._give_up(waiter)

    def _give_up(self, waiter: Waiter) -> None:
        if waiter.line and not waiter.keeps_line:
            self.outbox.put([waiter.attempt_id])
        if not waiter.future.done():
            waiter.future.set_result(None)

    def _abandon(self, waiter: Waiter) -> None:
        waiter.late = True
        if waiter.grant is not None and waiter in self.holding:
            self._unhold(waiter)
        elif not waiter.asked and waiter in waiter.lane.queue:
            waiter.lane.queue.remove(waiter)
        if not waiter.asked:
            self._give_up(waiter)

    # the loop --------------------------------------------------------------------------------------------

    def _start(self) -> None:
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        while True:
            try:
                await self._step()
            except QueueUnavailable:
                self.lost()

    async def _step(self) -> None:
        now = self.clock()
        self._wake.clear()
        if now < self.rest_until:
            await self._sleep(self.rest_until - now)
        elif self._brake is not None:
            await self._send_brake(*self._brake)
        elif self.known.stepped:
            self.see(read_look(await self.script("reset", self.known.epoch)), now)
            self.known.stepped = False
        elif self._active(now) and (
            self.known.stale or self.known.version < 0 or now - self.known.heard >= self._poll_s()
        ):
            await self.look()
        elif self.known.ready and (asks := self._choose(now)):
            await self._ask(asks, now)
        else:
            await self._sleep(self._pause(now))

    def _active(self, now: float) -> bool:
        return bool(self.busy or self.holding) or now - self.known.touched < ACTIVE_S

    def _poll_s(self) -> float:
        # A paced grant is never older than the horizon, so nothing but its answer need be fresh.
        return self.timing.poll_paced_s if self.known.interval_us else self.timing.poll_s

    async def _sleep(self, seconds: float) -> None:
        handle = None
        if seconds < math.inf:
            handle = asyncio.get_running_loop().call_later(max(seconds, 0.0), self._wake.set)
        try:
            await self._wake.wait()
        finally:
            if handle is not None:
                handle.cancel()

    def _pause(self, now: float) -> float:
        if not self._active(now):
            return math.inf
        until = self.known.heard + self._poll_s()
        for lane in self.busy:
            if lane.queue and lane.held * 2 <= self._target(lane):
                until = min(until, max(lane.retry_at, self._lingers()))
        return until - now

    def _lingers(self) -> float:
        dense = self.known.interval_us < 2 * self.timing.linger_s * 1e6
        return self.asked_at + self.timing.linger_s if dense else -math.inf

    def _target(self, lane: Lane) -> int:
        step = max(self.known.interval_us * len(self.busy), lane.interval_us)
        return max(1, math.ceil(self.timing.hold_s * 1e6 / step)) if step else BATCH

    def _choose(self, now: float) -> list[Ask]:
        if now < self._lingers():
            return []
        asks: list[Ask] = []
        room = BATCH
        for lane in list(self.busy):
            if not lane.queue:
                del self.busy[lane]
        # Who was dealt first asks first: the feeder has shared the account out already.
        for lane in sorted(self.busy, key=_head):
            target = self._target(lane)
            if lane.retry_at > now or lane.held * 2 > target or not room:
                continue
            waiters = [lane.queue.popleft() for _ in range(min(target - lane.held, len(lane.queue), room))]
            room -= len(waiters)
            asks.append((lane, waiters))
        return asks

    async def _ask(self, asks: Sequence[Ask], sent: float) -> None:
        timing, args = self.timing, list[str | int]()
        for lane, waiters in asks:
            args += lane.campaign_id, len(waiters), *(waiter.attempt_id for waiter in waiters)
            for waiter in waiters:
                waiter.asked = True
        self.asked_at = sent
        lead = round((timing.lead_s + 0.001) * 1e6)
        try:
            raw = await self.script(
                "grant", lead, round(timing.horizon_s * 1e6), round(timing.line_life_s * 1e6), *args
            )
        except BaseException:
            for lane, waiters in asks:
                for waiter in waiters:
                    waiter.line = True  # nobody knows: the request may have been served
                self._put_back(lane, waiters)
            raise
        self._take(asks, read_grants(raw), sent)

    async def look(self) -> Look:
        """Ask what is in force. Raises QueueUnavailable."""
        sent = self.clock()
        # Of campaigns nobody asks for here, nothing need be known; there may be very many.
        known = self.known.lanes.values()
        asked = [lane.campaign_id for lane in known if lane.queue or lane.held or sent - lane.touched < ACTIVE_S]
        look = read_look(await self.script("look", *asked))
        self.known.see_lanes(look, sent)
        self._seen(look)
        return look

    # answers ---------------------------------------------------------------------------------------------

    def see(self, look: Look, sent: float) -> None:
        """Take in what is in force on the account."""
        self.known.see(look, sent)
        self._seen(look)

    def _seen(self, look: Look) -> None:
        self._wake.set()
        if not look.ready:
            self._rest()

    def _take(self, asks: Sequence[Ask], grants: Grants, sent: float) -> None:
        fresh = self.known.note(sent, grants.now_us) and self.known.adopt(grants.epoch, sent)
        if not grants.ready:
            for lane, waiters in asks:
                self._put_back(lane, waiters)
            self._rest()
            return
        if fresh and grants.highest_us < self.known.highest_us:
            self.known.stepped, fresh = True, False  # the server forgot slots it gave: an older copy answers
        self.known.highest_us, self.known.interval_us = grants.highest_us, grants.interval_us
        if grants.version == self.known.version:
            self.known.heard = max(self.known.heard, sent)
        else:
            self.known.stale = True
        for (lane, waiters), answer in zip(asks, grants.campaigns, strict=True):
            self._serve(lane, waiters, answer, fresh and self.known.adopt_lane(lane, answer.epoch, sent), sent)

    def _serve(self, lane: Lane, waiters: list[Waiter], answer: CampaignGrants, fresh: bool, sent: float) -> None:
        lane.interval_us = answer.interval_us
        lane.full = answer.why == FULL
        given = len(answer.slots)
        for waiter in waiters[:given]:
            waiter.line = True
        if not fresh:
            given = 0
        self._put_back(lane, waiters[given:])
        for waiter, slot in zip(waiters[:given], answer.slots, strict=False):
            self._give(waiter, slot)
        if answer.why == LATER:
            lane.retry_at = self.known.redis_clock.local(answer.again_us)
        elif answer.why and not (lane.full and self.freed_at > sent):
            lane.retry_at = self.clock() + FULL_S + lane.campaign_id % 10 / 100
        else:
            lane.retry_at = 0.0

    def _give(self, waiter: Waiter, slot_us: int) -> None:
        waiter.asked = False
        lane = waiter.lane
        waiter.grant = grant = self.known.grant(lane, slot_us)
        wait = grant.due - self.timing.lead_s - self.clock()
        lane.held += 1
        self.holding[waiter] = None
        if wait < 0.002:
            self._deliver(waiter)
        else:
            waiter.timer = asyncio.get_running_loop().call_later(wait, self._deliver, waiter)

    def _deliver(self, waiter: Waiter) -> None:
        grant = waiter.grant
        self._unhold(waiter)
        if waiter.future.done():
            self._give_up(waiter)
        else:
            self.known.touched = self.clock()
            waiter.future.set_result(grant)
        if waiter.lane.queue:
            self._wake.set()

    def _unhold(self, waiter: Waiter) -> None:
        if waiter.timer is not None:
            waiter.timer.cancel()
        waiter.grant = waiter.timer = None
        waiter.lane.held -= 1
        del self.holding[waiter]

    def _put_back(self, lane: Lane, waiters: Sequence[Waiter]) -> None:
        for waiter in reversed(waiters):
            waiter.asked = False
            if waiter.late:
                self._give_up(waiter)
            else:
                lane.queue.appendleft(waiter)
        if lane.queue:
            self.busy.pop(lane, None)
            self.busy[lane] = None

    # voiding ---------------------------------------------------------------------------------------------

    def _recall(self, lane: Lane | None) -> None:
        recalled = [waiter for waiter in self.holding if lane is None or waiter.lane is lane]
        for waiter in reversed(recalled):
            self._unhold(waiter)
            self._put_back(waiter.lane, [waiter])

    def lost(self) -> None:
        """Redis went away: nothing given holds."""
        self.known.void()
        self.known.stale = True
        self._rest()

    def _rest(self) -> None:
        self.rest_until = self.clock() + COLD_S
        self.known.stale = True

    def hear(self, words: Sequence[str]) -> None:
        """A message from the process that changed something: A epoch, C campaign epoch, F, K."""
        now = self.clock()
        if words[0] == "A":
            self.known.take_epoch(int(words[1]))
        elif words[0] == "C":
            self.known.take_campaign_epoch(int(words[1]), int(words[2]))
        if words[0] == "F":
            self.freed_at = now
        else:
            self.known.stale, self.rest_until = True, 0.0
        for lane in self.busy:
            if lane.full or words[0] != "F":
                lane.retry_at = 0.0
        self._wake.set()

    # braking ---------------------------------------------------------------------------------------------

    async def brake(self, seconds: float) -> None:
        """Stop this process at once, and every other through Redis as soon as it can be reached."""
        self.known.free = False
        self.known.void()
        self.known.stale = True
        stop = math.ceil(seconds * 1e6)
        epoch = self.known.sent_epoch
        self._start()
        try:
            await self._send_brake(epoch, stop)
        except QueueUnavailable:
            self._brake = epoch, stop
            self._rest()

    async def _send_brake(self, epoch: int, stop: int) -> None:
        sent = self.clock()
        look = read_look(await self.script("brake", epoch, stop, round(1e6 / self.known.tally.per_second(sent))))
        self._brake = None
        self.see(look, sent)

    async def aclose(self) -> None:
        """Stop asking; tasks that still wait get nothing."""
        if self._task is not None:
            await cancelled([self._task])
        self._recall(None)
        for lane in self.known.lanes.values():
            while lane.queue:
                self._give_up(lane.queue.popleft())
        await self.outbox.sent()
        await self.outbox.aclose()
