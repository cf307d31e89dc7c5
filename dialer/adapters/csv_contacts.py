"""A list of people in a CSV file."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from dialer.adapters.computed_once import computed_once
from dialer.adapters.contact_columns import clean_header, header_row
from dialer.adapters.contact_rows import Row
from dialer.adapters.csv_dialect import CsvShape, inspect
from dialer.adapters.table_contacts import TableContacts
from dialer.domain.campaign import ContactColumns, Reminder


class CsvContacts(TableContacts):
    """ContactSource over the file ``path``. ``encoding`` is a Python codec, None for a byte-order mark or UTF-8.

    The whole file is checked at the first use of any member; each then raises InputFileError if it is refused.
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
        super().__init__(columns, region, countries, reminder)
        self._path, self._encoding = path, encoding

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of the file, in hexadecimal."""
        return self._shape.fingerprint

    @property
    def expected_rows(self) -> int:
        """How many there are."""
        return self._shape.rows

    @computed_once
    def _shape(self) -> CsvShape:
        return inspect(self._path, self._encoding, partial(header_row, phone=self._columns.phone))

    @computed_once
    def _names(self) -> list[str]:
        return clean_header(self._shape.header)

    @property
    def _place(self) -> str:
        return f"{self._path}:{self._shape.header_line}"

    def _begun(self) -> tuple[Iterator[Row], int]:
        return self._shape.read(), self._shape.rows

    def _table_notes(self) -> Sequence[str]:
        return self._shape.notes

    def _spare(self) -> int:
        return self._shape.spare
