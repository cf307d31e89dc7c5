"""People, attempts and entries of the suppression list as rows: of an export, of the page, of the API."""

from collections.abc import Mapping
from typing import Any

from dialer.pipeline.iso import iso
from dialer.ports import AttemptRow, ContactRow, Suppression

CONTACT_COLUMNS = (
    "phone", "name", "key", "status", "disposition", "attempts", "last_attempt_at", "duration_s", "call_id",
)  # fmt: skip
ATTEMPT_COLUMNS = (
    "attempt_id", "phone", "number_of", "state", "disposition", "due_at", "dialed_at", "ended_at", "duration_s",
    "call_id", "reason",
)  # fmt: skip
SUPPRESSION_COLUMNS = ("phone", "reason", "source", "campaign", "added_at")


def contact_document(row: ContactRow) -> dict[str, Any]:
    """A person as JSON keys: CONTACT_COLUMNS, then "variables", the list's own columns."""
    return {
        "phone": row.phone,
        "name": row.name,
        "key": row.key,
        "status": str(row.status),
        "disposition": str(row.disposition) if row.disposition else None,
        "attempts": row.attempts,
        "last_attempt_at": iso(row.last_attempt_at),
        "duration_s": row.duration_s,
        "call_id": row.call_id,
        "variables": dict(row.variables),
    }


def attempt_document(row: AttemptRow) -> dict[str, Any]:
    """An attempt as JSON keys: ATTEMPT_COLUMNS."""
    return {
        "attempt_id": row.attempt_id,
        "phone": row.phone,
        "number_of": row.number_of,
        "state": str(row.state),
        "disposition": str(row.disposition) if row.disposition else None,
        "due_at": iso(row.due_at),
        "dialed_at": iso(row.dialed_at),
        "ended_at": iso(row.ended_at),
        "duration_s": row.duration_s,
        "call_id": row.call_id,
        "reason": row.reason,
    }


def suppression_document(entry: Suppression, campaigns: Mapping[int, str]) -> dict[str, Any]:
    """An entry as JSON keys: SUPPRESSION_COLUMNS. ``campaigns``: names by id."""
    return {
        "phone": entry.phone,
        "reason": entry.reason,
        "source": entry.source,
        "campaign": campaigns.get(entry.campaign_id or 0, ""),
        "added_at": iso(entry.added_at),
    }
