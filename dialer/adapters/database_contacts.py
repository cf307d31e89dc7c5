"""A list of people as the result of a query, on any database that SQLAlchemy knows."""

import hashlib
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing, contextmanager, suppress
from itertools import chain, islice
from pathlib import Path
from threading import Thread
from typing import Any

from psycopg import Connection as PostgreSQL
from sqlalchemy import URL, Connection, CursorResult, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from dialer.adapters.cell_text import cell_text
from dialer.adapters.computed_once import computed_once
from dialer.adapters.contact_rows import POOL_ROWS, Row
from dialer.adapters.daemon_thread import DaemonThread, settled
from dialer.adapters.odd_values import take_odd_moments, take_odd_text
from dialer.adapters.table_contacts import TableContacts
from dialer.adapters.url_secrets import Secrets
from dialer.domain.campaign import ContactColumns, Reminder
from dialer.domain.contact import NewContact
from dialer.errors import SourceUnavailable
from dialer.ports import Reject

FETCH_ROWS = 2_000
CONNECT_TIMEOUT_S = 10
CLOSE_WITHIN_S = 2.0
PLACE = "source"
DRIVERS = {"postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}
"""Those that are installed with the program; others are named in the URL, and brought by the user."""


class DatabaseContacts(TableContacts):
    """ContactSource over the rows of ``query`` at ``url`` (SQLAlchemy's; may hold a password, which is never shown).

    The result is streamed by a server-side cursor in a read-only transaction. A row's number is its place in the
    result, from 1. ``template`` is the url before the values ``filled`` were put in: no error shows them. The other
    parameters are those of CsvContacts. Reading raises SourceUnavailable, and InputFileError where the columns do not
    fit.
    """

    def __init__(
        self,
        url: str,
        query: str,
        columns: ContactColumns | None = None,
        region: str = "",
        countries: frozenset[str] = frozenset(),
        reminder: Reminder | None = None,
        template: str = "",
        filled: Sequence[str] = (),
    ) -> None:
        super().__init__(columns, region, countries, reminder)
        self._url, self._query = url, query
        self._secrets = Secrets(url, template, tuple(filled))
        self._connection: Connection | None = None
        self._reading: CursorResult[Any] | None = None

    @property
    def fingerprint(self) -> str:
        """What tells this query from another; the same for every reading of it."""
        return hashlib.sha256(self._query.encode()).hexdigest()

    @computed_once
    def _names(self) -> list[str]:
        """Begins the query, which goes on with ``batches``."""
        with self._told():
            return list(self._result.keys())

    @property
    def _place(self) -> str:
        return PLACE

    async def batches(self, size: int) -> AsyncGenerator[Sequence[NewContact | Reject], None]:
        """Every row of the result, in order. Who stops in between waits for no database: its query is interrupted."""
        thread, whole = DaemonThread("dialer-source"), False
        try:
            async with aclosing(self._batches_in(thread, size)) as batches:
                async for batch in batches:
                    yield batch
            whole = True
        finally:
            closing = thread.submit(self.close)
            thread.shutdown()
            if not whole:
                self.interrupt()
            await settled(closing, CLOSE_WITHIN_S)

    def interrupt(self) -> None:
        """End the query that runs, from any thread; without effect where the driver knows no way."""
        if self._connection is not None:
            with suppress(Exception):
                Thread(target=_interrupt, args=(self._connection,), name="dialer-interrupt", daemon=True).start()

    def close(self) -> None:
        """Let go of the database; safe to repeat."""
        reading, self._reading = self._reading, None
        connection, self._connection = self._connection, None
        with suppress(SQLAlchemyError):
            if reading is not None:
                reading.close()
        if connection is not None:
            with suppress(SQLAlchemyError):
                connection.close()
            connection.engine.dispose()

    def _begun(self) -> tuple[Iterator[Row], int]:
        """The rows, and whether they are many: only then it pays to start processes for them."""
        rows = self._rows()
        first = list(islice(rows, POOL_ROWS))
        return chain(first, rows), len(first)

    def _rows(self) -> Iterator[Row]:
        with self._told():
            for number, row in enumerate(self._result, 1):
                yield number, [cell_text(value) for value in row]

    @computed_once
    def _result(self) -> CursorResult[Any]:
        engine = _engine(self._url)
        self._connection = engine.connect()
        driver = self._connection.connection.driver_connection
        if isinstance(driver, PostgreSQL):
            take_odd_moments(driver)
        options: dict[str, Any] = {"stream_results": True, "yield_per": FETCH_ROWS}
        if engine.dialect.name == "postgresql":
            self._connection = self._connection.execution_options(postgresql_readonly=True)
        # A colon is a colon here, not the mark of a parameter: there are none.
        query = text(self._query.replace(":", r"\:"))
        self._reading = result = self._connection.execute(query, execution_options=options)
        if not result.returns_rows:
            raise SourceUnavailable("the query of [source] answers no rows: it must be a SELECT")
        return result

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except SourceUnavailable:
            self.close()
            raise
        except (SQLAlchemyError, ImportError, OSError) as broken:
            self.close()
            raise SourceUnavailable(f"the source cannot be read: {self._secrets.hidden_in(broken)}") from None
        except Exception as broken:  # noqa: BLE001
            # Whatever a driver raises: its text may hold any part of the address.
            self.close()
            raise SourceUnavailable(f"the source cannot be read ({type(broken).__name__})") from None


def _engine(url: str) -> Engine:
    parsed = make_url(url)
    parsed = parsed.set(drivername=DRIVERS.get(parsed.drivername, parsed.drivername))
    connect: dict[str, Any] = {}
    if parsed.drivername == "postgresql+psycopg" and "connect_timeout" not in parsed.query:
        connect["connect_timeout"] = CONNECT_TIMEOUT_S
    if parsed.get_backend_name() == "sqlite":
        _require_file(parsed)
        connect["check_same_thread"] = False  # rows are fetched by whatever thread is free, one at a time
    engine = create_engine(parsed, poolclass=NullPool, connect_args=connect, hide_parameters=True)
    if parsed.get_backend_name() == "sqlite":
        event.listen(engine, "connect", _read_only)
    return engine


def _interrupt(connection: Connection) -> None:
    with suppress(Exception):
        driver: Any = connection.connection.driver_connection
        for name in ("interrupt", "cancel_safe", "cancel"):
            if hasattr(driver, name):
                getattr(driver, name)()
                return


def _require_file(url: URL) -> None:
    """SQLite would make an empty database where there is none."""
    if url.database and url.database != ":memory:" and not Path(url.database.removeprefix("file:")).is_file():
        raise FileNotFoundError(f"there is no file {url.database}")


def _read_only(connection: Any, _: object) -> None:
    connection.text_factory = take_odd_text
    connection.execute("PRAGMA query_only=ON")
