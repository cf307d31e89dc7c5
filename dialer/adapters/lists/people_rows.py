"""People that a program or a form gives one by one, checked as the rows of a list are."""

from collections.abc import Sequence
from dataclasses import replace

from dialer.adapters.lists.columns import choose_columns
from dialer.adapters.lists.contacts import known_region
from dialer.adapters.lists.rows import Prepared, RowReader
from dialer.domain.campaign import CampaignSpec, ContactColumns
from dialer.domain.contact import NewContact
from dialer.domain.phone_number import parse_phone
from dialer.errors import InputFileError
from dialer.ports import Reject
from dialer.ports.uploads import GivenPerson

OWN = ("phone", "name", "key", "timezone", "region", "event")
PLACE = "person"


def read_people(people: Sequence[GivenPerson], spec: CampaignSpec) -> list[NewContact | Reject]:
    """Each person as a contact or a reject, in order; ``row`` counts from 1.

    What a person says of variables are columns of a list that has this one row.
    """
    readers: dict[tuple[str, ...], RowReader | InputFileError] = {}
    return [_read(number, person, spec, readers) for number, person in enumerate(people, 1)]


def _read(
    number: int, person: GivenPerson, spec: CampaignSpec, readers: dict[tuple[str, ...], RowReader | InputFileError]
) -> NewContact | Reject:
    said = {name: getattr(person, name) for name in OWN}
    own = [name for name in OWN if said[name] or name == "phone" or (name == "event" and spec.reminder.event)]
    header = (*own, *person.variables)
    cells = [*(said[name] for name in own), *person.variables.values()]
    reader = readers.get(header)
    if reader is None:
        reader = readers[header] = _reader(header, len(own), spec)
    if isinstance(reader, InputFileError):
        return Reject(number, tuple(cells), reader.problem, reader.remedy)
    match reader.prepare(number, cells):
        case Prepared() as row:
            return reader.finish(row, parse_phone(row.text, row.region, reader.countries))
        case rejected:
            return rejected


def _reader(header: tuple[str, ...], own: int, spec: CampaignSpec) -> RowReader | InputFileError:
    given = {name: name for name in header[:own] if name not in ("phone", "event")}
    more = {
        name: column
        for name in ("state", "postal_code")
        if (column := getattr(spec.columns, name)) and column in header[own:]
    }
    plain = ContactColumns(phone="phone", trust_timezone=spec.columns.trust_timezone)
    wanted: ContactColumns = replace(plain, **given | more)
    event = "event" if spec.reminder.event else ""
    try:
        chosen = choose_columns(header, wanted, PLACE, event)
    except InputFileError as refused:
        return refused
    if "name" not in given:
        chosen = replace(chosen, name=())
    region = known_region(spec.region) if spec.region else ""
    return RowReader(header, chosen, region, frozenset(), spec.reminder.timezone)
