"""What calls came to, for many at once: their facts are read together, decided one by one in their order, and what
follows is written together. What was decided before counts for what comes after it, as if it had been written.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from dialer.adapters.ledger.moves import IS_GONE, IS_STOPPED, OPEN_CONTACT, add_events, end_waiting, event, from_states
from dialer.adapters.ledger.spec_text import usable_spec
from dialer.adapters.ledger.suppressing import suppress
from dialer.adapters.ledger.transaction import NO_VALUES, Transaction, Values
from dialer.domain.act import PROGRAM
from dialer.domain.attempt import LIVE, Actor, AttemptState, sources
from dialer.domain.campaign import CampaignSpec, CampaignStatus
from dialer.domain.contact import OPEN_CONTACTS, ContactStatus
from dialer.domain.contact_plan import Called, what_follows
from dialer.domain.disposition import Disposition
from dialer.domain.gate import REACHED_ELSEWHERE
from dialer.domain.redial import Redial, Settle
from dialer.domain.suppression import REHEARSALS
from dialer.errors import LedgerUnavailable
from dialer.ports import Suppression

CONTACTS = """
SELECT id, campaign_id, person_key, phone, status, zones, places, event_at, planned_for, gone FROM contacts
WHERE id IN (SELECT contact_id FROM attempts WHERE id IN :ids*)
"""
# All numbers of these people. Which of them are open is not asked here: another index would be taken for it.
OF_PEOPLE = """
SELECT id, campaign_id, person_key, phone, status, zones, places, event_at, planned_for, gone FROM contacts
WHERE campaign_id = :campaign_id AND person_key IN :keys* AND person_key <> ''
"""
ATTEMPTS = """
SELECT id, contact_id, number_of, person, state, disposition, dialed_at FROM attempts WHERE contact_id IN :ids*
"""
CAMPAIGNS = "SELECT id, status, spec FROM campaigns WHERE id IN :ids*"

ADOPT_CALL = f"""
UPDATE attempts SET state = 'placed', call_id = :call_id, reason = :reason
WHERE id = :attempt_id AND state IN ({from_states(AttemptState.PLACED, Actor.RECONCILER)})
"""
TO_REVIEW = f"""
UPDATE attempts SET state = 'review', lease_until = NULL, call_id = :call_id, reason = :reason,
    dialed_at = coalesce(dialed_at, :started_at, :now)
WHERE id = :attempt_id AND state IN ({from_states(AttemptState.REVIEW, Actor.RECONCILER)})
"""
CLOSE_ABSENT = f"""
UPDATE attempts SET state = 'unconfirmed', disposition = :disposition, ended_at = :now, reason = :reason
WHERE id = :attempt_id AND state IN ({from_states(AttemptState.UNCONFIRMED, Actor.RECONCILER)})
"""
END_ATTEMPT = f"""
UPDATE attempts SET state = 'ended', disposition = :disposition, ended_at = coalesce(:ended_at, :now),
    duration_s = :duration_s, call_id = :call_id, cost = :cost, reason = :reason
WHERE id = :attempt_id AND state IN ({from_states(AttemptState.ENDED, Actor.RECONCILER)})
"""
MOVES = {
    AttemptState.PLACED: ADOPT_CALL,
    AttemptState.REVIEW: TO_REVIEW,
    AttemptState.UNCONFIRMED: CLOSE_ABSENT,
    AttemptState.ENDED: END_ATTEMPT,
}
"""In the order in which one page may move one attempt twice."""

NAME_CALL = "UPDATE attempts SET call_id = :call_id WHERE id = :attempt_id AND state = 'placed' AND call_id IS NULL"
# The index knows the classes in this list; SQLite does not see that one of them is in it.
SEND_ADOPTED = """
UPDATE sends SET class = 'placed'
WHERE attempt_id = :attempt_id AND class IN ('inflight', 'placed', 'unknown') AND class = 'unknown'
"""
CORRECT_ATTEMPT = """
UPDATE attempts SET disposition = :disposition, duration_s = coalesce(:duration_s, duration_s),
    cost = coalesce(:cost, cost), call_id = :call_id
WHERE id = :attempt_id AND state = 'ended'
"""

OF_ATTEMPT = "(duration_s, call_id) = (SELECT duration_s, call_id FROM attempts WHERE id = :attempt_id)"
REOPEN_CONTACT = "UPDATE contacts SET status = 'active' WHERE id = :contact_id AND status = 'reached'"
REDIAL_CONTACT = f"""
UPDATE contacts SET status = 'active', disposition = :disposition, planned_for = event_at, {OF_ATTEMPT}
WHERE id = :contact_id AND status IN ({OPEN_CONTACT})
"""
ADD_REDIAL = """
INSERT INTO attempts (campaign_id, contact_id, number_of, phone, person, account, rehearsal, state, due_at, reason)
SELECT campaign_id, contact_id, number_of + 1, phone, person, account, rehearsal, 'planned', :due_at, :reason
FROM attempts WHERE id = :attempt_id
    AND NOT EXISTS (SELECT 1 FROM attempts next
        WHERE next.contact_id = attempts.contact_id AND next.number_of = attempts.number_of + 1)
"""
REOPEN_CAMPAIGN = """
UPDATE campaigns SET status = 'running', finished_at = NULL WHERE id = :campaign_id AND status = 'finished'
    AND EXISTS (SELECT 1 FROM attempts WHERE contact_id = :contact_id AND state = 'planned')
"""
SETTLE_CONTACT = f"""
UPDATE contacts SET status = :status, disposition = :disposition, due_at = NULL, waits_for = :why, {OF_ATTEMPT}
WHERE id = :contact_id
    AND (status IN ({OPEN_CONTACT}) OR (:status = 'reached' AND status IN ('exhausted', 'expired')))
"""
CANCEL_OTHER = """
UPDATE contacts SET status = 'cancelled', due_at = NULL, waits_for = :why WHERE id = :contact_id
"""
FOLLOWING = (
    *(NAME_CALL, SEND_ADOPTED, CORRECT_ATTEMPT),
    *(REOPEN_CONTACT, REDIAL_CONTACT, ADD_REDIAL, REOPEN_CAMPAIGN, SETTLE_CONTACT, CANCEL_OTHER),
)
"""What is written after the moves, in this order: what a contact takes over of its attempt comes after the attempt."""
WAITING = "SELECT id, contact_id, state FROM attempts WHERE contact_id IN :ids* AND state IN ('planned', 'queued')"
BLOCKED = "blocked: the number takes no such calls"
GIVEN_UP = frozenset({ContactStatus.EXHAUSTED, ContactStatus.EXPIRED})
"""Such a contact is reached all the same when a late row says so."""


@dataclass(slots=True)
class _Attempt:
    """An attempt as it is now."""

    attempt_id: int
    contact: "_Contact"
    number_of: int
    person: str
    state: str
    disposition: str
    dialed_at: float | None


@dataclass(slots=True)
class _Contact:
    """A contact as it is now, and its attempts. ``touched``: it has changes to write."""

    contact_id: int
    campaign_id: int
    person_key: str
    phone: str
    status: str
    zones: str
    places: str
    event_at: float | None
    planned_for: float | None
    gone: int
    attempts: list[_Attempt] = field(default_factory=list)
    newest: int = 0
    """The number of its last attempt, planned ones included."""
    touched: bool = False

    @property
    def person(self) -> tuple[int, str]:
        return self.campaign_id, self.person_key

    @property
    def may_be_cancelled(self) -> bool:
        """Whether it is open, and no call is on."""
        busy = any(attempt.state in LIVE or attempt.state == AttemptState.REVIEW for attempt in self.attempts)
        return self.status in OPEN_CONTACTS and not busy

    def called_by(self, attempt: _Attempt, now: float) -> Called:
        """What is known of it when a call is over."""
        counted = [one for one in self.attempts if one.person == attempt.person]
        return Called(
            tuple(self.zones.split()),
            tuple(self.places.split()),
            self.event_at,
            self.planned_for,
            self.gone == IS_GONE,
            now if attempt.dialed_at is None else attempt.dialed_at,
            sum(one.number_of <= attempt.number_of and one.state != AttemptState.CANCELLED for one in counted),
            sum(one.disposition == attempt.disposition for one in counted),
            stopped=self.gone == IS_STOPPED,
        )


class Outcomes:
    """What the calls of these attempts came to, for one transaction of the reconciler. ``write`` writes it."""

    def __init__(self, transaction: Transaction, attempt_ids: Sequence[int], now: float) -> None:
        self._transaction, self._now = transaction, now
        self._contacts: dict[int, _Contact] = {}
        self._people: dict[tuple[int, str], list[_Contact]] = {}
        self._attempts: dict[int, _Attempt] = {}
        self._campaigns: dict[int, tuple[str, CampaignSpec]] = {}
        self._begin()
        if attempt_ids:
            self._read(attempt_ids)

    def _begin(self) -> None:
        self._moves: dict[AttemptState, list[Values]] = {after: [] for after in MOVES}
        self._follows: dict[str, list[Values]] = {sql: [] for sql in FOLLOWING}
        self._settled: dict[int, str] = {}
        self._blocked: list[Suppression] = []
        self._events: list[dict[str, Any]] = []

    def _read(self, attempt_ids: Sequence[int]) -> None:
        self._add_contacts(CONTACTS, {"ids": list(attempt_ids)})
        keys: dict[int, list[str]] = {}
        for campaign_id, key in self._people:
            if key:
                keys.setdefault(campaign_id, []).append(key)
        for campaign_id, of_campaign in keys.items():
            self._add_contacts(OF_PEOPLE, {"campaign_id": campaign_id, "keys": of_campaign})
        for attempt_id, contact_id, *more in self._transaction.all(ATTEMPTS, {"ids": list(self._contacts)}):
            contact = self._contacts[contact_id]
            self._attempts[attempt_id] = attempt = _Attempt(attempt_id, contact, *more)
            contact.attempts.append(attempt)
            contact.newest = max(contact.newest, attempt.number_of)
        ids = sorted({contact.campaign_id for contact in self._contacts.values()})
        for campaign_id, status, spec in self._transaction.all(CAMPAIGNS, {"ids": ids}):
            self._campaigns[campaign_id] = status, usable_spec(spec, "", "")[0]

    def _add_contacts(self, sql: str, asked: Values) -> None:
        for contact in (_Contact(*row) for row in self._transaction.all(sql, asked)):
            if contact.contact_id not in self._contacts:
                self._contacts[contact.contact_id] = contact
                self._people.setdefault(contact.person, []).append(contact)

    def state_of(self, attempt_id: int | None) -> str:
        """Where an attempt is now; "" for one that is not there."""
        return self._attempts[attempt_id].state if attempt_id in self._attempts else ""

    def came_to(self, attempt_id: int) -> str:
        """Its disposition."""
        return self._attempts[attempt_id].disposition

    def move(self, after: AttemptState, params: Values, reason: str) -> bool:
        """Move the attempt that ``params`` names, if the reconciler may; ``reason`` is that of the event."""
        attempt = self._attempts[params["attempt_id"]]
        before = attempt.state
        if before not in sources(after, Actor.RECONCILER):
            return False
        self._moves[after].append(params)
        self.note(attempt.attempt_id, after, reason)
        attempt.state, attempt.disposition = after, params.get("disposition", attempt.disposition)
        if after is AttemptState.REVIEW and attempt.dialed_at is None:
            attempt.dialed_at = params["started_at"]
        if after in (AttemptState.PLACED, AttemptState.ENDED) and before != AttemptState.PLACED:
            self.do(SEND_ADOPTED, {"attempt_id": attempt.attempt_id})
        return True

    def note(self, attempt_id: int, after: AttemptState, reason: str) -> None:
        """An event, of a move or of later news."""
        before = self._attempts[attempt_id].state
        self._events.append(event(attempt_id, self._now, Actor.RECONCILER, before, after, reason))

    def correct(self, params: Values) -> None:
        """Another disposition of an attempt that has ended."""
        self._attempts[params["attempt_id"]].disposition = params["disposition"]
        self.do(CORRECT_ATTEMPT, params)

    def do(self, sql: str, params: Values) -> None:
        """Run one of FOLLOWING."""
        self._follows[sql].append(params)

    def reopen(self, attempt_id: int) -> bool:
        """Let a contact be called again that this attempt, its last, had reached; whether it is so."""
        attempt = self._attempts[attempt_id]
        contact = attempt.contact
        if contact.touched:
            self.write()  # it may have been reached just now, and reopening is written before that
        if contact.status != ContactStatus.REACHED or contact.newest > attempt.number_of:
            return False
        self._change(contact, ContactStatus.ACTIVE, REOPEN_CONTACT)
        self.do(REOPEN_CAMPAIGN, {"contact_id": contact.contact_id, "campaign_id": contact.campaign_id})
        return True

    def follow(self, attempt_id: int, follow: Redial | Settle, disposition: Disposition | None) -> None:
        """Plan the redial or settle the contact of an attempt that has just been spent, or called nobody (None).

        A contact that is settled is not dialed again: what still waits for it ends. News of a call to the
        person who had the number before changes nothing for the one who has it now. A blocked number is called in no
        other campaign either.
        """
        attempt = self._attempts[attempt_id]
        contact = attempt.contact
        if attempt.person != (contact.person_key or contact.phone):
            return
        status, spec = self._campaigns[contact.campaign_id]
        if disposition is Disposition.BLOCKED:
            over = REHEARSALS if spec.is_rehearsal else None
            self._blocked.append(Suppression(contact.phone, BLOCKED, f"attempt {attempt_id}", over))
        who, cancelled = contact.called_by(attempt, self._now), status == CampaignStatus.CANCELLED
        follow, why = what_follows(spec, follow, who, self._now, cancelled=cancelled)
        params = {"attempt_id": attempt_id, "disposition": str(disposition or "")}
        if isinstance(follow, Settle):
            self._settle(contact, follow.status, params | {"status": str(follow.status), "why": why})
        elif contact.status in OPEN_CONTACTS:
            self._change(contact, ContactStatus.ACTIVE, REDIAL_CONTACT, params)
            contact.newest = max(contact.newest, attempt.number_of + 1)
            reason = why or follow.why or f"redial after {disposition}"
            self.do(ADD_REDIAL, {"attempt_id": attempt_id, "due_at": follow.due_at, "reason": reason})

    def _settle(self, contact: _Contact, status: ContactStatus, params: Values) -> None:
        late = status is ContactStatus.REACHED and contact.status in GIVEN_UP
        if contact.status not in OPEN_CONTACTS and not late:
            return
        self._change(contact, status, SETTLE_CONTACT, params)
        self._settled.setdefault(contact.contact_id, f"contact {status}")
        if status is ContactStatus.REACHED and contact.person_key:
            self._cancel_others(contact)

    def _cancel_others(self, reached: _Contact) -> None:
        """A person who was reached is not called on another number; an open call there goes on until it is over."""
        for other in self._people[reached.person]:
            same_event = (other.event_at or 0) == (reached.event_at or 0)
            if other is not reached and same_event and other.may_be_cancelled:
                self._change(other, ContactStatus.CANCELLED, CANCEL_OTHER, {"why": REACHED_ELSEWHERE})
                self._settled.setdefault(other.contact_id, REACHED_ELSEWHERE)

    def _change(self, contact: _Contact, status: ContactStatus, sql: str, params: Values = NO_VALUES) -> None:
        contact.status, contact.touched = status, True
        self.do(sql, {"contact_id": contact.contact_id, **params})

    def write(self) -> None:
        """Write what was decided. Raises LedgerUnavailable where an attempt was moved meanwhile: nothing is kept."""
        for after, moves in self._moves.items():
            if not self._transaction.all_won(MOVES[after], moves):
                raise LedgerUnavailable("an attempt moved while its outcome was judged; nothing was recorded")
        for sql, params in self._follows.items():
            if params:
                self._transaction.many(sql, params)
        if self._events:
            add_events(self._transaction, self._events)
        if self._settled:
            self._end_waiting()
        if self._blocked:
            suppress(self._transaction, self._blocked, PROGRAM, self._now)
        for contact in self._contacts.values():
            contact.touched = False
        self._begin()

    def _end_waiting(self) -> None:
        """Also what this page planned before it settled the contact."""
        waiting: dict[str, list[tuple[int, str]]] = {}
        for attempt_id, contact_id, state in self._transaction.all(WAITING, {"ids": list(self._settled)}):
            waiting.setdefault(self._settled[contact_id], []).append((attempt_id, state))
            if attempt_id in self._attempts:
                self._attempts[attempt_id].state = AttemptState.CANCELLED
        for reason, attempts in waiting.items():
            end_waiting(self._transaction, attempts, Actor.RECONCILER, reason, self._now)
