"""A suppression list in a CSV file: numbers in any format, or their hashes, with what else the list tells of them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from pathlib import Path

from dialer.adapters.contact_columns import ChosenColumns, choose_columns
from dialer.adapters.contact_rows import Prepared, RowReader
from dialer.adapters.csv_dialect import CsvShape, inspect
from dialer.domain.campaign import ContactColumns
from dialer.domain.phone_number import Unusable, parse_phones
from dialer.domain.suppression import read_hash
from dialer.ports import Reject, Suppression

REASON_COLUMNS = ("reason", "note", "why")
DO_NOT_CALL = "do not call"
BATCH = 2_000


@dataclass(frozen=True)
class CsvSuppressions:
    """The rows of ``path`` in order; raises InputFileError when it is refused.

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
    def expected_rows(self) -> int:
        """How many rows there are."""
        return self._shape.rows

    def rows(self) -> Iterator[Suppression | Reject]:
        """Every row, as an entry of the list or with what is wrong with it."""
        reader, rows = RowReader(self._shape_header, self._chosen, self.region), self._shape.read()
        while batch := [reader.prepare(line, cells) for line, cells in islice(rows, BATCH)]:
            plain = [row for row in batch if isinstance(row, Prepared) and not read_hash(row.text)]
            numbers = iter(parse_phones([(row.text, row.region) for row in plain]))
            for row in batch:
                if isinstance(row, Reject):
                    yield row
                elif hashed := read_hash(row.text):
                    yield self._entry(row, hashed)
                else:
                    number = next(numbers)
                    if isinstance(number, Unusable):
                        yield Reject(row.line, tuple(row.cells), number.reason, number.remedy)
                    else:
                        yield self._entry(row, number.e164)

    def _entry(self, row: Prepared, name: str) -> Suppression | Reject:
        told = {header.lower(): row.cells[i].strip() for header, i in self._chosen.variables}
        reason = next((told[column] for column in REASON_COLUMNS if told.get(column)), DO_NOT_CALL)
        campaign_id = self.campaign_id
        if campaign_id is None and (campaign := told.get("campaign", "")):
            if campaign not in self.campaigns:
                remedy = "`dialer campaigns` lists them; leave the cell empty for all campaigns"
                return Reject(row.line, tuple(row.cells), f'there is no campaign "{campaign}"', remedy)
            campaign_id = self.campaigns[campaign]
        return Suppression(name, reason, told.get("source") or self.path.name, campaign_id)

    @cached_property
    def _shape(self) -> CsvShape:
        return inspect(self.path, self.encoding)

    @cached_property
    def _shape_header(self) -> tuple[str, ...]:
        return tuple(name.strip("\ufeff").strip() for name in self._shape.header)

    @cached_property
    def _chosen(self) -> ChosenColumns:
        place = f"{self.path}:{self._shape.header_line}"
        return choose_columns(self._shape_header, ContactColumns(phone=self.phone_column), place)
