"""The producer: due contacts become queued attempts, just in time, in the measure they can be dialed."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest

import structlog

from dialer.domain.attempt import AttemptState
from dialer.domain.campaign import CampaignStatus
from dialer.domain.checkpoint import Passing, unwatched
from dialer.ports import Campaign, Clock, JobQueue, Ledger, LedgerView, Limits, OpenAttempt, Pacer, QueuedAttempt

log = structlog.get_logger()

FRESH_S = 2.0
LOST_OF = 100
LOST_SHARE = 0.5
"""An account is halted when more than this share of its last ``LOST_OF`` requests has an unknown fate."""
LOST_IN_A_ROW = 10
"""Or so many in a row: a small list would be over before."""


@dataclass(frozen=True, slots=True)
class Feed:
    """What one tick of the feeder did."""

    queued: int = 0
    leases_expired: int = 0
    made_unknown: int = 0
    finished: tuple[str, ...] = ()


@dataclass(frozen=True)
class EnqueueDue:
    """The feeder's room; safe to run in any number of processes, at any time."""

    ledger: Ledger
    view: LedgerView
    queue: JobQueue
    pacer: Pacer
    clock: Clock
    account_limits: Mapping[str, Limits]
    line_life_s: float
    """How long a call may hold its line without word from the log."""
    ahead_s: float = 3.0
    unpaced_ahead: int = 4000
    """Attempts kept queued at most for a campaign without any limit; it starts with an eighth of that."""
    lease_s: float = 3.5
    passing: Passing = unwatched
    depths: dict[int, int] = field(default_factory=dict)
    """Campaign without limits -> attempts kept queued: as many as the workers turned out to take."""
    eased: dict[int, int] = field(default_factory=dict)
    """Campaign with limits -> attempts kept queued, while workers are too slow to keep their leases."""

    async def tick(self) -> Feed:
        """One round: sweep, tell the pacer, claim what is due, ring the workers, finish what is done."""
        swept = await self.ledger.sweep()
        self.passing("feed.swept")
        campaigns = await self.view.campaigns()
        await self._tell_pacer(campaigns)
        self.passing("feed.pacer_told")
        if await self._halt_the_lost(campaigns):
            return Feed(0, swept.leases_expired, swept.made_unknown)
        claimed = await self._claim(
            [c for c in campaigns if c.status is CampaignStatus.RUNNING], slow=swept.leases_expired > 0
        )
        self.passing("feed.claimed")
        if claimed:
            await self.queue.enqueue(claimed)
            self.passing("feed.rung")
        finished = await self.ledger.finish_campaigns()
        self.passing("feed.finished")
        if swept.leases_expired or swept.made_unknown or finished:
            log.info(
                "feeder.tick",
                queued=len(claimed),
                leases_expired=swept.leases_expired,
                made_unknown=swept.made_unknown,
                finished=finished,
            )
        return Feed(len(claimed), swept.leases_expired, swept.made_unknown, tuple(finished))

    async def _tell_pacer(self, campaigns: Sequence[Campaign]) -> None:
        for account in sorted({campaign.spec.provider for campaign in campaigns}):
            of_account = [c for c in campaigns if c.spec.provider == account]
            limits = {c.campaign_id: _limits(c) for c in of_account if c.status is CampaignStatus.RUNNING}
            await self.pacer.configure(account, self.account_limits.get(account, Limits(0, 0)), limits)
            asked = self.clock.monotonic()
            live = await self.view.live_attempts(account)
            # An old answer would free the lines of calls that were placed since; the next tick has a fresh one.
            if self.clock.monotonic() - asked <= FRESH_S:
                await self.pacer.restore(account, self._lines(live))

    async def _halt_the_lost(self, campaigns: Sequence[Campaign]) -> bool:
        """Stop an account most of whose answers get lost: each of them spends somebody's attempt."""
        halted = []
        for account in sorted({c.spec.provider for c in campaigns if c.status is CampaignStatus.RUNNING}):
            recent = await self.view.recent_sends(account, LOST_IN_A_ROW)
            if recent.get("unknown", 0) < LOST_SHARE * LOST_IN_A_ROW:
                continue
            in_a_row = recent.get("unknown", 0) >= LOST_IN_A_ROW
            recent = recent if in_a_row else await self.view.recent_sends(account, LOST_OF)
            lost = recent.get("unknown", 0)
            if in_a_row or lost > LOST_SHARE * LOST_OF:
                reason = (
                    f"{lost} of the last {sum(recent.values())} requests got no readable answer. Check the provider "
                    "and the network, then `dialer start`"
                )
                halted += await self.ledger.halt_account(account, reason)
        return bool(halted)

    def _lines(self, live: Sequence[OpenAttempt]) -> dict[int, tuple[int, float]]:
        """Who holds a line, and until when: a call of unknown fate until it is settled, others as calls can last."""
        now = self.clock.now()
        lines = {}
        for attempt in live:
            began_at = max(attempt.dialed_at, attempt.began_at or 0.0)
            since = now if attempt.state is AttemptState.UNKNOWN else began_at
            if since + self.line_life_s > now:
                lines[attempt.attempt_id] = (attempt.campaign_id, since + self.line_life_s)
        return lines

    async def _claim(self, running: Sequence[Campaign], *, slow: bool) -> list[QueuedAttempt]:
        """Claim for each running campaign; ``slow``: what was queued before was not taken in time."""
        queued = await self.ledger.waiting_in_queue()
        per_campaign = []
        for campaign in running:
            if not await self._within_budget(campaign):
                continue
            waiting = queued.get(campaign.campaign_id, 0)
            wanted = self._depth(campaign, waiting, slow) - waiting
            if wanted > 0:
                per_campaign.append(await self.ledger.claim_due(campaign.campaign_id, wanted, self.lease_s))
        # Campaigns take turns, so that none waits behind another's whole share.
        return [attempt for turn in zip_longest(*per_campaign) for attempt in turn if attempt is not None]

    async def _within_budget(self, campaign: Campaign) -> bool:
        """Whether another call is covered, counting each open call at the mean cost so far; halts what is spent."""
        most = campaign.spec.max_cost
        if most <= 0:
            return True
        cost, known, live = await self.view.spent(campaign.campaign_id)
        mean = cost / known if known else 0.0
        if cost + live * mean < most:
            return True
        if not live:
            reason = f"the budget of {most:g} is spent ({cost:g}). Raise [budget] max_cost, then `dialer start`"
            await self.ledger.move_campaign(campaign.campaign_id, "halt", reason)
        return False

    def _depth(self, campaign: Campaign, queued: int, slow: bool) -> int:
        """How many attempts to keep queued: a few seconds' worth, and no more than lines could take."""
        pace, account = campaign.spec.pace, self.account_limits.get(campaign.spec.provider, Limits(0, 0))
        rates = [rate for rate in (pace.calls_per_second, account.calls_per_second) if rate > 0]
        lines = [count for count in (pace.concurrent_calls, account.concurrent_calls) if count > 0]
        if not rates:
            return max(2, min([self._unpaced(campaign, queued, slow), *lines]))
        full = max(2, min([math.ceil(min(rates) * self.ahead_s) + 1, *lines]))
        return self._bearable(campaign.campaign_id, full, slow)

    def _bearable(self, campaign_id: int, full: int, slow: bool) -> int:
        """A machine that lets a whole queue's leases run out would do nothing but take it back and hand it over."""
        before = min(full, self.eased.get(campaign_id, full))
        self.eased[campaign_id] = max(2, before // 2) if slow else min(full, before * 2)
        return self.eased[campaign_id]

    def _unpaced(self, campaign: Campaign, queued: int, slow: bool) -> int:
        """More when the workers ran dry since the last tick, less when they left most of it lying."""
        before = self.depths.get(campaign.campaign_id, self.unpaced_ahead // 8)
        lying, dry = slow or queued > before * 3 // 4, queued <= before // 4
        depth = before // 2 if lying else before * 2 if dry else before
        self.depths[campaign.campaign_id] = max(100, min(depth, self.unpaced_ahead))
        return self.depths[campaign.campaign_id]


def _limits(campaign: Campaign) -> Limits:
    pace = campaign.spec.pace
    return Limits(pace.calls_per_second, pace.concurrent_calls, pace.weight)
