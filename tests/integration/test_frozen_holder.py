"""PostgreSQL: who stands still inside a transaction is ended by who waits for it, and nobody else is."""

from collections.abc import Callable

import psycopg
import pytest

from dialer.adapters.ledger.postgresql_engine import PostgresqlEngine
from dialer.errors import LedgerUnavailable

LOCK_WITHIN_S = 0.4
NAME = "INSERT INTO ledger_facts (name, value) VALUES (:name, 'x')"
NAMES = "SELECT name FROM ledger_facts WHERE value = 'x'"


@pytest.fixture
def engine(postgres_ledger_url: str) -> Callable[[], PostgresqlEngine]:
    """Another process's door to one ledger."""
    return lambda: PostgresqlEngine(postgres_ledger_url, LOCK_WITHIN_S)


def test_a_holder_of_the_gate_that_stands_still_is_ended_and_undone(engine: Callable[[], PostgresqlEngine]) -> None:
    frozen, other = engine(), engine()
    with pytest.raises(LedgerUnavailable), frozen.writing(serial=True) as held:
        held.run(NAME, {"name": "frozen"})
        with other.writing(serial=True) as transaction:
            transaction.run(NAME, {"name": "other"})
        held.run(NAME, {"name": "thawed"})
    with other.snapshot() as transaction:
        assert transaction.all(NAMES) == [("other",)]
    with frozen.writing(serial=True) as held:
        assert held.all(NAMES) == [("other",)]
    frozen.close_writer()
    other.close_writer()
    other.close_reader()


def test_one_that_stands_still_with_a_row_in_its_hand_is_ended_too(engine: Callable[[], PostgresqlEngine]) -> None:
    frozen, other = engine(), engine()
    with pytest.raises(LedgerUnavailable), frozen.writing(serial=False) as held:
        held.run(NAME, {"name": "row"})
        with pytest.raises(LedgerUnavailable), other.writing(serial=True) as transaction:
            transaction.run(NAME, {"name": "row"})
        with other.writing(serial=True) as transaction:
            transaction.run(NAME, {"name": "row"})
        held.run(NAME, {"name": "thawed"})
    frozen.close_writer()
    other.close_writer()


def test_a_session_that_is_none_of_ours_is_left_alone(
    postgres_ledger_url: str, engine: Callable[[], PostgresqlEngine]
) -> None:
    other = engine()
    with psycopg.connect(postgres_ledger_url) as stranger:
        stranger.execute("LOCK TABLE ledger_facts IN EXCLUSIVE MODE")
        for _ in range(2):
            with pytest.raises(LedgerUnavailable), other.writing(serial=True) as transaction:
                transaction.run(NAME, {"name": "other"})
        assert stranger.execute("SELECT 1").fetchone() == (1,)
    with other.writing(serial=True) as transaction:
        transaction.run(NAME, {"name": "other"})
    other.close_writer()
