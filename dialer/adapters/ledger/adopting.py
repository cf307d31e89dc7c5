"""Calls that a restored ledger does not know: they were made after the copy, and only the log has them."""

from collections.abc import Sequence
from typing import Any

from dialer.adapters.ledger.dial import CONTACT_DIALED
from dialer.adapters.ledger.feed import NEXT_NUMBER
from dialer.adapters.ledger.moves import OPEN_CONTACT, attempts_made
from dialer.adapters.ledger.reconcile import record_phantoms
from dialer.adapters.ledger.transaction import Transaction
from dialer.ports import Adopted, Matched

WAITING_OF = "SELECT id FROM attempts WHERE contact_id = :contact_id AND state IN ('planned', 'queued')"
PLAN = f"""
INSERT INTO attempts (campaign_id, account, rehearsal, contact_id, number_of, phone, person, state, due_at, reason)
SELECT campaign_id, :account, :rehearsal, id, {NEXT_NUMBER}, phone,
    CASE WHEN person_key = '' THEN phone ELSE person_key END, 'planned', :now, :evidence
FROM contacts WHERE id = :contact_id AND status IN ({OPEN_CONTACT})
"""
TAKEN = "UPDATE contacts SET due_at = NULL, waits_for = '' WHERE id = :contact_id"
ATTEMPTS_MADE = f"SELECT {attempts_made('attempts')} FROM attempts WHERE id = :attempt_id"
NAME_SEND = """
UPDATE attempts SET token = :token, agent = :agent, account = :account WHERE id = :attempt_id
"""
ADD_SEND = """
INSERT INTO sends (attempt_id, account, token, class, started_at, answered_at, requests, reason)
VALUES (:attempt_id, :account, :token, 'placed', :at, :at, 1, :evidence)
ON CONFLICT (token) DO NOTHING
"""


def adopt_calls(transaction: Transaction, calls: Sequence[Adopted], account: str, now: float) -> list[bool]:
    """Spend an attempt of its contact for each call, in their order: one call may have followed another."""
    return [_adopt(transaction, call, account, now) for call in calls]


def _adopt(transaction: Transaction, call: Adopted, account: str, now: float) -> bool:
    params: dict[str, Any] = {
        "contact_id": call.contact_id,
        "account": account,
        "rehearsal": int(call.spec.is_rehearsal),
        "now": now,
        "evidence": call.evidence,
    }
    waiting = transaction.all(WAITING_OF, {"contact_id": call.contact_id})
    if not waiting:
        if not transaction.run(PLAN, params):
            return False
        waiting = transaction.all(WAITING_OF, {"contact_id": call.contact_id})
    attempt_id = waiting[0][0]
    at = now if call.log.started_at is None else call.log.started_at
    token = call.log.token or f"{account}:{call.log.call_id}"
    named = {"attempt_id": attempt_id, "account": account, "agent": call.spec.agent, "token": token}
    transaction.run(TAKEN, {"contact_id": call.contact_id})
    made = transaction.all(ATTEMPTS_MADE, {"attempt_id": attempt_id})[0][0]
    transaction.run(CONTACT_DIALED, {"contact_id": call.contact_id, "attempts_made": made, "now": at})
    transaction.run(NAME_SEND, named)
    sent = {"attempt_id": attempt_id, "account": account, "token": token, "at": at, "evidence": call.evidence}
    transaction.run(ADD_SEND, sent)
    return record_phantoms(transaction, [Matched(call.log, attempt_id, call.evidence, call.follow)], account, now)[0]
