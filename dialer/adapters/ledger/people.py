"""People of campaigns, page by page."""

from collections.abc import Mapping
from dataclasses import dataclass

from dialer.adapters.ledger import view
from dialer.adapters.ledger.acts import COLUMNS as ACT_COLUMNS
from dialer.adapters.ledger.campaigns import CAMPAIGN_BY_ID, campaign_of
from dialer.adapters.ledger.states import in_states
from dialer.adapters.ledger.store import Store
from dialer.domain.act import Act
from dialer.domain.attempt import LIVE
from dialer.domain.contact import ContactStatus
from dialer.errors import UnknownName
from dialer.ports import Campaign, Clock, LogScan

LAST_ACTS = f"SELECT id, {ACT_COLUMNS} FROM acts WHERE id < :before ORDER BY id DESC LIMIT :limit"
LAST_ACTS_ON = (
    f"SELECT id, {ACT_COLUMNS} FROM acts WHERE campaign = :campaign AND id < :before ORDER BY id DESC LIMIT :limit"
)

LIVE_CALLS = f"""
SELECT count(*), count(CASE WHEN state = 'unknown' THEN 1 END), min(CASE WHEN state = 'unknown' THEN dialed_at END)
FROM attempts WHERE account = :account AND state IN ({in_states(LIVE)})
"""
LAST_WHOLE_SCAN = """
SELECT started_at, ended_at, since, pages, rows, whole FROM scans
WHERE account = :account AND whole = 1 ORDER BY started_at DESC LIMIT 1
"""


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

    async def live_calls(self, account: str) -> tuple[int, int, float | None]:
        used, unknown, since = (await self.store.read(lambda t: t.all(LIVE_CALLS, {"account": account})))[0]
        return used, unknown, since

    async def last_whole_scan(self, account: str) -> LogScan | None:
        rows = await self.store.read(lambda t: t.all(LAST_WHOLE_SCAN, {"account": account}))
        return LogScan(*rows[0]) if rows else None
