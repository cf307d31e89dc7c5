"""Ending what came too late: appointments that have passed, campaigns that have ended."""

from collections.abc import Sequence

from dialer.adapters.sql_ledger.listing import BUSY, WAITING_OF
from dialer.adapters.sql_ledger.moves import OPEN_CONTACT, end_waiting
from dialer.adapters.sql_ledger.transaction import Transaction
from dialer.domain.attempt import Actor

IDLE = f"""
SELECT id FROM contacts WHERE campaign_id = :campaign_id AND status IN ({OPEN_CONTACT})
    AND NOT EXISTS (SELECT 1 FROM attempts WHERE attempts.contact_id = contacts.id AND attempts.state IN ({BUSY}))
"""
ALL_IDLE = f"{IDLE} LIMIT :limit"
PASSED_IDLE = f"{IDLE} AND event_at IS NOT NULL AND event_at <= :now ORDER BY event_at LIMIT :limit"
EXPIRE = f"""
UPDATE contacts SET status = 'expired', due_at = NULL, waits_for = :reason
WHERE id IN :ids* AND status IN ({OPEN_CONTACT})
"""


def expire(transaction: Transaction, asks: Sequence[tuple[int, str, int, bool]], now: float) -> list[int]:
    """For each (campaign id, reason, limit, only those whose appointment has passed): end who waits; how many did.

    Who is being called is left until the call is over.
    """
    expired = []
    for campaign_id, reason, limit, passed in asks:
        told = {"campaign_id": campaign_id, "limit": limit, "now": now}
        ids = [row[0] for row in transaction.all(PASSED_IDLE if passed else ALL_IDLE, told)]
        if ids:
            end_waiting(transaction, transaction.all(WAITING_OF, {"ids": ids}), Actor.FEEDER, reason, now)
            transaction.run(EXPIRE, {"ids": ids, "reason": reason})
        expired.append(len(ids))
    return expired
