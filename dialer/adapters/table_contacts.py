"""A list of people in any table that has a line of column names: what files, workbooks and databases share."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import aclosing

from dialer.adapters.computed_once import computed_once
from dialer.adapters.contact_columns import ChosenColumns, choose_columns, own_columns, own_rows
from dialer.adapters.contact_rows import Row, RowReader, read_batches
from dialer.domain.campaign import ContactColumns, Reminder
from dialer.domain.contact import NewContact
from dialer.domain.phone_number import is_region
from dialer.errors import UsageError
from dialer.ports import Reject


class TableContacts(ABC):
    """ContactSource over a table.

    ``region`` (ISO 3166) is assumed for numbers in national format; ``countries`` are the ISO 3166 codes that may be
    called, empty for all; ``reminder`` names the column with the appointment's time. Raises UsageError for an unknown
    region.
    """

    def __init__(
        self,
        columns: ContactColumns | None = None,
        region: str = "",
        countries: frozenset[str] = frozenset(),
        reminder: Reminder | None = None,
    ) -> None:
        self._columns, self._reminder = columns or ContactColumns(), reminder or Reminder()
        self._region = known_region(region) if region else ""
        self._countries = frozenset(map(known_region, countries))

    @property
    def header(self) -> tuple[str, ...]:
        """The column names, without those a rejects file added."""
        return tuple(self._names[i] for i in own_columns(self._names))

    @property
    def notes(self) -> tuple[str, ...]:
        """The choices made for the user; after the last batch also what was left out or completed."""
        return (*self._chosen.notes, *self._table_notes(), *self._reader.notes())

    async def batches(self, size: int) -> AsyncGenerator[Sequence[NewContact | Reject], None]:
        """Every row with any content, in order. Raises InputFileError before the first batch."""
        async with aclosing(self._batches_in(None, size)) as batches:
            async for batch in batches:
                yield batch

    async def _batches_in(
        self, thread: Executor | None, size: int
    ) -> AsyncGenerator[Sequence[NewContact | Reject], None]:
        """The same, with the table read in ``thread``, else in one of the event loop's."""
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(thread, lambda: self._chosen)
        rows, expected = await loop.run_in_executor(thread, self._begun)
        self._reader.tally.clear()
        reading = read_batches(own_rows(rows, self._names), self._reader, size, expected, thread)
        async with aclosing(reading) as batches:
            async for batch in batches:
                yield batch

    @property
    @abstractmethod
    def fingerprint(self) -> str:
        """What tells the same list apart from a changed one."""

    @property
    @abstractmethod
    def _names(self) -> list[str]:
        """The column names as they stand there."""

    @property
    @abstractmethod
    def _place(self) -> str:
        """Where they stand."""

    @abstractmethod
    def _begun(self) -> tuple[Iterator[Row], int]:
        """The rows, and how many there will be."""

    def _table_notes(self) -> Sequence[str]:
        return ()

    def _spare(self) -> int:
        """How many blank cells every row has behind the last column."""
        return 0

    @computed_once
    def _chosen(self) -> ChosenColumns:
        return choose_columns(self.header, self._columns, self._place, self._reminder.event)

    @computed_once
    def _reader(self) -> RowReader:
        zone = self._reminder.timezone
        return RowReader(self.header, self._chosen, self._region, self._countries, zone, self._spare())


def known_region(code: str) -> str:
    """The code in capitals. Raises UsageError for one that does not exist."""
    if is_region(code.upper()):
        return code.upper()
    hint = 'Did you mean "GB"?' if code.upper() == "UK" else "Use an ISO 3166 code, e.g. IN."
    raise UsageError(f'no region is called "{code}". {hint}')
