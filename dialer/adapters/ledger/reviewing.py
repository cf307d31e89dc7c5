"""Calls that the provider says it did not place, and its log shows: an operator says what they were."""

from collections.abc import Sequence

from dialer.adapters.ledger.acts import add_acts, handle_of
from dialer.adapters.ledger.moves import OPEN_CONTACT, add_events, event, from_states
from dialer.adapters.ledger.outcomes import Outcomes
from dialer.adapters.ledger.transaction import Transaction
from dialer.adapters.ledger.view import ATTEMPT_COLUMNS, attempt_row
from dialer.domain.act import Act, By
from dialer.domain.attempt import Actor, AttemptState
from dialer.ports import AttemptRow, Verdict

# Put in order afterwards: for the order SQLite would go through all attempts of the campaign.
IN_REVIEW = f"SELECT {ATTEMPT_COLUMNS} WHERE attempts.campaign_id = :id AND attempts.state = 'review'"
WAS_CALLED = f"""
UPDATE attempts SET state = 'ended', disposition = :disposition, ended_at = :now, reason = :reason
WHERE id = :attempt_id AND campaign_id = :campaign_id
    AND state IN ({from_states(AttemptState.ENDED, Actor.OPERATOR)})
"""
# It counts for no limit, and is never dialed again: another attempt takes its place, so that an error of the operator's
# makes no attempt call twice.
WAS_NOT_CALLED = """
UPDATE attempts SET state = 'cancelled', dialed_at = NULL, ended_at = :now, reason = :reason
WHERE id = :attempt_id AND campaign_id = :campaign_id AND state = 'review'
"""
LEFT_IN_REVIEW = f"""
SELECT count(*), count(CASE WHEN dialed_at > :since THEN 1 END), EXISTS (
    SELECT 1 FROM contacts WHERE campaign_id = :campaign_id AND status IN ({OPEN_CONTACT}) AND (
        due_at IS NOT NULL OR NOT EXISTS (
            SELECT 1 FROM attempts other WHERE other.contact_id = contacts.id AND other.state = 'review')))
FROM attempts WHERE campaign_id = :campaign_id AND state = 'review'
"""


def decide(transaction: Transaction, verdicts: Sequence[Verdict], campaign_id: int, by: By, now: float) -> list[bool]:
    """End attempts of a campaign that are in review, as an operator says; False where one is not."""
    return [_decide(transaction, verdict, campaign_id, by, now) for verdict in verdicts]


def _decide(transaction: Transaction, verdict: Verdict, campaign_id: int, by: By, now: float) -> bool:
    said = f"called: {verdict.disposition}" if verdict.disposition else "not called"
    params = {
        "attempt_id": verdict.attempt_id,
        "campaign_id": campaign_id,
        "disposition": str(verdict.disposition or ""),
        "reason": f"{said}, by {by.who}: {by.why}",
        "now": now,
    }
    if not transaction.run(WAS_CALLED if verdict.disposition else WAS_NOT_CALLED, params):
        return False
    after = AttemptState.ENDED if verdict.disposition else AttemptState.CANCELLED
    moved = event(verdict.attempt_id, now, Actor.OPERATOR, AttemptState.REVIEW, after, str(params["reason"]))
    add_events(transaction, [moved])
    calls = Outcomes(transaction, [verdict.attempt_id], now)
    calls.follow(verdict.attempt_id, verdict.follow, verdict.disposition)
    calls.write()
    handle = handle_of(transaction, campaign_id)
    subject = f"attempt {verdict.attempt_id}"
    add_acts(transaction, [Act(0, now, by.who, "review", handle, subject, AttemptState.REVIEW, said, by.why)])
    return True


def in_review(transaction: Transaction, campaign_id: int) -> list[AttemptRow]:
    """The attempts of a campaign that wait for a person, by id."""
    rows = [attempt_row(row) for row in transaction.all(IN_REVIEW, {"id": campaign_id})]
    return sorted(rows, key=lambda row: row.attempt_id)


def left_in_review(transaction: Transaction, campaign_id: int, since: float) -> int:
    """How many attempts wait for a person, where nothing else is left to do in the campaign; else 0.

    Those dialed after ``since`` may still be ended by the call log.
    """
    params = {"campaign_id": campaign_id, "since": since}
    reviewed, young, others = transaction.all(LEFT_IN_REVIEW, params)[0]
    return 0 if young or others else int(reviewed)
