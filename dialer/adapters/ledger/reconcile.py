"""Verbs of the reconciler."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from dialer.adapters.ledger.outcomes import NAME_CALL, Outcomes
from dialer.adapters.ledger.transaction import Transaction
from dialer.domain.attempt import AttemptState
from dialer.domain.call import CallLog
from dialer.domain.redial import Settle
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
NOTE_FACT = """
INSERT INTO ledger_facts (name, value) VALUES (:name, :value) ON CONFLICT (name) DO UPDATE SET value = excluded.value
"""
FORGET_FACT = "DELETE FROM ledger_facts WHERE name = :name"
ADD_SCAN = """
INSERT INTO scans (account, started_at, ended_at, since, pages, rows, whole)
VALUES (:account, :started_at, :ended_at, :since, :pages, :rows, :whole)
"""
FORGET_SCANS = "DELETE FROM scans WHERE account = :account AND started_at < :before"
SCANS_KEPT_S = 30 * 86_400.0


def record_logs(transaction: Transaction, rows: Sequence[Matched], account: str, now: float) -> list[bool]:
    """Store each row; end the attempt it settles, or adopt a call whose answer was lost."""
    page = _stored(transaction, rows, account, now)
    ended = [_settle(page, row, now) for row in rows]
    page.write()
    return ended


def _stored(transaction: Transaction, rows: Sequence[Matched], account: str, now: float) -> Outcomes:
    transaction.many(STORE_LOG, [_log_row(account, row, now) for row in rows])
    return Outcomes(transaction, [row.attempt_id for row in rows if row.attempt_id is not None], now)


def _settle(page: Outcomes, row: Matched, now: float) -> bool:
    attempt_id, log = row.attempt_id, row.log
    if attempt_id is None or not page.state_of(attempt_id) or row.leg:
        return False
    reason = f"call log: {row.evidence}"
    if log.disposition is not None:
        return _end(page, attempt_id, row, reason, now)
    params = {"attempt_id": attempt_id, "call_id": log.call_id, "reason": reason}
    if not page.move(AttemptState.PLACED, params, reason):
        page.do(NAME_CALL, {"attempt_id": attempt_id, "call_id": log.call_id})
    return False


def record_phantoms(transaction: Transaction, rows: Sequence[Matched], account: str, now: float) -> list[bool]:
    """Keep the attempts of calls that should not exist from being dialed again; end them by their rows."""
    page = _stored(transaction, rows, account, now)
    ended = [_review(page, row, now) for row in rows]
    page.write()
    return ended


def _review(page: Outcomes, row: Matched, now: float) -> bool:
    attempt_id, log = row.attempt_id, row.log
    if attempt_id is None or not page.state_of(attempt_id):
        return False
    params = {"attempt_id": attempt_id, "now": now, "call_id": log.call_id, "reason": row.evidence,
            "started_at": log.started_at}  # fmt: skip
    page.move(AttemptState.REVIEW, params, row.evidence)
    if page.state_of(attempt_id) != AttemptState.REVIEW or log.disposition is None:
        return False
    return _end(page, attempt_id, row, row.evidence, now)


def _end(page: Outcomes, attempt_id: int, row: Matched, reason: str, now: float) -> bool:
    log = row.log
    assert log.disposition is not None
    params = {
        "attempt_id": attempt_id,
        "disposition": str(log.disposition),
        "ended_at": log.ended_at,
        "duration_s": log.duration_s,
        "call_id": log.call_id,
        "cost": log.cost,
        "reason": reason,
        "now": now,
    }
    said = f"{log.disposition}: {log.raw_status or 'no word'} ({row.evidence})"
    if not page.move(AttemptState.ENDED, params, said):
        return False
    if row.follow is not None:
        page.follow(attempt_id, row.follow, log.disposition)
    return True


def correct_logs(transaction: Transaction, rows: Sequence[Matched], account: str, now: float) -> list[bool]:
    """Store later news of settled calls, and act on it where it changes what the call came to."""
    page = _stored(transaction, rows, account, now)
    changed = [_correct(page, row) for row in rows]
    page.write()
    return changed


def _correct(page: Outcomes, row: Matched) -> bool:
    attempt_id, log = row.attempt_id, row.log
    if attempt_id is None or page.state_of(attempt_id) != AttemptState.ENDED or log.disposition is None:
        return False
    changed = page.came_to(attempt_id) != log.disposition
    page.correct(
        {
            "attempt_id": attempt_id,
            "disposition": str(log.disposition),
            "duration_s": log.duration_s,
            "cost": log.cost,
            "call_id": log.call_id,
        }
    )
    if changed or row.follow is not None:
        reason = f"{log.disposition}: {log.raw_status or 'no word'} (told later)"
        page.note(attempt_id, AttemptState.ENDED, reason)
    if row.follow is not None and (isinstance(row.follow, Settle) or page.reopen(attempt_id)):
        page.follow(attempt_id, row.follow, log.disposition)
    return changed


def note_facts(transaction: Transaction, notes: Sequence[dict[str, str]], account: str, now: float) -> list[None]:
    """Note each (name -> text) of the account's log; an empty text forgets one."""
    for facts in notes:
        for name, value in facts.items():
            params = {"name": f"{fact_prefix(account)}{name}", "value": value}
            transaction.run(NOTE_FACT if value else FORGET_FACT, params if value else {"name": params["name"]})
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
        params = asdict(scan) | {"account": account, "whole": int(scan.whole)}
        transaction.run(ADD_SCAN, params)
    transaction.run(FORGET_SCANS, {"account": account, "before": now - SCANS_KEPT_S})
    return [None] * len(scans)


def settle_absent(transaction: Transaction, attempts: Sequence[Absent], now: float) -> list[bool]:
    """Close attempts that complete scans past the horizon did not show."""
    page = Outcomes(transaction, [absent.attempt_id for absent in attempts], now)
    closed = [_close(page, absent, now) for absent in attempts]
    page.write()
    return closed


def _close(page: Outcomes, absent: Absent, now: float) -> bool:
    attempt_id, disposition, reason = absent.attempt_id, absent.disposition, absent.reason
    params = {"attempt_id": attempt_id, "disposition": str(disposition), "reason": reason, "now": now}
    if not page.state_of(attempt_id) or not page.move(AttemptState.UNCONFIRMED, params, reason):
        return False
    page.follow(attempt_id, absent.follow, disposition)
    return True
