"""Verbs of the feeder and the sweeper."""

from collections.abc import Sequence
from typing import Any

from dialer.adapters.sql_ledger.campaigns import CAMPAIGN_BY_ID, PLAN_AGAIN, campaign_of
from dialer.adapters.sql_ledger.moves import OPEN_CONTACT, add_events, event
from dialer.adapters.sql_ledger.transaction import Row, Transaction
from dialer.domain.attempt import Actor, AttemptState
from dialer.domain.campaign import CampaignStatus
from dialer.domain.gate import UNSIGHTED_OPENING_S
from dialer.domain.opening import Closed, Open, window_at
from dialer.ports import Campaign, QueuedAttempt, Swept

DUE_ATTEMPTS = """
SELECT attempts.id, contacts.zones, contacts.places FROM attempts JOIN contacts ON contacts.id = attempts.contact_id
WHERE attempts.campaign_id = :campaign_id AND attempts.state = 'planned' AND attempts.due_at <= :now
ORDER BY attempts.due_at, attempts.id LIMIT :limit
"""
QUEUE_ATTEMPT = """
UPDATE attempts SET state = 'queued', dispatch = dispatch + 1, lease_until = :lease_until
WHERE id = :id AND state = 'planned'
"""
DISPATCHES = "SELECT id, dispatch FROM attempts WHERE id IN :ids*"
PUT_OFF_ATTEMPTS = "UPDATE attempts SET due_at = :due_at, reason = :reason WHERE id IN :ids* AND state = 'planned'"

FRESH_CONTACTS = """
SELECT id, phone, CASE WHEN person_key = '' THEN phone ELSE person_key END, zones, places FROM contacts
WHERE campaign_id = :campaign_id AND due_at <= :now
ORDER BY due_at, id LIMIT :limit
"""
TAKE_CONTACTS = "UPDATE contacts SET due_at = NULL, waits_for = '' WHERE id IN :ids*"
PUT_OFF_CONTACTS = """
UPDATE contacts SET due_at = :due_at, waits_for = :reason WHERE id IN (
    SELECT id FROM contacts WHERE campaign_id = :campaign_id AND zones = :zones AND places = :places
        AND due_at <= :now LIMIT :limit)
"""
FIRST_ATTEMPT = """
INSERT INTO attempts (campaign_id, contact_id, number_of, phone, person, state, dispatch, due_at, lease_until, reason)
VALUES (:campaign_id, :contact_id, 1, :phone, :person, 'queued', 1, :now, :lease_until, 'first attempt')
"""
FIRST_ATTEMPTS = "SELECT id, dispatch FROM attempts WHERE contact_id IN :contact_ids* AND number_of = 1 ORDER BY id"

QUEUED_PER_CAMPAIGN = "SELECT campaign_id, count(*) FROM attempts WHERE state = 'queued' GROUP BY campaign_id"
HAND_BACK = """
UPDATE attempts SET state = 'planned', lease_until = NULL, due_at = :due_at, reason = :reason
WHERE id = :id AND dispatch = :dispatch AND state = 'queued'
"""
RENEW_LEASE = (
    "UPDATE attempts SET lease_until = :lease_until WHERE id = :id AND dispatch = :dispatch AND state = 'queued'"
)

EXPIRED_LEASES = "SELECT id FROM attempts WHERE state = 'queued' AND lease_until <= :now LIMIT 1000"
OVERDUE_ANSWERS = "SELECT id, token FROM attempts WHERE state = 'dialing' AND answer_due_at <= :now LIMIT 1000"
MAKE_UNKNOWN = "UPDATE attempts SET state = 'unknown', reason = :reason WHERE id IN :ids* AND state = 'dialing'"
SENDS_UNKNOWN = "UPDATE sends SET class = 'unknown', reason = :reason WHERE token IN :tokens* AND class = 'inflight'"

DONE_CAMPAIGNS = f"""
SELECT id FROM campaigns WHERE status = 'running' AND NOT EXISTS (
    SELECT 1 FROM contacts WHERE contacts.campaign_id = campaigns.id AND contacts.status IN ({OPEN_CONTACT}))
AND EXISTS (SELECT 1 FROM imports WHERE imports.campaign_id = campaigns.id)
"""
FINISH = "UPDATE campaigns SET status = 'finished', finished_at = :now WHERE id IN :ids*"
NAMES = "SELECT name FROM campaigns WHERE id IN :ids* ORDER BY id"

PUT_OFF_AT_ONCE = 20_000


def claim_due(
    transaction: Transaction, claims: Sequence[tuple[int, int, float]], now: float
) -> list[list[QueuedAttempt]]:
    """For each (campaign id, limit, lease in seconds): move due attempts to queued."""
    return [_claim(transaction, campaign_id, limit, now + lease_s, now) for campaign_id, limit, lease_s in claims]


def _claim(
    transaction: Transaction, campaign_id: int, limit: int, lease_until: float, now: float
) -> list[QueuedAttempt]:
    campaign = campaign_of(transaction.all(CAMPAIGN_BY_ID, {"id": campaign_id})[0])
    if campaign.status is not CampaignStatus.RUNNING:
        return []
    told = {"campaign_id": campaign_id, "now": now, "lease_until": lease_until}
    claimed = _claim_planned(transaction, campaign, told | {"limit": limit}, now)
    if len(claimed) < limit:
        claimed += _claim_fresh(transaction, campaign, told | {"limit": limit - len(claimed)}, now)
    return claimed


def _claim_planned(
    transaction: Transaction, campaign: Campaign, told: dict[str, Any], now: float
) -> list[QueuedAttempt]:
    due, closed = _split_by_window(campaign, transaction.all(DUE_ATTEMPTS, told), now)
    for (opens_at, reason), rows in closed.items():
        transaction.run(PUT_OFF_ATTEMPTS, {"ids": [row[0] for row in rows], "due_at": opens_at, "reason": reason})
    ids = [row[0] for row in due]
    if not ids:
        return []
    transaction.many(QUEUE_ATTEMPT, [{"id": id_, "lease_until": told["lease_until"]} for id_ in ids])
    add_events(transaction, [event(id_, now, Actor.FEEDER, "planned", AttemptState.QUEUED, "due") for id_ in ids])
    dispatches = {row[0]: row[1] for row in transaction.all(DISPATCHES, {"ids": ids})}
    return [QueuedAttempt(id_, dispatches[id_], campaign.campaign_id, campaign.spec.provider) for id_ in ids]


def _claim_fresh(transaction: Transaction, campaign: Campaign, told: dict[str, Any], now: float) -> list[QueuedAttempt]:
    fresh, closed = _split_by_window(campaign, transaction.all(FRESH_CONTACTS, told), now)
    for (opens_at, reason), rows in closed.items():
        for zones, places in {row[-2:] for row in rows}:
            put_off = {"zones": zones, "places": places, "due_at": opens_at, "reason": reason, "limit": PUT_OFF_AT_ONCE}
            transaction.run(PUT_OFF_CONTACTS, told | put_off)
    if not fresh:
        return []
    contact_ids = [row[0] for row in fresh]
    transaction.run(TAKE_CONTACTS, {"ids": contact_ids})
    transaction.many(FIRST_ATTEMPT, [told | {"contact_id": row[0], "phone": row[1], "person": row[2]} for row in fresh])
    made = transaction.all(FIRST_ATTEMPTS, {"contact_ids": contact_ids})
    add_events(
        transaction,
        [event(row[0], now, Actor.FEEDER, "planned", AttemptState.QUEUED, "first attempt") for row in made],
    )
    return [QueuedAttempt(row[0], row[1], campaign.campaign_id, campaign.spec.provider) for row in made]


def _split_by_window(
    campaign: Campaign, rows: list[Row], now: float
) -> tuple[list[Row], dict[tuple[float, str], list[Row]]]:
    """Rows (zones and places last) whose window is open, and the others by when it opens and why it is shut."""
    spec = campaign.spec
    verdicts: dict[tuple[str, str], Open | Closed] = {}
    open_rows: list[Row] = []
    closed: dict[tuple[float, str], list[Row]] = {}
    for row in rows:
        zones, places = whereabouts = row[-2], row[-1]
        if whereabouts not in verdicts:
            mine = spec.zones_of(tuple(zones.split()))
            verdicts[whereabouts] = window_at(spec.window, mine, now, tuple(places.split()))
        match verdicts[whereabouts]:
            case Closed(opens_at, reason):
                opens_at = now + UNSIGHTED_OPENING_S if opens_at is None else opens_at
                closed.setdefault((opens_at, reason), []).append(row)
            case _:
                open_rows.append(row)
    return open_rows, closed


def hand_back(transaction: Transaction, attempts: Sequence[tuple[QueuedAttempt, str, float]], now: float) -> list[bool]:
    """Move each (attempt, reason, due at) from queued back to planned."""
    rows: list[dict[str, Any]] = [
        {"id": attempt.attempt_id, "dispatch": attempt.dispatch, "reason": reason, "due_at": due_at}
        for attempt, reason, due_at in attempts
    ]
    moved = transaction.won(HAND_BACK, rows)
    add_events(
        transaction,
        [
            event(row["id"], now, Actor.WORKER, "queued", AttemptState.PLANNED, row["reason"])
            for row, won in zip(rows, moved, strict=True)
            if won
        ],
    )
    return moved


def renew_leases(transaction: Transaction, attempts: Sequence[tuple[QueuedAttempt, float]], now: float) -> list[None]:
    """Extend each (attempt, lease in seconds) that is still queued."""
    transaction.many(
        RENEW_LEASE,
        [
            {"id": attempt.attempt_id, "dispatch": attempt.dispatch, "lease_until": now + lease_s}
            for attempt, lease_s in attempts
        ],
    )
    return [None] * len(attempts)


def sweep(transaction: Transaction, sweeps: Sequence[None], now: float) -> list[Swept]:
    """Take back expired leases; make attempts unknown whose worker owes an answer."""
    leases = [row[0] for row in transaction.all(EXPIRED_LEASES, {"now": now})]
    if leases:
        reason = "lease expired: its worker is gone"
        transaction.run(PLAN_AGAIN, {"ids": leases, "reason": reason})
        add_events(
            transaction, [event(id_, now, Actor.SWEEPER, "queued", AttemptState.PLANNED, reason) for id_ in leases]
        )
    overdue = transaction.all(OVERDUE_ANSWERS, {"now": now})
    if overdue:
        reason = "no answer recorded in time: its worker is gone"
        ids = [row[0] for row in overdue]
        transaction.run(MAKE_UNKNOWN, {"ids": ids, "reason": reason})
        transaction.run(SENDS_UNKNOWN, {"tokens": [row[1] for row in overdue], "reason": reason})
        add_events(
            transaction, [event(id_, now, Actor.SWEEPER, "dialing", AttemptState.UNKNOWN, reason) for id_ in ids]
        )
    return [Swept(len(leases), len(overdue))] * len(sweeps)


def finish_campaigns(transaction: Transaction, asks: Sequence[None], now: float) -> list[list[str]]:
    """Finish every running campaign whose contacts are all final."""
    done = [row[0] for row in transaction.all(DONE_CAMPAIGNS)]
    if not done:
        return [[]] * len(asks)
    transaction.run(FINISH, {"ids": done, "now": now})
    return [[row[0] for row in transaction.all(NAMES, {"ids": done})]] * len(asks)
