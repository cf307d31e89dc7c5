"""The embedded Redis: shared, started again by whoever needs it, never two for one home, and gone without a trace."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from dialer.adapters.local.embedded_redis import embedded_redis
from dialer.adapters.local.redis_server import addresses, answers
from dialer.errors import QueueUnavailable
from tests.acceptance.dialer_process import ROOT, until

HOLDER = """
import sys
from pathlib import Path
from dialer.adapters.local.embedded_redis import embedded_redis
with embedded_redis(Path(sys.argv[1])) as url:
    print(url, flush=True)
    sys.stdin.read()
"""
Hold = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def hold() -> Iterator[Hold]:
    """Starts a process that uses a home's Redis until its stdin is closed."""
    started: list[subprocess.Popen[str]] = []

    def start(home: Path, **environment: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(home)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline().startswith("unix://")
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def server_of(home: Path) -> int:
    return int(json.loads((home / "redis.json").read_text())["pid"])


def address_of(home: Path) -> Path:
    return Path(json.loads((home / "redis.json").read_text())["socket"])


def serves(home: Path, other_than: int) -> bool:
    with suppress(OSError, ValueError):
        return server_of(home) != other_than and answers(address_of(home)) is True
    return False


def is_alive(pid: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


@pytest.fixture
def temporary(tmp_path: Path) -> Path:
    """A directory for temporary files that no other test uses."""
    path = tmp_path / "temporary"
    path.mkdir()
    return path


def test_it_lives_in_the_home_and_leaves_no_socket_behind(
    tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    home = tmp_path / "home"
    with embedded_redis(home) as url:
        pid = server_of(home)
        assert url == f"unix://{home}/redis.sock?db=0"
        assert answers(home / "redis.sock")
    assert not is_alive(pid)
    assert {path.name for path in home.iterdir()} == {"redis.lock", "redis.owner"}
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("name", ["a b", "a'b\"c", "a?b", "%41bc", "a#b", "a&b", "काम"])
def test_any_name_of_a_home_works(tmp_path: Path, name: str) -> None:
    from redis import Redis

    with embedded_redis(tmp_path / name) as url, Redis.from_url(url) as client:
        assert client.ping()


def test_a_home_that_is_too_deep_for_a_socket_has_one_among_the_temporary_files(tmp_path: Path) -> None:
    home = tmp_path / ("deep" * 30)
    with embedded_redis(home):
        folder = address_of(home).parent
        assert answers(address_of(home))
        assert folder.parent == Path(tempfile.gettempdir())
        assert folder.stat().st_mode & 0o777 == 0o700
    assert not folder.exists()


def test_a_folder_that_somebody_else_prepared_is_not_used(tmp_path: Path) -> None:
    home = tmp_path / ("deep" * 30)
    home.mkdir()
    folder = addresses(home.resolve())[0].parent
    folder.mkdir(mode=0o777)
    folder.chmod(0o777)
    try:
        with pytest.raises(QueueUnavailable, match="belongs to somebody else"), embedded_redis(home):
            pass
    finally:
        folder.rmdir()


def test_a_runtime_directory_that_is_gone_does_not_matter(tmp_path: Path, hold: Hold) -> None:
    process = hold(tmp_path, XDG_RUNTIME_DIR="/run/user/424242", TMPDIR="/nowhere/at/all")
    assert answers(address_of(tmp_path))
    assert process.poll() is None


@pytest.mark.parametrize("how", ["ends", "is killed", "server is killed"])
def test_who_shares_it_starts_it_again_when_its_owner(how: str, tmp_path: Path, hold: Hold) -> None:
    owner = hold(tmp_path)
    first = server_of(tmp_path)
    with embedded_redis(tmp_path) as url:
        assert server_of(tmp_path) == first
        if how == "ends":
            owner.communicate("")
        elif how == "is killed":
            owner.kill()
        else:
            os.kill(first, signal.SIGKILL)
        until(lambda: serves(tmp_path, first), "another server")
        assert f"unix://{address_of(tmp_path)}?db=0" == url


def test_it_comes_back_when_its_socket_vanishes(tmp_path: Path) -> None:
    with embedded_redis(tmp_path):
        first = server_of(tmp_path)
        (tmp_path / "redis.sock").unlink()
        until(lambda: serves(tmp_path, first), "another server")
        assert not is_alive(first)


def test_it_comes_back_when_its_temporary_folder_vanishes(tmp_path: Path) -> None:
    home = tmp_path / ("deep" * 30)
    with embedded_redis(home):
        first = server_of(home)
        shutil.rmtree(address_of(home).parent)
        until(lambda: serves(home, first), "another server")


def test_two_for_one_home_are_refused_with_the_way_out(tmp_path: Path, hold: Hold) -> None:
    """As with PrivateTmp, or in two containers over one volume: the socket of the first cannot be reached."""
    home, one, other = tmp_path / ("deep" * 30), tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()
    hold(home, TMPDIR=str(one))
    (home / "redis.json").write_text(json.dumps({"socket": str(other / "unseen.sock"), "pid": 1}))
    with pytest.raises(QueueUnavailable, match="Set DIALER_REDIS_URL"), embedded_redis(home):
        pass


def test_a_killed_owner_leaves_no_server_and_no_directory(tmp_path: Path, temporary: Path, hold: Hold) -> None:
    owner = hold(tmp_path, TMPDIR=str(temporary))
    pid = server_of(tmp_path)
    owner.kill()
    until(lambda: not is_alive(pid), "the server's end")
    assert list(temporary.iterdir()) == []
    with embedded_redis(tmp_path):
        assert server_of(tmp_path) != pid


def test_why_it_does_not_start_is_told(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("#!/bin/sh\necho '1:M 1 Jan 2027 00:00:00.000 # Fatal: out of luck' >&2\nexit 3\n")
    with (
        pytest.raises(QueueUnavailable, match="cannot be run: Permission denied"),
        embedded_redis(tmp_path, str(wrong)),
    ):
        pass
    wrong.chmod(0o700)
    with (
        pytest.raises(QueueUnavailable, match="did not start: Fatal: out of luck"),
        embedded_redis(tmp_path, str(wrong)),
    ):
        pass
    wrong.write_text("#!/bin/sh\nexit 3\n")
    with pytest.raises(QueueUnavailable, match="ended with code 3"), embedded_redis(tmp_path, str(wrong)):
        pass


def test_a_file_that_is_no_socket_in_the_homes_place_is_replaced(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as left_behind:
        left_behind.bind(str(tmp_path / "redis.sock"))
    with ExitStack() as stack:
        stack.enter_context(embedded_redis(tmp_path))
        assert answers(tmp_path / "redis.sock")
