"""Calling some people of a campaign no more, at an operator's word: those whom a filter means."""

from collections.abc import Sequence

from dialer.adapters.ledger.moves import IS_STOPPED, OPEN_CONTACT, WAITING_OF_CONTACTS, end_waiting
from dialer.adapters.ledger.picking import picks_of
from dialer.adapters.ledger.states import in_states
from dialer.adapters.ledger.transaction import Transaction
from dialer.domain.attempt import LIVE, Actor, AttemptState
from dialer.domain.contact import OPEN_CONTACTS
from dialer.domain.contact_plan import STOPPED
from dialer.domain.people_filter import read_filter

MARK_STOPPED = f"UPDATE contacts SET gone = {IS_STOPPED} WHERE id IN :ids*"
CANCEL_STOPPED = f"""
UPDATE contacts SET status = 'cancelled', due_at = NULL, waits_for = :why
WHERE id IN :ids* AND status IN ({OPEN_CONTACT}) AND NOT EXISTS (SELECT 1 FROM attempts
    WHERE attempts.contact_id = contacts.id AND attempts.state IN ({in_states(LIVE | {AttemptState.REVIEW})}))
"""


def stop(transaction: Transaction, ids: Sequence[int], now: float, wanted: str) -> set[int]:
    """End what waits for those of these contacts whom the filter means, and answer them.

    Whose call is on is called no more once it is over.
    """
    meant = read_filter(wanted)
    stopped = [
        pick.contact_id
        for pick in picks_of(transaction, ids, now)
        if pick.status in OPEN_CONTACTS and pick.gone != IS_STOPPED and pick.fits(meant)
    ]
    if stopped:
        waiting = transaction.all(WAITING_OF_CONTACTS, {"ids": stopped})
        end_waiting(transaction, waiting, Actor.OPERATOR, STOPPED, now)
        transaction.run(MARK_STOPPED, {"ids": stopped})
        transaction.run(CANCEL_STOPPED, {"ids": stopped, "why": STOPPED})
    return set(stopped)
