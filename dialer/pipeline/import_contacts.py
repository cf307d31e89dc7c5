"""A list of people becomes contacts of a campaign, and every row is accounted for."""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from dialer.domain.contact import NewContact
from dialer.domain.opening import Closed, Open
from dialer.domain.outlook import Outlook, bright
from dialer.ports import ContactSource, ImportCounts, Ledger, Reject, Suppression

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

Bar = Callable[[Sequence[Suppression]], Awaitable[object]]
"""Puts people on the suppression list."""

Earlier = Callable[[int, Sequence[str]], Awaitable[Mapping[str, int]]]
"""For a campaign and E.164 numbers that are in it, the row of the list that each came from."""

Suppressed = Callable[[Sequence[str]], Awaitable[Sequence[bool]]]
"""For E.164 numbers, whether each may not be called."""


@dataclass(frozen=True, slots=True)
class ImportContacts:
    """Adds a list to a campaign; the same list again adds nothing.

    Whom the list itself marks as not to be called goes on the suppression list, for all campaigns.
    """

    ledger: Ledger
    rejects: OpenRejects
    outlook: Outlook = bright
    earlier: Earlier | None = None

    async def run(self, campaign_id: int, source: ContactSource, origin: str) -> ImportCounts:
        """Store every good row, in batches; ``origin`` says where the list came from.

        Raises InputFileError with nothing stored when the list is refused whole, LedgerUnavailable when it
        cannot be stored: what was stored stays, and the same list again adds the rest.
        """

        async def store(contacts: Sequence[NewContact]) -> Sequence[str]:
            return await self.ledger.add_contacts(campaign_id, contacts)

        async def earlier(phones: Sequence[str]) -> Mapping[str, int]:
            return await self.earlier(campaign_id, phones) if self.earlier else {}

        counts = await count_rows(source, store, self.rejects, self.outlook, self.ledger.suppress, earlier)
        await self.ledger.record_import(campaign_id, source.fingerprint, origin, counts)
        return counts


@dataclass(frozen=True, slots=True)
class CheckContacts:
    """Tells what an import into an empty campaign would bring, and stores nothing."""

    rejects: OpenRejects
    suppressed: Suppressed | None = None
    outlook: Outlook = bright

    async def run(self, source: ContactSource) -> ImportCounts:
        """Read the whole list. Raises InputFileError when it is refused whole.

        Holds two integers for each number in the list, about 150 MB for a million.
        """
        rows: dict[int, int] = {}
        marked: set[str] = set()

        async def bar(entries: Sequence[Suppression]) -> None:
            marked.update(entry.phone for entry in entries)

        async def judge(contacts: Sequence[NewContact]) -> Sequence[str]:
            barred = await self._barred(contacts)
            return [
                _verdict(rows, contact, no or contact.phone in marked)
                for contact, no in zip(contacts, barred, strict=True)
            ]

        async def earlier(phones: Sequence[str]) -> Mapping[str, int]:
            return {phone: rows[int(phone)] for phone in phones}

        return await count_rows(source, judge, self.rejects, self.outlook, bar, earlier)

    async def _barred(self, contacts: Sequence[NewContact]) -> Sequence[bool]:
        if self.suppressed is None:
            return [False] * len(contacts)
        return await self.suppressed([contact.phone for contact in contacts])


def _verdict(rows: dict[int, int], contact: NewContact, barred: bool) -> str:
    number = int(contact.phone)
    if number in rows:
        return "duplicate"
    rows[number] = contact.row
    return "suppressed" if barred else "queued"


async def count_rows(
    source: ContactSource,
    store: Store,
    open_rejects: OpenRejects,
    outlook: Outlook,
    bar: Bar,
    earlier: Callable[[Sequence[str]], Awaitable[Mapping[str, int]]],
) -> ImportCounts:
    """Count what becomes of every row: ``store`` answers for good ones, bad ones go to the rejects.

    Duplicates go there too, with the row that ``earlier`` knows for their number; but for those that are that row.
    """
    rejects: Rejects | None = None
    count = _Count()
    try:
        async for batch in source.batches(BATCH_ROWS):
            rejects = rejects or open_rejects(source.header)
            bad = [row for row in batch if isinstance(row, Reject)]
            good = [row for row in batch if isinstance(row, NewContact)]
            count.words.update(invalid=len(bad))
            count.undecided += sum(row.undecided for row in bad)
            if marked := [contact for contact in good if contact.barred]:
                await bar([Suppression(contact.phone, contact.barred, "list") for contact in marked])
                count.words.update(suppressed=len(marked))
                good = [contact for contact in good if not contact.barred]
            repeated: list[Reject] = []
            if good:
                answers = list(zip(good, await store(good), strict=True))
                count.words.update([_foreseen(contact, answer, outlook, count.waits) for contact, answer in answers])
                again = [contact for contact, answer in answers if answer == "duplicate"]
                repeated = _repeated(again, await earlier([contact.phone for contact in again])) if again else []
            rejects.add(sorted([*bad, *repeated], key=lambda reject: reject.row))
        path = rejects.close() if rejects else ""
    finally:
        if rejects:
            rejects.discard()
    return ImportCounts(
        rows=count.words.total(), rejects=path, waits=dict(count.waits), undecided=count.undecided, **count.words
    )


@dataclass
class _Count:
    words: Counter[str] = field(default_factory=Counter)
    waits: Counter[str] = field(default_factory=Counter)
    undecided: int = 0


def _repeated(contacts: Sequence[NewContact], rows: Mapping[str, int]) -> list[Reject]:
    remedy = "nothing need be done; correct the number if it is another person's"
    return [
        Reject(contact.row, contact.cells, f"the same number as in row {rows[contact.phone]}", remedy)
        for contact in contacts
        if rows.get(contact.phone, contact.row) != contact.row
    ]


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
