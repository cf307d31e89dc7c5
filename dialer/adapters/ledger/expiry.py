"""Ending what came too late: appointments that have passed, campaigns that have ended."""

from collections.abc import Sequence

from dialer.adapters.ledger.listing import BUSY
from dialer.adapters.ledger.moves import _OPEN_PAGE, OPEN_CONTACT, WAITING_OF_CONTACTS, end_waiting, page_of_open
from dialer.adapters.ledger.transaction import Transaction
from dialer.domain.attempt import Actor

# Counted for each contact: with NOT EXISTS, PostgreSQL goes through all attempts there are.
_IDLE = f"(SELECT count(*) FROM attempts WHERE attempts.contact_id = contacts.id AND attempts.state IN ({BUSY})) = 0"
ALL_IDLE = _OPEN_PAGE.format(more=f"AND {_IDLE}")
PASSED_IDLE = f"""
SELECT id FROM contacts WHERE campaign_id = :campaign_id AND event_at IS NOT NULL AND event_at <= :now
    AND status IN ({OPEN_CONTACT}) AND {_IDLE}
ORDER BY event_at LIMIT :limit
"""
STILL_IDLE = f"SELECT id FROM contacts WHERE id IN :ids* AND status IN ({OPEN_CONTACT}) AND {_IDLE}"
EXPIRE = "UPDATE contacts SET status = 'expired', due_at = NULL, waits_for = :reason WHERE id IN :ids*"


def idle(transaction: Transaction, campaign_id: int, limit: int, now: float, *, passed: bool) -> list[int]:
    """The waiting contacts of a campaign, or only those whose appointment has ``passed``; none who is being called."""
    if not passed:
        return page_of_open(transaction, ALL_IDLE, campaign_id, 0, limit)
    return [row[0] for row in transaction.all(PASSED_IDLE, {"campaign_id": campaign_id, "limit": limit, "now": now})]


def expire(transaction: Transaction, contact_ids: Sequence[int], reason: str, now: float) -> list[None]:
    """End these contacts, except those being called by now."""
    ids = [row[0] for row in transaction.all(STILL_IDLE, {"ids": list(contact_ids)})]
    end_waiting(transaction, transaction.all(WAITING_OF_CONTACTS, {"ids": ids}), Actor.FEEDER, reason, now)
    transaction.run(EXPIRE, {"ids": ids, "reason": reason})
    return [None] * len(contact_ids)
