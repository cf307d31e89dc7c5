"""Whose a refusal is: one person's, or everybody's. All of it is read from the ledger, so it holds over all workers."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from dialer.adapters.ledger.campaigns import halt_account, halt_campaign
from dialer.adapters.ledger.moves import add_events, attempts_made, event, from_states
from dialer.adapters.ledger.transaction import Row, Transaction
from dialer.domain.attempt import Actor, AttemptState
from dialer.domain.call import NotPlaced, PlaceResult, Refused
from dialer.domain.contact import ContactStatus
from dialer.domain.disposition import Disposition
from dialer.domain.redial import Settle
from dialer.domain.refusal import ASKED_AGAIN, DOUBT, DOUBT_OF_CAMPAIGN, FEW, TWO, About, counted, is_everybodys
from dialer.ports import SendOutcome

PROVEN_FOR_S = 60.0
"""So long a call that was accepted shows, also to a worker that has just started, that calls are accepted."""
UNDER_WAY_S = 10.0
"""A request that has been on its way for longer keeps nobody from being asked: its worker may be gone, and the ledger
learns that only when the time for its answer is over."""
FOUND = frozenset({AttemptState.PLACED, AttemptState.ENDED})
"""States in which an attempt of unknown fate was found in the log."""

# So many sends of all accounts, at most, are looked through for those of one campaign. Each is asked for its attempt:
# joined, an engine might begin with every attempt that the campaign ever made.

_SINCE = """
s.account = :account AND s.id > (SELECT coalesce(max(id), 0) FROM sends) - 20000
AND s.id > coalesce((SELECT max(CAST(value AS INTEGER)) FROM ledger_facts
    WHERE name IN ('halted-at:' || :account, 'campaign-halted-at:' || CAST(:campaign_id AS TEXT))), 0)
"""
_CAMPAIGN = "(SELECT campaign_id FROM attempts WHERE id = s.attempt_id)"
ROW = f"""
SELECT s.id, s.class, s.about, s.attempt_id, s.reason, (SELECT state FROM attempts WHERE id = s.attempt_id),
    s.answered_at, s.started_at
FROM sends s WHERE s.class IN ('placed', 'unknown', 'refused', 'inflight') AND {_SINCE}
    AND {_CAMPAIGN} = :campaign_id
ORDER BY s.id DESC LIMIT 200
"""
DOUBTS = f"""
SELECT s.id, s.class, s.about, s.attempt_id, s.reason, {_CAMPAIGN} FROM sends s
WHERE (s.class = 'placed' OR s.about IN ('{DOUBT}', '{DOUBT_OF_CAMPAIGN}')) AND {_SINCE}
ORDER BY s.id DESC LIMIT 50
"""
REFUSED_BEFORE = """
SELECT DISTINCT attempt_id FROM sends WHERE attempt_id IN :ids* AND class = 'refused' AND id < :accepted_id
"""
ACCOUNT = "SELECT account FROM campaigns WHERE id = :campaign_id"
GIVE_BACK = f"""
UPDATE attempts SET state = 'planned', disposition = '', token = NULL, dialed_at = NULL, answer_due_at = NULL,
    ended_at = NULL, lease_until = NULL, due_at = :now, reason = :reason
WHERE id = :id AND state IN ({from_states(AttemptState.PLANNED, Actor.SWEEPER)}) AND state = 'refused'
    AND NOT EXISTS (SELECT 1 FROM attempts l WHERE l.contact_id = attempts.contact_id
        AND l.number_of > attempts.number_of)
"""
REOPEN = f"""
UPDATE contacts SET status = 'active', waits_for = '', due_at = NULL,
    attempts = (SELECT {attempts_made("attempts")} - 1 FROM attempts WHERE id = :id),
    disposition = coalesce((SELECT p.disposition FROM attempts p JOIN attempts a ON a.contact_id = p.contact_id
        WHERE a.id = :id AND p.person = a.person AND p.number_of = a.number_of - 1), ''),
    last_attempt_at = (SELECT max(dialed_at) FROM attempts WHERE attempts.contact_id = contacts.id)
WHERE id = (SELECT contact_id FROM attempts WHERE id = :id)
"""
PRIOR_DOUBTS = f"""
SELECT count(*), min(s.id) FROM sends s
WHERE s.attempt_id = :attempt_id AND s.about IN ('{DOUBT}', '{DOUBT_OF_CAMPAIGN}')
"""
ACCEPTED_SINCE = f"""
SELECT 1 FROM sends s WHERE s.class = 'placed' AND s.id > :first
    AND {_CAMPAIGN} = (SELECT campaign_id FROM attempts WHERE id = :attempt_id)
ORDER BY s.id LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class _InARow:
    """What came of a campaign's requests since the last accepted one, newest first."""

    refused: tuple[tuple[int, About, str], ...]
    """Attempt, what the refusal is about, its words: of people who may have been refused for everybody's fault."""
    under_way: int
    """Requests that began lately and have no answer."""
    accepted_before: bool
    accepted_at: float | None
    """When the last one was, if it was answered."""


def weigh_refusals(transaction: Transaction, campaign_ids: Sequence[int], now: float) -> list[str]:
    """For each campaign: halt what refuses everybody, give its people back; the reason, or ""."""
    return [weigh(transaction, campaign_id, now, over=False) for campaign_id in campaign_ids]


def weigh(transaction: Transaction, campaign_id: int, now: float, *, over: bool) -> str:
    """The same for one; ``over``: nobody is left to ask."""
    of = _of(transaction, campaign_id)
    row = _row(transaction, of, now - UNDER_WAY_S)
    people = [what for _, what, _ in row.refused]
    if people and is_everybodys(people, accepted_before=row.accepted_before, over=over):
        words = row.refused[0][2]
        accepted = "nobody was accepted since" if row.accepted_before else "nobody was accepted"
        reason = (
            f"{len(people)} in a row refused, and {accepted}: {words}. No attempt is spent by it. "
            "Check the campaign and the provider, then `dialer start`"
        )
        halt_campaign(transaction, campaign_id, reason, now)
        _give_back(transaction, [attempt_id for attempt_id, _, _ in row.refused], words, now)
        return reason
    return _weigh_doubts(transaction, of, now)


def room_on_trial(transaction: Transaction, campaign_id: int, now: float) -> int:
    """How many more people may be asked before one of them must be accepted.

    Right after one was accepted, and nobody refused, what is under way says nothing: its worker may have been killed.
    """
    row = _row(transaction, _of(transaction, campaign_id), now - UNDER_WAY_S)
    if row.accepted_at is not None and now - row.accepted_at <= PROVEN_FOR_S and not row.refused:
        return FEW
    refused = counted([what for _, what, _ in row.refused], accepted_before=row.accepted_before)
    return FEW - len(refused) - row.under_way


def _of(transaction: Transaction, campaign_id: int) -> dict[str, Any]:
    """Parameters of the statements above, for one campaign."""
    account = transaction.all(ACCOUNT, {"campaign_id": campaign_id})[0][0]
    return {"campaign_id": campaign_id, "account": account}


def _row(transaction: Transaction, of: dict[str, Any], since: float) -> _InARow:
    refused: dict[int, tuple[int, About, str]] = {}
    under_way: set[int] = set()
    accepted_id, accepted_at = 0, None
    for send_id, kind, about, attempt_id, reason, state, answered_at, started_at in transaction.all(ROW, of):
        if kind == "placed" or (kind == "unknown" and state in FOUND):
            accepted_id, accepted_at = send_id, answered_at
            break
        if kind == "inflight":
            under_way.update([attempt_id] if started_at > since else [])
        elif kind == "refused" and state == AttemptState.REFUSED:
            what = About[about] if about in About.__members__ else About.NOTHING
            refused.setdefault(attempt_id, (attempt_id, what, reason))
    if accepted_id and refused:
        # Refused before, while others got through since: that one is theirs.
        params = {"ids": list(refused), "accepted_id": accepted_id}
        for (attempt_id,) in transaction.all(REFUSED_BEFORE, params):
            del refused[attempt_id]
    return _InARow(tuple(refused.values()), len(under_way), bool(accepted_id), accepted_at)


def _weigh_doubts(transaction: Transaction, of: dict[str, Any], now: float) -> str:
    """An odd answer that a second person meets too, or one person again and again, with nobody accepted between."""
    rows, campaign_id = transaction.all(DOUBTS, of), of["campaign_id"]
    everywhere = _met(rows, DOUBT)
    here = _met([row for row in rows if row[5] == campaign_id], DOUBT_OF_CAMPAIGN)
    words = everywhere or here
    if not words:
        return ""
    reason = f"{words}. Met again and again, and nobody was accepted. Check it, then `dialer start`"
    if everywhere:
        halt_account(transaction, of["account"], reason, now)
    else:
        halt_campaign(transaction, campaign_id, reason, now)
    return reason


def _met(rows: Sequence[Row], doubt: str) -> str:
    """The words of a doubtful answer that was met often enough since the last accepted call, or ""."""
    since = list(takewhile(lambda row: row[1] != "placed", rows))
    doubts = [row for row in since if row[2] == doubt]
    enough = len({row[3] for row in doubts}) >= TWO or len(doubts) >= ASKED_AGAIN
    return str(doubts[0][4]) if enough else ""


def _give_back(transaction: Transaction, attempt_ids: Sequence[int], words: str, now: float) -> None:
    reason = f"given back, everybody is refused: {words}"
    rows = [{"id": attempt_id, "now": now, "reason": reason} for attempt_id in attempt_ids]
    won = transaction.won(GIVE_BACK, rows)
    back = [row for row, moved in zip(rows, won, strict=True) if moved]
    transaction.many(REOPEN, back)
    add_events(
        transaction,
        [event(row["id"], now, Actor.SWEEPER, AttemptState.REFUSED, AttemptState.PLANNED, reason) for row in back],  # type: ignore[arg-type]
    )


def about_of(result: PlaceResult) -> str:
    """How the ledger names what an answer is about."""
    match result:
        case Refused(about=about):
            return about.name
        case NotPlaced(doubtful=True, halts_account=everywhere):
            return DOUBT if everywhere else DOUBT_OF_CAMPAIGN
        case _:
            return ""


def hardened(transaction: Transaction, outcome: SendOutcome) -> SendOutcome:
    """An odd answer that one person meets again and again, while others get through, is a refusal of that person."""
    result = outcome.result
    if not isinstance(result, NotPlaced) or not result.doubtful:
        return outcome
    params = {"attempt_id": outcome.attempt_id}
    before, first = transaction.all(PRIOR_DOUBTS, params)[0]
    if before + 1 < ASKED_AGAIN or not transaction.all(ACCEPTED_SINCE, params | {"first": first}):
        return outcome
    refused = Refused(Disposition.REJECTED, result.reason, result.http_status, About.PERSON)
    return SendOutcome(
        outcome.attempt_id, outcome.token, refused, outcome.requests, outcome.due_at, Settle(ContactStatus.EXHAUSTED)
    )
