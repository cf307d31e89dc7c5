"""Workers on SQLite end themselves at every point: nobody is called twice, nobody is lost."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.crash.batch import DEATHS, Told, all_told
from tests.crash.cases import Case, cases

CASES = cases(0)


@pytest.fixture(scope="module")
def told(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """Every case, each on a file of its own."""
    directory = tmp_path_factory.mktemp("crash")

    @contextmanager
    def ledger(nth: int) -> Iterator[str]:
        path = directory / f"{nth}.db"
        shutil.copyfile(migrated_file, path)
        yield f"sqlite:///{path}"

    with all_told(CASES, ledger) as begun:
        yield begun


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_worker_dies(told: Told, case: Case) -> None:
    told[case].result()


def test_most_of_them_died(told: Told) -> None:
    assert sum(one.result() for one in told.values()) >= DEATHS * len(told)
