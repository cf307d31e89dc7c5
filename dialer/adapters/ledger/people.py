"""People of campaigns, page by page."""

from collections.abc import Mapping
from dataclasses import dataclass

from dialer.adapters.ledger import view
from dialer.adapters.ledger.acts import COLUMNS as ACT_COLUMNS
from dialer.adapters.ledger.campaigns import CAMPAIGN_BY_ID, campaign_of
from dialer.adapters.ledger.store import Store
from dialer.domain.act import Act
from dialer.domain.contact import ContactStatus
from dialer.errors import UnknownName
from dialer.ports import Campaign, Clock

LAST_ACTS = f"SELECT id, {ACT_COLUMNS} FROM acts WHERE id < :before ORDER BY id DESC LIMIT :limit"
LAST_ACTS_ON = (
    f"SELECT id, {ACT_COLUMNS} FROM acts WHERE campaign = :campaign AND id < :before ORDER BY id DESC LIMIT :limit"
)


@dataclass(frozen=True)
class SqlPeople:
    """The PeopleView port over a store."""

    store: Store
    clock: Clock

    async def campaign(self, campaign_id: int) -> Campaign:
        rows = await self.store.read(lambda t: t.all(CAMPAIGN_BY_ID, {"id": campaign_id}))
        if not rows:
            raise UnknownName(f"there is no campaign {campaign_id}")
        return campaign_of(rows[0])

    async def by_status(self, campaign_id: int) -> Mapping[ContactStatus, int]:
        rows = await self.store.read(lambda t: t.all(view.CONTACT_COUNTS, {"id": campaign_id}))
        return {ContactStatus(status): count for status, count in rows}

    async def last_acts(self, campaign: str, limit: int, before: int = 2**62) -> list[Act]:
        statement, params = (
            LAST_ACTS_ON if campaign else LAST_ACTS,
            {"campaign": campaign, "limit": limit, "before": before},
        )
        return [Act(*row) for row in await self.store.read(lambda t: t.all(statement, params))]
