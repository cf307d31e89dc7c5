"""Taking in lists and sources, in many commits.

New people are added without the gate, which asks the suppression list again in any case. People who were there are
moved with it: one lock, so there is no order of locks to get wrong, and in turns, so that nobody waits for a list.
"""

from collections.abc import Sequence

from dialer.adapters.ledger import listing, readings
from dialer.adapters.ledger.store import Store
from dialer.adapters.ledger.turns import in_turns
from dialer.domain.contact import NewContact
from dialer.ports import Clock

ROWS = 500
"""Of a list, in one commit."""
AT_ONCE = 50
PAGE = 2000


async def add_list(
    store: Store, clock: Clock, campaign_id: int, contacts: Sequence[NewContact], fingerprint: str
) -> list[str]:
    """As ``Ledger.add_contacts``."""
    results: list[str] = []
    for first in range(0, len(contacts), ROWS):
        results += await _add_some(store, clock, campaign_id, contacts[first : first + ROWS], fingerprint)
    return results


async def _add_some(
    store: Store, clock: Clock, campaign_id: int, contacts: Sequence[NewContact], fingerprint: str
) -> list[str]:
    results = await store.submit(listing.add_contacts, contacts, campaign_id, 0, fingerprint, serial=False)
    moved = [contact for contact, what in zip(contacts, results, strict=True) if what == listing.MOVED]
    renewed = iter(await in_turns(store, clock, listing.renew_listed, moved, campaign_id, fingerprint, at_once=AT_ONCE))
    if fingerprint:
        stood = [contact for contact, what in zip(contacts, results, strict=True) if what in listing.STOOD]
        await in_turns(store, clock, listing.note_listed, stood, campaign_id, fingerprint, at_once=AT_ONCE)
    return [next(renewed) if what == listing.MOVED else what for what in results]


async def take_rows(
    store: Store, clock: Clock, campaign_id: int, reading: int, contacts: Sequence[NewContact], lease_s: float
) -> list[str]:
    """As ``Ledger.take_rows``."""
    results: list[str] = []
    for first in range(0, max(1, len(contacts)), ROWS):
        kept = await store.submit(readings.keep_reading, [(campaign_id, reading, lease_s)], serial=False)
        if not kept[0]:
            return results + ["stale"] * (len(contacts) - len(results))
        results += await _take_some(store, clock, campaign_id, reading, contacts[first : first + ROWS])
    return results


async def _take_some(
    store: Store, clock: Clock, campaign_id: int, reading: int, contacts: Sequence[NewContact]
) -> list[str]:
    results = await store.submit(readings.take_rows, contacts, campaign_id, reading, serial=False)
    for verb, word in ((readings.stamp, "known"), (readings.renew_contacts, "changed")):
        mine = [contact for contact, what in zip(contacts, results, strict=True) if what == word]
        await in_turns(store, clock, verb, mine, campaign_id, reading, at_once=AT_ONCE)
    return results


async def drop_gone(store: Store, clock: Clock, campaign_id: int, reading: int, lease_s: float) -> int:
    """As ``Ledger.drop_gone``."""
    after = dropped = 0
    while ids := await store.read(lambda t, after=after: readings.unseen_after(t, campaign_id, reading, after, PAGE)):  # type: ignore[misc]
        gone = await in_turns(store, clock, readings.drop_gone, ids, campaign_id, reading, lease_s, at_once=AT_ONCE)
        dropped += sum(gone)
        after = ids[-1]
    return dropped
