"""What a verb leaves to do at each open contact of its campaign, page by page: it may be a million of them.

The verb's own commit leaves a mark; each page moves the mark on, and the last one takes it away. The verb's
caller goes on at the mark, or the sweeper, when that caller was killed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dialer.adapters.ledger.facts import facts_named
from dialer.adapters.ledger.moves import (
    _OPEN_PAGE,
    OPEN_CONTACT,
    WAITING_OF_CONTACTS,
    end_waiting,
    page_of_open,
)
from dialer.adapters.ledger.stopping import stop
from dialer.adapters.ledger.store import Store
from dialer.adapters.ledger.transaction import Transaction
from dialer.adapters.ledger.turns import in_turns
from dialer.domain.attempt import Actor
from dialer.domain.opening import CLOSED_WORDS
from dialer.ports import Clock

PAGE = 2000
AT_ONCE = 200
CANCEL, HOURS, STOP = "cancel", "hours", "stop"
PREFIX = "unfinished:"

LEAVE = """
INSERT INTO ledger_facts (name, value) VALUES (:name, :value) ON CONFLICT (name) DO UPDATE SET value = excluded.value
"""
# A verb that was given again meanwhile started over, with a mark of its own.
MOVE_ON = "UPDATE ledger_facts SET value = :value WHERE name = :name AND value LIKE :mark"
DONE = "DELETE FROM ledger_facts WHERE name = :name AND value = :value"
OPEN_AFTER = _OPEN_PAGE.format(more="")

CANCEL_CONTACTS = f"""
UPDATE contacts SET status = 'cancelled', due_at = NULL, waits_for = ''
WHERE id IN :ids* AND status IN ({OPEN_CONTACT}) AND NOT EXISTS (
    SELECT 1 FROM attempts WHERE attempts.contact_id = contacts.id
    AND attempts.state IN ('dialing', 'placed', 'unknown'))
"""
# Who waits for an opening of the old window is looked at again when the window changes.
LOOK_AGAIN_AT_CONTACTS = f"""
UPDATE contacts SET due_at = :now, waits_for = ''
WHERE id IN :ids* AND due_at > :now AND ({" OR ".join(f"waits_for LIKE '{words}%'" for words in CLOSED_WORDS)})
"""
LOOK_AGAIN_AT_ATTEMPTS = f"""
UPDATE attempts SET due_at = :now WHERE contact_id IN :ids* AND state = 'planned' AND due_at > :now
    AND ({" OR ".join(f"reason LIKE '{words}%'" for words in CLOSED_WORDS)})
"""


@dataclass(frozen=True, slots=True)
class Mark:
    """How far something got: all contacts up to the id ``after``. ``whom``: those meant, for STOP."""

    work: str
    campaign_id: int
    begun: str
    after: int
    whom: str = ""

    @property
    def name(self) -> str:
        return f"{PREFIX}{self.work}:{self.campaign_id}" + (f":{self.whom}" if self.work == STOP else "")

    @property
    def value(self) -> str:
        return f"{self.begun} {self.after}"


def leave(transaction: Transaction, work: str, campaign_id: int, now: float, whom: str = "") -> None:
    """Mark that this is to be done at every open contact of the campaign, or at those of them who are meant."""
    mark = Mark(work, campaign_id, repr(now), 0, whom)
    transaction.run(LEAVE, {"name": mark.name, "value": mark.value})


def marks(transaction: Transaction) -> list[Mark]:
    """Everything that is not finished."""
    unfinished = []
    for name, value in sorted(facts_named(transaction, PREFIX).items()):
        work, campaign_id, *whom = name.split(":", 2)
        begun, after = value.split(" ")
        unfinished.append(Mark(work, int(campaign_id), begun, int(after), *whom))
    return unfinished


async def finish(store: Store, clock: Clock, campaign_id: int) -> int:
    """Do all that is left to do at the contacts of one campaign; at how many something changed that is counted."""
    changed = 0
    while mine := [mark for mark in await store.read(marks) if mark.campaign_id == campaign_id]:
        for mark in mine:
            changed += await go_on(store, clock, mark)
    return changed


async def go_on(store: Store, clock: Clock, mark: Mark) -> int:
    """Do one page of it."""
    ids = await store.read(lambda t: page_of_open(t, OPEN_AFTER, mark.campaign_id, mark.after, PAGE))
    if ids:
        return sum(await in_turns(store, clock, do_page, ids, mark, at_once=AT_ONCE))
    await store.submit(end_work, [mark])
    return 0


def do_page(transaction: Transaction, ids: Sequence[int], mark: Mark, now: float) -> list[bool]:
    value, changed = f"{mark.begun} {ids[-1]}", set[int]()
    if transaction.run(MOVE_ON, {"name": mark.name, "value": value, "mark": f"{mark.begun} %"}):
        changed = WORKS[mark.work](transaction, list(ids), now, mark.whom)
    return [contact_id in changed for contact_id in ids]


def end_work(transaction: Transaction, finished: Sequence[Mark], now: float) -> list[None]:
    del now
    for mark in finished:
        transaction.run(DONE, {"name": mark.name, "value": mark.value})
    return [None] * len(finished)


def _cancel(transaction: Transaction, ids: list[int], now: float, _: str) -> set[int]:
    """End who waits; whose call is on is settled when that is over."""
    waiting = transaction.all(WAITING_OF_CONTACTS, {"ids": ids})
    end_waiting(transaction, waiting, Actor.OPERATOR, "campaign cancelled", now)
    transaction.run(CANCEL_CONTACTS, {"ids": ids})
    return set()


def _look_again(transaction: Transaction, ids: list[int], now: float, _: str) -> set[int]:
    for sql in (LOOK_AGAIN_AT_CONTACTS, LOOK_AGAIN_AT_ATTEMPTS):
        transaction.run(sql, {"ids": ids, "now": now})
    return set()


Work = Callable[[Transaction, list[int], float, str], set[int]]
"""Does it at these contacts, and answers those to be counted."""
WORKS: dict[str, Work] = {CANCEL: _cancel, HOURS: _look_again, STOP: stop}
