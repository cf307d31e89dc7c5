"""A table in a CSV file."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from dialer.adapters.lists.columns import clean_header, header_row
from dialer.adapters.lists.computed_once import computed_once
from dialer.adapters.lists.contacts import Head, Table
from dialer.adapters.lists.csv_dialect import CsvShape, inspect
from dialer.adapters.lists.rows import Row


class CsvTable(Table):
    """The file ``path``. ``encoding`` is a Python codec, None for a byte-order mark or UTF-8; ``phone`` names the
    column with the number, if it is not to be guessed.

    The whole file is checked at the first use of any member; each then raises InputFileError if it is refused.
    """

    def __init__(self, path: Path, phone: str = "", encoding: str | None = None) -> None:
        self._path, self._phone, self._encoding = path, phone, encoding

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of the file, in hexadecimal."""
        return self._shape.fingerprint

    @computed_once
    def head(self) -> Head:
        """The column names, each another one."""
        shape = self._shape
        place = f"{self._path}:{shape.header_line}"
        return Head(clean_header(shape.header), place, shape.notes, shape.spare, shape.rows)

    def begin(self) -> tuple[Iterator[Row], int]:
        """The rows, and how many."""
        return self._shape.read(), self._shape.rows

    @computed_once
    def _shape(self) -> CsvShape:
        return inspect(self._path, self._encoding, partial(header_row, phone=self._phone))
