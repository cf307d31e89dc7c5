"""A suppression list in a CSV file: numbers in any format, or their hashes, with what else the list says of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

from dialer.adapters.lists.columns import (
    ChosenColumns,
    choose_columns,
    own_names,
    own_rows,
)
from dialer.adapters.lists.computed_once import computed_once
from dialer.adapters.lists.csv_table import CsvTable
from dialer.adapters.lists.rows import Prepared, RowReader
from dialer.domain.campaign import ContactColumns
from dialer.domain.phone_number import Unusable, numbers_in, parse_phones
from dialer.domain.suppression import read_hash
from dialer.ports import Reject, Suppression

REASON_COLUMNS = ("reason", "note", "why")
DO_NOT_CALL = "do not call"
BATCH = 2_000
_FEW_DIGITS = 5


@dataclass(frozen=True)
class CsvSuppressions:
    """The rows of ``path`` in order; raises InputFileError when it is refused.

    Rather one number too many than one too few: a row that can be read in several ways bars every number that it may
    mean, and a row that cannot be read, or in part, is a reject as well.

    ``region`` (ISO 3166) is assumed for national numbers; ``campaigns`` are the ids by name that a column "campaign"
    may give, and ``campaign_id`` stands for all rows without one (None: over all campaigns).
    """

    path: Path
    region: str = ""
    phone_column: str = ""
    encoding: str | None = None
    campaigns: Mapping[str, int] = field(default_factory=dict)
    campaign_id: int | None = None

    @property
    def expected_rows(self) -> int | None:
        """How many rows there are."""
        return self._table.head.rows

    @property
    def header(self) -> tuple[str, ...]:
        """The column names, without those a rejects file added."""
        return own_names(self._table.head.names)

    def rows(self) -> Iterator[Suppression | Reject]:
        """Every row as the entries that it gives; a reject for what could not be read of it."""
        reader, rows = (
            RowReader(self.header, self._chosen, self.region, spare=self._table.head.spare),
            own_rows(self._table.begin()[0], self._table.head.names),
        )
        while batch := [(cells, reader.prepare(line, cells)) for line, cells in islice(rows, BATCH)]:
            plain = [row for _, row in batch if isinstance(row, Prepared) and not read_hash(row.text)]
            numbers = iter(parse_phones([(row.text, row.region) for row in plain]))
            for cells, row in batch:
                if isinstance(row, Reject):
                    yield from self._salvaged(cells, row)
                elif hashed := read_hash(row.text):
                    yield from self._entries(row, [hashed])
                else:
                    number = next(numbers)
                    if isinstance(number, Unusable):
                        yield from self._made_out(row, number)
                    else:
                        yield from self._entries(row, [number.e164])

    def _made_out(self, row: Prepared, fault: Unusable) -> Iterator[Suppression | Reject]:
        """Every number that the cell may mean; a reject where there is none, or more in the cell than was read."""
        numbers = numbers_in(row.text, row.region)
        yield from self._entries(row, numbers)
        if not numbers or not (row.region or "+" in row.text) or _left_over(row.text, numbers) >= _FEW_DIGITS:
            yield Reject(row.line, tuple(row.cells), fault.reason, fault.remedy)

    def _salvaged(self, cells: Sequence[str], fault: Reject) -> Iterator[Suppression | Reject]:
        """A row with misplaced cells: the numbers in any of them."""
        numbers = dict.fromkeys(number for cell in cells for number in numbers_in(cell, self.region))
        for number in numbers:
            yield Suppression(number, DO_NOT_CALL, self.path.name, self.campaign_id)
        yield fault

    def _entries(self, row: Prepared, names: Sequence[str]) -> Iterator[Suppression | Reject]:
        values = {header.lower(): row.values[i].strip() for header, i in self._chosen.variables}
        reason = next((values[column] for column in REASON_COLUMNS if values.get(column)), DO_NOT_CALL)
        campaign_id = self.campaign_id
        if names and campaign_id is None and (campaign := values.get("campaign", "")):
            if campaign not in self.campaigns:
                remedy = "`dialer campaigns` lists them; leave the cell empty for all campaigns"
                yield Reject(row.line, tuple(row.cells), f'there is no campaign "{campaign}"', remedy)
                return
            campaign_id = self.campaigns[campaign]
        for name in names:
            yield Suppression(name, reason, values.get("source") or self.path.name, campaign_id)

    @computed_once
    def _table(self) -> CsvTable:
        return CsvTable(self.path, self.phone_column, self.encoding)

    @computed_once
    def _chosen(self) -> ChosenColumns:
        chosen = choose_columns(self.header, ContactColumns(phone=self.phone_column), self._table.head.place)
        return replace(chosen, marks=())  # everybody on such a list is barred, whatever its other columns say


def _left_over(text: str, numbers: Sequence[str]) -> int:
    """How many digits of a cell none of the numbers accounts for."""
    digits = sum(char.isdecimal() for char in text)
    return digits - sum(len(number) - 1 for number in numbers)
