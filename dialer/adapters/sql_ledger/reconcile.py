"""Verbs of the reconciler."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from dialer.adapters.sql_ledger.moves import add_events, event, follow_up, from_states, states_of
from dialer.adapters.sql_ledger.transaction import Transaction
from dialer.domain.attempt import Actor, AttemptState
from dialer.domain.call import CallLog
from dialer.domain.redial import Redial
from dialer.ports import Absent, LogScan, Matched

STORE_LOG = """
INSERT INTO log_rows (account, call_id, attempt_id, evidence, outbound, started_at, ended_at, duration_s, raw_status,
    disposition, unmapped, cost, summary, recording_url, first_seen_at, owed_until, called_back)
VALUES (:account, :call_id, :attempt_id, :evidence, :outbound, :started_at, :ended_at, :duration_s, :raw_status,
    :disposition, :unmapped, :cost, :summary, :recording_url, :now, :owed_until, :called_back)
ON CONFLICT (account, call_id) DO UPDATE SET
    attempt_id = coalesce(log_rows.attempt_id, excluded.attempt_id),
    evidence = CASE WHEN log_rows.attempt_id IS NULL THEN excluded.evidence ELSE log_rows.evidence END,
    ended_at = excluded.ended_at, duration_s = excluded.duration_s, raw_status = excluded.raw_status,
    disposition = CASE WHEN excluded.attempt_id IS NULL AND log_rows.attempt_id IS NOT NULL
        THEN log_rows.disposition ELSE excluded.disposition END,
    unmapped = excluded.unmapped, cost = excluded.cost,
    summary = excluded.summary, recording_url = excluded.recording_url,
    owed_until = CASE WHEN excluded.attempt_id IS NULL THEN log_rows.owed_until ELSE excluded.owed_until END,
    called_back = CASE WHEN excluded.called_back = 1 THEN 1 ELSE log_rows.called_back END
"""
END_ATTEMPT = f"""
UPDATE attempts SET state = 'ended', disposition = :disposition, ended_at = coalesce(:ended_at, :now),
    duration_s = :duration_s, call_id = :call_id, cost = :cost, reason = :reason
WHERE id = :attempt_id AND state IN ({from_states(AttemptState.ENDED, Actor.RECONCILER)})
"""
ADOPT_CALL = f"""
UPDATE attempts SET state = 'placed', call_id = :call_id, reason = :reason
WHERE id = :attempt_id AND state IN ({from_states(AttemptState.PLACED, Actor.RECONCILER)})
"""
NAME_CALL = "UPDATE attempts SET call_id = :call_id WHERE id = :attempt_id AND state = 'placed' AND call_id IS NULL"
CORRECT_ATTEMPT = """
UPDATE attempts SET disposition = :disposition, duration_s = coalesce(:duration_s, duration_s),
    cost = coalesce(:cost, cost), call_id = :call_id
WHERE id = :attempt_id AND state = 'ended'
"""
CAME_TO = "SELECT id, disposition FROM attempts WHERE id IN :ids* AND state = 'ended'"
REOPEN_CONTACT = """
UPDATE contacts SET status = 'active'
WHERE id = (SELECT contact_id FROM attempts WHERE id = :attempt_id) AND status = 'reached' AND NOT EXISTS (
    SELECT 1 FROM attempts later JOIN attempts this ON this.id = :attempt_id
    WHERE later.contact_id = this.contact_id AND later.number_of > this.number_of)
"""
REOPEN_CAMPAIGN = """
UPDATE campaigns SET status = 'running', finished_at = NULL
WHERE id = (SELECT campaign_id FROM attempts WHERE id = :attempt_id) AND status = 'finished' AND EXISTS (
    SELECT 1 FROM attempts later JOIN attempts this ON this.id = :attempt_id
    WHERE later.contact_id = this.contact_id AND later.state = 'planned')
"""
NOTE_FACT = """
INSERT INTO ledger_facts (name, value) VALUES (:name, :value) ON CONFLICT (name) DO UPDATE SET value = excluded.value
"""
FORGET_FACT = "DELETE FROM ledger_facts WHERE name = :name"
TO_REVIEW = f"""
UPDATE attempts SET state = 'review', lease_until = NULL, call_id = :call_id, reason = :reason,
    dialed_at = coalesce(dialed_at, :started_at, :now)
WHERE id = :attempt_id AND state IN ({from_states(AttemptState.REVIEW, Actor.RECONCILER)})
"""
SEND_ADOPTED = "UPDATE sends SET class = 'placed' WHERE attempt_id = :attempt_id AND class = 'unknown'"
ADD_SCAN = """
INSERT INTO scans (account, started_at, ended_at, since, pages, rows, whole)
VALUES (:account, :started_at, :ended_at, :since, :pages, :rows, :whole)
"""
FORGET_SCANS = "DELETE FROM scans WHERE account = :account AND started_at < :before"
SCANS_KEPT_S = 30 * 86_400.0
CLOSE_ABSENT = """
UPDATE attempts SET state = 'unconfirmed', disposition = :disposition, ended_at = :now, reason = :reason
WHERE id = :attempt_id AND state IN ('placed', 'unknown')
"""


def record_logs(transaction: Transaction, rows: Sequence[Matched], account: str, now: float) -> list[bool]:
    """Store each row; end the attempt it settles, or adopt a call whose answer was lost."""
    transaction.many(STORE_LOG, [_log_row(account, row, now) for row in rows])
    ids = [row.attempt_id for row in rows if row.attempt_id is not None]
    before = states_of(transaction, ids)
    return [_settle(transaction, row, before, now) for row in rows]


def _settle(transaction: Transaction, row: Matched, before: dict[int, str], now: float) -> bool:
    attempt_id = row.attempt_id
    if attempt_id is None or attempt_id not in before or row.leg:
        return False
    log, state = row.log, before[attempt_id]
    told: dict[str, Any] = {
        "attempt_id": attempt_id,
        "now": now,
        "call_id": log.call_id,
        "reason": f"call log: {row.evidence}",
    }
    if log.disposition is None:
        if transaction.run(ADOPT_CALL, told):
            transaction.run(SEND_ADOPTED, told)
            add_events(
                transaction,
                [event(attempt_id, now, Actor.RECONCILER, state, AttemptState.PLACED, told["reason"])],
            )
            before[attempt_id] = AttemptState.PLACED
        else:
            transaction.run(NAME_CALL, told)
        return False
    return _end(transaction, attempt_id, state, row, told)


def record_phantoms(transaction: Transaction, rows: Sequence[Matched], account: str, now: float) -> list[bool]:
    """Keep the attempts of calls that should not exist from being dialed again; end them by their rows."""
    transaction.many(STORE_LOG, [_log_row(account, row, now) for row in rows])
    ids = [row.attempt_id for row in rows if row.attempt_id is not None]
    before = states_of(transaction, ids)
    return [_review(transaction, row, before, now) for row in rows]


def _review(transaction: Transaction, row: Matched, before: dict[int, str], now: float) -> bool:
    attempt_id = row.attempt_id
    if attempt_id is None or attempt_id not in before:
        return False
    told = {"attempt_id": attempt_id, "now": now, "call_id": row.log.call_id, "reason": row.evidence,
            "started_at": row.log.started_at}  # fmt: skip
    if transaction.run(TO_REVIEW, told):
        moved = event(attempt_id, now, Actor.RECONCILER, before[attempt_id], AttemptState.REVIEW, row.evidence)
        add_events(transaction, [moved])
        before[attempt_id] = AttemptState.REVIEW
    if before[attempt_id] != AttemptState.REVIEW or row.log.disposition is None:
        return False
    return _end(transaction, attempt_id, AttemptState.REVIEW, row, told)


def _end(transaction: Transaction, attempt_id: int, state: str, row: Matched, told: dict[str, Any]) -> bool:
    log, now = row.log, told["now"]
    assert log.disposition is not None
    outcome = {
        "disposition": str(log.disposition),
        "ended_at": log.ended_at,
        "duration_s": log.duration_s,
        "cost": log.cost,
    }
    if not transaction.run(END_ATTEMPT, told | outcome):
        return False
    transaction.run(SEND_ADOPTED, told)
    reason = f"{log.disposition}: {log.raw_status or 'no word'} ({row.evidence})"
    add_events(transaction, [event(attempt_id, now, Actor.RECONCILER, state, AttemptState.ENDED, reason)])
    if row.follow is not None:
        follow_up(transaction, attempt_id, row.follow, log.disposition, now)
    return True


def correct_logs(transaction: Transaction, rows: Sequence[Matched], account: str, now: float) -> list[bool]:
    """Store what the rows of settled calls say anew, and follow it where it changes what the call came to."""
    transaction.many(STORE_LOG, [_log_row(account, row, now) for row in rows])
    ids = [row.attempt_id for row in rows if row.attempt_id is not None]
    came_to = {row[0]: row[1] for row in transaction.all(CAME_TO, {"ids": ids})}
    return [_correct(transaction, row, came_to, now) for row in rows]


def _correct(transaction: Transaction, row: Matched, came_to: dict[int, str], now: float) -> bool:
    attempt_id, log = row.attempt_id, row.log
    if attempt_id is None or attempt_id not in came_to or log.disposition is None:
        return False
    told = {
        "attempt_id": attempt_id,
        "disposition": str(log.disposition),
        "duration_s": log.duration_s,
        "cost": log.cost,
        "call_id": log.call_id,
    }
    transaction.run(CORRECT_ATTEMPT, told)
    changed = came_to[attempt_id] != log.disposition
    if not changed and row.follow is None:
        return False
    reason = f"{log.disposition}: {log.raw_status or 'no word'} (told later)"
    add_events(transaction, [event(attempt_id, now, Actor.RECONCILER, AttemptState.ENDED, AttemptState.ENDED, reason)])
    named = {"attempt_id": attempt_id}
    again = isinstance(row.follow, Redial)
    if row.follow is not None and (not again or transaction.run(REOPEN_CONTACT, named)):
        follow_up(transaction, attempt_id, row.follow, log.disposition, now)
        if again:
            transaction.run(REOPEN_CAMPAIGN, named)
    came_to[attempt_id] = str(log.disposition)
    return changed


def note_facts(transaction: Transaction, notes: Sequence[dict[str, str]], account: str, now: float) -> list[None]:
    """Note each (name -> text) of the account's log; an empty text forgets one."""
    for facts in notes:
        for name, value in facts.items():
            told = {"name": f"{fact_prefix(account)}{name}", "value": value}
            transaction.run(NOTE_FACT if value else FORGET_FACT, told if value else {"name": told["name"]})
    return [None] * len(notes)


def fact_prefix(account: str) -> str:
    """What the names of all facts about an account's log begin with."""
    return f"log:{account}:"


def _log_row(account: str, row: Matched, now: float) -> dict[str, Any]:
    log: CallLog = row.log
    return {
        "account": account,
        "call_id": log.call_id,
        "attempt_id": row.attempt_id,
        "evidence": row.evidence,
        "outbound": int(log.outbound),
        "started_at": log.started_at,
        "ended_at": log.ended_at,
        "duration_s": log.duration_s,
        "raw_status": log.raw_status,
        "disposition": str(log.disposition or ""),
        "unmapped": int(log.unmapped),
        "cost": log.cost,
        "summary": log.summary,
        "recording_url": log.recording_url,
        "owed_until": row.owed_until,
        "called_back": int(log.callback_requested and row.follow is not None),
        "now": now,
    }


def record_scans(transaction: Transaction, scans: Sequence[LogScan], account: str, now: float) -> list[None]:
    """Remember each reading of the log."""
    for scan in scans:
        told = asdict(scan) | {"account": account, "whole": int(scan.whole)}
        transaction.run(ADD_SCAN, told)
    transaction.run(FORGET_SCANS, {"account": account, "before": now - SCANS_KEPT_S})
    return [None] * len(scans)


def settle_absent(transaction: Transaction, attempts: Sequence[Absent], now: float) -> list[bool]:
    """Close attempts of which complete scans past the horizon showed nothing."""
    before = states_of(transaction, [absent.attempt_id for absent in attempts])
    return [_close(transaction, absent, before.get(absent.attempt_id, ""), now) for absent in attempts]


def _close(transaction: Transaction, absent: Absent, before: str, now: float) -> bool:
    told = {
        "attempt_id": absent.attempt_id,
        "disposition": str(absent.disposition),
        "reason": absent.reason,
        "now": now,
    }
    if not transaction.run(CLOSE_ABSENT, told):
        return False
    add_events(
        transaction, [event(absent.attempt_id, now, Actor.RECONCILER, before, AttemptState.UNCONFIRMED, absent.reason)]
    )
    follow_up(transaction, absent.attempt_id, absent.follow, absent.disposition, now)
    return True
