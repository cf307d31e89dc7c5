"""Verbs on the suppression list, and asking it."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dialer.adapters.sql_ledger.moves import OPEN_CONTACT, end_waiting
from dialer.adapters.sql_ledger.transaction import Transaction
from dialer.domain.attempt import Actor
from dialer.domain.suppression import HASHED, as_hash, hash_of, names_of
from dialer.ports import Suppression

ADD_SUPPRESSION = """
INSERT INTO suppressions (phone, campaign_id, reason, source, added_at)
VALUES (:phone, :campaign_id, :reason, :source, :added_at) ON CONFLICT (phone, campaign_id) DO NOTHING
"""
WAITING_TO_PHONES = """
SELECT id, state FROM attempts WHERE phone IN :phones* AND state IN ('planned', 'queued')
    AND (campaign_id = :campaign_id OR :campaign_id = 0)
"""
SUPPRESS_CONTACTS = f"""
UPDATE contacts SET status = 'suppressed', due_at = NULL, waits_for = ''
WHERE phone IN :phones* AND (campaign_id = :campaign_id OR :campaign_id = 0) AND status IN ({OPEN_CONTACT})
    AND NOT EXISTS (SELECT 1 FROM attempts WHERE attempts.contact_id = contacts.id
        AND attempts.state IN ('dialing', 'placed', 'unknown'))
"""
LIFTED = "SELECT name, CAST(value AS DOUBLE PRECISION) FROM ledger_facts WHERE name IN :names*"
LIFT = """
INSERT INTO ledger_facts (name, value) VALUES (:name, :value) ON CONFLICT (name) DO UPDATE SET value = excluded.value
"""
REMOVE_SUPPRESSION = "DELETE FROM suppressions WHERE phone = :phone AND campaign_id = :campaign_id"

HASHES_COME = "INSERT INTO ledger_facts (name, value) VALUES ('hashed-suppressions', '1') ON CONFLICT (name) DO NOTHING"
HAS_HASHES = "SELECT count(*) FROM ledger_facts WHERE name = 'hashed-suppressions'"
LISTED = "SELECT phone, campaign_id, reason FROM suppressions WHERE phone IN :names*"


def suppress(transaction: Transaction, entries: Sequence[Suppression], now: float) -> list[bool]:
    """Add numbers; their waiting attempts end and their contacts settle, in the same commit.

    A hash names nobody who could be looked up: its attempts end when their turn comes.
    """
    overruled = _overruled(transaction, entries)
    rows: list[dict[str, Any]] = [
        {
            "phone": entry.phone,
            "campaign_id": entry.campaign_id or 0,
            "reason": entry.reason,
            "source": entry.source,
            "added_at": now,
        }
        for entry, too_late in zip(entries, overruled, strict=True)
        if not too_late
    ]
    won = iter(transaction.won(ADD_SUPPRESSION, rows))
    added = [not too_late and next(won) for too_late in overruled]
    if any(row["phone"].startswith(HASHED) for row in rows):
        transaction.run(HASHES_COME)
    for campaign_id in sorted({row["campaign_id"] for row in rows}):
        phones = [row["phone"] for row in rows if row["campaign_id"] == campaign_id]
        told = {"phones": phones, "campaign_id": campaign_id}
        waiting = transaction.all(WAITING_TO_PHONES, told)
        end_waiting(transaction, waiting, Actor.OPERATOR, "suppressed", now)
        transaction.run(SUPPRESS_CONTACTS, told)
    return added


def unsuppress(transaction: Transaction, phones: Sequence[str], campaign_id: int, now: float) -> list[bool]:
    """Remove numbers from the list of one campaign, or of all (0)."""
    removed = transaction.won(REMOVE_SUPPRESSION, [{"phone": phone, "campaign_id": campaign_id} for phone in phones])
    for phone, was_there in zip(phones, removed, strict=True):
        if was_there:
            transaction.run(LIFT, {"name": _lifted(phone, campaign_id), "value": repr(now)})
    return removed


def _overruled(transaction: Transaction, entries: Sequence[Suppression]) -> list[bool]:
    """Of each entry, whether its number was taken off the list after its reason arose."""
    names = ["" if entry.said_at == math.inf else _lifted(entry.phone, entry.campaign_id or 0) for entry in entries]
    asked = sorted({name for name in names if name})
    lifted_at: dict[str, float] = dict(transaction.all(LIFTED, {"names": asked})) if asked else {}
    return [entry.said_at <= lifted_at.get(name, -math.inf) for entry, name in zip(entries, names, strict=True)]


def _lifted(phone: str, campaign_id: int) -> str:
    """Names the fact that a number was taken off the list, by its hash: the number itself is not kept."""
    return f"lifted:{campaign_id}:{as_hash(phone)}"


def suppressed_among(transaction: Transaction, phones: Iterable[str], campaign_id: int) -> Mapping[str, str]:
    """Those of these numbers that must not be called in a campaign, and why."""
    return Listed(transaction, phones, hashed=has_hashes(transaction)).of_campaign(campaign_id)


def has_hashes(transaction: Transaction) -> bool:
    """Whether a hash was ever listed; until then none need be looked for."""
    return bool(transaction.all(HAS_HASHES)[0][0])


class Listed:
    """What the list says of some numbers."""

    def __init__(self, transaction: Transaction, phones: Iterable[str], *, hashed: bool = True) -> None:
        self._phones = sorted(set(phones))
        names = [name for phone in self._phones for name in names_of(phone)] if hashed else self._phones
        rows = transaction.all(LISTED, {"names": names}) if names else []
        self._reasons = {(phone, campaign_id): reason for phone, campaign_id, reason in rows}

    def why(self, phone: str, campaign_id: int) -> str:
        """Why a number must not be called in a campaign; "" when it may be."""
        if not self._reasons:
            return ""
        keys = [(name, owner) for owner in (0, campaign_id) for name in (phone, hash_of(phone))]
        return next((reason for key in keys if (reason := self._reasons.get(key)) is not None), "")

    def of_campaign(self, campaign_id: int) -> Mapping[str, str]:
        """Each number that must not be called, and why."""
        if not self._reasons:
            return {}
        return {phone: why for phone in self._phones if (why := self.why(phone, campaign_id))}
