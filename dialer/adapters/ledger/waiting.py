"""Who of a campaign is not called yet, and why."""

from dialer.adapters.ledger.moves import OPEN_CONTACT
from dialer.adapters.ledger.transaction import Transaction
from dialer.domain.limits import FREE_AT
from dialer.domain.waiting import Waiting

WAITING_CONTACTS = f"""
SELECT CASE WHEN due_at <= :now THEN 'waiting for its turn' WHEN waits_for = '' THEN 'not due yet' ELSE waits_for END,
    count(*)
FROM contacts WHERE campaign_id = :id AND status IN ({OPEN_CONTACT}) AND due_at IS NOT NULL GROUP BY 1
"""
WAITING_ATTEMPTS = """
SELECT CASE WHEN state IN ('placed', 'unknown') THEN 'waiting for the call log'
        WHEN state IN ('queued', 'dialing') THEN 'being dialed' WHEN state = 'review' THEN 'waiting for a person'
        WHEN due_at <= :now THEN 'waiting for its turn' ELSE reason END, count(*)
FROM attempts WHERE campaign_id = :id AND state IN ('planned', 'queued', 'dialing', 'placed', 'unknown', 'review')
GROUP BY 1
"""
WAITING_FOR = f"""
SELECT reason, sum(people), min(due_at) FROM (
    SELECT CASE WHEN due_at <= :now THEN '' WHEN waits_for = '' THEN 'not due yet' ELSE waits_for END AS reason,
        count(*) AS people, min(due_at) AS due_at
    FROM contacts WHERE campaign_id = :id AND status IN ({OPEN_CONTACT}) AND due_at IS NOT NULL GROUP BY 1
    UNION ALL
    SELECT CASE WHEN due_at <= :now THEN '' ELSE reason END, count(*), min(due_at)
    FROM attempts WHERE campaign_id = :id AND state = 'planned' GROUP BY 1) AS waiting
GROUP BY reason ORDER BY reason
"""
EXPIRED = """
SELECT waits_for, count(*) FROM contacts WHERE campaign_id = :id AND status = 'expired' AND waits_for <> '' GROUP BY 1
"""


def waiting_counts(transaction: Transaction, campaign_id: int, now: float) -> dict[str, int]:
    """Why people who are not final wait, those in a call included, and how many."""
    params = {"id": campaign_id, "now": now}
    counts: dict[str, int] = {}
    for words, count in (*transaction.all(WAITING_CONTACTS, params), *transaction.all(WAITING_ATTEMPTS, params)):
        # Each attempt says when its limit frees; together they are one reason.
        reason = words.partition(FREE_AT)[0]
        counts[reason] = counts.get(reason, 0) + count
    return counts


def waiting(transaction: Transaction, campaign_id: int, now: float) -> list[Waiting]:
    """Who is not called yet, by reason; "" for those who may be called now."""
    rows = transaction.all(WAITING_FOR, {"id": campaign_id, "now": now})
    return [Waiting(reason, int(people), due_at) for reason, people, due_at in rows]


def expired_counts(transaction: Transaction, campaign_id: int) -> dict[str, int]:
    """Why contacts are expired, and how many."""
    return dict(transaction.all(EXPIRED, {"id": campaign_id}))
