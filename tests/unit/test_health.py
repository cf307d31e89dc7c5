"""The health check of a container: quick, and by a clock that nobody sets."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from jobs.health import STALE_S, ailment, forget_the_gone, heartbeat_file, uptime_s, write_heartbeat

ROOT = Path(__file__).parents[2]
ASK = """
import runpy, sys
before = set(sys.modules)
try:
    runpy.run_module("jobs.health", run_name="__main__")
except SystemExit as ended:
    print(ended.code, *{name.partition(".")[0] for name in set(sys.modules) - before})
"""


@pytest.mark.parametrize(
    ("well_at", "why", "now", "said"),
    [
        (100.0, "", 101.0, ""), (100.0, "", 100.0 + STALE_S, ""), (100.0, "Redis is away", 101.0, ""),
        (100.0, "Redis is away", 101.0 + STALE_S, "Redis is away"), (None, "no tick", 1.0, "no tick"),
        (100.0, "", 99.0, "no word from it lately"), (100.0, "", 200.0, "no word from it lately"),
    ],
)  # fmt: skip
def test_a_worker_is_well_that_said_so_lately(
    tmp_path: Path, well_at: float | None, why: str, now: float, said: str
) -> None:
    write_heartbeat(heartbeat_file(tmp_path), well_at, why)
    assert ailment(tmp_path, now) == said
    assert heartbeat_file(tmp_path).stat().st_mode & 0o777 == 0o600


def test_a_living_worker_does_not_vouch_for_another_that_stands_still(tmp_path: Path) -> None:
    mine = heartbeat_file(tmp_path)
    write_heartbeat(mine, 100.0, "")
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        write_heartbeat(mine.with_name(mine.name.replace(f".{os.getpid()}.", f".{other.pid}.")), 50.0, "no tick")
        assert ailment(tmp_path, 101.0) == "no tick"
    assert ailment(tmp_path, 101.0) == "", "the other is gone, and nobody waits for it"
    forget_the_gone(tmp_path)
    assert list(mine.parent.iterdir()) == [mine]


def test_a_worker_that_is_gone_is_not_well(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        pass
    mine = heartbeat_file(tmp_path)
    write_heartbeat(mine.with_name(mine.name.replace(f".{os.getpid()}.", f".{gone.pid}.")), 100.0, "")
    assert ailment(tmp_path, 101.0) == "none runs here any more"


def test_nobody_is_well_where_nobody_ran(tmp_path: Path) -> None:
    assert ailment(tmp_path, uptime_s()) == "no worker has run here"


def test_the_check_imports_nothing_but_the_standard_library(tmp_path: Path) -> None:
    write_heartbeat(heartbeat_file(tmp_path), uptime_s(), "")
    asked = subprocess.run(
        [sys.executable, "-c", ASK],
        env={"DIALER_HOME": str(tmp_path), "PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    )
    code, *modules = asked.stdout.split()
    assert code == "0"
    assert set(modules) - set(sys.stdlib_module_names) <= {"jobs"}
