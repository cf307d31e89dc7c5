"""A ledger whose disk or file fails says so in its own words, and tells nobody of what was not committed."""

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dialer.adapters.ledger import SqlLedger
from dialer.adapters.ledger.sqlite_engine import SqliteEngine
from dialer.adapters.ledger.transaction import Transaction
from dialer.domain.attempt import AttemptState
from dialer.errors import LedgerUnavailable
from tests.fakes.clock import ManualClock
from tests.ledger_steps import claim, gate, running, state


async def test_no_answer_before_its_commit(ledger_url: str, clock: ManualClock) -> None:
    ledger = await SqlLedger.open(ledger_url, clock)
    try:
        attempts = await claim(ledger, await running(ledger))
        engine, loop, turned = ledger._store._engine, asyncio.get_running_loop(), threading.Event()
        writing = engine.writing

        @contextmanager
        def lost(*, serial: bool) -> Iterator[Transaction]:
            with writing(serial=serial) as transaction:
                yield transaction
                # Whatever was told before this moment has been heard when the loop has turned.
                loop.call_soon_threadsafe(turned.set)
                assert turned.wait(30)
                raise LedgerUnavailable("lost on its way to the disk")

        engine.writing = lost  # type: ignore[method-assign]
        with pytest.raises(LedgerUnavailable, match="lost"):
            await gate(ledger, attempts)
        engine.writing = writing  # type: ignore[method-assign]
        assert await state(ledger, attempts[0].attempt_id) is AttemptState.QUEUED
    finally:
        await ledger.aclose()


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    path.write_bytes(b"not a database, but long enough to be looked at as one" * 40)
    engine = SqliteEngine(path)
    with pytest.raises(LedgerUnavailable, match="cannot be read: file is not a database"), engine.snapshot():
        raise AssertionError("it was opened")
    with (
        pytest.raises(LedgerUnavailable, match="cannot be written: file is not a database"),
        engine.writing(serial=True),
    ):
        raise AssertionError("it was opened")


def test_what_the_file_refuses_by_a_rule_is_not_taken_for_a_broken_file(tmp_path: Path) -> None:
    engine = SqliteEngine(tmp_path / "ledger.db")
    with engine.writing(serial=True) as transaction:
        transaction.run("CREATE TABLE one (id INTEGER PRIMARY KEY)")
        transaction.run("INSERT INTO one VALUES (1)")
    with pytest.raises(sqlite3.IntegrityError), engine.writing(serial=True) as transaction:
        transaction.run("INSERT INTO one VALUES (1)")
    engine.close_writer()
