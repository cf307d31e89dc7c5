"""Verbs of the feeder and the sweeper."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dialer.adapters.ledger.campaigns import CAMPAIGN_BY_ID, PLAN_AGAIN, campaign_of
from dialer.adapters.ledger.moves import OPEN_CONTACT, WORKER_GONE, add_events, end_waiting, event
from dialer.adapters.ledger.person_history import read_histories
from dialer.adapters.ledger.spec_text import usable_spec
from dialer.adapters.ledger.suppressing import suppressed_among
from dialer.adapters.ledger.transaction import Row, Transaction
from dialer.adapters.ledger.weighing import weigh
from dialer.domain.attempt import Actor, AttemptState
from dialer.domain.campaign import CampaignStatus, is_over
from dialer.domain.contact import ContactStatus
from dialer.domain.gate import UNSIGHTED_OPENING_S
from dialer.domain.limits import Spent, Wait, cap_on, place_caps
from dialer.domain.opening import Closed, Open, window_at
from dialer.ports import Campaign, QueuedAttempt, Swept

DUE_ATTEMPTS = """
SELECT attempts.id, attempts.person, attempts.phone, attempts.contact_id, contacts.zones, contacts.places
FROM attempts JOIN contacts ON contacts.id = attempts.contact_id
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
SELECT id, CASE WHEN person_key = '' THEN phone ELSE person_key END, phone, waits_for, zones, places FROM contacts
WHERE campaign_id = :campaign_id AND due_at <= :now
ORDER BY due_at, id LIMIT :limit
"""
TAKE_CONTACTS = "UPDATE contacts SET due_at = NULL, waits_for = '' WHERE id IN :ids*"
PUT_OFF_CONTACTS = "UPDATE contacts SET due_at = :due_at, waits_for = :reason WHERE id IN :ids*"
PUT_OFF_CONTACT = "UPDATE contacts SET due_at = :due_at, waits_for = :reason WHERE id = :id"
PUT_OFF_ATTEMPT = "UPDATE attempts SET due_at = :due_at, reason = :reason WHERE id = :id AND state = 'planned'"
# The first of a contact, or of its next appointment: what an appointment that moved had planned is kept.
NEXT_NUMBER = "(SELECT coalesce(max(number_of), 0) + 1 FROM attempts WHERE contact_id = :contact_id)"
FIRST_ATTEMPT = f"""
INSERT INTO attempts (campaign_id, contact_id, number_of, phone, person, account, rehearsal, state, dispatch, due_at,
    lease_until, reason)
VALUES (:campaign_id, :contact_id, {NEXT_NUMBER}, :phone, :person, :account, :rehearsal, 'queued', 1, :now,
    :lease_until, :reason)
"""
FIRST_ATTEMPTS = """
SELECT id, dispatch, reason, contact_id FROM attempts
WHERE contact_id IN :contact_ids* AND state IN ('planned', 'queued')
ORDER BY id
"""
NEVER_DIALED = f"""
INSERT INTO attempts (campaign_id, contact_id, number_of, phone, person, account, rehearsal, state, due_at, reason)
VALUES (:campaign_id, :contact_id, {NEXT_NUMBER}, :phone, :person, :account, :rehearsal, 'planned', :now, :reason)
"""
END_CONTACT = f"""
UPDATE contacts SET status = :status, due_at = NULL, waits_for = '' WHERE id = :id AND status IN ({OPEN_CONTACT})
"""

HAND_BACK = """
UPDATE attempts SET state = 'planned', lease_until = NULL, due_at = :due_at, reason = :reason
WHERE id = :id AND dispatch = :dispatch AND state = 'queued'
"""
RENEW_LEASE = (
    "UPDATE attempts SET lease_until = :lease_until WHERE id = :id AND dispatch = :dispatch AND state = 'queued'"
)

EXPIRED_LEASES = """
SELECT id, account FROM attempts WHERE state = 'queued' AND (lease_until <= :now OR lease_until > :longest) LIMIT 1000
"""
LONGEST_LEASE_S = 600.0
"""One that seems to last longer was given before the clock was set back."""
BEAT = """
INSERT INTO ledger_facts (name, value) VALUES ('beat-at', :at) ON CONFLICT (name) DO UPDATE SET value = excluded.value
"""
SCHEMA = "SELECT version_num FROM alembic_version"
OVERDUE_ANSWERS = "SELECT id, token FROM attempts WHERE state = 'dialing' AND answer_due_at <= :now LIMIT 1000"
MAKE_UNKNOWN = "UPDATE attempts SET state = 'unknown', reason = :reason WHERE id IN :ids* AND state = 'dialing'"
SENDS_UNKNOWN = "UPDATE sends SET class = 'unknown', reason = :reason WHERE token IN :tokens* AND class = 'inflight'"

_DONE = f"""
SELECT id, status, spec, EXISTS (SELECT 1 FROM imports WHERE imports.campaign_id = campaigns.id) FROM campaigns
WHERE status IN ('running', 'scheduled', 'paused', 'halted') AND NOT EXISTS (
    SELECT 1 FROM contacts WHERE contacts.campaign_id = campaigns.id AND contacts.status IN ({OPEN_CONTACT}))
"""
DONE_CAMPAIGNS = f"{_DONE} ORDER BY id"
STILL_DONE = f"{_DONE} AND id IN :ids* ORDER BY id"
FINISH = "UPDATE campaigns SET status = 'finished', finished_at = :now WHERE id IN :ids*"
NAMES = "SELECT id, name FROM campaigns WHERE id IN :ids*"


@dataclass(frozen=True, slots=True)
class Want:
    """``most`` attempts of a campaign, sought among the ``page`` people who are due first."""

    campaign_id: int
    most: int
    page: int


@dataclass(frozen=True, slots=True)
class Claimed:
    """What was found, and whether to look on: somebody who may not be called now was put off."""

    attempts: list[QueuedAttempt]
    more: bool


def claim_due(transaction: Transaction, wants: Sequence[Want], lease_s: float, now: float) -> list[Claimed]:
    """For each: move due attempts to queued, and put off who may not be called now."""
    return [_claim(transaction, want, now + lease_s, now) for want in wants]


def _claim(transaction: Transaction, want: Want, lease_until: float, now: float) -> Claimed:
    campaign = campaign_of(transaction.all(CAMPAIGN_BY_ID, {"id": want.campaign_id})[0])
    if campaign.status is not CampaignStatus.RUNNING or campaign.spec.schedule.repeat:
        return Claimed([], more=False)
    params = {"campaign_id": want.campaign_id, "now": now, "lease_until": lease_until, "limit": want.page,
            "account": campaign.spec.provider, "rehearsal": int(campaign.spec.is_rehearsal)}  # fmt: skip
    planned = _claim_planned(transaction, campaign, params, want.most, now)
    most = want.most - len(planned.attempts)
    if planned.more or not most:
        return planned
    fresh = _claim_fresh(transaction, campaign, params, most, now)
    return Claimed(planned.attempts + fresh.attempts, fresh.more and len(fresh.attempts) < most)


def _claim_planned(
    transaction: Transaction, campaign: Campaign, params: dict[str, Any], most: int, now: float
) -> Claimed:
    due, closed = _split_by_window(campaign, transaction.all(DUE_ATTEMPTS, params), now)
    for (opens_at, reason), rows in closed.items():
        transaction.run(PUT_OFF_ATTEMPTS, {"ids": [row[0] for row in rows], "due_at": opens_at, "reason": reason})
    free, waiting, over = _split_by_person(transaction, campaign, due, most, now)
    transaction.many(PUT_OFF_ATTEMPT, waiting)
    _give_up(transaction, [(row[0], row[3], status, reason) for row, status, reason in over], now)
    queued = _queue(transaction, campaign, [row[0] for row in free], params, now)
    return Claimed(queued, bool(closed or waiting or over) and len(queued) < most)


def _queue(
    transaction: Transaction, campaign: Campaign, ids: list[int], params: dict[str, Any], now: float
) -> list[QueuedAttempt]:
    if not ids:
        return []
    transaction.many(QUEUE_ATTEMPT, [{"id": id_, "lease_until": params["lease_until"]} for id_ in ids])
    add_events(transaction, [event(id_, now, Actor.FEEDER, "planned", AttemptState.QUEUED, "due") for id_ in ids])
    dispatches = {row[0]: row[1] for row in transaction.all(DISPATCHES, {"ids": ids})}
    return [QueuedAttempt(id_, dispatches[id_], campaign.campaign_id, campaign.spec.provider) for id_ in ids]


def _give_up(transaction: Transaction, over: Sequence[tuple[int, int, ContactStatus, str]], now: float) -> None:
    """These people (attempt, contact, its new status, why) may never be called again."""
    for attempt_id, _, _, reason in over:
        end_waiting(transaction, [(attempt_id, "planned")], Actor.FEEDER, reason, now)
    transaction.many(END_CONTACT, [{"id": contact_id, "status": str(status)} for _, contact_id, status, _ in over])


def _claim_fresh(
    transaction: Transaction, campaign: Campaign, params: dict[str, Any], most: int, now: float
) -> Claimed:
    fresh, closed = _split_by_window(campaign, transaction.all(FRESH_CONTACTS, params), now)
    for (opens_at, reason), rows in closed.items():
        transaction.run(PUT_OFF_CONTACTS, {"ids": [row[0] for row in rows], "due_at": opens_at, "reason": reason})
    free, waiting, over = _split_by_person(transaction, campaign, fresh, most, now)
    transaction.many(PUT_OFF_CONTACT, waiting)
    _never_dial(transaction, params, over, now)
    return Claimed(_take(transaction, campaign, free, params, now), bool(closed or waiting or over))


def _never_dial(
    transaction: Transaction, params: dict[str, Any], over: Sequence[tuple[Row, ContactStatus, str]], now: float
) -> None:
    """Record why these fresh contacts are not called, as an attempt that was never made."""
    if not over:
        return
    contact_ids = [row[0] for row, *_ in over]
    transaction.run(TAKE_CONTACTS, {"ids": contact_ids})
    transaction.many(NEVER_DIALED, [params | _whom(row) | {"reason": reason} for row, _, reason in over])
    made = {row[3]: row[0] for row in transaction.all(FIRST_ATTEMPTS, {"contact_ids": contact_ids})}
    _give_up(transaction, [(made[row[0]], row[0], status, reason) for row, status, reason in over], now)


def _take(
    transaction: Transaction, campaign: Campaign, fresh: list[Row], params: dict[str, Any], now: float
) -> list[QueuedAttempt]:
    """Make the first attempt of each contact."""
    if not fresh:
        return []
    contact_ids = [row[0] for row in fresh]
    transaction.run(TAKE_CONTACTS, {"ids": contact_ids})
    reminds = bool(campaign.spec.reminder.event)
    reasons = [row[3] if reminds and row[3] else "first attempt" for row in fresh]
    transaction.many(
        FIRST_ATTEMPT, [params | _whom(row) | {"reason": why} for row, why in zip(fresh, reasons, strict=True)]
    )
    made = transaction.all(FIRST_ATTEMPTS, {"contact_ids": contact_ids})
    add_events(
        transaction,
        [event(row[0], now, Actor.FEEDER, "planned", AttemptState.QUEUED, row[2]) for row in made],
    )
    return [QueuedAttempt(row[0], row[1], campaign.campaign_id, campaign.spec.provider) for row in made]


def _whom(row: Row) -> dict[str, Any]:
    return {"contact_id": row[0], "person": row[1], "phone": row[2]}


def _split_by_person(
    transaction: Transaction, campaign: Campaign, rows: list[Row], wanted: int, now: float
) -> tuple[list[Row], list[dict[str, Any]], list[tuple[Row, ContactStatus, str]]]:
    """Of these rows (id, person, phone first): up to ``wanted`` to call, who must wait, and who is never called."""
    spec = campaign.spec
    phones = [row[2] for row in rows]
    barred = suppressed_among(transaction, phones, campaign.campaign_id, rehearsal=spec.is_rehearsal)
    if not spec.limits_people and not barred:
        return rows[:wanted], [], []
    people = [(row[1], row[2]) for row in rows] if spec.limits_people else []
    histories = read_histories(transaction, people, rehearsal=spec.is_rehearsal)
    free: list[Row] = []
    waiting: list[dict[str, Any]] = []
    over: list[tuple[Row, ContactStatus, str]] = []
    for row in rows:
        if len(free) == wanted:
            break
        if row[2] in barred:
            over.append((row, ContactStatus.SUPPRESSED, f"suppressed: {barred[row[2]]}"))
            continue
        caps = place_caps(spec.window, tuple(row[-1].split()))
        match cap_on(spec.limits, histories.of(row[1], row[2]), now, caps):
            case Wait(until, reason):
                waiting.append({"id": row[0], "due_at": until, "reason": reason})
            case Spent(reason):
                over.append((row, ContactStatus.EXHAUSTED, reason))
            case None:
                free.append(row)
    return free, waiting, over


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
    expired = transaction.all(EXPIRED_LEASES, {"now": now, "longest": now + LONGEST_LEASE_S})
    leases = [attempt_id for attempt_id, _ in expired]
    if leases:
        reason = "lease expired: its worker is gone"
        transaction.run(PLAN_AGAIN, {"ids": leases, "reason": reason})
        add_events(
            transaction, [event(id_, now, Actor.SWEEPER, "queued", AttemptState.PLANNED, reason) for id_ in leases]
        )
    overdue = transaction.all(OVERDUE_ANSWERS, {"now": now})
    if overdue:
        reason = WORKER_GONE
        ids = [row[0] for row in overdue]
        transaction.run(MAKE_UNKNOWN, {"ids": ids, "reason": reason})
        transaction.run(SENDS_UNKNOWN, {"tokens": [row[1] for row in overdue], "reason": reason})
        add_events(
            transaction, [event(id_, now, Actor.SWEEPER, "dialing", AttemptState.UNKNOWN, reason) for id_ in ids]
        )
    return [Swept(len(leases), len(overdue), frozenset(account for _, account in expired))] * len(sweeps)


def beat(transaction: Transaction, beats: Sequence[None], now: float) -> list[str]:
    """Note that somebody could write; the ledger's schema."""
    transaction.run(BEAT, {"at": str(round(now))})
    return [transaction.all(SCHEMA)[0][0]] * len(beats)


def done_campaigns(transaction: Transaction, now: float, ids: Sequence[int] | None = None) -> list[tuple[int, str]]:
    """Of all campaigns, or of these: (id, status) of each that is over, and whose contacts are all final."""
    rows = transaction.all(DONE_CAMPAIGNS) if ids is None else transaction.all(STILL_DONE, {"ids": list(ids)})
    return [
        (id_, status)
        for id_, status, spec, fed in rows
        if is_over(usable_spec(spec, "", "")[0], CampaignStatus(status), now, fed=bool(fed))
    ]


def finish_campaigns(transaction: Transaction, ids: Sequence[int], now: float) -> list[str]:
    """Finish each of these campaigns that is done, if nobody comes to it; its name, "" where it goes on."""
    done = [
        id_
        for id_, status in done_campaigns(transaction, now, ids)
        if not (status == CampaignStatus.RUNNING and weigh(transaction, id_, now, over=True))
    ]
    transaction.run(FINISH, {"ids": done, "now": now})
    names: dict[int, str] = dict(transaction.all(NAMES, {"ids": done}))
    return [names.get(id_, "") for id_ in ids]
