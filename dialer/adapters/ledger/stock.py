"""How much of everything there is now."""

from collections.abc import Mapping
from dataclasses import dataclass

from dialer.adapters.ledger import view
from dialer.adapters.ledger.states import in_states
from dialer.adapters.ledger.store import Store
from dialer.adapters.ledger.transaction import Transaction
from dialer.domain.attempt import LIVE
from dialer.domain.contact import ContactStatus
from dialer.ports.stock import AttemptsNow

LIVE_BY_STATE = f"""
SELECT count(CASE WHEN state = 'dialing' THEN 1 END), count(CASE WHEN state = 'placed' THEN 1 END),
    count(CASE WHEN state = 'unknown' THEN 1 END), min(CASE WHEN state = 'unknown' THEN dialed_at END)
FROM attempts WHERE account = :account AND state IN ({in_states(LIVE)})
"""
IN_REVIEW = "SELECT count(*) FROM attempts WHERE account = :account AND state = 'review'"
PLANNED = """
SELECT count(*) FROM (
    SELECT 1 FROM attempts WHERE campaign_id = :campaign_id AND state = 'planned' LIMIT :most) AS few
"""


@dataclass(frozen=True)
class SqlStock:
    """The StockView port over a store."""

    store: Store

    async def attempts(self, account: str) -> AttemptsNow:
        def read(transaction: Transaction) -> AttemptsNow:
            dialing, placed, unknown, since = transaction.all(LIVE_BY_STATE, {"account": account})[0]
            review = transaction.all(IN_REVIEW, {"account": account})[0][0]
            return AttemptsNow(dialing, placed, unknown, review, since)

        return await self.store.read(read)

    async def planned(self, campaign_id: int, most: int) -> int:
        params = {"campaign_id": campaign_id, "most": most}
        return int(await self.store.read(lambda t: t.all(PLANNED, params)[0][0]))

    async def by_status(self, campaign_id: int) -> Mapping[ContactStatus, int]:
        rows = await self.store.read(lambda t: t.all(view.CONTACT_COUNTS, {"id": campaign_id}))
        return {ContactStatus(status): count for status, count in rows}
