"""Which attempts hold a line, part by part: there may be very many."""

from collections.abc import Sequence

from dialer.adapters.ledger.states import in_states
from dialer.adapters.ledger.transaction import Transaction
from dialer.domain.attempt import LIVE, AttemptState
from dialer.ports import LiveCall

LIVE_CALLS = f"""
SELECT a.id, a.campaign_id, a.state, a.dialed_at,
    (SELECT max(started_at) FROM log_rows WHERE log_rows.attempt_id = a.id)
FROM attempts a WHERE a.account = :account AND a.state IN ({in_states(LIVE)}) AND a.id > :after
ORDER BY a.id LIMIT :limit
"""
LIVE_AMONG = f"SELECT id FROM attempts WHERE id IN :ids* AND state IN ({in_states(LIVE)})"


def live_calls(transaction: Transaction, account: str, after: int, limit: int) -> list[LiveCall]:
    """The next attempts of the account that hold a line, by id."""
    rows = transaction.all(LIVE_CALLS, {"account": account, "after": after, "limit": limit})
    return [LiveCall(row[0], row[1], AttemptState(row[2]), row[3], row[4]) for row in rows]


def live_among(transaction: Transaction, attempt_ids: Sequence[int]) -> set[int]:
    """Which of these hold a line."""
    return {row[0] for row in transaction.all(LIVE_AMONG, {"ids": list(attempt_ids)})}
