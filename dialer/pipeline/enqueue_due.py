"""The producer: due contacts become queued attempts, just in time, in the measure they can be dialed."""

import math
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from itertools import zip_longest

import structlog

from dialer.domain.campaign import CampaignStatus
from dialer.domain.checkpoint import Passing, unwatched
from dialer.domain.dealing import Dealer, Hand
from dialer.errors import LedgerUnavailable, QueueUnavailable
from dialer.pipeline.keep_lines import KeepLines
from dialer.ports import (
    Campaign,
    Clock,
    JobQueue,
    Ledger,
    LedgerView,
    Limits,
    Pacer,
    QueuedAttempt,
    Supply,
)

log = structlog.get_logger()

AILING_S = 60.0
LOST_OF = 100
LOST_SHARE = 0.5
"""An account is halted when more than this share of its last ``LOST_OF`` requests has an unknown fate."""
LOST_IN_A_ROW = 10
"""Or so many in a row: a small list would be over before."""
UNBOUND = 1_000_000
CAMPAIGNS_AT_ONCE = 16
"""In one commit of the feeder, which keeps the gate waiting."""


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
    lines: KeepLines
    ahead_s: float = 3.0
    unpaced_ahead: int = 4000
    """Attempts kept queued at most for a campaign without any limit; it starts with few, and grows."""
    lease_s: float = 3.5
    passing: Passing = unwatched
    may_dial: Callable[[str], bool] = lambda account: True
    """Whether an account is known to be as far as its ledger says."""
    depths: dict[int, int] = field(default_factory=dict)
    """Campaign without limits -> attempts kept queued: as many as the workers turned out to take."""
    tables: dict[str, "Table"] = field(default_factory=dict)
    """Account -> where its campaigns are dealt to."""
    ailing: dict[int, float] = field(default_factory=dict)
    """Campaign whose people could not be fed, in a way nobody foresaw -> the monotonic moment of the next try."""

    async def tick(self) -> Feed:
        """One round: sweep, pass the limits to the pacer, claim what is due, ring the workers, finish what is done."""
        swept = await self.ledger.sweep()
        self.passing("feed.swept")
        campaigns = [c for c in await self.view.campaigns(over=False) if not await self._set_aside(c)]
        supplies = {supply.campaign_id: supply for supply in await self.view.supplies()}
        await self._tell_pacer(campaigns, supplies)
        self.passing("feed.pacer_told")
        if await self._halt_the_lost(campaigns):
            return Feed(0, swept.leases_expired, swept.made_unknown)
        running = [c for c in campaigns if c.status is CampaignStatus.RUNNING and self.may_dial(c.spec.provider)]
        fed = await self._feed(running, supplies, swept.accounts)
        finished = await self.ledger.finish_campaigns()
        self.passing("feed.finished")
        if swept.leases_expired or swept.made_unknown or finished:
            log.info(
                "feeder.tick",
                queued=fed,
                leases_expired=swept.leases_expired,
                made_unknown=swept.made_unknown,
                finished=finished,
            )
        return Feed(fed, swept.leases_expired, swept.made_unknown, tuple(finished))

    async def _set_aside(self, campaign: Campaign) -> bool:
        """Whether a campaign's settings cannot be used: it halts, and the others go on."""
        if campaign.flaw and campaign.status in (CampaignStatus.RUNNING, CampaignStatus.SCHEDULED):
            reason = f"it cannot be obeyed: {campaign.flaw}. Correct its file, `dialer enqueue` it, then `dialer start`"
            await self.ledger.move_campaign(campaign.campaign_id, "halt", reason)
            log.error("campaign.halted", campaign=campaign.spec.name, reason=reason)
        return bool(campaign.flaw)

    async def _tell_pacer(self, campaigns: Sequence[Campaign], supplies: Mapping[int, Supply]) -> None:
        for account in sorted({campaign.spec.provider for campaign in campaigns}):
            of_account = [c for c in campaigns if c.spec.provider == account]
            limits = {c.campaign_id: _limits(c) for c in of_account if c.status is CampaignStatus.RUNNING}
            counted = await self.pacer.configure(account, self.account_limits.get(account, Limits(0, 0)), limits)
            live = sum(supplies[c.campaign_id].live for c in of_account if c.campaign_id in supplies)
            await self.lines.tick(account, counted, live)

    async def _halt_the_lost(self, campaigns: Sequence[Campaign]) -> bool:
        """Stop an account that loses most answers: each one lost spends somebody's attempt."""
        halted = []
        for account in sorted({c.spec.provider for c in campaigns if c.status is CampaignStatus.RUNNING}):
            recent = await self.view.recent_sends(account, LOST_IN_A_ROW)
            if _lost(recent) < LOST_SHARE * LOST_IN_A_ROW:
                continue
            # What a killed worker had on the wire is lost in a row as well, and is no fault of the provider.
            in_a_row = recent.get("unknown", 0) >= LOST_IN_A_ROW
            recent = recent if in_a_row else await self.view.recent_sends(account, LOST_OF)
            lost = _lost(recent)
            if in_a_row or lost > LOST_SHARE * LOST_OF:
                reason = (
                    f"{lost} of the last {sum(recent.values())} requests got no readable answer. Check the provider "
                    "and the network, then `dialer start`"
                )
                halted += await self.ledger.halt_account(account, reason)
        return bool(halted)

    async def _feed(self, running: Sequence[Campaign], supplies: Mapping[int, Supply], slow: Set[str]) -> int:
        """Deal, claim and ring for each account; ``slow``: those whose queued attempts were not taken in time."""
        fed = 0
        for account in sorted({campaign.spec.provider for campaign in running}):
            mine = [
                (c, supplies[c.campaign_id])
                for c in running
                if c.spec.provider == account and c.campaign_id in supplies
            ]
            limits = self.account_limits.get(account, Limits(0, 0))
            table = self.tables.setdefault(account, Table())
            hands = [Hand(c.campaign_id, c.spec.pace.weight, room) for c, room in await self._rooms(mine, limits)]
            queued, live = sum(supply.queued for _, supply in mine), sum(supply.live for _, supply in mine)
            room = min(room_of(limits, queued, live, table.spare, self.ahead_s), sum(hand.room for hand in hands))
            turns = table.bearable(queued, room, account in slow)
            table.claimed = await self._deal(table, hands, turns)
            fed += table.claimed
        return fed

    async def _rooms(self, supplied: Sequence[tuple[Campaign, Supply]], limits: Limits) -> list[tuple[Campaign, int]]:
        """Who has somebody due now, and how many more of each may be queued."""
        now, rooms = self.clock.now(), []
        for campaign, supply in supplied:
            if self.ailing.get(campaign.campaign_id, 0.0) > self.clock.monotonic():
                continue
            if not await self._within_budget(campaign) or supply.due_at is None or supply.due_at > now:
                continue
            own = _limits(campaign)
            room = room_of(own, supply.queued, supply.live, self.tables[campaign.spec.provider].spare, self.ahead_s)
            if not (own.calls_per_second or limits.calls_per_second):
                room = min(room, self._unpaced(campaign, supply.queued) - supply.queued)
            rooms.append((campaign, max(0, room)))
        return rooms

    async def _deal(self, table: "Table", hands: Sequence[Hand], turns: int) -> int:
        """Claim what is dealt, a few campaigns in a commit, and ring for it at once; deal again what nobody took."""
        claimed = 0
        while hands and turns > claimed:
            dealt = table.dealer.deal(hands, turns - claimed)
            took: dict[int, int] = {}
            wanted = list(dealt.items())
            for first in range(0, len(wanted), CAMPAIGNS_AT_ONCE):
                part = dict(wanted[first : first + CAMPAIGNS_AT_ONCE])
                answers = await self._claim(part)
                self.passing("feed.claimed")
                took |= {campaign_id: len(got) for campaign_id, got in zip(part, answers, strict=True)}
                # Campaigns take turns, so that none waits behind another's whole share.
                rung = [attempt for turn in zip_longest(*answers) for attempt in turn if attempt is not None]
                if rung:
                    await self.queue.enqueue(rung)
                    self.passing("feed.rung")
            claimed += sum(took.values())
            if sum(took.values()) == dealt.total():
                break
            hands = [
                replace(hand, room=hand.room - dealt[hand.campaign_id])
                for hand in hands
                if took.get(hand.campaign_id, 0) == dealt[hand.campaign_id]
            ]
        return claimed

    async def _claim(self, wanted: Mapping[int, int]) -> list[list[QueuedAttempt]]:
        """Claim for each campaign; an unforeseen error in one keeps no other waiting."""
        try:
            return await self.ledger.claim_due(wanted, self.lease_s)
        except (LedgerUnavailable, QueueUnavailable):
            raise
        except Exception:
            if len(wanted) > 1:
                return [(await self._claim({campaign_id: count}))[0] for campaign_id, count in wanted.items()]
            (campaign_id,) = wanted
            self.ailing[campaign_id] = self.clock.monotonic() + AILING_S
            log.exception("campaign.failed", campaign=campaign_id)
            return [[]]

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

    def _unpaced(self, campaign: Campaign, queued: int) -> int:
        """More when the workers ran out of work since the last tick, less when they left most of it."""
        before = self.depths.setdefault(campaign.campaign_id, self.unpaced_ahead // 64)
        lying, dry = queued > before * 3 // 4, queued <= before // 4
        depth = before // 2 if lying else before * 2 if dry else before
        self.depths[campaign.campaign_id] = max(100, min(depth, self.unpaced_ahead))
        return self.depths[campaign.campaign_id]


@dataclass(slots=True)
class Table:
    """The deal of one account, from tick to tick."""

    dealer: Dealer = field(default_factory=Dealer)
    claimed: int = 0
    """At the last tick."""
    eased: int | None = None
    """How many are queued at most, while workers are too slow to keep their leases."""

    @property
    def spare(self) -> int:
        """How many may wait for a line that is not free yet: about as many as come free between two ticks."""
        return 2 + 2 * self.claimed

    def bearable(self, queued: int, room: int, slow: bool) -> int:
        """How many of ``room`` more to queue, beside what is ``queued``.

        A machine that lets a whole queue's leases run out would do nothing but take it back and hand it over.
        """
        full = queued + room
        if slow:
            self.eased = max(2, min(full, self.eased or full) // 2)
        elif self.eased is not None:
            self.eased = 2 * self.eased if 2 * self.eased < full else None
        return room if self.eased is None else max(0, min(full, self.eased) - queued)


def room_of(limits: Limits, queued: int, live: int, spare: int, ahead_s: float) -> int:
    """How many more to queue under these limits: a few seconds' worth, and no more than lines will take."""
    rooms = [UNBOUND]
    if limits.calls_per_second > 0:
        rooms.append(max(2, math.ceil(limits.calls_per_second * ahead_s) + 1) - queued)
    if limits.concurrent_calls > 0:
        rooms.append(limits.concurrent_calls - live - queued + min(live, spare))
    return max(0, min(rooms))


def _lost(sends: Mapping[str, int]) -> int:
    return sends.get("unknown", 0) + sends.get("worker gone", 0)


def _limits(campaign: Campaign) -> Limits:
    pace = campaign.spec.pace
    return Limits(pace.calls_per_second, pace.concurrent_calls)
