"""People on a list become contacts; known ones are planned again where the list has another time.

The last list counts: it says when an appointment is. Two rows of one list are never two times of one appointment.
"""

import json
from collections.abc import Sequence
from typing import Any

from dialer.adapters.ledger.campaigns import CAMPAIGN_BY_ID, CAMPAIGN_BY_NAME, HOLD_CAMPAIGN, campaign_of
from dialer.adapters.ledger.moves import IS_GONE, IS_STOPPED, WAITING_OF_CONTACTS, end_waiting
from dialer.adapters.ledger.states import in_states
from dialer.adapters.ledger.suppressing import suppressed_among
from dialer.adapters.ledger.transaction import Row, Transaction
from dialer.domain.attempt import LIVE, Actor, AttemptState
from dialer.domain.campaign import CampaignSpec, CampaignStatus
from dialer.domain.contact import ContactStatus, NewContact
from dialer.domain.contact_plan import Renewal, Replan, first_due, renewal_of
from dialer.domain.reminder import Moment, NoMoment
from dialer.errors import UsageError

BUSY: str = in_states(LIVE | {AttemptState.REVIEW})

ADD_CONTACT = """
INSERT INTO contacts (campaign_id, phone, name, person_key, region, zones, places, event_at, planned_for, variables,
    list_row, status, due_at, waits_for, reading, list)
VALUES (:campaign_id, :phone, :name, :key, :region, :zones, :places, :event_at, :event_at, :variables,
    :row, :status, :due_at, :waits_for, :reading, :list)
ON CONFLICT (phone, campaign_id) DO NOTHING
"""
KNOWN = f"""
SELECT id, phone, name, person_key, region, zones, places, event_at, variables, status, attempts, gone, reading,
    EXISTS (SELECT 1 FROM attempts WHERE attempts.contact_id = contacts.id AND attempts.state IN ({BUSY})),
    EXISTS (SELECT 1 FROM attempts WHERE attempts.contact_id = contacts.id AND attempts.state = 'dialing'),
    list, list_row
FROM contacts WHERE campaign_id = :campaign_id AND phone IN :phones*
"""
ON_THIS_LIST = "UPDATE contacts SET list = :list, list_row = :row WHERE phone = :phone AND campaign_id = :campaign_id"
RENEW = """
UPDATE contacts SET name = :name, person_key = :key, region = :region, zones = :zones, places = :places,
    event_at = :event_at, variables = :variables, list_row = :row, list = :list,
    gone = CASE WHEN gone = 2 AND person_key = :key THEN 2 ELSE 0 END,
    reading = CASE WHEN :reading > 0 THEN :reading ELSE reading END
WHERE id = :id
"""
PLAN_CONTACT = """
UPDATE contacts SET status = :status, due_at = :due_at, waits_for = :why, planned_for = event_at WHERE id = :id
"""
START_AFRESH = """
UPDATE contacts SET attempts = 0, disposition = '', last_attempt_at = NULL, duration_s = NULL, call_id = NULL
WHERE id = :id
"""
PLAN_ATTEMPT = "UPDATE attempts SET due_at = :due_at, reason = :why WHERE id = :attempt_id"
NAME_PERSON = """
UPDATE attempts SET person = CASE WHEN :key = '' THEN phone ELSE :key END
WHERE contact_id = :id AND state IN ('planned', 'queued')
"""

ADDED = {"pending": "queued", "suppressed": "suppressed", "expired": "deferred"}
"""Status of a new contact -> what its row of the list became."""

MOVED = "moved"
"""For ``renew_listed``: the list has another time for the appointment."""
STOOD = frozenset({"duplicate", "other", "suppressed"})
"""For ``note_listed``: the campaign had the number before this list."""


def add_contacts(
    transaction: Transaction,
    contacts: Sequence[NewContact],
    campaign_id: int,
    reading: int,
    fingerprint: str,
    now: float,
) -> list[str]:
    """Add people, from the list with a ``fingerprint`` ("": of none) or a ``reading`` of the source.

    Answers as ``Ledger.add_contacts``, and MOVED for who is left to ``renew_listed``. Deferred are those whose
    appointment leaves no moment to call; they are kept, and wait until it moves. Raises UsageError for a campaign
    that was cancelled.

    It does not take the gate, so it only adds rows, in the order of their numbers: two imports wait for one another at
    most once, and nobody who has the gate waits for what it holds.
    """
    phones = [contact.phone for contact in contacts]
    # Held until these rows are in: a cancel that comes meanwhile finds them, one that came before is heeded.
    transaction.all(HOLD_CAMPAIGN, {"id": campaign_id})
    campaign = campaign_of(transaction.all(CAMPAIGN_BY_ID, {"id": campaign_id})[0])
    if campaign.status is CampaignStatus.CANCELLED:
        raise UsageError(f'campaign "{campaign.spec.name}" was cancelled: the rest of its list is not taken')
    spec = campaign.spec
    suppressed = suppressed_among(transaction, phones, campaign_id, rehearsal=spec.is_rehearsal)
    rows = [
        contact_row(campaign_id, contact, reading, fingerprint)
        | _first(spec, contact, contact.phone in suppressed, now)
        for contact in contacts
    ]
    added = _add(transaction, rows)
    if reading or all(added):
        return [ADDED[row["status"]] if is_new else "duplicate" for row, is_new in zip(rows, added, strict=True)]
    new = {contact.phone for contact, is_new in zip(contacts, added, strict=True) if is_new}
    old = [contact for contact, is_new in zip(contacts, added, strict=True) if not is_new]
    known = known_among(transaction, campaign_id, old)
    first = {contact.phone: known[contact.phone][7] for contact in old if contact.phone in new}
    here = iter(_already_here(spec, known, old, first, fingerprint, now))
    return [ADDED[row["status"]] if is_new else next(here) for row, is_new in zip(rows, added, strict=True)]


def _add(transaction: Transaction, rows: Sequence[dict[str, Any]]) -> list[bool]:
    """Whether each was new; of two with one number the first is."""
    in_order = sorted(range(len(rows)), key=lambda n: str(rows[n]["phone"]))
    added = dict(zip(in_order, transaction.won(ADD_CONTACT, [rows[n] for n in in_order]), strict=True))
    return [added[n] for n in range(len(rows))]


def note_listed(
    transaction: Transaction, contacts: Sequence[NewContact], campaign_id: int, fingerprint: str, now: float
) -> list[None]:
    """Remember in which row a list has people whom the campaign had before."""
    del now
    transaction.many(
        ON_THIS_LIST,
        [
            {"campaign_id": campaign_id, "phone": contact.phone, "list": fingerprint, "row": contact.row}
            for contact in contacts
        ],
    )
    return [None] * len(contacts)


def _already_here(
    spec: CampaignSpec,
    known: dict[str, Row],
    contacts: Sequence[NewContact],
    first: dict[str, float | None],
    fingerprint: str,
    now: float,
) -> list[str]:
    """What rows of a list become whose numbers the campaign has.

    ``first`` has the appointments of numbers that this very list had before, in rows that are not among these.
    """
    seen, answers = dict(first), []
    for contact in contacts:
        row = known[contact.phone]
        listed, list_row = row[15:17]
        if fingerprint and listed == fingerprint and list_row != contact.row:
            seen.setdefault(contact.phone, row[7])
        if contact.phone in seen:
            answers.append(doubled(spec, seen[contact.phone], contact.event_at) if fingerprint else "duplicate")
            continue
        seen[contact.phone] = contact.event_at
        answers.append(_known_row(spec, row, contact, now))
    return answers


def doubled(spec: CampaignSpec, event_at: float | None, again_at: float | None) -> str:
    """What a further row with a number is, by the appointments of the first row and of this one."""
    return "second" if spec.reminder.event and event_at != again_at else "doubled"


def _known_row(spec: CampaignSpec, row: Row, contact: NewContact, now: float) -> str:
    _, _, name, key, _, _, _, event_at, _, status, *_ = row
    if status == ContactStatus.SUPPRESSED:
        return "suppressed"
    if not spec.reminder.event or contact.event_at is None or event_at == contact.event_at:
        return "duplicate"
    same_person = (name, key) == (contact.name, contact.key)
    return MOVED if same_person or event_at is None or event_at <= now else "other"


def renew_listed(
    transaction: Transaction, contacts: Sequence[NewContact], campaign_id: int, fingerprint: str, now: float
) -> list[str]:
    """Take over the appointments that a list has moved, and plan them again.

    Answers "queued", "deferred", "duplicate" (somebody else took it over), or "busy": a call is on its way to the
    provider, and the list must be read again.
    """
    spec = campaign_of(transaction.all(CAMPAIGN_BY_ID, {"id": campaign_id})[0]).spec
    known = known_among(transaction, campaign_id, contacts)
    plans = renew(transaction, spec, [(known[contact.phone], contact) for contact in contacts], 0, fingerprint, now)
    return [_moved_to(known[contact.phone], plan) for contact, plan in zip(contacts, plans, strict=True)]


def _moved_to(row: Row, plan: Moment | NoMoment | Replan) -> str:
    if plan is Replan.LATER:
        return "busy"
    return "deferred" if isinstance(plan, NoMoment) else "suppressed" if row[9] == "suppressed" else "queued"


def foresee(
    transaction: Transaction, contacts: Sequence[NewContact], spec: CampaignSpec, fingerprint: str, now: float
) -> list[str]:
    """What ``add_contacts`` would answer for these numbers, each of them once, and nothing is written."""
    rows = transaction.all(CAMPAIGN_BY_NAME, {"name": spec.handle})
    campaign_id = int(rows[0][0]) if rows else 0
    phones = [contact.phone for contact in contacts]
    suppressed = suppressed_among(transaction, phones, campaign_id, rehearsal=spec.is_rehearsal)
    known = known_among(transaction, campaign_id, contacts) if rows else {}
    answers = []
    for contact in contacts:
        row = known.get(contact.phone)
        if row is None:
            answers.append(ADDED[_first(spec, contact, contact.phone in suppressed, now)["status"]])
        elif spec.source.url:
            answers.append("known")
        else:
            here = _already_here(spec, known, [contact], {}, fingerprint, now)[0]
            answers.append(here if here != MOVED else _moved_to(row, plan_anew(spec, row, contact, now)[1]))
    return answers


def known_among(transaction: Transaction, campaign_id: int, contacts: Sequence[NewContact]) -> dict[str, Row]:
    """Number -> KNOWN, for those of these people whom the campaign has."""
    phones = [contact.phone for contact in contacts]
    return {row[1]: row for row in transaction.all(KNOWN, {"campaign_id": campaign_id, "phones": phones})}


def says_the_same(row: Row, contact: NewContact) -> bool:
    """Whether a source has nothing new of somebody."""
    new = contact_row(0, contact, 0)
    names = ("name", "key", "region", "zones", "places", "event_at", "variables")
    return row[11] != IS_GONE and tuple(row[2:9]) == tuple(new[name] for name in names)


def plan_anew(
    spec: CampaignSpec, row: Row, contact: NewContact, now: float
) -> tuple[Renewal, Moment | NoMoment | Replan]:
    """What the contact was (KNOWN), and its new plan."""
    _, _, _, key, _, zones, places, event_at, _, status, attempts, gone, _, busy, dialing, *_ = row
    before = Renewal(
        key=key,
        moved=event_at != contact.event_at,
        elsewhere=(zones, places) != (" ".join(contact.zones), " ".join(contact.places)),
        status=ContactStatus(status),
        # What was done for the person who had the number before does not count for this one.
        attempts=attempts if key == contact.key else 0,
        gone=gone == IS_GONE,
        stopped=gone == IS_STOPPED,
        busy=bool(busy),
        dialing=bool(dialing),
    )
    return before, renewal_of(spec, before, contact, now)


def renew(
    transaction: Transaction,
    spec: CampaignSpec,
    people: Sequence[tuple[Row, NewContact]],
    reading: int,
    fingerprint: str,
    now: float,
) -> list[Moment | NoMoment | Replan]:
    """Take over what has changed about these people (each KNOWN, and new) and plan again what depends on it.

    Answers each one's plan; of who must wait (``Replan.LATER``) nothing is taken over.
    """
    plans = [plan_anew(spec, row, contact, now) for row, contact in people]
    params = [
        contact_row(0, contact, reading, fingerprint) | {"id": row[0]}
        for (row, contact), (_, plan) in zip(people, plans, strict=True)
        if plan is not Replan.LATER
    ]
    transaction.many(RENEW, params)
    transaction.many(NAME_PERSON, params)
    moved = [
        (row[0], str(before.after(plan)), plan)
        for (row, _), (before, plan) in zip(people, plans, strict=True)
        if isinstance(plan, Moment | NoMoment)
    ]
    transaction.many(START_AFRESH, [
        {"id": row[0]}
        for (row, contact), (before, plan) in zip(people, plans, strict=True)
        if isinstance(plan, Moment | NoMoment) and before.key != contact.key
    ])  # fmt: skip
    _plan(transaction, moved, now)
    return [plan for _, plan in plans]


def _plan(transaction: Transaction, moved: Sequence[tuple[int, str, Moment | NoMoment]], now: float) -> None:
    """Plan these contacts (id, status to be) again: in their waiting attempt, where they have one."""
    waiting: dict[int, list[Row]] = {}
    for row in transaction.all(WAITING_OF_CONTACTS, {"ids": [id_ for id_, *_ in moved]}):
        waiting.setdefault(row[2], []).append(row)
    contacts: list[dict[str, Any]] = []
    attempts: list[dict[str, Any]] = []
    for id_, status, plan in moved:
        params: dict[str, Any] = {"id": id_, "why": plan.why, "status": status, "due_at": None}
        match plan:
            case Moment(at, why) if id_ in waiting:
                params["why"] = ""
                attempts.append({"attempt_id": waiting[id_][0][0], "due_at": at, "why": why or "planned again"})
            case Moment(at):
                params["due_at"] = at
            case NoMoment(why):
                end_waiting(transaction, waiting.get(id_, ()), Actor.FEEDER, why, now)
        contacts.append(params)
    transaction.many(PLAN_ATTEMPT, attempts)
    transaction.many(PLAN_CONTACT, contacts)


def _first(spec: CampaignSpec, contact: NewContact, suppressed: bool, now: float) -> dict[str, Any]:
    """What a new contact waits for."""
    if suppressed:
        return {"status": "suppressed", "due_at": None, "waits_for": ""}
    match first_due(spec, contact.zones, contact.places, contact.event_at, now):
        case Moment(at, why):
            # Who waits for nothing is due whatever the clock says later: it may be wrong now, and be set right.
            return {"status": "pending", "due_at": at if why else 0.0, "waits_for": why}
        case NoMoment(why):
            return {"status": "expired", "due_at": None, "waits_for": why}


def contact_row(campaign_id: int, contact: NewContact, reading: int, fingerprint: str = "") -> dict[str, Any]:
    """What a list says of a person, as columns."""
    return {
        "campaign_id": campaign_id,
        "phone": contact.phone,
        "name": contact.name,
        "key": contact.key,
        "region": contact.region,
        "zones": " ".join(contact.zones),
        "places": " ".join(contact.places),
        "event_at": contact.event_at,
        "variables": json.dumps(dict(contact.variables), ensure_ascii=False),
        "row": contact.row,
        "reading": reading,
        "list": fingerprint,
    }
