"""Campaigns made or changed by who may have seen an older state of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from dialer.adapters.ledger import unfinished
from dialer.adapters.ledger.campaigns import CAMPAIGN_BY_NAME, campaign_of, open_campaigns
from dialer.adapters.ledger.store import Store
from dialer.adapters.ledger.transaction import Transaction
from dialer.domain.act import By
from dialer.domain.campaign import CampaignSpec
from dialer.ports import Campaign, Clock

Draft = tuple[CampaignSpec, CampaignSpec | None, bool]


@dataclass(frozen=True)
class SqlDrafts:
    """The Drafts port over a store."""

    store: Store
    clock: Clock

    async def put(self, spec: CampaignSpec, seen: CampaignSpec | None, by: By, *, is_new: bool) -> Campaign | None:
        opened = (await self.store.submit(_put, [(spec, seen, is_new)], by))[0]
        if opened is None:
            return None
        campaign, left = opened
        if left:
            await unfinished.finish(self.store, self.clock, campaign.campaign_id)
        return campaign


def _put(transaction: Transaction, drafts: Sequence[Draft], by: By, now: float) -> list[tuple[Campaign, bool] | None]:
    return [_put_one(transaction, draft, by, now) for draft in drafts]


def _put_one(transaction: Transaction, draft: Draft, by: By, now: float) -> tuple[Campaign, bool] | None:
    spec, seen, is_new = draft
    rows = transaction.all(CAMPAIGN_BY_NAME, {"name": spec.handle})
    if (rows and is_new) or (seen is not None and (not rows or campaign_of(rows[0]).spec != seen)):
        return None
    return open_campaigns(transaction, [spec], by, now)[0]
