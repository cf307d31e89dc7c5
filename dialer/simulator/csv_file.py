"""Reading an uploaded list."""

import csv
import io
from typing import NamedTuple

from dialer.simulator.checking import Invalid, problem
from dialer.simulator.forms import File

Row = dict[str, str]


class Table(NamedTuple):
    """A list: the names of its columns, none without a row, and its rows."""

    columns: list[str]
    rows: list[Row]


def read_table(field: str, file: File) -> Table:
    """The list in ``file``, which came in ``field``. Raises ``Invalid`` for what is no CSV."""
    if not file.name.lower().endswith(".csv"):
        raise bad_file(field, "The simulator reads .csv only")
    try:
        rows = list(csv.DictReader(io.StringIO(file.content.decode("utf-8-sig"), newline=""), restval=""))
    except (UnicodeDecodeError, csv.Error):
        raise bad_file(field, "The file is no CSV in UTF-8") from None
    return Table([name for name in (rows[0] if rows else ()) if isinstance(name, str)], rows)


def bad_file(field: str, text: str) -> Invalid:
    """What is wrong with the file that came in ``field``."""
    return Invalid([problem("body", field, text, "value_error")])
