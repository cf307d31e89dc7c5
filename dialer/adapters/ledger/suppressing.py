"""Verbs on the suppression list, and asking it."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dialer.adapters.ledger.acts import add_acts, handle_of
from dialer.adapters.ledger.moves import OPEN_CONTACT, end_waiting
from dialer.adapters.ledger.transaction import Transaction
from dialer.domain.act import Act, By
from dialer.domain.attempt import Actor
from dialer.domain.campaign import REHEARSAL, SIMULATOR
from dialer.domain.suppression import HASHED, REHEARSALS, hash_of, names_of
from dialer.ports import Suppression

ADD_SUPPRESSION = """
INSERT INTO suppressions (phone, campaign_id, reason, source, added_at)
VALUES (:phone, :campaign_id, :reason, :source, :added_at) ON CONFLICT (phone, campaign_id) DO NOTHING
"""
IN_SCOPE = f"""(:campaign_id = 0 OR campaign_id = :campaign_id OR (:campaign_id = {REHEARSALS}
        AND campaign_id IN (SELECT id FROM campaigns WHERE account = '{SIMULATOR}')))"""
WAITING_TO_PHONES = f"""
SELECT id, state FROM attempts WHERE phone IN :phones* AND state IN ('planned', 'queued') AND {IN_SCOPE}
"""
SUPPRESS_CONTACTS = f"""
UPDATE contacts SET status = 'suppressed', due_at = NULL, waits_for = ''
WHERE phone IN :phones* AND {IN_SCOPE} AND status IN ({OPEN_CONTACT})
    AND NOT EXISTS (SELECT 1 FROM attempts WHERE attempts.contact_id = contacts.id
        AND attempts.state IN ('dialing', 'placed', 'unknown'))
"""
TAKE_ONCE = "INSERT INTO ledger_facts (name, value) VALUES (:name, :now) ON CONFLICT (name) DO NOTHING"
OF_NUMBER = f"""
phone = :phone AND (campaign_id = :campaign_id OR (:campaign_id = 0 AND campaign_id = {REHEARSALS}))
"""
THAT_SUPPRESSION = f"SELECT reason, source, added_at FROM suppressions WHERE {OF_NUMBER} ORDER BY id"
REMOVE_SUPPRESSION = f"DELETE FROM suppressions WHERE {OF_NUMBER}"

HASHES_COME = "INSERT INTO ledger_facts (name, value) VALUES ('hashed-suppressions', '1') ON CONFLICT (name) DO NOTHING"
HAS_HASHES = "SELECT count(*) FROM ledger_facts WHERE name = 'hashed-suppressions'"
# Who asked in a call has asked for all of their numbers in that list.
OTHER_NUMBERS = """
SELECT DISTINCT other.phone FROM contacts asked
    JOIN contacts other ON other.campaign_id = asked.campaign_id AND other.person_key = asked.person_key
WHERE asked.phone = :phone AND asked.person_key <> '' AND other.person_key <> '' AND other.phone <> asked.phone
"""
LISTED = "SELECT phone, campaign_id, reason FROM suppressions WHERE phone IN :names*"


def suppress(transaction: Transaction, entries: Sequence[Suppression], by: By, now: float) -> list[bool]:
    """Add numbers; their waiting attempts end and their contacts settle, in the same commit.

    A hash names nobody who could be looked up: its attempts end when their turn comes.
    """
    new = _new(transaction, entries, now)
    rows = [_row(entry, entry.phone, now) for entry, is_new in zip(entries, new, strict=True) if is_new]
    won = iter(transaction.won(ADD_SUPPRESSION, rows))
    added = [is_new and next(won) for is_new in new]
    others = [
        _row(entry, phone, now)
        for entry, is_new in zip(entries, new, strict=True)
        if is_new and entry.once
        for (phone,) in transaction.all(OTHER_NUMBERS, {"phone": entry.phone})
    ]
    transaction.won(ADD_SUPPRESSION, others)
    rows += others
    if any(row["phone"].startswith(HASHED) for row in rows):
        transaction.run(HASHES_COME)
    for campaign_id in sorted({row["campaign_id"] for row in rows}):
        phones = [row["phone"] for row in rows if row["campaign_id"] == campaign_id]
        params = {"phones": phones, "campaign_id": campaign_id}
        waiting = transaction.all(WAITING_TO_PHONES, params)
        end_waiting(transaction, waiting, Actor.OPERATOR, "suppressed", now)
        transaction.run(SUPPRESS_CONTACTS, params)
    _record(transaction, [row for row, was in zip(entries, added, strict=True) if was], by, now)
    return added


def _record(transaction: Transaction, added: Sequence[Suppression], by: By, now: float) -> None:
    """One act for all entries of one source and reason; their ``added_at`` is the act's time."""
    counts = Counter((entry.campaign_id or 0, entry.source, entry.reason) for entry in added)
    acts = []
    for (campaign_id, source, reason), count in counts.items():
        handle = REHEARSAL if campaign_id == REHEARSALS else handle_of(transaction, campaign_id)
        brought = json.dumps({"numbers": count})
        acts.append(Act(0, now, by.who, "suppress", handle, source, after=brought, why=reason))
    add_acts(transaction, acts)


def unsuppress(transaction: Transaction, phones: Sequence[str], campaign_id: int, by: By, now: float) -> list[bool]:
    """Remove numbers from the list of one campaign, or of all (0), rehearsals included."""
    removed, acts = [], []
    handle = handle_of(transaction, campaign_id)
    for phone in phones:
        params = {"phone": phone, "campaign_id": campaign_id}
        was = transaction.all(THAT_SUPPRESSION, params)
        removed.append(transaction.run(REMOVE_SUPPRESSION, params) > 0)
        for reason, source, added_at in was:
            subject = phone if phone.startswith(HASHED) else hash_of(phone)
            before = json.dumps({"reason": reason, "source": source, "added_at": added_at})
            acts.append(Act(0, now, by.who, "unsuppress", handle, subject, before, why=by.why))
    add_acts(transaction, acts)
    return removed


def _row(entry: Suppression, phone: str, now: float) -> dict[str, Any]:
    return {
        "phone": phone,
        "campaign_id": entry.campaign_id or 0,
        "reason": entry.reason,
        "source": entry.source,
        "added_at": now,
    }


def _new(transaction: Transaction, entries: Sequence[Suppression], now: float) -> list[bool]:
    """For each entry, whether its ``once`` (if it has one) is used for the first time; it then counts as used."""
    marks = [{"name": f"suppressed-by:{entry.once}", "now": repr(now)} for entry in entries if entry.once]
    taken = iter(transaction.won(TAKE_ONCE, marks))
    return [not entry.once or next(taken) for entry in entries]


def suppressed_among(
    transaction: Transaction, phones: Iterable[str], campaign_id: int, *, rehearsal: bool
) -> Mapping[str, str]:
    """Those of these numbers that must not be called in a campaign, and why."""
    return Listed(transaction, phones, hashed=has_hashes(transaction)).of_campaign(campaign_id, rehearsal=rehearsal)


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

    def why(self, phone: str, campaign_id: int, *, rehearsal: bool) -> str:
        """Why a number must not be called in a campaign; "" when it may be."""
        if not self._reasons:
            return ""
        owners = (0, campaign_id, REHEARSALS) if rehearsal else (0, campaign_id)
        keys = [(name, owner) for owner in owners for name in (phone, hash_of(phone))]
        return next((reason for key in keys if (reason := self._reasons.get(key)) is not None), "")

    def of_campaign(self, campaign_id: int, *, rehearsal: bool) -> Mapping[str, str]:
        """Each number that must not be called, and why."""
        if not self._reasons:
            return {}
        return {phone: why for phone in self._phones if (why := self.why(phone, campaign_id, rehearsal=rehearsal))}
