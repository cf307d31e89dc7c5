"""The result of a query as a table, on any database that SQLAlchemy knows."""

import hashlib
import sqlite3
from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import asynccontextmanager, contextmanager, suppress
from itertools import chain
from threading import Event, Thread
from typing import Any

from sqlalchemy import Connection, CursorResult, text
from sqlalchemy.exc import SQLAlchemyError

from dialer.adapters.lists.cell_text import cell_text
from dialer.adapters.lists.computed_once import computed_once
from dialer.adapters.lists.contacts import Head, Table
from dialer.adapters.lists.rows import POOL_ROWS, Row, no_more_than
from dialer.adapters.lists.source_engine import Patience, open_source_engine
from dialer.adapters.lists.url_secrets import Secrets
from dialer.adapters.local.daemon_thread import DaemonThread, settled
from dialer.domain.campaign import Source
from dialer.errors import SourceUnavailable

FETCH_ROWS = 2_000
CLOSE_WITHIN_S = 2.0
INTERRUPT_EVERY_S = 0.05
PLACE = "source"
STANDARD = Source()
PACKAGES = {"MySQLdb": "mysql+pymysql://", "psycopg2": "postgresql://", "cx_Oracle": "oracle+oracledb://"}
"""What to write instead of an address that asks for a driver of old."""


class DatabaseTable(Table):
    """The rows of ``query`` at ``url`` (SQLAlchemy's; may hold a password, which is never shown).

    The result is streamed by a server-side cursor in a read-only transaction. A row's number is its place in the
    result, from 1. A query that gives no row for ``timeout_s`` seconds, or more than ``max_rows`` rows, is ended.
    ``template`` is the url before the values ``filled`` were put in: no error shows them. Reading raises
    SourceUnavailable.
    """

    def __init__(
        self,
        url: str,
        query: str,
        *,
        timeout_s: float = STANDARD.timeout_s,
        max_rows: int = STANDARD.max_rows,
        template: str = "",
        filled: Sequence[str] = (),
    ) -> None:
        self._url, self._query = url, query
        self._secrets = Secrets(url, template, tuple(filled))
        self._patience, self._max_rows = Patience(timeout_s), max_rows
        self._connection: Connection | None = None
        self._cursor: CursorResult[Any] | None = None
        self._closed = Event()

    @property
    def fingerprint(self) -> str:
        """What distinguishes this query from another; the same for every reading of it."""
        return hashlib.sha256(self._query.encode()).hexdigest()

    @computed_once
    def head(self) -> Head:
        """Begins the query, which goes on with the rows."""
        with self._as_source_errors():
            return Head(list(self._result.keys()), PLACE)

    @asynccontextmanager
    async def thread(self) -> AsyncIterator[Executor]:
        """A thread of its own. Stopping early does not wait for the database: the query is interrupted."""
        thread, whole = DaemonThread("dialer-source"), False
        try:
            yield thread
            whole = True
        finally:
            closing = thread.submit(self.close)
            thread.shutdown()
            if not whole:
                self.interrupt()
            await settled(closing, CLOSE_WITHIN_S)

    def interrupt(self) -> None:
        """End the query that runs or is about to, from any thread; without effect where the driver knows no way."""
        with suppress(Exception):
            Thread(target=self._interrupt, name="dialer-interrupt", daemon=True).start()

    def _interrupt(self) -> None:
        # Again and again: what is asked while no query runs yet ends none.
        while not self._closed.wait(INTERRUPT_EVERY_S):
            if (connection := self._connection) is not None:
                _interrupt(connection)

    def close(self) -> None:
        """Let go of the database; safe to repeat."""
        cursor, self._cursor = self._cursor, None
        connection, self._connection = self._connection, None
        with suppress(SQLAlchemyError):
            if cursor is not None:
                cursor.close()
        if connection is not None:
            with suppress(SQLAlchemyError):
                connection.close()
            connection.engine.dispose()
        self._closed.set()

    def begin(self) -> tuple[Iterator[Row], int]:
        """The rows, and whether they are many: only then it pays to start processes for them."""
        rows = self._rows()
        first = no_more_than(rows, POOL_ROWS)
        return chain(first, rows), len(first)

    def _rows(self) -> Iterator[Row]:
        with self._as_source_errors():
            for number, row in enumerate(self._result, 1):
                if number > self._max_rows:
                    raise SourceUnavailable(
                        f"the query of [source] answers more than {self._max_rows:,} rows: narrow it, or raise max_rows"
                    )
                yield number, [cell_text(value) for value in row]
                self._patience.renew()

    @computed_once
    def _result(self) -> CursorResult[Any]:
        self._patience.renew()
        self._closed.clear()
        engine = open_source_engine(self._url, self._patience)
        self._connection = engine.connect()
        options: dict[str, Any] = {"stream_results": True, "yield_per": FETCH_ROWS}
        if engine.dialect.name == "postgresql":
            self._connection = self._connection.execution_options(postgresql_readonly=True)
        # A colon is a colon here, not the mark of a parameter: there are none.
        query = text(self._query.replace(":", r"\:"))
        self._cursor = result = self._connection.execute(query, execution_options=options)
        if not result.returns_rows:
            raise SourceUnavailable("the query of [source] answers no rows: it must be a SELECT")
        return result

    @contextmanager
    def _as_source_errors(self) -> Iterator[None]:
        try:
            yield
        except SourceUnavailable as failed:
            self.close()
            if not self._secrets.filled:
                raise
            # It may name what was filled in, such as the kind of database.
            raise SourceUnavailable(self._secrets.hidden_in(failed)) from None
        except Exception as broken:  # noqa: BLE001
            # Whatever a driver raises: its text may hold any part of the address.
            late = self._patience.is_over()
            self.close()
            raise SourceUnavailable(f"the source cannot be read{self._why(broken, late=late)}") from None

    def _why(self, broken: Exception, *, late: bool) -> str:
        if late:
            return f": its query gave no row for {self._patience.seconds:g} s: make it quicker, or raise timeout"
        if isinstance(broken, ImportError) and (known := PACKAGES.get(broken.name or "")):
            return f": no driver {broken.name} is installed: write {known} in the address, and install that driver"
        if isinstance(broken, SQLAlchemyError | sqlite3.Error | ImportError | OSError):
            return f": {self._secrets.hidden_in(broken)}"
        return ": its url does not read" if type(broken) is ValueError else f" ({type(broken).__name__})"


def _interrupt(connection: Connection) -> None:
    with suppress(Exception):
        driver: Any = connection.connection.driver_connection
        for name in ("interrupt", "cancel_safe", "cancel"):
            if hasattr(driver, name):
                getattr(driver, name)()
                return
