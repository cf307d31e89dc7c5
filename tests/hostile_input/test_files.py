"""Every file of the program is its owner's alone, whatever the umask, and a home that others can read is closed."""

import stat
from collections.abc import Iterator
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.acceptance.dialer_process import QUICK, Home, Provider, dialing, provider_process, settings_for, write_list
from tests.forked import run_forked

pytestmark = pytest.mark.acceptance


def modes(folder: Path) -> dict[str, int]:
    """Path -> permissions, of everything in the folder and itself."""
    return {str(path): stat.S_IMODE(path.lstat().st_mode) for path in (folder, *folder.rglob("*"))}


def command(home: Home, *words: str, umask: int = 0, **settings: str) -> "CompletedProcess[str]":
    return run_forked(["dialer", *words], env=home.environment | settings, cwd=home.path, text=True, umask=umask)


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    """A simulator whose calls are quick."""
    with provider_process([*QUICK, "--outcomes=answered=1"]) as running:
        yield running


@pytest.fixture
def home(tmp_path: Path, provider: Provider) -> Home:
    """A home, with a list that holds a row to reject."""
    with write_list(tmp_path / "list.csv", 3).open("a") as file:
        file.write("C,12,Pune\n")
    return Home(tmp_path, settings_for(provider))


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_all_that_is_written_is_private(home: Home, umask: int) -> None:
    for words in (
        ("run", "list.csv", *dialing(rate=20)),
        ("check", "list.csv"),
        ("export", "list", "--transcripts", "--recordings", "said"),
    ):
        done = command(home, *words, umask=umask)
        assert done.returncode in (0, 1), done.stderr
        assert "Traceback" not in done.stderr
    found = modes(home.path / "home") | modes(home.path / "said")
    assert {"ledger.db", "list.csv", "list.check.csv"} <= {Path(path).name for path in found}
    assert {path: oct(mode) for path, mode in found.items() if mode & 0o077} == {}


def test_what_lies_open_while_a_worker_runs_is_private_too(home: Home) -> None:
    home.command("enqueue", "list.csv", *dialing(rate=1))
    worker = home.start("worker")
    try:
        check = (home.path / "home" / "health").exists
        for _ in range(600):
            if check() and (home.path / "home" / "ledger.db-wal").exists():
                break
            worker.process.poll()
            home.glance()
        found = modes(home.path / "home")
    finally:
        worker.process.terminate()
        worker.ended()
    assert {"redis.sock", "redis.json", "ledger.db-wal", "health"} <= {Path(path).name for path in found}
    assert {path: oct(mode) for path, mode in found.items() if mode & 0o077} == {}


def test_a_home_and_a_ledger_of_ours_that_were_left_open_are_closed(home: Home) -> None:
    home.command("enqueue", "list.csv", *dialing())
    place = home.path / "home"
    place.chmod(0o755)
    for name in ("ledger.db", "ledger.db-wal", "ledger.db-shm"):
        if (place / name).exists():
            (place / name).chmod(0o644)
    home.command("campaigns")
    assert {path: oct(mode) for path, mode in modes(place).items() if mode & 0o077} == {}


def test_a_directory_of_others_that_all_can_read_is_refused_with_the_command(home: Home) -> None:
    place = home.path / "home"
    place.mkdir(mode=0o755)
    place.chmod(0o755)
    (place / "holiday.jpg").write_text("")
    done = command(home, "campaigns")
    assert done.returncode == 2
    assert f"mend it with: chmod 700 {place}" in done.stderr
    assert stat.S_IMODE(place.stat().st_mode) == 0o755
    assert "FAILED home" in command(home, "doctor").stdout
    place.chmod(0o700)
    assert command(home, "campaigns").returncode == 0


def test_a_sticky_directory_is_never_closed(home: Home) -> None:
    place = home.path / "home"
    place.mkdir()
    place.chmod(0o1777)
    done = command(home, "campaigns")
    assert done.returncode == 2
    assert f"set DIALER_HOME={place}/dialer, which is made private" in done.stderr
    assert stat.S_IMODE(place.stat().st_mode) == 0o1777
    assert command(home, "campaigns", DIALER_HOME=f"{place}/dialer").returncode == 0
    assert stat.S_IMODE((place / "dialer").stat().st_mode) == 0o700
