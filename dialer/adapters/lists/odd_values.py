"""Values that a database may hold and Python has no type for: they come as text, and spoil only their own row."""

from typing import Any

from psycopg import Connection, DataError
from psycopg.abc import AdaptContext, Buffer
from psycopg.adapt import Loader
from psycopg.types import datetime as moments

from dialer.adapters.lists.cell_text import endless, storable

_LOADED: dict[str, type[Loader]] = {
    "date": moments.DateLoader,
    "time": moments.TimeLoader,
    "timetz": moments.TimetzLoader,
    "timestamp": moments.TimestampLoader,
    "timestamptz": moments.TimestamptzLoader,
    "interval": moments.IntervalLoader,
}


def take_odd_moments(connection: "Connection[Any]") -> None:
    """Read "infinity", years before 1 and after 9999, and 24:00 as text that a row is rejected for."""
    for name, loader in _LOADED.items():
        connection.adapters.register_loader(name, _lenient(loader))


def take_odd_text(data: bytes) -> str:
    """Text of an SQLite file, which need not be UTF-8."""
    return storable(data.decode("utf-8", "surrogateescape"))


def _lenient(strict: type[Loader]) -> type[Loader]:
    class Lenient(strict):  # type: ignore[valid-type, misc]
        def __init__(self, oid: int, context: AdaptContext | None = None) -> None:
            super().__init__(oid, context)

        def load(self, data: Buffer) -> Any:
            try:
                return super().load(data)
            except (DataError, ValueError, OverflowError):
                return endless(bytes(data).decode("utf-8", "replace"))

    return Lenient
