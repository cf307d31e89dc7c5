"""Verbs of the reconciler."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from dialer.adapters.sql_ledger.moves import add_events, event, follow_up, from_states, states_of
from dialer.adapters.sql_ledger.transaction import Transaction
from dialer.domain.attempt import Actor, AttemptState
from dialer.domain.call import CallLog
from dialer.ports import Absent, LogScan, Matched

STORE_LOG = """
INSERT INTO log_rows (account, call_id, attempt_id, evidence, outbound, started_at, ended_at, duration_s, raw_status,
    disposition, unmapped, cost, summary, recording_url, first_seen_at)
VALUES (:account, :call_id, :attempt_id, :evidence, :outbound, :started_at, :ended_at, :duration_s, :raw_status,
    :disposition, :unmapped, :cost, :summary, :recording_url, :now)
ON CONFLICT (account, call_id) DO UPDATE SET
    attempt_id = coalesce(log_rows.attempt_id, excluded.attempt_id),
    evidence = CASE WHEN log_rows.attempt_id IS NULL THEN excluded.evidence ELSE log_rows.evidence END,
    ended_at = excluded.ended_at, duration_s = excluded.duration_s, raw_status = excluded.raw_status,
    disposition = CASE WHEN excluded.attempt_id IS NULL AND log_rows.attempt_id IS NOT NULL
        THEN log_rows.disposition ELSE excluded.disposition END,
    unmapped = excluded.unmapped, cost = excluded.cost,
    summary = excluded.summary, recording_url = excluded.recording_url
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
    if attempt_id is None or attempt_id not in before:
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
