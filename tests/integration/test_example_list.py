"""The example list, which is made up.

Numbers are reserved for fiction (US 555-01xx; Ofcom's 020 7946 0xxx and 0xxx 496 0xxx) or, for India, where no
range is reserved, plainly patterned: +91 90000 00000 to +91 90000 00311. Twelve rows repeat a person with the
number written another way, twelve cannot be called, each for its own reason, and eight people are on the
do-not-call list.
"""

import csv
import re
from collections.abc import Sequence
from pathlib import Path

from dialer.domain.contact import NewContact
from dialer.domain.phone_number import Phone, parse_phone
from dialer.pipeline.import_contacts import CheckContacts
from dialer.ports import ImportCounts, Reject
from tests.contact_lists import csv_contacts

EXAMPLES = Path(__file__).parents[2] / "examples"
FICTION = re.compile(r"\+1\d{3}55501\d\d|\+442079460\d{3}|\+44(161|131|117)4960\d{3}|\+91900000\d{4}")


class NoRejects:
    def add(self, rejects: Sequence[Reject]) -> None:
        pass

    def close(self) -> str:
        return ""

    def discard(self) -> None:
        pass


def do_not_call() -> set[str]:
    with (EXAMPLES / "do_not_call.csv").open(newline="") as file:
        phones = [parse_phone(row["phone"]) for row in csv.DictReader(file)]
    return {phone.e164 for phone in phones if isinstance(phone, Phone)}


async def test_the_report_of_the_example_list() -> None:
    barred = do_not_call()

    async def suppressed(people: Sequence[NewContact]) -> Sequence[str]:
        return ["suppressed" if person.phone in barred else "queued" for person in people]

    counts = await CheckContacts(lambda _: NoRejects(), suppressed).run(csv_contacts(EXAMPLES / "contacts.csv"))
    assert counts == ImportCounts(rows=336, queued=304, duplicate=12, suppressed=8, invalid=12)


async def test_nobody_real_is_on_it() -> None:
    rows = [row async for batch in csv_contacts(EXAMPLES / "contacts.csv").batches(500) for row in batch]
    for row in rows:
        assert not isinstance(row, NewContact) or FICTION.fullmatch(row.phone)
    reasons = {row.reason for row in rows if isinstance(row, Reject)}
    assert len(reasons) == 12


def test_the_do_not_call_list_is_fiction_too() -> None:
    assert len(do_not_call()) == 10
    assert all(FICTION.fullmatch(phone) for phone in do_not_call())
