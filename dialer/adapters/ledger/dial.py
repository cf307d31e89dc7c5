"""Verbs of the worker: the gate, and the result of a request."""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from dialer.adapters.ledger.campaigns import CAMPAIGN_COLUMNS, campaign_of
from dialer.adapters.ledger.moves import (
    OPEN_CONTACT,
    add_events,
    attempts_made,
    end_waiting,
    event,
    from_states,
    states_of,
)
from dialer.adapters.ledger.outcomes import Outcomes
from dialer.adapters.ledger.person_history import Histories, read_histories
from dialer.adapters.ledger.states import in_states
from dialer.adapters.ledger.suppressing import Listed
from dialer.adapters.ledger.transaction import Row, Transaction
from dialer.adapters.ledger.weighing import about_of, hardened, room_on_trial
from dialer.domain.attempt import LIVE, Actor, AttemptState
from dialer.domain.call import NotPlaced, Placed, PlaceResult, Refused, Unknown
from dialer.domain.campaign import CampaignSpec, CampaignStatus
from dialer.domain.contact import ContactStatus
from dialer.domain.contact_plan import GONE, STOPPED
from dialer.domain.gate import Admit, Defer, Exhaust, Expire, GateFacts, Settle, Stale, Suppress, Verdict, judge
from dialer.domain.limits import Made
from dialer.errors import LedgerUnavailable
from dialer.ports import Admitted, Campaign, GateAnswer, GateRequest, SendOutcome, Turned

TRIAL_WAIT_S = 1.0
ON_TRIAL = "others are asked first, while no call was accepted yet"

GATE_FACTS = f"""
SELECT a.id, a.campaign_id, a.contact_id, {attempts_made("a")}, a.state, a.dispatch, a.due_at, a.phone,
    c.name, c.variables, c.zones, c.places, a.person,
    EXISTS (SELECT 1 FROM attempts l
        WHERE l.phone = a.phone AND l.rehearsal = a.rehearsal AND l.state IN ({in_states(LIVE)})), c.event_at,
    CASE WHEN a.person = a.phone THEN 0 WHEN EXISTS (
        SELECT 1 FROM attempts l
        WHERE l.person = a.person AND l.rehearsal = a.rehearsal AND l.state IN ({in_states(LIVE)})) THEN 1 ELSE 0 END,
    CASE WHEN c.person_key = '' THEN 0 WHEN EXISTS (
        SELECT 1 FROM contacts o WHERE o.campaign_id = c.campaign_id AND o.person_key = c.person_key
            AND o.person_key <> ''
            AND o.status = 'reached' AND o.id <> c.id AND coalesce(o.event_at, 0) = coalesce(c.event_at, 0)
    ) THEN 1 ELSE 0 END
FROM attempts a JOIN contacts c ON c.id = a.contact_id WHERE a.id IN :ids*
"""
RUNNING_SPECS = f"SELECT {CAMPAIGN_COLUMNS} FROM campaigns WHERE id IN :ids*"

ADMIT = f"""
UPDATE attempts SET state = 'dialing', token = :token, worker = :worker, agent = :agent, dialed_at = :now,
    answer_due_at = :answer_due_at, lease_until = NULL, reason = :reason
WHERE id = :attempt_id AND dispatch = :dispatch AND state IN ({from_states(AttemptState.DIALING, Actor.WORKER)})
"""
ADD_SEND = """
INSERT INTO sends (attempt_id, account, token, class, started_at)
VALUES (:attempt_id, :account, :token, 'inflight', :now)
"""
CONTACT_DIALED = f"""
UPDATE contacts SET status = 'active', attempts = :attempts_made, last_attempt_at = :now, waits_for = ''
WHERE id = :contact_id AND status IN ({OPEN_CONTACT})
"""
CONTACT_NOT_DIALED = f"""
UPDATE contacts SET
    attempts = (SELECT {attempts_made("attempts")} - 1 FROM attempts WHERE id = :attempt_id),
    last_attempt_at = (SELECT max(dialed_at) FROM attempts WHERE attempts.contact_id = contacts.id)
WHERE id = (SELECT contact_id FROM attempts WHERE id = :attempt_id)
"""
TURN_BACK = """
UPDATE attempts SET state = 'planned', lease_until = NULL, due_at = :due_at, reason = :reason
WHERE id = :attempt_id AND state = 'queued'
"""
TURN_AWAY = """
UPDATE attempts SET state = 'cancelled', lease_until = NULL, ended_at = :now, reason = :reason
WHERE id = :attempt_id AND state = 'queued'
"""
END_CONTACT = f"""
UPDATE contacts SET status = :status, due_at = NULL, waits_for = :why
WHERE id = :contact_id AND status IN ({OPEN_CONTACT})
"""


# The worker's guarded move of its own attempt; a swept one it may still correct.
_MOVED = """
UPDATE attempts SET state = '{after}', reason = :reason{more}
WHERE id = :attempt_id AND token = :token AND state IN ({before})
"""
_MOVES = {
    Placed: (AttemptState.PLACED, ", call_id = :call_id"),
    NotPlaced: (AttemptState.PLANNED, ", due_at = :due_at, token = NULL, dialed_at = NULL, answer_due_at = NULL"),
    Refused: (AttemptState.REFUSED, ", disposition = :disposition, ended_at = :now"),
    Unknown: (AttemptState.UNKNOWN, ""),
}
AFTER = {kind: after for kind, (after, _) in _MOVES.items()}
RECORD = {
    kind: _MOVED.format(after=after, more=more, before=from_states(after, Actor.WORKER))
    for kind, (after, more) in _MOVES.items()
}
SEND_CLASS = {Placed: "placed", NotPlaced: "not_placed", Refused: "refused", Unknown: "unknown"}

RECORD_SEND = """
UPDATE sends SET class = :class, answered_at = :now, http_status = :http_status, requests = :requests,
    reason = :reason, about = :about
WHERE token = :token AND class IN ('inflight', 'unknown')
"""
ENDS = {
    Suppress: ContactStatus.SUPPRESSED,
    Exhaust: ContactStatus.EXHAUSTED,
    Expire: ContactStatus.EXPIRED,
    Settle: ContactStatus.CANCELLED,
}
"""What becomes of the contact when the gate turns its attempt away for good."""

PLANNED_IN_VAIN = f"""
SELECT attempts.id, attempts.state, attempts.contact_id,
    CASE WHEN campaigns.status = 'cancelled' THEN 'campaign cancelled' WHEN contacts.gone = 1 THEN '{GONE}'
        WHEN contacts.gone = 2 THEN '{STOPPED}' ELSE 'contact ' || contacts.status END
FROM attempts JOIN campaigns ON campaigns.id = attempts.campaign_id JOIN contacts ON contacts.id = attempts.contact_id
WHERE attempts.id IN :ids* AND attempts.state = 'planned'
    AND (campaigns.status = 'cancelled' OR contacts.gone <> 0 OR contacts.status NOT IN ({OPEN_CONTACT}))
"""


def pass_gate(transaction: Transaction, requests: Sequence[GateRequest], now: float) -> list[GateAnswer]:
    """Judge each request on what the ledger holds now, and apply the verdicts."""
    facts = {row[0]: row for row in transaction.all(GATE_FACTS, {"ids": [r.attempt_id for r in requests]})}
    campaign_ids = sorted({row[1] for row in facts.values()})
    campaigns = {row[0]: campaign_of(row) for row in transaction.all(RUNNING_SPECS, {"ids": campaign_ids})}
    listed = Listed(transaction, [row[7] for row in facts.values()])
    histories = _histories(transaction, facts.values(), campaigns)
    admitted: list[dict[str, Any]] = []
    events: list[dict[str, Any]] = []
    taken: set[tuple[str, bool]] = set()
    answers: list[GateAnswer] = []
    rooms: dict[int, int] = {}
    for request in requests:
        row = facts.get(request.attempt_id)
        if row is None:
            answers.append(Turned(request.attempt_id, AttemptState.CANCELLED, "no such attempt"))
            continue
        campaign = campaigns[row[1]]
        rehearsal = campaign.spec.is_rehearsal
        barred = listed.why(row[7], row[1], rehearsal=rehearsal)
        contact_facts = _facts_of(row, campaign, barred, taken, histories[rehearsal])
        verdict = judge(contact_facts, request, now)
        if isinstance(verdict, Admit) and request.on_trial:
            verdict = _on_trial(transaction, verdict, row[1], rooms, now)
        match verdict:
            case Admit(why):
                taken.update({(row[7], rehearsal), (row[12], rehearsal)})
                histories[rehearsal].add(row[0], row[12], row[7], Made(now, AttemptState.DIALING))
                admitted.append(_admission(request, row, campaign.spec, why, now))
                events.append(event(row[0], now, Actor.WORKER, "queued", AttemptState.DIALING, why))
                answers.append(_admitted(request, row, campaign.spec, now))
                after = AttemptState.DIALING
            case _:
                turned = _turn(transaction, row, verdict, events, now)
                answers.append(turned)
                after = turned.state
        # The same attempt may be asked for twice: the second question meets the first one's answer.
        facts[row[0]] = (*row[:4], after, *row[5:])
    if not transaction.all_won(ADMIT, admitted):
        raise LedgerUnavailable("an attempt moved while the gate judged it; nothing was admitted")
    transaction.many(ADD_SEND, admitted)
    transaction.many(CONTACT_DIALED, admitted)
    add_events(transaction, events)
    return answers


def _on_trial(
    transaction: Transaction, admit: Admit, campaign_id: int, rooms: dict[int, int], now: float
) -> Admit | Defer:
    """While it is not known that calls are accepted, only few people are asked, over all workers."""
    if campaign_id not in rooms:
        rooms[campaign_id] = room_on_trial(transaction, campaign_id, now)
    rooms[campaign_id] -= 1
    return admit if rooms[campaign_id] >= 0 else Defer(now + TRIAL_WAIT_S, ON_TRIAL)


def _histories(
    transaction: Transaction, rows: Collection[Row], campaigns: Mapping[int, Campaign]
) -> dict[bool, Histories]:
    """By whether it is a rehearsal: the history of each person whose calls are limited."""
    specs = {campaign_id: campaign.spec for campaign_id, campaign in campaigns.items()}
    limited = [(row[12], row[7], specs[row[1]].is_rehearsal) for row in rows if specs[row[1]].limits_people]
    people = {kind: [(person, phone) for person, phone, of in limited if of is kind] for kind in (False, True)}
    return {kind: read_histories(transaction, those, rehearsal=kind) for kind, those in people.items()}


def _facts_of(
    row: Row, campaign: Campaign, suppressed_by: str, taken: set[tuple[str, bool]], histories: Histories
) -> GateFacts:
    rehearsal = campaign.spec.is_rehearsal
    return GateFacts(
        state=AttemptState(row[4]),
        dispatch=row[5],
        due_at=row[6],
        campaign_status=CampaignStatus.HALTED if campaign.flaw else campaign.status,
        suppressed_by=suppressed_by,
        number_is_live=bool(row[13]) or (row[7], rehearsal) in taken,
        person_is_live=bool(row[15]) or (row[12] != row[7] and (row[12], rehearsal) in taken),
        person_reached=bool(row[16]),
        zones=campaign.spec.zones_of(tuple(row[10].split())),
        window=campaign.spec.window,
        places=tuple(row[11].split()),
        limits=campaign.spec.limits,
        other_hour=campaign.spec.redial.other_hour,
        made=histories.of(row[12], row[7]),
        event_at=row[14] if campaign.spec.reminder.event else None,
        ends_at=campaign.spec.schedule.end,
    )


def _admission(request: GateRequest, row: Row, spec: CampaignSpec, why: str, now: float) -> dict[str, Any]:
    return {
        "attempt_id": request.attempt_id,
        "account": spec.provider,
        "agent": spec.agent,
        "dispatch": request.dispatch,
        "token": request.token,
        "worker": request.worker,
        "answer_due_at": now + request.answer_within_s,
        "contact_id": row[2],
        "attempts_made": row[3],
        "reason": why,
        "now": now,
    }


def _admitted(request: GateRequest, row: Row, spec: CampaignSpec, now: float) -> Admitted:
    attempt_id, campaign_id, contact_id, made = row[:4]
    phone, name, variables = row[7:10]
    return Admitted(
        attempt_id, campaign_id, contact_id, made, request.token, phone, name, json.loads(variables), now, spec
    )


def _turn(transaction: Transaction, row: Row, verdict: Verdict, events: list[dict[str, Any]], now: float) -> Turned:
    attempt_id, before = row[0], AttemptState(row[4])
    match verdict:
        case Defer(until, why, clock):
            transaction.run(TURN_BACK, {"attempt_id": attempt_id, "due_at": until, "reason": why})
            reason = f"{why}; clock {clock}" if clock else why
            events.append(event(attempt_id, now, Actor.WORKER, before, AttemptState.PLANNED, reason))
            return Turned(attempt_id, AttemptState.PLANNED, why)
        case Suppress(why) | Exhaust(why) | Expire(why) | Settle(why):
            status = ENDS[type(verdict)]
            transaction.run(TURN_AWAY, {"attempt_id": attempt_id, "now": now, "reason": why})
            transaction.run(END_CONTACT, {"contact_id": row[2], "status": str(status), "why": why})
            events.append(event(attempt_id, now, Actor.WORKER, before, AttemptState.CANCELLED, why))
            return Turned(attempt_id, AttemptState.CANCELLED, why)
        case Stale(why):
            return Turned(attempt_id, before, why)
        case Admit():
            raise AssertionError("an admitted attempt is not turned")


def record_sends(transaction: Transaction, outcomes: Sequence[SendOutcome], now: float) -> list[bool]:
    """Move each attempt by the result of its request; False where the worker could no longer move it."""
    outcomes = [hardened(transaction, outcome) for outcome in outcomes]
    ids = [outcome.attempt_id for outcome in outcomes]
    before = states_of(transaction, ids)
    rows = [_outcome_row(outcome, now) for outcome in outcomes]
    moved = [False] * len(outcomes)
    for kind, sql in RECORD.items():
        chosen = [n for n, outcome in enumerate(outcomes) if isinstance(outcome.result, kind)]
        for n, won in zip(chosen, transaction.won(sql, [rows[n] for n in chosen]), strict=True):
            moved[n] = won
    events = []
    for outcome, won in zip(outcomes, moved, strict=True):
        if won:
            events.append(_outcome_event(outcome, before[outcome.attempt_id], now))
    _follow_refusals(transaction, [outcome for outcome, won in zip(outcomes, moved, strict=True) if won], now)
    add_events(transaction, events)
    transaction.many(RECORD_SEND, [row for row, won in zip(rows, moved, strict=True) if won])
    vain = [n for n, outcome in enumerate(outcomes) if isinstance(outcome.result, NotPlaced) and moved[n]]
    transaction.many(CONTACT_NOT_DIALED, [rows[n] for n in vain])
    _end_in_vain(transaction, outcomes, now)
    return moved


def _follow_refusals(transaction: Transaction, outcomes: Sequence[SendOutcome], now: float) -> None:
    refused = [
        (outcome.attempt_id, outcome.follow, outcome.result.disposition)
        for outcome in outcomes
        if outcome.follow is not None and isinstance(outcome.result, Refused)
    ]
    page = Outcomes(transaction, [attempt_id for attempt_id, _, _ in refused], now)
    for attempt_id, follow, disposition in refused:
        page.follow(attempt_id, follow, disposition)
    page.write()


def _end_in_vain(transaction: Transaction, outcomes: Sequence[SendOutcome], now: float) -> None:
    """What was not placed is not tried again once its campaign was cancelled or its contact settled."""
    ids = [outcome.attempt_id for outcome in outcomes if isinstance(outcome.result, NotPlaced)]
    rows = transaction.all(PLANNED_IN_VAIN, {"ids": ids}) if ids else []
    for row in rows:
        end_waiting(transaction, [row], Actor.OPERATOR, row[3], now)
        transaction.run(END_CONTACT, {"contact_id": row[2], "status": "cancelled", "why": row[3]})


def _outcome_row(outcome: SendOutcome, now: float) -> dict[str, Any]:
    result = outcome.result
    return {
        "attempt_id": outcome.attempt_id,
        "token": outcome.token,
        "class": SEND_CLASS[type(result)],
        "http_status": result.http_status,
        "requests": outcome.requests,
        "about": about_of(result),
        "reason": _reason(result),
        "call_id": result.call_id if isinstance(result, Placed) else None,
        "disposition": str(result.disposition) if isinstance(result, Refused) else "",
        "due_at": outcome.due_at,
        "now": now,
    }


def _reason(result: PlaceResult) -> str:
    return "accepted by the provider" if isinstance(result, Placed) else result.reason


def _outcome_event(outcome: SendOutcome, before: str, now: float) -> dict[str, Any]:
    after = AFTER[type(outcome.result)]
    return event(outcome.attempt_id, now, Actor.WORKER, before, after, _reason(outcome.result))
