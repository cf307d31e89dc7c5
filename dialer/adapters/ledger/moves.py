"""What every verb that moves an attempt shares: the event, the guard's SQL, the end of what waits."""

from collections.abc import Iterable, Sequence
from typing import Any

from dialer.adapters.ledger.transaction import Transaction
from dialer.domain.attempt import Actor, AttemptState, sources
from dialer.domain.contact import OPEN_CONTACTS, ContactStatus

OPEN_CONTACT = ", ".join(f"'{status}'" for status in ContactStatus if status in OPEN_CONTACTS)

IS_GONE, IS_STOPPED = 1, 2
"""What ``contacts.gone`` says of who is out: the source has them no longer; an operator had them called no more."""

ADD_EVENT = """
INSERT INTO events (attempt_id, at, actor, before, after, reason)
VALUES (:attempt_id, :at, :actor, :before, :after, :reason)
"""


def attempts_made(attempt: str) -> str:
    """SQL: how many attempts the person of ``attempt`` (a table's name) has had with it, in its campaign.

    Attempts are numbered for each contact. Those that called nobody do not count, nor those of the person who had
    the number before.
    """
    return f"""(SELECT count(*) FROM attempts made WHERE made.contact_id = {attempt}.contact_id
        AND made.person = {attempt}.person AND made.number_of <= {attempt}.number_of AND made.state <> 'cancelled')"""


WAITING_OF_CONTACTS = """
SELECT id, state, contact_id FROM attempts WHERE contact_id IN :ids* AND state IN ('planned', 'queued') ORDER BY id
"""

# Each status in the order of its index, so that no page reads again what stands before it.
_OPEN_PAGE = " UNION ALL ".join(
    f"SELECT * FROM (SELECT id FROM contacts WHERE campaign_id = :campaign_id AND status = '{status}' "
    f"AND id > :after {{more}} ORDER BY id LIMIT :limit) AS {status}"
    for status in ContactStatus
    if status in OPEN_CONTACTS
)
"""The next ids after one, of a campaign's open contacts; ``more`` says which. For ``page_of_open``."""

WORKER_GONE = "no answer recorded in time: its worker is gone"
"""Why a send is of unknown fate that says nothing of the provider."""
STATES = "SELECT id, state FROM attempts WHERE id IN :ids*"

END_WAITING = """
UPDATE attempts SET state = 'cancelled', lease_until = NULL, ended_at = :now, reason = :reason WHERE id IN :ids*
"""


def from_states(after: AttemptState, actor: Actor) -> str:
    """The states an attempt may be in for this move, as the inside of an SQL ``IN (...)``."""
    return ", ".join(f"'{state}'" for state in sources(after, actor))


def event(attempt_id: int, at: float, actor: Actor, before: str, after: AttemptState, reason: str) -> dict[str, Any]:
    """One row for ``ADD_EVENT``."""
    return {
        "attempt_id": attempt_id,
        "at": at,
        "actor": str(actor),
        "before": before,
        "after": str(after),
        "reason": reason,
    }


def page_of_open(
    transaction: Transaction, sql: str, campaign_id: int, after: int, limit: int, **more: object
) -> list[int]:
    """The next contacts of a campaign after an id, by one of the statements made from ``_OPEN_PAGE``."""
    params = {"campaign_id": campaign_id, "after": after, "limit": limit, **more}
    return sorted(row[0] for row in transaction.all(sql, params))[:limit]


def add_events(transaction: Transaction, events: Sequence[dict[str, Any]]) -> None:
    """Append them all."""
    transaction.many(ADD_EVENT, events)


def states_of(transaction: Transaction, attempt_ids: Sequence[int]) -> dict[int, str]:
    """Attempt id -> state now."""
    return {row[0]: row[1] for row in transaction.all(STATES, {"ids": list(attempt_ids)})}


def end_waiting(
    transaction: Transaction, waiting: Iterable[Sequence[Any]], actor: Actor, reason: str, now: float
) -> None:
    """Cancel attempts that wait; ``waiting`` gives (id, state)."""
    rows = [(int(row[0]), str(row[1])) for row in waiting]
    if not rows:
        return
    transaction.run(END_WAITING, {"ids": [attempt_id for attempt_id, _ in rows], "reason": reason, "now": now})
    add_events(
        transaction,
        [event(attempt_id, now, actor, state, AttemptState.CANCELLED, reason) for attempt_id, state in rows],
    )
