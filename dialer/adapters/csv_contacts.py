"""A list of people in a CSV file."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import aclosing
from functools import cached_property
from pathlib import Path

from dialer.adapters.contact_columns import REJECT_COLUMNS, ChosenColumns, choose_columns
from dialer.adapters.contact_rows import Row, RowReader, read_batches
from dialer.adapters.csv_dialect import CsvShape, inspect
from dialer.domain.campaign import ContactColumns, Reminder
from dialer.domain.contact import NewContact
from dialer.domain.phone_number import is_region
from dialer.errors import UsageError
from dialer.ports import Reject


class CsvContacts:
    """ContactSource over the file ``path``.

    ``region`` (ISO 3166) is assumed for numbers in national format; ``encoding`` is a Python codec, None for
    a byte-order mark or UTF-8; ``countries`` are the ISO 3166 codes that may be called, empty for all; ``reminder``
    names the column with the appointment's time.

    The whole file is checked at the first use of any member; each then raises InputFileError if it is refused.
    Raises UsageError for an unknown region.
    """

    def __init__(
        self,
        path: Path,
        columns: ContactColumns | None = None,
        region: str = "",
        encoding: str | None = None,
        countries: frozenset[str] = frozenset(),
        reminder: Reminder | None = None,
    ) -> None:
        self._path, self._columns, self._encoding = path, columns or ContactColumns(), encoding
        self._region = known_region(region) if region else ""
        self._countries = frozenset(map(known_region, countries))
        self._reminder = reminder or Reminder()

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of the file, in hexadecimal."""
        return self._shape.fingerprint

    @property
    def header(self) -> tuple[str, ...]:
        """The column names, without those a rejects file added."""
        return tuple(self._names[i] for i in self._kept)

    @property
    def notes(self) -> tuple[str, ...]:
        """The columns, the delimiter and the encoding that were found."""
        return (*self._chosen.notes, *self._shape.notes)

    @property
    def expected_rows(self) -> int:
        """How many there are."""
        return self._shape.rows

    async def batches(self, size: int) -> AsyncIterator[Sequence[NewContact | Reject]]:
        """Every row with any content, in order. Raises InputFileError before the first batch."""
        chosen = await asyncio.to_thread(lambda: self._chosen)
        reader = RowReader(self.header, chosen, self._region, self._countries, self._reminder.timezone)
        async with aclosing(read_batches(self._rows(), reader, size, self._shape.rows)) as batches:
            async for batch in batches:
                yield batch

    @cached_property
    def _shape(self) -> CsvShape:
        return inspect(self._path, self._encoding)

    @cached_property
    def _chosen(self) -> ChosenColumns:
        place = f"{self._path}:{self._shape.header_line}"
        return choose_columns(self.header, self._columns, place, self._reminder.event)

    @cached_property
    def _names(self) -> list[str]:
        return [name.strip("\ufeff").strip() for name in self._shape.header]

    @cached_property
    def _kept(self) -> list[int]:
        return [i for i, name in enumerate(self._names) if name not in REJECT_COLUMNS]

    def _rows(self) -> Iterator[Row]:
        rows = self._shape.read()
        if len(self._kept) == len(self._names):
            return rows
        width, kept = len(self._names), self._kept
        return ((line, [*(cells[i] for i in kept if i < len(cells)), *cells[width:]]) for line, cells in rows)


def known_region(code: str) -> str:
    """The code in capitals. Raises UsageError for one that does not exist."""
    if is_region(code.upper()):
        return code.upper()
    hint = 'Did you mean "GB"?' if code.upper() == "UK" else "Use an ISO 3166 code, e.g. IN."
    raise UsageError(f'no region is called "{code}". {hint}')
