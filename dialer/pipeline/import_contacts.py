"""A list of people becomes contacts of a campaign, and every row is accounted for."""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from dialer.domain.act import PROGRAM, By
from dialer.domain.contact import NewContact
from dialer.domain.opening import Closed, Open
from dialer.domain.outlook import Outlook, bright
from dialer.ports import ContactSource, ImportCounts, Ledger, Reject, Suppression

BATCH_ROWS = 5_000


class Named(NamedTuple):
    """Why a row was left out, and what to do about it."""

    reason: str
    remedy: str


class Rejects(Protocol):
    """Where rejected rows are kept for the user to correct."""

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

Foresee = Callable[[Sequence[NewContact]], Awaitable[Sequence[str]]]
"""What the ledger would answer for people whose numbers are asked once each."""

NAMED = {
    "doubled": Named(
        "another row of the list has this number",
        "a number is called once in a campaign: write both into one row, or put one into a campaign of its own",
    ),
    "second": Named(
        "another row of the list has this number, with another appointment",
        "a number is reminded of one appointment in a campaign: put this one into a campaign of its own",
    ),
    "duplicate": Named("the campaign has this number already", "nothing: it is called as the campaign has it"),
    "other": Named(
        "the campaign has another person's appointment under this number",
        "put one of them into a campaign of its own",
    ),
    "busy": Named("this number is being called at this moment", "import the list again, to take the row over"),
}
"""What the rejects say of rows that bring nobody new."""

LOST = frozenset({"second", "other", "busy"})
"""Appointments that nobody is reminded of until the list is mended: they count as invalid, the others as duplicates."""


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
            return await self.ledger.add_contacts(campaign_id, contacts, source.fingerprint)

        async def bar(entries: Sequence[Suppression]) -> None:
            await self.ledger.suppress(entries, self.by)

        counts = await count_rows(source, store, self.rejects, self.outlook, bar)
        await self.ledger.record_import(campaign_id, source.fingerprint, origin, counts, self.by)
        return counts


@dataclass(frozen=True, slots=True)
class CheckContacts:
    """Reports what an import would bring, and stores nothing. Without ``foresee``: into a new campaign."""

    rejects: OpenRejects
    foresee: Foresee | None = None
    outlook: Outlook = bright

    async def run(self, source: ContactSource) -> ImportCounts:
        """Read the whole list. Raises InputFileError when it is refused whole.

        Holds one integer for each number in the list, about 100 MB for a million.
        """
        seen: dict[int, float | None] = {}
        marked: set[str] = set()

        async def bar(entries: Sequence[Suppression]) -> None:
            marked.update(entry.phone for entry in entries)

        async def judge(contacts: Sequence[NewContact]) -> Sequence[str]:
            again = [_seen_before(seen, contact) for contact in contacts]
            asked = [contact for contact, word in zip(contacts, again, strict=True) if not word]
            answers = await self.foresee(asked) if self.foresee else ["queued"] * len(asked)
            barred = ("suppressed" if one.phone in marked else word for one, word in zip(asked, answers, strict=True))
            return [word or next(barred) for word in again]

        return await count_rows(source, judge, self.rejects, self.outlook, bar)


def _seen_before(seen: dict[int, float | None], contact: NewContact) -> str:
    """What a further row with a number is; "" for the first one."""
    number = int(contact.phone)
    if number in seen:
        return "doubled" if seen[number] == contact.event_at else "second"
    seen[number] = contact.event_at
    return ""


async def count_rows(
    source: ContactSource, store: Store, open_rejects: OpenRejects, outlook: Outlook, bar: Bar
) -> ImportCounts:
    """Count the result of every row: ``store`` answers for good ones; bad and repeated ones go to the rejects."""
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
            stored = list(zip(good, await store(good) if good else (), strict=True))
            fates = [fate_of(contact, answer, outlook) for contact, answer in stored]
            count.words.update(fate.word for fate in fates)
            count.waits.update(fate.waits_for for fate in fates if fate.waits_for)
            left_out = [_named(contact, NAMED[answer]) for contact, answer in stored if answer in NAMED]
            rejects.add(sorted([*bad, *left_out], key=lambda reject: reject.row) if left_out else bad)
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


def _named(contact: NewContact, named: Named) -> Reject:
    return Reject(contact.row, contact.cells, named.reason, named.remedy)


class Fate(NamedTuple):
    """What becomes of a row: the ``word`` in the report, and why its person cannot be called at once, if so."""

    word: str
    waits_for: str = ""


def fate_of(contact: NewContact, answer: str, outlook: Outlook) -> Fate:
    """What ``answer`` of the ledger comes to; a kept row without a moment to call in sight is deferred."""
    if answer not in ("queued", "deferred"):
        return Fate(answer if answer == "suppressed" else "invalid" if answer in LOST else "duplicate")
    match outlook(contact, answer):
        case Closed(opens_at, reason):
            return Fate("deferred" if opens_at is None else answer, reason)
        case Open():
            return Fate(answer)
