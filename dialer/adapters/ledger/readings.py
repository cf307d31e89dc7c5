"""Verbs for reading a campaign's source: what is new, what changed, what is gone.

Each reading has a number, and stamps it on the contacts it finds; who was not stamped when it is complete is gone. One
reads at a time, under a lease; a reading that was overtaken changes nothing any more.
"""

from collections.abc import Sequence

from dialer.adapters.ledger.campaigns import CAMPAIGN_BY_ID, campaign_of, counted
from dialer.adapters.ledger.listing import (
    BUSY,
    add_contacts,
    doubled,
    known_among,
    renew,
    says_the_same,
)
from dialer.adapters.ledger.moves import _OPEN_PAGE, OPEN_CONTACT, WAITING_OF_CONTACTS, end_waiting, page_of_open
from dialer.adapters.ledger.transaction import Transaction
from dialer.domain.attempt import Actor
from dialer.domain.contact import NewContact
from dialer.domain.contact_plan import GONE, Replan
from dialer.ports import ImportCounts

ADD_READING = (
    "INSERT INTO readings (campaign_id, reading) VALUES (:campaign_id, 0) ON CONFLICT (campaign_id) DO NOTHING"
)
TAKE_READING = """
UPDATE readings SET reading = reading + 1, holder = :holder, lease_until = :lease_until
WHERE campaign_id = :campaign_id AND (lease_until IS NULL OR lease_until <= :now)
"""
READING = "SELECT reading FROM readings WHERE campaign_id = :campaign_id"
KEEP_READING = """
UPDATE readings SET lease_until = :lease_until
WHERE campaign_id = :campaign_id AND reading = :reading AND lease_until IS NOT NULL
"""
END_READING = """
UPDATE readings SET lease_until = NULL, holder = '', next_at = :next_at, error = :error,
    read_at = CASE WHEN :error = '' THEN :now ELSE read_at END,
    failed_at = CASE WHEN :error = '' THEN NULL ELSE :now END,
    failures = CASE WHEN :error = '' THEN 0 ELSE failures + 1 END
WHERE campaign_id = :campaign_id AND reading = :reading AND lease_until IS NOT NULL
"""
LAST_READING = """
INSERT INTO imports (campaign_id, fingerprint, source, total, queued, duplicate, suppressed, invalid, deferred,
    rejects, imported_at)
VALUES (:campaign_id, 'source', 'source', :total, :queued, :duplicate, :suppressed, :invalid, :deferred, :rejects, :now)
ON CONFLICT (campaign_id, fingerprint) DO UPDATE SET total = excluded.total, queued = excluded.queued,
    duplicate = excluded.duplicate, suppressed = excluded.suppressed, invalid = excluded.invalid,
    deferred = excluded.deferred, rejects = excluded.rejects, imported_at = excluded.imported_at
"""

STAMP = "UPDATE contacts SET reading = :reading WHERE campaign_id = :campaign_id AND phone IN :phones*"
UNSEEN = _OPEN_PAGE.format(more="AND reading > 0 AND reading < :reading AND gone = 0")
STILL_UNSEEN = "SELECT id FROM contacts WHERE id IN :ids* AND reading < :reading AND gone = 0"
MARK_GONE = "UPDATE contacts SET gone = 1 WHERE id IN :ids*"
CANCEL_GONE = f"""
UPDATE contacts SET status = 'cancelled', due_at = NULL, waits_for = :why
WHERE id IN :ids* AND status IN ({OPEN_CONTACT}) AND NOT EXISTS (
    SELECT 1 FROM attempts WHERE attempts.contact_id = contacts.id AND attempts.state IN ({BUSY}))
"""


def begin_reading(transaction: Transaction, asks: Sequence[tuple[int, str, float]], now: float) -> list[int | None]:
    """For each (campaign id, who, lease in seconds): the number of the new reading, None while somebody reads."""
    begun: list[int | None] = []
    for campaign_id, holder, lease_s in asks:
        params = {"campaign_id": campaign_id, "holder": holder, "lease_until": now + lease_s, "now": now}
        transaction.run(ADD_READING, params)
        won = transaction.run(TAKE_READING, params)
        begun.append(transaction.all(READING, params)[0][0] if won else None)
    return begun


def keep_reading(transaction: Transaction, kept: Sequence[tuple[int, int, float]], now: float) -> list[bool]:
    """For each (campaign id, reading, lease in seconds): go on reading; False once it was overtaken."""
    return transaction.won(
        KEEP_READING,
        [
            {"campaign_id": campaign_id, "reading": reading, "lease_until": now + lease_s}
            for campaign_id, reading, lease_s in kept
        ],
    )


def take_rows(
    transaction: Transaction, contacts: Sequence[NewContact], campaign_id: int, reading: int, now: float
) -> list[str]:
    """Add who is new; "known" are left to ``stamp``, "changed" to ``renew_contacts``."""
    spec = campaign_of(transaction.all(CAMPAIGN_BY_ID, {"id": campaign_id})[0]).spec
    known = known_among(transaction, campaign_id, contacts)
    fresh = [contact for contact in contacts if contact.phone not in known]
    added = iter(add_contacts(transaction, fresh, campaign_id, reading, "", now))
    first: dict[str, float | None] = {phone: row[7] for phone, row in known.items() if row[12] == reading}
    answers = []
    for contact in contacts:
        row = known.get(contact.phone)
        new = next(added) if row is None else ""
        if contact.phone in first:
            answers.append(doubled(spec, first[contact.phone], contact.event_at))
        elif row is None:
            answers.append(new)
        else:
            answers.append("known" if says_the_same(row, contact) else "changed")
        first.setdefault(contact.phone, contact.event_at)
    return answers


def stamp(
    transaction: Transaction, contacts: Sequence[NewContact], campaign_id: int, reading: int, now: float
) -> list[None]:
    """Remember that this reading had them."""
    del now
    phones = [contact.phone for contact in contacts]
    transaction.run(STAMP, {"campaign_id": campaign_id, "phones": phones, "reading": reading})
    return [None] * len(contacts)


def renew_contacts(
    transaction: Transaction, contacts: Sequence[NewContact], campaign_id: int, reading: int, now: float
) -> list[None]:
    """Take over what the source has changed, and plan again what depends on it."""
    spec = campaign_of(transaction.all(CAMPAIGN_BY_ID, {"id": campaign_id})[0]).spec
    known = known_among(transaction, campaign_id, contacts)
    plans = renew(transaction, spec, [(known[contact.phone], contact) for contact in contacts], reading, "", now)
    later = [contact for contact, plan in zip(contacts, plans, strict=True) if plan is Replan.LATER]
    stamp(transaction, later, campaign_id, reading, now)
    return [None] * len(contacts)


def unseen_after(transaction: Transaction, campaign_id: int, reading: int, after: int, limit: int) -> list[int]:
    """The next open contacts that an older reading brought, and this one did not."""
    return page_of_open(transaction, UNSEEN, campaign_id, after, limit, reading=reading)


def drop_gone(
    transaction: Transaction, ids: Sequence[int], campaign_id: int, reading: int, lease_s: float, now: float
) -> list[bool]:
    """Cancel what waits for these contacts; whose call is open is cancelled when that is over."""
    params = {"campaign_id": campaign_id, "reading": reading, "lease_until": now + lease_s, "ids": list(ids)}
    if not transaction.run(KEEP_READING, {name: params[name] for name in ("campaign_id", "reading", "lease_until")}):
        return [False] * len(ids)
    gone = [row[0] for row in transaction.all(STILL_UNSEEN, {"ids": params["ids"], "reading": reading})]
    end_waiting(transaction, transaction.all(WAITING_OF_CONTACTS, {"ids": gone}), Actor.FEEDER, GONE, now)
    transaction.run(MARK_GONE, {"ids": gone})
    transaction.run(CANCEL_GONE, {"ids": gone, "why": GONE})
    dropped = set(gone)
    return [id_ in dropped for id_ in ids]


def end_readings(
    transaction: Transaction, ends: Sequence[tuple[int, int, float | None, str, ImportCounts | None]], now: float
) -> list[bool]:
    """For each (campaign id, reading, when to read next, what failed or "", what it brought): let others read.

    False where it was overtaken.
    """
    ended = []
    for campaign_id, reading, next_at, error, counts in ends:
        params = {"campaign_id": campaign_id, "reading": reading, "next_at": next_at, "error": error, "now": now}
        ended.append(transaction.run(END_READING, params) == 1)
        if ended[-1] and counts is not None:
            transaction.run(LAST_READING, {"campaign_id": campaign_id, "now": now} | counted(counts))
    return ended
