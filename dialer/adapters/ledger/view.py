"""Reading the ledger: nothing here can change what it counts."""

import json
import math
from collections.abc import Collection, Sequence
from difflib import get_close_matches

from dialer.adapters.ledger.acts import last_act
from dialer.adapters.ledger.campaigns import CAMPAIGN_BY_ID, CAMPAIGN_BY_NAME, CAMPAIGN_COLUMNS, campaign_of
from dialer.adapters.ledger.facts import facts_named
from dialer.adapters.ledger.moves import OPEN_CONTACT, WORKER_GONE, attempts_made
from dialer.adapters.ledger.reconcile import fact_prefix
from dialer.adapters.ledger.spec_text import usable_spec
from dialer.adapters.ledger.states import in_states
from dialer.adapters.ledger.transaction import Row, Transaction
from dialer.adapters.ledger.waiting import expired_counts, waiting_counts
from dialer.domain.attempt import LIVE, AttemptState
from dialer.domain.campaign import OVER, REHEARSAL, CampaignStatus
from dialer.domain.contact import ContactStatus, NewContact
from dialer.domain.disposition import Disposition
from dialer.domain.suppression import names_of
from dialer.errors import UnknownName
from dialer.ports import (
    LOG_NOTES,
    RESTORED,
    AttemptRow,
    Campaign,
    ContactRow,
    Event,
    ImportCounts,
    KnownCall,
    OpenAttempt,
    OpenContact,
    Report,
    SourceState,
    Supply,
    Suppression,
)

ALL_CAMPAIGNS = f"SELECT {CAMPAIGN_COLUMNS} FROM campaigns ORDER BY id"
_open = ", ".join(f"'{status}'" for status in CampaignStatus if status not in OVER)
OPEN_CAMPAIGNS = f"SELECT {CAMPAIGN_COLUMNS} FROM campaigns WHERE status IN ({_open}) ORDER BY id"
_OPEN_COLUMNS = f"""
SELECT a.id, a.campaign_id, a.contact_id, {attempts_made("a")}, a.state, a.phone,
    CASE WHEN a.agent = '' THEN (SELECT spec FROM campaigns WHERE id = a.campaign_id) ELSE '' END, a.agent, a.token,
    a.dialed_at, a.call_id, (SELECT max(started_at) FROM log_rows WHERE log_rows.attempt_id = a.id)
FROM attempts a WHERE a.account = :account AND
"""
LIVE_ATTEMPTS = f"{_OPEN_COLUMNS} a.state IN ({in_states(LIVE)}) ORDER BY a.dialed_at, a.id"
# The first by the index of live attempts, which knows few.
OPEN_ATTEMPTS = f"""
{_OPEN_COLUMNS} a.state IN ({in_states(LIVE)}) AND a.state IN ('placed', 'unknown') UNION ALL
{_OPEN_COLUMNS} a.state = 'unconfirmed' AND a.ended_at > :corrected_since UNION ALL
{_OPEN_COLUMNS} a.state = 'review' AND a.call_id IS NOT NULL AND a.dialed_at > :corrected_since
"""
KNOWN_CALLS = """
SELECT r.call_id, r.first_seen_at, r.attempt_id,
    r.attempt_id IS NOT NULL AND r.disposition <> ''
        AND coalesce(a.state, '') NOT IN ('placed', 'unknown', 'unconfirmed', 'review'),
    r.disposition, r.cost, r.owed_until IS NOT NULL, r.called_back
FROM log_rows r LEFT JOIN attempts a ON a.id = r.attempt_id
WHERE r.account = :account AND r.call_id IN :call_ids*
"""
LAST_SEND = "SELECT id, started_at FROM sends WHERE id = (SELECT max(id) FROM sends)"
KNOWN_TOKENS = "SELECT token FROM sends WHERE token IN :tokens*"
OPEN_CONTACTS_OF = f"""
SELECT contacts.id, contacts.phone,
    (SELECT count(*) FROM attempts WHERE attempts.contact_id = contacts.id
        AND person = CASE WHEN contacts.person_key = '' THEN contacts.phone ELSE contacts.person_key END
        AND state NOT IN ('planned', 'queued', 'cancelled')) + 1, campaigns.spec
FROM contacts JOIN campaigns ON campaigns.id = contacts.campaign_id
WHERE contacts.phone IN :phones* AND campaigns.account = :account AND contacts.status IN ({OPEN_CONTACT})
ORDER BY contacts.id
"""
ROWS_OF = "SELECT attempt_id, raw_status FROM log_rows WHERE attempt_id IN :ids*"
OWED = """
SELECT count(*), min(coalesce(started_at, first_seen_at)), max(owed_until) FROM log_rows
WHERE account = :account AND owed_until > :now
"""
DENIED_SENDS = f"""
SELECT s.attempt_id, a.campaign_id, {attempts_made("a")}, a.phone, s.token, s.started_at, s.reason
FROM sends s JOIN attempts a ON a.id = s.attempt_id
WHERE s.account = :account AND s.class IN ('not_placed', 'refused') AND s.requests > 0 AND s.started_at >= :since
    AND NOT EXISTS (SELECT 1 FROM events WHERE events.attempt_id = s.attempt_id AND events.before = 'review')
ORDER BY s.started_at, s.id
"""
SPENT = f"""
SELECT coalesce((SELECT cost FROM campaign_costs WHERE campaign_id = :id), 0),
    coalesce((SELECT known FROM campaign_costs WHERE campaign_id = :id), 0),
    (SELECT count(*) FROM attempts WHERE campaign_id = :id AND state IN ({in_states(LIVE)}))
"""
SENDS_OF = """
SELECT attempt_id, started_at, answered_at, class, requests, http_status, reason
FROM sends WHERE attempt_id IN :ids* ORDER BY id
"""
SCANS = """
SELECT started_at, ended_at, since, pages, rows, whole FROM scans
WHERE account = :account AND started_at >= :since AND started_at <= :until ORDER BY started_at, id LIMIT 1000
"""
RECENT_SENDS = f"""
SELECT class, count(*) FROM (
    SELECT CASE WHEN s.class = 'unknown' AND a.state NOT IN ('unknown', 'unconfirmed') THEN 'found'
        WHEN s.class = 'unknown' AND s.reason = '{WORKER_GONE}' THEN 'worker gone' ELSE s.class END AS class
    FROM sends s JOIN attempts a ON a.id = s.attempt_id
    WHERE s.account = :account AND NOT (s.class = 'not_placed' AND s.requests = 0)
        AND s.id > coalesce((SELECT CAST(value AS INTEGER) FROM ledger_facts WHERE name = 'halted-at:' || :account), 0)
    ORDER BY s.id DESC LIMIT :limit) AS recent
GROUP BY class
"""
SUPPLIES = f"""
SELECT id,
    (SELECT count(*) FROM attempts WHERE campaign_id = campaigns.id AND state = 'queued'),
    (SELECT count(*) FROM attempts WHERE campaign_id = campaigns.id AND state IN ({in_states(LIVE)})),
    (SELECT min(due_at) FROM contacts WHERE campaign_id = campaigns.id AND due_at IS NOT NULL),
    (SELECT min(due_at) FROM attempts WHERE campaign_id = campaigns.id AND state = 'planned')
FROM campaigns WHERE status = 'running' ORDER BY id
"""
# Every lease is counted, by the index of the queued ones alone.
QUEUED_PER_CAMPAIGN = "SELECT campaign_id, count(lease_until) FROM attempts WHERE state = 'queued' GROUP BY campaign_id"
DIALING_OF_CAMPAIGN = """
SELECT count(*) FROM attempts WHERE campaign_id = :campaign_id AND state = 'dialing' AND dialed_at > :since
"""
DIALED_PHONES = "SELECT phone FROM attempts WHERE state = 'dialing' AND dialed_at > :since"
SUPPRESSIONS_AFTER = """
SELECT id, phone, reason, source, campaign_id, added_at FROM suppressions
WHERE id > :after AND campaign_id >= 0 ORDER BY id LIMIT :limit
"""

CONTACT_COUNTS = "SELECT status, count(*) FROM contacts WHERE campaign_id = :id GROUP BY status"
ATTEMPT_COUNTS = """
SELECT state, disposition, count(*) FROM attempts WHERE campaign_id = :id GROUP BY state, disposition
"""
DIALED = """
SELECT coalesce((SELECT cost FROM campaign_costs WHERE campaign_id = :id), 0),
    (SELECT min(dialed_at) FROM attempts WHERE campaign_id = :id AND dialed_at > 0),
    (SELECT max(dialed_at) FROM attempts WHERE campaign_id = :id AND dialed_at > 0)
"""
IMPORTED = """
SELECT sum(total), sum(queued), sum(duplicate), sum(suppressed), sum(invalid), sum(deferred), max(rejects)
FROM imports WHERE campaign_id = :id
"""
UNEXPLAINED = """
SELECT count(*) FROM log_rows
WHERE account = :account AND attempt_id IS NULL AND outbound = 1
    AND coalesce(started_at, first_seen_at) >= :since AND coalesce(started_at, first_seen_at) <= :until
"""
UNMAPPED = """
SELECT raw_status, count(*) FROM log_rows JOIN attempts ON attempts.id = log_rows.attempt_id
WHERE attempts.campaign_id = :id AND unmapped = 1 GROUP BY raw_status
"""
SOURCE_STATES = "SELECT campaign_id, read_at, next_at, error, failed_at, failures FROM readings"
LISTED_AFTER = """
SELECT id, phone, name, list_row, person_key, region, zones, variables, places, event_at
FROM contacts WHERE campaign_id = :campaign_id AND id > :after AND status <> 'cancelled' AND NOT EXISTS (
    SELECT 1 FROM attempts a WHERE a.phone = contacts.phone AND a.disposition IN ('invalid_number', 'blocked')
        AND a.account = (SELECT account FROM campaigns WHERE id = :campaign_id))
ORDER BY id LIMIT :limit
"""
CONTACTS_AFTER = """
SELECT id, phone, name, person_key, status, disposition, attempts, last_attempt_at, duration_s, call_id, variables
FROM contacts WHERE campaign_id = :campaign_id AND id > :after ORDER BY id LIMIT :limit
"""
ATTEMPT_COLUMNS = f"""
attempts.id, campaigns.name, attempts.phone, contacts.name, attempts.number_of, attempts.state,
    attempts.disposition, attempts.due_at, attempts.dialed_at, attempts.ended_at, attempts.duration_s,
    attempts.call_id, attempts.reason, attempts.account, {attempts_made("attempts")}
FROM attempts JOIN campaigns ON campaigns.id = attempts.campaign_id JOIN contacts ON contacts.id = attempts.contact_id
"""
ATTEMPTS_AFTER = f"""
SELECT {ATTEMPT_COLUMNS} WHERE attempts.campaign_id = :campaign_id AND attempts.id > :after
ORDER BY attempts.id LIMIT :limit
"""
ATTEMPTS_OF_PHONE = f"SELECT {ATTEMPT_COLUMNS} WHERE attempts.phone = :phone ORDER BY attempts.id"
ATTEMPT_BY_ID = f"SELECT {ATTEMPT_COLUMNS} WHERE attempts.id = :id"
EVENTS_OF = """
SELECT attempt_id, at, actor, before, after, reason FROM events WHERE attempt_id IN :ids* ORDER BY id
"""


def campaign(transaction: Transaction, name: str) -> Campaign:
    """The real campaign of that name, else the rehearsal. Raises UnknownName, naming the nearest."""
    for handle in (name, REHEARSAL + name) if "\0" not in name else ():  # which PostgreSQL takes in no text
        if rows := transaction.all(CAMPAIGN_BY_NAME, {"name": handle}):
            return campaign_of(rows[0])
    names = [c.spec.name for c in campaigns(transaction)]
    near = get_close_matches(name, names, n=1)
    hint = f'did you mean "{near[0]}"?' if near else "`dialer campaigns` lists them."
    raise UnknownName(f'there is no campaign "{name}": {hint}')


def supplies(transaction: Transaction) -> list[Supply]:
    """What each running campaign has under way."""
    return [
        Supply(campaign_id, queued, live, min((due for due in dues if due is not None), default=None))
        for campaign_id, queued, live, *dues in transaction.all(SUPPLIES)
    ]


def campaigns(transaction: Transaction, *, over: bool = True) -> list[Campaign]:
    """All, or only those that are not ``over``; oldest first."""
    return [campaign_of(row) for row in transaction.all(ALL_CAMPAIGNS if over else OPEN_CAMPAIGNS)]


def open_attempts(transaction: Transaction, account: str, corrected_since: float) -> list[OpenAttempt]:
    """Attempts that wait for the log, and those unconfirmed lately."""
    rows = transaction.all(OPEN_ATTEMPTS, {"account": account, "corrected_since": corrected_since})
    return sorted((_open_attempt(row) for row in rows), key=lambda attempt: (attempt.dialed_at, attempt.attempt_id))


def dialing_to(transaction: Transaction, phones: Collection[str], since: float) -> int:
    """Young intents to any of these numbers or hashes. Few are on the wire; the list may be long."""
    wanted = set(phones)
    return sum(not wanted.isdisjoint(names_of(row[0])) for row in transaction.all(DIALED_PHONES, {"since": since}))


def live_attempts(transaction: Transaction, account: str) -> list[OpenAttempt]:
    """Every attempt that holds a line."""
    return [_open_attempt(row) for row in transaction.all(LIVE_ATTEMPTS, {"account": account})]


def _open_attempt(row: Row) -> OpenAttempt:
    attempt_id, campaign_id, contact_id, made, state, phone, spec, agent, *sent = row
    agent = agent or usable_spec(spec, "", "")[0].agent  # of an attempt that an older version dialed
    return OpenAttempt(attempt_id, campaign_id, contact_id, made, AttemptState(state), phone, agent, *sent)


def report(transaction: Transaction, campaign_id: int, now: float) -> Report:
    """One campaign, counted."""
    params = {"id": campaign_id, "now": now}
    campaign = campaign_of(transaction.all(CAMPAIGN_BY_ID, params)[0])
    counts = transaction.all(ATTEMPT_COUNTS, params)
    states = dict.fromkeys(AttemptState, 0)
    dispositions = dict.fromkeys(Disposition, 0)
    for state, disposition, count in counts:
        states[AttemptState(state)] += count
        if disposition:
            dispositions[Disposition(disposition)] += count
    contacts = dict.fromkeys(ContactStatus, 0)
    contacts |= {ContactStatus(status): count for status, count in transaction.all(CONTACT_COUNTS, params)}
    cost, first_dialed_at, last_dialed_at = transaction.all(DIALED, params)[0]
    while_it_ran = {
        "account": campaign.spec.provider,
        "since": campaign.started_at or now,
        "until": math.inf if campaign.finished_at is None else campaign.finished_at,
    }
    return Report(
        campaign=campaign,
        imported=_imported(transaction, campaign_id),
        contacts=contacts,
        attempts=states,
        dispositions=dispositions,
        unexplained_calls=transaction.all(UNEXPLAINED, while_it_ran)[0][0],
        unmapped_words=dict(_pairs(transaction.all(UNMAPPED, params))),
        cost=cost,
        first_dialed_at=first_dialed_at,
        last_dialed_at=last_dialed_at,
        waiting=waiting_counts(transaction, campaign_id, now),
        expired=expired_counts(transaction, campaign_id),
        source=source_states(transaction).get(campaign_id),
        log_notes=_log_notes(transaction, campaign.spec.provider),
        moved_by=last_act(transaction, campaign.spec.handle),
    )


def _log_notes(transaction: Transaction, account: str) -> tuple[str, ...]:
    facts = log_facts(transaction, account)
    restored = json.loads(facts.get(RESTORED, "{}")).get("why", "")
    return (*json.loads(facts.get(LOG_NOTES, "[]")), *([restored] if restored else []))


def open_contacts(transaction: Transaction, account: str, phones: Sequence[str]) -> list[OpenContact]:
    """Who of these waits to be called."""
    rows = transaction.all(OPEN_CONTACTS_OF, {"account": account, "phones": list(phones)})
    return [OpenContact(row[0], row[1], row[2], usable_spec(row[3], "", "")[0]) for row in rows]


def known_calls(transaction: Transaction, account: str, call_ids: Sequence[str]) -> dict[str, KnownCall]:
    """What is held of these rows of the log."""
    rows = transaction.all(KNOWN_CALLS, {"account": account, "call_ids": list(call_ids)})
    return {
        call_id: KnownCall(
            seen_at, attempt_id, bool(settled), Disposition(word) if word else None, cost, bool(owed), bool(called_back)
        )
        for call_id, seen_at, attempt_id, settled, word, cost, owed, called_back in rows
    }


def log_facts(transaction: Transaction, account: str) -> dict[str, str]:
    """What was noted of the account's log."""
    return facts_named(transaction, fact_prefix(account))


def _pairs(rows: Sequence[Row]) -> list[tuple[str, int]]:
    return [(row[0], row[1]) for row in rows]


def _imported(transaction: Transaction, campaign_id: int) -> ImportCounts:
    row = transaction.all(IMPORTED, {"id": campaign_id})[0]
    if row[0] is None:
        return ImportCounts()
    rows, queued, duplicate, suppressed, invalid, deferred = (int(value) for value in row[:6])
    return ImportCounts(rows, queued, duplicate, suppressed, invalid, deferred, row[6])


def source_states(transaction: Transaction) -> dict[int, SourceState]:
    """Campaign id -> the state of its source."""
    return {row[0]: SourceState(*row[1:]) for row in transaction.all(SOURCE_STATES)}


def listed_after(transaction: Transaction, campaign_id: int, after: int, limit: int) -> list[tuple[int, NewContact]]:
    """The next people of a list, by id."""
    rows = transaction.all(LISTED_AFTER, {"campaign_id": campaign_id, "after": after, "limit": limit})
    return [(row[0], _listed(row)) for row in rows]


def _listed(row: Row) -> NewContact:
    _, phone, name, list_row, key, region, zones, variables, places, event_at = row
    return NewContact(
        phone, name, list_row, key, region, tuple(zones.split()), json.loads(variables), tuple(places.split()), event_at
    )


def contacts_after(transaction: Transaction, campaign_id: int, after: int, limit: int) -> list[tuple[int, ContactRow]]:
    """The next contacts by id."""
    rows = transaction.all(CONTACTS_AFTER, {"campaign_id": campaign_id, "after": after, "limit": limit})
    return [(row[0], _contact_row(row)) for row in rows]


def _contact_row(row: Row) -> ContactRow:
    _, phone, name, key, status, disposition, attempts, last_attempt_at, duration_s, call_id, variables = row
    return ContactRow(
        phone,
        name,
        key,
        ContactStatus(status),
        Disposition(disposition) if disposition else None,
        attempts,
        last_attempt_at,
        duration_s,
        call_id,
        json.loads(variables),
    )


def attempts_after(transaction: Transaction, campaign_id: int, after: int, limit: int) -> list[tuple[int, AttemptRow]]:
    """The next attempts by id."""
    rows = transaction.all(ATTEMPTS_AFTER, {"campaign_id": campaign_id, "after": after, "limit": limit})
    return [(row[0], attempt_row(row)) for row in rows]


def attempt_row(row: Row) -> AttemptRow:
    """An attempt from ATTEMPT_COLUMNS."""
    attempt_id, name, phone, person, number_of, state, disposition, *rest = row
    return AttemptRow(
        attempt_id,
        name.removeprefix(REHEARSAL),
        phone,
        person,
        number_of,
        AttemptState(state),
        Disposition(disposition) if disposition else None,
        *rest,
    )


def story(transaction: Transaction, phone: str, attempt_id: int) -> list[tuple[AttemptRow, list[Event]]]:
    """The attempts to a number, or one attempt, each with every event."""
    if phone:
        rows = transaction.all(ATTEMPTS_OF_PHONE, {"phone": phone})
    else:
        rows = transaction.all(ATTEMPT_BY_ID, {"id": attempt_id})
    events: dict[int, list[Event]] = {row[0]: [] for row in rows}
    for row in transaction.all(EVENTS_OF, {"ids": list(events)}):
        events[row[0]].append(Event(*row))
    return [(attempt_row(row), events[row[0]]) for row in rows]


def suppressions_after(transaction: Transaction, after: int, limit: int) -> list[tuple[int, Suppression]]:
    """The next entries of the suppression list."""
    rows = transaction.all(SUPPRESSIONS_AFTER, {"after": after, "limit": limit})
    return [(row[0], Suppression(row[1], row[2], row[3], row[4] or None, row[5])) for row in rows]
