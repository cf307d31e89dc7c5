"""Calling people again at an operator's word, by what their last call came to."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence

from dialer.adapters.ledger.acts import add_acts, handle_of
from dialer.adapters.ledger.outcomes import ADD_REDIAL, REOPEN_CAMPAIGN
from dialer.adapters.ledger.store import Store
from dialer.adapters.ledger.suppressing import suppressed_among
from dialer.adapters.ledger.transaction import Transaction
from dialer.adapters.ledger.turns import in_turns
from dialer.domain.act import Act, By
from dialer.domain.contact import ContactStatus
from dialer.domain.disposition import Disposition
from dialer.domain.gate import PASSED, REACHED_ELSEWHERE
from dialer.domain.people_filter import NEVER_AGAIN
from dialer.ports import Clock

PAGE, AT_ONCE = 2000, 200
SETTLED = (ContactStatus.EXHAUSTED, ContactStatus.REACHED)
"""People of whom no call is planned, and who may be called: nobody else took them out."""
CHANGED = "settled in another way meanwhile"

SETTLED_AFTER = " UNION ALL ".join(
    f"SELECT * FROM (SELECT id FROM contacts WHERE campaign_id = :campaign_id AND status = '{status}' "
    f"AND id > :after AND disposition IN :outcomes* ORDER BY id LIMIT :limit) AS {status}"
    for status in SETTLED
)
_SETTLED = ", ".join(f"'{status}'" for status in SETTLED)
FACTS = f"""
SELECT c.id, c.phone, c.status, c.disposition, c.event_at, c.campaign_id,
    (SELECT account FROM campaigns WHERE campaigns.id = c.campaign_id) = 'simulator',
    (SELECT a.id FROM attempts a WHERE a.contact_id = c.id ORDER BY a.number_of DESC LIMIT 1),
    CASE WHEN c.person_key = '' THEN 0 WHEN EXISTS (
        SELECT 1 FROM contacts o WHERE o.campaign_id = c.campaign_id AND o.person_key = c.person_key
            AND o.person_key <> '' AND o.status = 'reached' AND o.id <> c.id
            AND coalesce(o.event_at, 0) = coalesce(c.event_at, 0)) THEN 1 ELSE 0 END
FROM contacts c WHERE c.id IN :ids* AND c.status IN ({_SETTLED})
    AND (SELECT status FROM campaigns WHERE campaigns.id = c.campaign_id) <> 'cancelled'
"""
OPEN_AGAIN = """
UPDATE contacts SET status = 'active', waits_for = '', due_at = NULL, gone = CASE WHEN gone = 2 THEN 0 ELSE gone END
WHERE id = :contact_id
"""
ALL_OUTCOMES = tuple(str(outcome) for outcome in Disposition if outcome not in NEVER_AGAIN)


def page_after(
    transaction: Transaction, campaign_id: int, outcomes: Sequence[str], after: int, limit: int
) -> list[int]:
    """The next settled people, by id, whose last call came to one of ``outcomes``."""
    params = {"campaign_id": campaign_id, "outcomes": list(outcomes), "after": after, "limit": limit}
    return sorted(row[0] for row in transaction.all(SETTLED_AFTER, params))[:limit]


def verdicts(
    transaction: Transaction, ids: Sequence[int], outcomes: Sequence[str], now: float
) -> dict[int, tuple[int, str]]:
    """Contact -> its last attempt, and why it is not called again, "" when it is."""
    rows = transaction.all(FACTS, {"ids": list(ids)})
    barred: dict[str, str] = {}
    if rows:
        barred |= suppressed_among(transaction, [row[1] for row in rows], rows[0][5], rehearsal=bool(rows[0][6]))
    answers = dict.fromkeys(ids, (0, CHANGED))
    for contact_id, phone, _, disposition, event_at, _, _, attempt_id, elsewhere in rows:
        why = CHANGED if disposition not in outcomes or attempt_id is None else ""
        if not why and phone in barred:
            why = f"suppressed: {barred[phone]}"
        elif not why and elsewhere:
            why = REACHED_ELSEWHERE
        elif not why and event_at is not None and event_at <= now:
            why = PASSED
        answers[contact_id] = attempt_id or 0, why
    return answers


def call_again(
    transaction: Transaction, ids: Sequence[int], campaign_id: int, outcomes: tuple[str, ...], by: By, now: float
) -> list[str]:
    """Plan a call now for each of them who may be called; for each why not, "" for who is."""
    answers = verdicts(transaction, ids, outcomes, now)
    _plan(transaction, answers, campaign_id, ", ".join(outcomes), {"outcomes": list(outcomes)}, by, now)
    return [answers[contact_id][1] for contact_id in ids]


def call_these(
    transaction: Transaction, ids: Sequence[int], campaign_id: int, words: str, by: By, now: float
) -> list[str]:
    """As ``call_again``, of people whom the operator meant in other ``words``, whatever their last call came to."""
    answers = verdicts(transaction, ids, ALL_OUTCOMES, now)
    _plan(transaction, answers, campaign_id, words, {"meant": words}, by, now)
    return [answers[contact_id][1] for contact_id in ids]


def _plan(
    transaction: Transaction,
    answers: Mapping[int, tuple[int, str]],
    campaign_id: int,
    words: str,
    meant: Mapping[str, object],
    by: By,
    now: float,
) -> None:
    """Plan a call now for those of these verdicts who may be called, with one act."""
    reason = f"called again by the operator: {words}"
    planned = [
        {"contact_id": contact_id, "attempt_id": attempt_id, "campaign_id": campaign_id, "due_at": now,
         "reason": reason}
        for contact_id, (attempt_id, why) in answers.items()
        if not why
    ]  # fmt: skip
    transaction.many(ADD_REDIAL, planned)
    transaction.many(OPEN_AGAIN, planned)
    transaction.many(REOPEN_CAMPAIGN, planned)
    if planned:
        brought = json.dumps({"people": len(planned), **meant})
        handle = handle_of(transaction, campaign_id)
        add_acts(transaction, [Act(0, now, by.who, "redial", handle, after=brought, why=by.why)])


async def redial(
    store: Store, clock: Clock, campaign_id: int, outcomes: Sequence[str], by: By, *, only_look: bool
) -> Mapping[str, int]:
    """Why people are not called again, and how many; "" for those who are. ``only_look``: nothing is planned."""
    counts: Counter[str] = Counter()
    words, after = tuple(outcomes), 0
    while ids := await store.read(lambda t, after=after: page_after(t, campaign_id, words, after, PAGE)):  # type: ignore[misc]
        if only_look:
            looked = await store.read(lambda t, ids=ids: verdicts(t, ids, words, clock.now()))  # type: ignore[misc]
            counts.update(why for _, why in looked.values())
        else:
            counts.update(await in_turns(store, clock, call_again, ids, campaign_id, words, by, at_once=AT_ONCE))
        after = ids[-1]
    return counts


async def redial_these(
    store: Store, clock: Clock, campaign_id: int, ids: Sequence[int], words: str, by: By, *, only_look: bool
) -> Mapping[str, int]:
    """As ``redial``, of these people, whatever their last call came to."""
    if only_look:
        looked = await store.read(lambda t: verdicts(t, ids, ALL_OUTCOMES, clock.now()))
        return Counter(why for _, why in looked.values())
    return Counter(await in_turns(store, clock, call_these, ids, campaign_id, words, by, at_once=AT_ONCE))
