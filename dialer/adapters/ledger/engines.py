"""Two engines behind one pair of doors: a serial writer, and readers that never block it.

``writing`` gives a transaction that is committed and flushed at the end of its block; ``serial`` means that no
other process is inside a serial block at the same time. ``reading`` gives a read-only snapshot. Both raise
LedgerUnavailable. Each pair of methods is called from one thread only.
"""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from dialer.adapters.ledger.transaction import Transaction

SQLITE = "sqlite:///"


class Engine(Protocol):
    """How a ledger is written and read."""

    def writing(self, *, serial: bool) -> AbstractContextManager[Transaction]: ...

    def snapshot(self) -> AbstractContextManager[Transaction]: ...

    def database_now(self) -> float | None:
        """The server's clock in unix seconds; None where the ledger has this machine's. Raises LedgerUnavailable."""
        ...

    def close_writer(self) -> None: ...

    def close_reader(self) -> None: ...


def open_engine(url: str) -> Engine:
    """The engine for ``sqlite:///FILE`` or ``postgresql://...``; connects at first use."""
    # Imported where it is used: the driver is an eighth of what a command takes to start.
    if url.startswith(SQLITE):
        from dialer.adapters.ledger.sqlite_engine import SqliteEngine

        return SqliteEngine(Path(url.removeprefix(SQLITE)))
    from dialer.adapters.ledger.postgresql_engine import PostgresqlEngine

    return PostgresqlEngine(url)


def in_a_line(broken: Exception) -> str:
    """What a driver says, whose sentences come on lines of their own."""
    return " ".join(str(broken).split())
