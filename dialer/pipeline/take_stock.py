"""What the ledger and the pacer know now, read by one task for everybody who asks."""

import re
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import structlog

from dialer.domain.campaign import CampaignStatus
from dialer.errors import DialerError
from dialer.pipeline.known_pace import known_pace
from dialer.ports import Campaign, Clock, LedgerView, Limits, PaceState, Supply
from dialer.ports.people import PeopleView
from dialer.ports.stock import AccountStock, CampaignStock, Stock, StockView

log = structlog.get_logger()

EVERY_S = 5.0
SHARE = 10
"""A reading that takes long is made again after so many times as long."""
MOST_CAMPAIGNS = 50
MOST_PLANNED = 100_000
OTHERS = "_other"
DIGITS = re.compile(r"\d{7}")
ACTIVE = (CampaignStatus.RUNNING, CampaignStatus.PAUSED, CampaignStatus.HALTED, CampaignStatus.SCHEDULED)


@dataclass(frozen=True)
class TakeStock:
    """The reader's room. ``accounts``: the limits of each; ``may_use``: whether it can be used; ``pace_of``: what the
    pacer says of it, None where there is none to ask.
    """

    view: LedgerView
    people: PeopleView
    stock: StockView
    clock: Clock
    accounts: Mapping[str, Limits]
    may_use: Callable[[str], bool]
    pace_of: Callable[[str], Awaitable[PaceState]] | None = None

    async def keep(self, show: Callable[[Stock], None]) -> None:
        """Take stock again and again, until cancelled."""
        failing = False
        while True:
            began = self.clock.monotonic()
            try:
                show(await self.take())
                failing = False
            except DialerError as failed:
                if not failing:  # said once, however long it lasts
                    log.warning("stock.not_taken", error=str(failed))
                failing = True
            await self.clock.sleep(max(EVERY_S, SHARE * (self.clock.monotonic() - began)))

    async def take(self) -> Stock:
        """Raises LedgerUnavailable."""
        campaigns = await self.view.campaigns(over=False)
        supplies = {supply.campaign_id: supply for supply in await self.view.supplies()}
        used = {one.spec.provider for one in campaigns}
        names = [name for name in self.accounts if name in used or self.may_use(name)]
        accounts = {
            name: await self._account(name, [one for one in campaigns if one.spec.provider == name], supplies)
            for name in names
        }
        statuses = Counter(str(one.status) for one in campaigns)
        return Stock(self.clock.now(), accounts, statuses, await self._campaigns(campaigns))

    async def _account(self, name: str, campaigns: Sequence[Campaign], supplies: Mapping[int, Supply]) -> AccountStock:
        limits, state, scan = (
            self.accounts[name],
            await known_pace(self.pace_of, name),
            await self.people.last_whole_scan(name),
        )
        attempts = await self.stock.attempts(name)
        own = [supplies[one.campaign_id] for one in campaigns if one.campaign_id in supplies]
        planned = 0
        for one in campaigns:
            planned += await self.stock.planned(one.campaign_id, max(0, MOST_PLANNED - planned))
        return AccountStock(
            configured_per_s=limits.calls_per_second,
            learned_per_s=state.learned_per_s if state else None,
            lines_used=state.lines if state else attempts.dialing + attempts.placed + attempts.unknown,
            lines_limit=limits.concurrent_calls,
            braked_until=state.braked_until if state else None,
            attempts=attempts,
            planned=planned,
            queued=sum(supply.queued for supply in own),
            due_since=min((supply.due_at for supply in own if supply.due_at is not None), default=None),
            log_read_at=scan.ended_at if scan else None,
        )

    async def _campaigns(self, campaigns: Sequence[Campaign]) -> Mapping[str, CampaignStock]:
        """The youngest that are under way by name, and all others that are together."""
        active = [one for one in reversed(campaigns) if one.status in ACTIVE]
        sources = await self.view.source_states()
        counted: dict[str, CampaignStock] = {}
        for place, one in enumerate(active):
            state = sources.get(one.campaign_id)
            cost, _, _ = await self.view.spent(one.campaign_id)
            contacts = await self.stock.by_status(one.campaign_id)
            read_at = state.read_at if state and one.spec.source.url else None
            stock = CampaignStock(contacts, cost, one.spec.max_cost, read_at)
            label = label_of(one) if place < MOST_CAMPAIGNS else OTHERS
            counted[label] = _together(counted[label], stock) if label in counted else stock
        return counted


def label_of(campaign: Campaign) -> str:
    """Its handle, unless a telephone number may be in it."""
    name = campaign.spec.handle
    return f"campaign {campaign.campaign_id}" if DIGITS.search(name) or name == OTHERS else name


def _together(one: CampaignStock, another: CampaignStock) -> CampaignStock:
    contacts = Counter(one.contacts) + Counter(another.contacts)
    return replace(one, contacts=contacts, cost=one.cost + another.cost, budget=0.0, source_read_at=None)
