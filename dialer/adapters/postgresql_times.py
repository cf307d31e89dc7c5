"""Times of PostgreSQL that Python has no value for: "infinity", years before Christ, 24:00. They stay text."""

from typing import Any

import psycopg
from psycopg.abc import Buffer, Loader
from psycopg.adapt import Loader as BaseLoader
from psycopg.pq import Format

TYPES = ("date", "time", "timetz", "timestamp", "timestamptz", "interval")


def keep_odd_times(connection: "psycopg.Connection[Any]") -> None:
    """A row with such a time is read like any other, instead of ending the whole result."""
    for name in TYPES:
        oid = connection.adapters.types[name].oid
        usual = connection.adapters.get_loader(oid, Format.TEXT)
        if usual is not None:
            connection.adapters.register_loader(oid, _lenient(usual))


def _lenient(usual: type[Loader]) -> type[Loader]:
    class Lenient(BaseLoader):
        """The usual one, and where that fails the text itself."""

        format = Format.TEXT

        def __init__(self, oid: int, context: Any = None) -> None:
            super().__init__(oid, context)
            self._usual = usual(oid, context)

        def load(self, data: Buffer) -> Any:
            """The value, or its text."""
            try:
                return self._usual.load(data)
            except psycopg.DataError:
                return bytes(data).decode("utf-8", "replace")

    return Lenient
