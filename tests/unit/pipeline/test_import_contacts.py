from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

import pytest

from dialer.domain.act import By
from dialer.domain.calling_window import parse_window
from dialer.domain.campaign import CampaignSpec, Reminder
from dialer.domain.contact import NewContact
from dialer.domain.outlook import outlook_of
from dialer.errors import InputFileError, LedgerUnavailable
from dialer.pipeline.import_contacts import BATCH_ROWS, LOST, NAMED, CheckContacts, ImportContacts
from dialer.ports import ImportCounts, Ledger, Reject, Suppression


@dataclass
class Listed:
    """A list in memory."""

    rows: Sequence[NewContact | Reject]
    fingerprint: str = "f1"
    header: tuple[str, ...] = ("name", "phone")
    notes: tuple[str, ...] = ()
    refused: InputFileError | None = None
    sizes: list[int] = field(default_factory=list)

    async def batches(self, size: int) -> AsyncIterator[Sequence[NewContact | Reject]]:
        if self.refused:
            raise self.refused
        for start in range(0, len(self.rows), size):
            self.sizes.append(len(self.rows[start : start + size]))
            yield self.rows[start : start + size]


@dataclass
class TwoVerbs:
    """The two verbs of the ledger that an import needs."""

    suppressed: frozenset[str] = frozenset()
    fails_at: int = -1
    stored: dict[int, dict[str, NewContact]] = field(default_factory=dict)
    imports: list[tuple[int, str, str, ImportCounts]] = field(default_factory=list)
    calls: int = 0

    async def add_contacts(self, campaign_id: int, contacts: Sequence[NewContact], fingerprint: str = "") -> list[str]:
        del fingerprint
        self.calls += 1
        if self.calls == self.fails_at:
            raise LedgerUnavailable("disk full")
        people = self.stored.setdefault(campaign_id, {})
        return [self._add(people, contact) for contact in contacts]

    def _add(self, people: dict[str, NewContact], contact: NewContact) -> str:
        if contact.phone in people:
            return "duplicate"
        people[contact.phone] = contact
        return "suppressed" if contact.phone in self.suppressed else "queued"

    async def suppress(self, entries: Sequence[Suppression]) -> list[bool]:
        self.suppressed |= {entry.phone for entry in entries}
        return [True] * len(entries)

    async def record_import(
        self, campaign_id: int, fingerprint: str, source: str, counts: ImportCounts, by: By
    ) -> None:
        del by
        self.imports.append((campaign_id, fingerprint, source, counts))


@dataclass
class KeptRejects:
    header: tuple[str, ...] = ()
    rows: list[Reject] = field(default_factory=list)
    closed: bool = False
    discarded: bool = False

    def open(self, header: tuple[str, ...]) -> "KeptRejects":
        self.header = header
        return self

    def add(self, rejects: Sequence[Reject]) -> None:
        self.rows.extend(rejects)

    def close(self) -> str:
        self.closed = True
        return "rejects.csv" if self.rows else ""

    def discard(self) -> None:
        self.discarded = not self.closed


def person(number: int) -> NewContact:
    return NewContact(phone=f"+9190000{number:05d}", name=f"Person {number}", row=number + 2)


BAD = Reject(9, ("Nobody", ""), "the phone number is empty", "fill it in or remove the row", "phone")
MIXED: list[NewContact | Reject] = [person(1), person(2), BAD, person(1), person(3), BAD]


def room(ledger: TwoVerbs, rejects: KeptRejects) -> ImportContacts:
    return ImportContacts(cast(Ledger, ledger), rejects.open)


async def test_every_row_is_accounted_for() -> None:
    ledger, rejects = TwoVerbs(suppressed=frozenset({person(3).phone})), KeptRejects()
    counts = await room(ledger, rejects).run(7, Listed(MIXED), "people.csv")
    assert counts == ImportCounts(rows=6, queued=2, duplicate=1, suppressed=1, invalid=2, rejects="rejects.csv")
    twice = Reject(3, (), *NAMED["duplicate"])
    assert rejects == KeptRejects(("name", "phone"), [twice, BAD, BAD], closed=True)
    assert list(ledger.stored[7]) == [person(1).phone, person(2).phone, person(3).phone]
    assert ledger.imports == [(7, "f1", "people.csv", counts)]


async def test_the_same_list_twice_adds_nothing() -> None:
    ledger, listed = TwoVerbs(), Listed([person(1), person(2)])
    await room(ledger, KeptRejects()).run(7, listed, "people.csv")
    again = await room(ledger, KeptRejects()).run(7, listed, "people.csv")
    assert again == ImportCounts(rows=2, duplicate=2, rejects="rejects.csv")
    assert len(ledger.stored[7]) == 2


async def test_a_refused_list_stores_nothing() -> None:
    refusal = InputFileError("people.csv:3", "a NUL byte", "Export the list again")
    ledger, rejects = TwoVerbs(), KeptRejects()
    with pytest.raises(InputFileError):
        await room(ledger, rejects).run(7, Listed(MIXED, refused=refusal), "people.csv")
    assert ledger == TwoVerbs()
    assert rejects == KeptRejects()


async def test_a_broken_import_is_finished_by_the_next() -> None:
    people = [person(number) for number in range(2 * BATCH_ROWS + 1)]
    ledger, rejects = TwoVerbs(fails_at=2), KeptRejects()
    with pytest.raises(LedgerUnavailable):
        await room(ledger, rejects).run(7, Listed(people), "people.csv")
    assert rejects.discarded
    assert ledger.imports == []
    counts = await room(ledger, KeptRejects()).run(7, Listed(people), "people.csv")
    assert counts == ImportCounts(
        rows=2 * BATCH_ROWS + 1, queued=BATCH_ROWS + 1, duplicate=BATCH_ROWS, rejects="rejects.csv"
    )


async def test_rows_come_in_batches() -> None:
    listed = Listed([person(number) for number in range(BATCH_ROWS + 2)])
    ledger = TwoVerbs()
    await room(ledger, KeptRejects()).run(1, listed, "people.csv")
    assert listed.sizes == [BATCH_ROWS, 2]
    assert ledger.calls == 2


async def test_a_check_counts_as_an_import_would() -> None:
    barred = frozenset({person(3).phone})

    async def suppressed(people: Sequence[NewContact]) -> Sequence[str]:
        return ["suppressed" if person.phone in barred else "queued" for person in people]

    listed = Listed([*MIXED, person(3)])
    checked = await CheckContacts(KeptRejects().open, suppressed).run(listed)
    imported = await room(TwoVerbs(barred), KeptRejects()).run(1, listed, "people.csv")
    assert checked == imported
    assert checked == ImportCounts(rows=7, queued=2, duplicate=2, suppressed=1, invalid=2, rejects="rejects.csv")


async def test_a_check_without_a_suppression_list() -> None:
    counts = await CheckContacts(KeptRejects().open).run(Listed([person(1), person(1)]))
    assert counts == ImportCounts(rows=2, queued=1, duplicate=1, rejects="rejects.csv")


async def test_who_cannot_be_called_is_counted_with_the_reason() -> None:
    """The outlook is asked for rows that are kept: open, shut until tomorrow, and without a known zone."""
    spec = CampaignSpec("n", "a", window=parse_window("mon-sat 09:00-20:00"))
    evening = 1_790_000_000.0  # Monday 14:13 UTC, 19:43 in India, 16:13 in Berlin
    people = [
        replace(person(1), zones=("Asia/Kolkata",), places=("IN",)),
        replace(person(2), zones=("Asia/Tokyo",), places=("IN",)),
        person(3),
        replace(person(4), zones=("Asia/Tokyo",), places=("IN",)),
        person(3),
    ]
    expected = ImportCounts(rows=5, queued=3, duplicate=1, deferred=1, rejects="rejects.csv")
    imported = await ImportContacts(cast(Ledger, TwoVerbs()), KeptRejects().open, outlook_of(spec, evening)).run(
        1, Listed(people), "people.csv"
    )
    checked = await CheckContacts(KeptRejects().open, outlook=outlook_of(spec, evening)).run(Listed(people))
    for counts in (imported, checked):
        assert counts == expected
        assert counts.waits == {
            "window opens Tue 09:00 Asia/Tokyo; rules IN@1": 2,
            "time zone unknown: give a timezone column or --timezone": 1,
        }


@pytest.mark.parametrize("answer", sorted(NAMED))
async def test_a_row_that_brings_nobody_new_is_named_with_its_line(answer: str) -> None:
    class Answers(TwoVerbs):
        async def add_contacts(
            self, campaign_id: int, contacts: Sequence[NewContact], fingerprint: str = ""
        ) -> list[str]:
            assert (campaign_id, fingerprint) == (7, "f1")
            return ["queued", answer]

    rejects = KeptRejects()
    people = [person(1), replace(person(2), cells=("Bina", "1"))]
    counts = await room(Answers(), rejects).run(7, Listed(people), "people.csv")
    lost = int(answer in LOST)
    assert counts == ImportCounts(rows=2, queued=1, duplicate=1 - lost, invalid=lost, rejects="rejects.csv")
    assert rejects.rows == [Reject(4, ("Bina", "1"), *NAMED[answer])]


async def test_who_is_deferred_is_counted_with_the_reason() -> None:
    """Reminders: not whether the window is open now, but whether an hour is left before the appointment."""
    spec = CampaignSpec("n", "a", window=parse_window("mon-sat 09:00-20:00"), reminder=Reminder("when", (86400.0,)))
    evening = 1_790_000_000.0  # Monday 14:13 UTC
    indian = replace(person(1), zones=("Asia/Kolkata",), places=("IN",))
    people = [
        replace(indian, event_at=evening - 60),
        replace(indian, phone=person(2).phone, event_at=evening + 200_000),
    ]

    class Answers(TwoVerbs):
        async def add_contacts(
            self, campaign_id: int, contacts: Sequence[NewContact], fingerprint: str = ""
        ) -> list[str]:
            return ["deferred", "queued"]

    importing = ImportContacts(cast(Ledger, Answers()), KeptRejects().open, outlook_of(spec, evening))
    counts = await importing.run(1, Listed(people), "people.csv")
    assert counts == ImportCounts(rows=2, queued=1, deferred=1)
    assert counts.waits == {"the appointment has passed": 1}
