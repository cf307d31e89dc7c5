"""The people of a campaign whom a filter means, by id: chunks are read by the best index there is, and sifted."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from dialer.adapters.ledger.moves import _OPEN_PAGE, page_of_open
from dialer.adapters.ledger.states import in_states
from dialer.adapters.ledger.transaction import Row, Transaction
from dialer.domain.attempt import LIVE, AttemptState
from dialer.domain.contact import ContactStatus
from dialer.domain.disposition import Disposition
from dialer.domain.people_filter import PeopleFilter
from dialer.domain.waiting import CALL, OpenCall, Wait, wait_of
from dialer.ports import ContactRow
from dialer.ports.people import PeoplePage, Someone

CHUNK = 2000
MOST_CHUNKS = 6
"""So many are looked at for one page; where few fit, the next page goes on."""

_UNDER_WAY = in_states(LIVE | {AttemptState.PLANNED, AttemptState.QUEUED, AttemptState.REVIEW})
_LIGHT = "id, status, disposition, attempts, waits_for, due_at, gone"
ALL_AFTER = f"""
SELECT {_LIGHT} FROM contacts WHERE campaign_id = :campaign_id AND id > :after ORDER BY id LIMIT :limit
"""
STATUS_AFTER = f"""
SELECT {_LIGHT} FROM contacts WHERE campaign_id = :campaign_id AND status = :status AND id > :after
ORDER BY id LIMIT :limit
"""
OUTCOME_AFTER = f"""
SELECT {_LIGHT} FROM contacts
WHERE campaign_id = :campaign_id AND disposition = :outcome AND disposition <> '' AND id > :after
ORDER BY id LIMIT :limit
"""
OPEN_AFTER = _OPEN_PAGE.format(more="")
LIGHT_BY_ID = f"SELECT {_LIGHT} FROM contacts WHERE id IN :ids*"
# Few: they all hold a line.
IN_CALLS = f"SELECT contact_id FROM attempts WHERE campaign_id = :campaign_id AND state IN ({in_states(LIVE)})"
UNDER_WAY = f"""
SELECT contact_id, state, reason, due_at FROM attempts WHERE contact_id IN :ids* AND state IN ({_UNDER_WAY})
"""
PEOPLE = """
SELECT id, campaign_id, phone, name, person_key, status, disposition, attempts, last_attempt_at, duration_s, call_id,
    variables
FROM contacts WHERE id IN :ids*
"""
OF_NUMBER = """
SELECT id, campaign_id, phone, name, person_key, status, disposition, attempts, last_attempt_at, duration_s, call_id,
    variables
FROM contacts WHERE phone = :phone
"""


@dataclass(frozen=True, slots=True)
class Pick:
    """A contact as a filter sees it; ``gone`` as in the table."""

    contact_id: int
    status: ContactStatus
    outcome: Disposition | None
    attempts: int
    wait: Wait
    gone: int

    def fits(self, wanted: PeopleFilter) -> bool:
        """Whether the filter means it."""
        return wanted.fits(self.status, self.outcome, self.wait.kind, self.attempts)


def chunk_after(
    transaction: Transaction, campaign_id: int, wanted: PeopleFilter, after: int, limit: int, now: float
) -> list[Pick]:
    """The next people by id among whom those meant are; fewer than ``limit``: there are no more."""
    params = {"campaign_id": campaign_id, "after": after, "limit": limit}
    if wanted.waits == CALL:
        ids = sorted({row[0] for row in transaction.all(IN_CALLS, {"campaign_id": campaign_id}) if row[0] > after})
        rows = transaction.all(LIGHT_BY_ID, {"ids": ids[:limit]})
    elif wanted.outcome:
        rows = transaction.all(OUTCOME_AFTER, params | {"outcome": str(wanted.outcome)})
    elif wanted.status:
        rows = transaction.all(STATUS_AFTER, params | {"status": str(wanted.status)})
    elif wanted.waits:
        rows = transaction.all(LIGHT_BY_ID, {"ids": page_of_open(transaction, OPEN_AFTER, campaign_id, after, limit)})
    else:
        rows = transaction.all(ALL_AFTER, params)
    return sorted(_picks(transaction, rows, now), key=lambda pick: pick.contact_id)


def picks_of(transaction: Transaction, ids: Sequence[int], now: float) -> list[Pick]:
    """These contacts as a filter sees them."""
    return _picks(transaction, transaction.all(LIGHT_BY_ID, {"ids": list(ids)}), now)


def _picks(transaction: Transaction, rows: Sequence[Row], now: float) -> list[Pick]:
    open_ids = [row[0] for row in rows if ContactStatus(row[1]) in (ContactStatus.PENDING, ContactStatus.ACTIVE)]
    calls = _under_way(transaction, open_ids)
    return [
        Pick(
            row[0],
            ContactStatus(row[1]),
            Disposition(row[2]) if row[2] else None,
            row[3],
            wait_of(ContactStatus(row[1]), row[4], row[5], calls.get(row[0]), now),
            row[6],
        )
        for row in rows
    ]


def _under_way(transaction: Transaction, contact_ids: Sequence[int]) -> dict[int, OpenCall]:
    """Contact -> its attempt that is not over: a call that is on before one that is planned."""
    calls: dict[int, OpenCall] = {}
    rows = transaction.all(UNDER_WAY, {"ids": list(contact_ids)}) if contact_ids else []
    for contact_id, state, reason, due_at in rows:
        if contact_id not in calls or AttemptState(state) in LIVE:
            calls[contact_id] = OpenCall(AttemptState(state), reason, due_at)
    return calls


def page_after(
    transaction: Transaction, campaign_id: int, wanted: PeopleFilter, after: int, limit: int, now: float
) -> PeoplePage:
    """As ``PeopleView.page``."""
    meant: list[Pick] = []
    ask, more = limit + 1, True
    for _ in range(1 + MOST_CHUNKS):
        chunk = chunk_after(transaction, campaign_id, wanted, after, ask, now)
        meant += [pick for pick in chunk if pick.fits(wanted)]
        more, ask = len(chunk) == ask, CHUNK
        after = chunk[-1].contact_id if chunk else after
        if len(meant) > limit or not more:
            break
    page = meant[:limit]
    if len(meant) > limit:
        after, more = page[-1].contact_id, True
    return PeoplePage(tuple(people(transaction, page)), after if more else None)


def people(transaction: Transaction, picks: Sequence[Pick]) -> list[Someone]:
    """The whole rows of these, in their order."""
    rows = {row[0]: row for row in transaction.all(PEOPLE, {"ids": [pick.contact_id for pick in picks]})}
    return [_someone(rows[pick.contact_id], pick.wait) for pick in picks if pick.contact_id in rows]


def one(transaction: Transaction, contact_id: int, now: float) -> Someone | None:
    """One contact."""
    shown = people(transaction, picks_of(transaction, [contact_id], now))
    return shown[0] if shown else None


def of_number(transaction: Transaction, phone: str, now: float) -> list[Someone]:
    """All contacts with a number, over all campaigns, the newest first."""
    rows = transaction.all(OF_NUMBER, {"phone": phone})
    waits = {pick.contact_id: pick.wait for pick in picks_of(transaction, [row[0] for row in rows], now)}
    return [_someone(row, waits[row[0]]) for row in sorted(rows, reverse=True)]


def _someone(row: Row, wait: Wait) -> Someone:
    contact_id, campaign_id, phone, name, key, status, outcome, attempts, last_at, lasted_s, call_id, kept = row
    contact = ContactRow(
        phone, name, key, ContactStatus(status), Disposition(outcome) if outcome else None, attempts, last_at, lasted_s,
        call_id, json.loads(kept),
    )  # fmt: skip
    return Someone(contact_id, campaign_id, contact, wait)
