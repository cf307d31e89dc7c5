"""dialer review: calls that the provider denied and its log shows, and the operator's word on them."""

from config import Settings
from dialer.adapters.ledger import SqlLedger
from dialer.cli.opening import with_ledger
from dialer.cli.printing import local, masked, print_json, print_table, put
from dialer.control_room import open_review
from dialer.domain.disposition import Disposition
from dialer.errors import UsageError
from dialer.pipeline.iso import iso
from dialer.ports import AttemptRow

COLUMNS = ("attempt", "number", "try", "called at", "call id", "why")


def list_review(name: str, *, as_json: bool) -> None:
    """What of a campaign waits for a person."""

    async def use(settings: Settings, ledger: SqlLedger) -> list[AttemptRow]:
        return await open_review(settings, ledger).waiting(name)

    rows = with_ledger(use)
    if as_json:
        print_json([_document(row) for row in rows])
    elif rows:
        print_table(
            COLUMNS,
            [
                (row.attempt_id, masked(row.phone), row.number_of, local(row.dialed_at), row.call_id, row.reason)
                for row in rows
            ],
        )
    else:
        put(f"{name}: nothing is in review")


def decide(name: str, attempt_id: int, called: str | None, reason: str, *, not_called: bool, as_json: bool) -> None:
    """Take the operator's word on one attempt. Raises UsageError."""
    if not_called == (called is not None):
        raise UsageError("say what the call came to with --called OUTCOME, or --not-called")
    outcome = _outcome(called) if called is not None else None

    async def use(settings: Settings, ledger: SqlLedger) -> AttemptRow:
        return await open_review(settings, ledger, reason).decide(name, attempt_id, outcome)

    row = with_ledger(use)
    if as_json:
        print_json(_document(row))
    else:
        put(f"attempt {row.attempt_id}: {row.state}, {row.reason}")


def _outcome(word: str) -> Disposition:
    try:
        return Disposition(word)
    except ValueError:
        known = ", ".join(Disposition)
        raise UsageError(f'"{word}" is no outcome of a call: one of {known}') from None


def _document(row: AttemptRow) -> dict[str, object]:
    return {
        "attempt_id": row.attempt_id,
        "campaign": row.campaign,
        "phone": row.phone,
        "number_of": row.number_of,
        "state": str(row.state),
        "disposition": str(row.disposition) if row.disposition else None,
        "dialed_at": iso(row.dialed_at),
        "call_id": row.call_id,
        "reason": row.reason,
    }
