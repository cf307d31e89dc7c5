"""The working directory is data: no module, program or address in it is taken from somebody else."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.acceptance.dialer_process import Home, Provider, settings_for, write_list
from tests.forked import run_forked

pytestmark = pytest.mark.acceptance

INSTALLED = "import sys; sys.path.remove(''); from dialer.cli import main; main()"
"""As the installed command: the working directory is not where it looks for modules."""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A working directory with a list in it."""
    write_list(tmp_path / "list.csv", 2)
    return Home(tmp_path, settings_for(Provider("http://127.0.0.1:9"), DIALER_REDIAL_SCALE="0.0001"))


def command(home: Home, *words: str, without: tuple[str, ...] = ()) -> "subprocess.CompletedProcess[str]":
    environment = {name: value for name, value in home.environment.items() if name not in without}
    return run_forked(["dialer", *words], env=environment, cwd=home.path, text=True)


def installed(home: Home, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", INSTALLED, *words],
        env=home.environment,
        cwd=home.path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def plant(home: Home, *names: str) -> Path:
    """Modules that leave a mark when they are run."""
    mark = home.path / "ran"
    for name in names:
        path = home.path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"open({str(mark)!r}, 'a').write(__name__)\n")
    return mark


def test_no_module_beside_the_list_is_run(home: Home) -> None:
    mark = plant(
        home, "argparse.py", "ssl.py", "uvicorn.py", "asyncio.py", "dialer/__init__.py", "jobs/__init__.py",
        "config/__init__.py", "sitecustomize.py", "usercustomize.py", "encodings.py", "phonenumbers/__init__.py",
    )  # fmt: skip
    done = installed(home, "run", "list.csv")
    assert done.returncode == 0, done.stderr
    assert not mark.exists()


def test_no_module_beside_a_long_list_is_run_by_the_processes_that_read_it(home: Home) -> None:
    mark = plant(home, "phonenumbers/__init__.py", "multiprocessing.py", "pickle.py", "dialer/__init__.py")
    write_list(home.path / "long.csv", 25_000)
    done = installed(home, "check", "long.csv")
    assert done.returncode == 0, done.stderr
    assert "25,000 queued" in done.stdout
    assert not mark.exists()


@pytest.mark.parametrize(
    ("line", "mode"),
    [
        ("DIALER_REDIS_SERVER={0}/script", 0o666), ("export DIALER_REDIS_SERVER={0}/script", 0o662),
        ("dialer_redis_server={0}/script", 0o664), ("DIALER_VAANIVOICE_BASE_URL=http://127.0.0.1:9", 0o666),
        ("DIALER_VAANI_BASE_URL=http://127.0.0.1:9", 0o664), ("DIALER_REDIS_URL=redis://h", 0o622),
        ("DIALER_DATABASE_URL=postgresql://h/x", 0o666), ("DIALER_HOME={0}/elsewhere", 0o666),
    ],
)  # fmt: skip
def test_a_file_that_others_can_write_names_nothing_that_is_run_or_reached(home: Home, line: str, mode: int) -> None:
    script = home.path / "script"
    script.write_text(f"#!/bin/sh\ntouch {home.path}/ran\n")
    script.chmod(0o755)
    (home.path / ".env").write_text(line.format(home.path) + "\n")
    (home.path / ".env").chmod(mode)
    done = command(home, "doctor")
    assert done.returncode == 1
    assert f"chmod go-w {home.path}/.env" in done.stdout
    assert not (home.path / "ran").exists()


def test_ones_own_file_is_read_and_named(home: Home) -> None:
    file = home.path / ".env"
    file.write_text("DIALER_VAANIVOICE_BASE_URL=http://127.0.0.1:9\nDIALER_LOG_LEVEL=debug\n")
    file.chmod(0o644)
    done = command(home, "doctor", without=("DIALER_VAANIVOICE_API_KEY", "DIALER_VAANI_API_KEY"))
    assert f"{file} was read" in done.stdout
    file.unlink()
    done = command(home, "doctor", without=("DIALER_VAANIVOICE_API_KEY", "DIALER_VAANI_API_KEY"))
    assert f"there is no {file}" in done.stdout


def test_a_link_to_a_file_of_ones_own_is_as_good(home: Home) -> None:
    (home.path / "options").write_text("DIALER_HOME=other\n")
    (home.path / "options").chmod(0o600)
    (home.path / ".env").symlink_to("options")
    done = command(home, "campaigns", without=("DIALER_HOME",))
    assert done.returncode == 0, done.stderr
    assert (home.path / "other" / "ledger.db").exists()
