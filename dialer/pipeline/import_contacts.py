"""A list of people becomes contacts of a campaign, and every row is accounted for."""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from dialer.domain.act import PROGRAM, By
from dialer.domain.contact import NewContact
from dialer.domain.opening import Closed, Open
from dialer.domain.outlook import Outlook, bright
from dialer.ports import ContactSource, ImportCounts, Ledger, Reject

BATCH_ROWS = 5_000


class Rejects(Protocol):
    """Where rejected rows are kept for the user to mend."""

    def add(self, rejects: Sequence[Reject]) -> None:
        """Append rows."""
        ...

    def close(self) -> str:
        """Finish. Answers where they can be found, or "" when there are none."""
        ...

    def discard(self) -> None:
        """Leave nothing behind, for an import that failed. Safe to call after ``close``."""
        ...


OpenRejects = Callable[[tuple[str, ...]], Rejects]
"""Given the list's header; opens nothing before the first reject."""

Store = Callable[[Sequence[NewContact]], Awaitable[Sequence[str]]]

Suppressed = Callable[[Sequence[str]], Awaitable[Sequence[bool]]]
"""For E.164 numbers, whether each may not be called."""


@dataclass(frozen=True, slots=True)
class ImportContacts:
    """Adds a list to a campaign; the same list again adds nothing."""

    ledger: Ledger
    rejects: OpenRejects
    outlook: Outlook = bright
    by: By = PROGRAM

    async def run(self, campaign_id: int, source: ContactSource, origin: str) -> ImportCounts:
        """Store every good row, in batches; ``origin`` says where the list came from.

        Raises InputFileError with nothing stored when the list is refused whole, LedgerUnavailable when it
        cannot be stored: what was stored stays, and the same list again adds the rest.
        """

        async def store(contacts: Sequence[NewContact]) -> Sequence[str]:
            return await self.ledger.add_contacts(campaign_id, contacts)

        counts = await count_rows(source, store, self.rejects, self.outlook)
        await self.ledger.record_import(campaign_id, source.fingerprint, origin, counts, self.by)
        return counts


@dataclass(frozen=True, slots=True)
class CheckContacts:
    """Tells what an import into an empty campaign would bring, and stores nothing."""

    rejects: OpenRejects
    suppressed: Suppressed | None = None
    outlook: Outlook = bright

    async def run(self, source: ContactSource) -> ImportCounts:
        """Read the whole list. Raises InputFileError when it is refused whole.

        Holds one integer for each number in the list, about 100 MB for a million.
        """
        seen: set[int] = set()

        async def judge(contacts: Sequence[NewContact]) -> Sequence[str]:
            barred = await self._barred(contacts)
            return [_verdict(seen, contact.phone, no) for contact, no in zip(contacts, barred, strict=True)]

        return await count_rows(source, judge, self.rejects, self.outlook)

    async def _barred(self, contacts: Sequence[NewContact]) -> Sequence[bool]:
        if self.suppressed is None:
            return [False] * len(contacts)
        return await self.suppressed([contact.phone for contact in contacts])


def _verdict(seen: set[int], phone: str, barred: bool) -> str:
    number = int(phone)
    if number in seen:
        return "duplicate"
    seen.add(number)
    return "suppressed" if barred else "queued"


async def count_rows(source: ContactSource, store: Store, open_rejects: OpenRejects, outlook: Outlook) -> ImportCounts:
    """Count what becomes of every row: ``store`` answers for good ones, bad ones go to the rejects."""
    rejects: Rejects | None = None
    counted: Counter[str] = Counter()
    waits: Counter[str] = Counter()
    try:
        async for batch in source.batches(BATCH_ROWS):
            rejects = rejects or open_rejects(source.header)
            bad = [row for row in batch if isinstance(row, Reject)]
            good = [row for row in batch if isinstance(row, NewContact)]
            counted.update(invalid=len(bad))
            rejects.add(bad)
            if good:
                stored = zip(good, await store(good), strict=True)
                counted.update([_foreseen(contact, answer, outlook, waits) for contact, answer in stored])
        path = rejects.close() if rejects else ""
    finally:
        if rejects:
            rejects.discard()
    return ImportCounts(rows=counted.total(), rejects=path, waits=dict(waits), **counted)


def _foreseen(contact: NewContact, answer: str, outlook: Outlook, waits: Counter[str]) -> str:
    """A row that is kept, but for whom no moment to call is in sight, is deferred; ``waits`` counts the reasons."""
    if answer != "queued":
        return answer
    match outlook(contact):
        case Closed(opens_at, reason):
            waits[reason] += 1
            return "deferred" if opens_at is None else "queued"
        case Open():
            return "queued"
