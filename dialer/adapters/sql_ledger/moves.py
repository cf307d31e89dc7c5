"""What every verb that moves an attempt shares: the event, the guard's SQL, what follows for the contact."""

from collections.abc import Iterable, Sequence
from typing import Any

from dialer.adapters.sql_ledger.spec_text import usable_spec
from dialer.adapters.sql_ledger.transaction import Transaction
from dialer.domain.attempt import LIVE, Actor, AttemptState, sources
from dialer.domain.campaign import CampaignStatus
from dialer.domain.contact import OPEN_CONTACTS, ContactStatus
from dialer.domain.contact_plan import Called, after_call
from dialer.domain.disposition import Disposition
from dialer.domain.gate import REACHED_ELSEWHERE
from dialer.domain.redial import Redial, Settle

OPEN_CONTACT = ", ".join(f"'{status}'" for status in ContactStatus if status in OPEN_CONTACTS)
OVER_OR_WAITING = ", ".join(f"'{state}'" for state in AttemptState if state not in LIVE | {AttemptState.REVIEW})

ADD_EVENT = """
INSERT INTO events (attempt_id, at, actor, before, after, reason)
VALUES (:attempt_id, :at, :actor, :before, :after, :reason)
"""

ADD_REDIAL = f"""
INSERT INTO attempts (campaign_id, contact_id, number_of, phone, person, account, rehearsal, state, due_at, reason)
SELECT campaign_id, contact_id, number_of + 1, phone, person, account, rehearsal, 'planned', :due_at, :reason
FROM attempts WHERE id = :attempt_id
    AND EXISTS (SELECT 1 FROM contacts WHERE contacts.id = contact_id AND contacts.status IN ({OPEN_CONTACT}))
ON CONFLICT (contact_id, number_of) DO NOTHING
"""

OF_ATTEMPT = """duration_s = (SELECT duration_s FROM attempts WHERE id = :attempt_id),
    call_id = (SELECT call_id FROM attempts WHERE id = :attempt_id)"""

REDIAL_CONTACT = f"""
UPDATE contacts SET status = 'active', disposition = :disposition, planned_for = event_at, {OF_ATTEMPT}
WHERE id = (SELECT contact_id FROM attempts WHERE id = :attempt_id) AND status IN ({OPEN_CONTACT})
"""

SETTLE_CONTACT = f"""
UPDATE contacts SET status = :status, disposition = :disposition, due_at = NULL, waits_for = :why,
    {OF_ATTEMPT}
WHERE id = (SELECT contact_id FROM attempts WHERE id = :attempt_id)
    AND (status IN ({OPEN_CONTACT}) OR (:status = 'reached' AND status IN ('exhausted', 'expired')))
"""


def attempts_made(attempt: str) -> str:
    """SQL: how many attempts the person of ``attempt`` (a table's name) has had with it, in its campaign.

    Attempts are numbered for each contact. Not counted are those that nobody was called by, and those of whoever had
    the number before.
    """
    return f"""(SELECT count(*) FROM attempts made WHERE made.contact_id = {attempt}.contact_id
        AND made.person = {attempt}.person AND made.number_of <= {attempt}.number_of AND made.state <> 'cancelled')"""


CALLED = f"""
SELECT campaigns.status, campaigns.spec, contacts.zones, contacts.places, contacts.event_at, contacts.planned_for,
    contacts.gone, coalesce(attempts.dialed_at, :now), {attempts_made("attempts")}
FROM attempts JOIN campaigns ON campaigns.id = attempts.campaign_id JOIN contacts ON contacts.id = attempts.contact_id
WHERE attempts.id = :attempt_id
"""

CAME_TO = """
SELECT count(*)
FROM attempts this JOIN attempts other ON other.contact_id = this.contact_id AND other.person = this.person
WHERE this.id = :attempt_id AND other.disposition = :disposition
"""

WAITING_OF_CONTACT = """
SELECT id, state FROM attempts
WHERE contact_id = (SELECT contact_id FROM attempts WHERE id = :attempt_id) AND state IN ('planned', 'queued')
"""

# Another number of a person who was reached, in the same campaign and about the same.
OTHER_CONTACTS = f"""
SELECT other.id FROM contacts reached JOIN contacts other
    ON other.campaign_id = reached.campaign_id AND other.person_key = reached.person_key AND other.id <> reached.id
WHERE reached.id = (SELECT contact_id FROM attempts WHERE id = :attempt_id) AND reached.person_key <> ''
    AND other.status IN ({OPEN_CONTACT}) AND coalesce(other.event_at, 0) = coalesce(reached.event_at, 0)
    AND NOT EXISTS (SELECT 1 FROM attempts a WHERE a.contact_id = other.id AND a.state NOT IN ({OVER_OR_WAITING}))
"""
WAITING_OF_CONTACTS = "SELECT id, state FROM attempts WHERE contact_id IN :ids* AND state IN ('planned', 'queued')"
SETTLE_OTHERS = "UPDATE contacts SET status = 'cancelled', due_at = NULL, waits_for = :why WHERE id IN :ids*"

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


def add_events(transaction: Transaction, events: Sequence[dict[str, Any]]) -> None:
    """Append them all."""
    transaction.many(ADD_EVENT, events)


def states_of(transaction: Transaction, attempt_ids: Sequence[int]) -> dict[int, str]:
    """Attempt id -> state now."""
    return {row[0]: row[1] for row in transaction.all(STATES, {"ids": list(attempt_ids)})}


def follow_up(
    transaction: Transaction, attempt_id: int, follow: Redial | Settle, disposition: Disposition | None, now: float
) -> None:
    """Plan the redial or settle the contact of an attempt that has just been spent, or called nobody (None).

    A campaign that was cancelled meanwhile plans nothing more. A contact that is settled is not dialed
    again: what still waits for it ends.
    """
    told = {"attempt_id": attempt_id, "disposition": str(disposition or ""), "now": now}
    status, spec, zones, places, event_at, planned_for, gone, *called = transaction.all(CALLED, told)[0]
    who = Called(tuple(zones.split()), tuple(places.split()), event_at, planned_for, bool(gone), *called)
    if isinstance(follow, Redial) and follow.most and transaction.all(CAME_TO, told)[0][0] >= follow.most:
        follow = Settle(ContactStatus.EXHAUSTED)
    follow, why = after_call(usable_spec(spec, "", "")[0], follow, who, now)
    if isinstance(follow, Redial):
        if status != CampaignStatus.CANCELLED:
            transaction.run(REDIAL_CONTACT, told)
            reason = why or follow.why or f"redial after {disposition}"
            transaction.run(ADD_REDIAL, {"attempt_id": attempt_id, "due_at": follow.due_at, "reason": reason})
            return
        follow, why = Settle(ContactStatus.CANCELLED), ""
    if transaction.run(SETTLE_CONTACT, told | {"status": str(follow.status), "why": why}):
        waiting = transaction.all(WAITING_OF_CONTACT, {"attempt_id": attempt_id})
        end_waiting(transaction, waiting, Actor.RECONCILER, f"contact {follow.status}", now)
        if follow.status is ContactStatus.REACHED:
            _settle_other_numbers(transaction, attempt_id, now)


def _settle_other_numbers(transaction: Transaction, attempt_id: int, now: float) -> None:
    """Who was reached is not called on another number; a call that is open there is left until it is over."""
    ids = [row[0] for row in transaction.all(OTHER_CONTACTS, {"attempt_id": attempt_id})]
    if ids:
        waiting = transaction.all(WAITING_OF_CONTACTS, {"ids": ids})
        end_waiting(transaction, waiting, Actor.RECONCILER, REACHED_ELSEWHERE, now)
        transaction.run(SETTLE_OTHERS, {"ids": ids, "why": REACHED_ELSEWHERE})


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
