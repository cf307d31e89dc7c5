"""The audit: who did what to a campaign or to the list, in the transaction of the change; rows are only ever added."""

from collections.abc import Sequence
from dataclasses import replace

from dialer.adapters.ledger.transaction import Transaction
from dialer.domain.act import MOVES, Act, By, chained

COLUMNS = "at, who, act, campaign, subject, before, after, why, chain"
LAST_CHAIN = "SELECT chain FROM acts WHERE id = (SELECT max(id) FROM acts)"
ADD_ACT = f"""
INSERT INTO acts ({COLUMNS})
VALUES (:at, :who, :act, :campaign, :subject, :before, :after, :why, :chain)
"""
ACTS_AFTER = f"SELECT id, {COLUMNS} FROM acts WHERE id > :after ORDER BY id LIMIT :limit"
ACTS_ON_AFTER = f"""
SELECT id, {COLUMNS} FROM acts WHERE campaign = :campaign AND id > :after ORDER BY id LIMIT :limit
"""
LAST_ACT = f"""
SELECT id, {COLUMNS} FROM acts WHERE campaign = :campaign
    AND act IN ({", ".join(f"'{move}'" for move in MOVES)}) ORDER BY id DESC LIMIT 1
"""
HANDLE = "SELECT name FROM campaigns WHERE id = :id"


def add_acts(transaction: Transaction, acts: Sequence[Act]) -> None:
    """Append them, chained to what is there. Only in a serial transaction: the chain has one end."""
    if not acts:
        return
    last = transaction.all(LAST_CHAIN)
    chain = last[0][0] if last else ""
    rows = []
    for act in acts:
        chain = chained(act, chain)
        row = replace(act, chain=chain)
        rows.append({name: getattr(row, name) for name in COLUMNS.split(", ")})
    transaction.many(ADD_ACT, rows)


def record_acts(transaction: Transaction, acts: Sequence[tuple[str, str, str]], by: By, now: float) -> list[None]:
    """What changes nothing in the ledger, such as an export: (act, campaign's handle, subject) each."""
    add_acts(transaction, [Act(0, now, by.who, act, campaign, subject, why=by.why) for act, campaign, subject in acts])
    return [None] * len(acts)


def acts_after(transaction: Transaction, campaign: str, after: int, limit: int) -> list[tuple[int, Act]]:
    """The next acts by id: on the campaign with this handle, or all ("")."""
    params = {"campaign": campaign, "after": after, "limit": limit}
    rows = transaction.all(ACTS_ON_AFTER if campaign else ACTS_AFTER, params)
    return [(row[0], Act(*row)) for row in rows]


def last_act(transaction: Transaction, campaign: str) -> Act | None:
    """What last moved a campaign."""
    rows = transaction.all(LAST_ACT, {"campaign": campaign})
    return Act(*rows[0]) if rows else None


def handle_of(transaction: Transaction, campaign_id: int) -> str:
    """The handle of a campaign; "" for all campaigns."""
    rows = transaction.all(HANDLE, {"id": campaign_id})
    return str(rows[0][0]) if rows else ""
