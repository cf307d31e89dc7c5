"""A list of people in any table that has a line of column names."""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import AbstractAsyncContextManager, aclosing, nullcontext
from dataclasses import dataclass
from typing import Protocol

from dialer.adapters.lists.columns import ChosenColumns, choose_columns, own_names, own_rows
from dialer.adapters.lists.computed_once import computed_once
from dialer.adapters.lists.rows import Row, RowReader, read_batches
from dialer.domain.campaign import ContactColumns, Reminder
from dialer.domain.contact import NewContact
from dialer.domain.phone_number import is_region
from dialer.errors import UsageError
from dialer.ports import Reject


@dataclass(frozen=True, slots=True)
class Head:
    """The column ``names`` as written, and ``place``, where, for messages.

    ``notes`` are the choices made for the user; ``spare`` is how many blank cells every row has behind the last column,
    ``rows`` how many rows there are, None where that is not known before they are read.
    """

    names: Sequence[str]
    place: str
    notes: Sequence[str] = ()
    spare: int = 0
    rows: int | None = None


class Table(Protocol):
    """What files, sheets and queries have in common. Any member may raise InputFileError, or SourceUnavailable."""

    @property
    def fingerprint(self) -> str:
        """What distinguishes a table from a changed one."""
        ...

    @property
    def head(self) -> Head:
        """What is known before the rows are read."""
        ...

    def begin(self) -> tuple[Iterator[Row], int]:
        """The rows, and how many there will be; where only part is known, whether they are many."""
        ...

    def thread(self) -> AbstractAsyncContextManager[Executor | None]:
        """Around all that reads the rows: the thread to do it in, None for one of the event loop's."""
        return nullcontext()


class TableContacts:
    """ContactSource over a table.

    ``region`` (ISO 3166) is assumed for numbers in national format; ``countries`` are the ISO 3166 codes that may be
    called, empty for all; ``reminder`` names the column with the appointment's time. Raises UsageError for an unknown
    region.
    """

    def __init__(
        self,
        table: Table,
        columns: ContactColumns | None = None,
        region: str = "",
        countries: frozenset[str] = frozenset(),
        reminder: Reminder | None = None,
    ) -> None:
        self._table, self._columns, self._reminder = table, columns or ContactColumns(), reminder or Reminder()
        self._region = known_region(region) if region else ""
        self._countries = frozenset(map(known_region, countries))

    @property
    def fingerprint(self) -> str:
        """What distinguishes a list from a changed one."""
        return self._table.fingerprint

    @property
    def expected_rows(self) -> int | None:
        """How many rows there are, where that is known before they are read."""
        return self._table.head.rows

    @property
    def header(self) -> tuple[str, ...]:
        """The column names, without those a rejects file added."""
        return own_names(self._table.head.names)

    @property
    def notes(self) -> tuple[str, ...]:
        """The choices made for the user; after the last batch also what was left out or completed."""
        return (*self._chosen.notes, *self._table.head.notes, *self._reader.notes())

    @property
    def guess(self) -> Mapping[str, Sequence[str]]:
        """What is taken from which columns: "phone", "name", ... -> their names as written."""
        chosen, header = self._chosen, self.header
        places = {name: getattr(chosen, name) for name in ("timezone", "region", "state", "postal_code", "key")}
        single = {name: (header[at],) for name, at in places.items() if at is not None}
        names = tuple(header[at] for at in chosen.name)
        return {"phone": (header[chosen.phone],), **({"name": names} if names else {}), **single}

    async def batches(self, size: int) -> AsyncGenerator[Sequence[NewContact | Reject], None]:
        """Every row with any content, in order. Raises InputFileError before the first batch."""
        loop = asyncio.get_running_loop()
        async with self._table.thread() as thread:
            await loop.run_in_executor(thread, lambda: self._chosen)
            rows, expected = await loop.run_in_executor(thread, self._table.begin)
            self._reader.tally.clear()
            batches = read_batches(own_rows(rows, self._table.head.names), self._reader, size, expected, thread)
            async with aclosing(batches):
                async for batch in batches:
                    yield batch

    @computed_once
    def _chosen(self) -> ChosenColumns:
        return choose_columns(self.header, self._columns, self._table.head.place, self._reminder.event)

    @computed_once
    def _reader(self) -> RowReader:
        zone = self._reminder.timezone
        return RowReader(self.header, self._chosen, self._region, self._countries, zone, self._table.head.spare)


def known_region(code: str) -> str:
    """The code in capitals. Raises UsageError for one that does not exist."""
    if is_region(code.upper()):
        return code.upper()
    hint = 'Did you mean "GB"?' if code.upper() == "UK" else "Use an ISO 3166 code, e.g. IN."
    raise UsageError(f'no region is called "{code}". {hint}')
