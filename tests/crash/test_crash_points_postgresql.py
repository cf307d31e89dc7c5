"""Workers on PostgreSQL end themselves at every point: nobody is called twice, nobody is lost."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from tests.crash.batch import DEATHS, Told, all_told
from tests.crash.cases import Case, cases

CASES = cases(1)


@pytest.fixture(scope="module")
def told(postgres_url: str, migrated_database: str) -> Iterator[Told]:
    """Every case, each on a database of its own."""

    @contextmanager
    def ledger(nth: int) -> Iterator[str]:
        name = f"crash{nth}"
        with psycopg.connect(postgres_url.format(database="postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{migrated_database}" STRATEGY file_copy'.encode())
            yield postgres_url.format(database=name)
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())

    with all_told(CASES, ledger) as begun:
        yield begun


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_worker_dies(told: Told, case: Case) -> None:
    told[case].result()


def test_most_of_them_died(told: Told) -> None:
    assert sum(one.result() for one in told.values()) >= DEATHS * len(told)
