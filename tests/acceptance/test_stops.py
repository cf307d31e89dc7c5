"""Every command ends when it is told to, whatever it waits for, and leaves no process and no directory behind."""

import json
import os
import signal
import sqlite3
from contextlib import suppress
from pathlib import Path

import pytest

from dialer.adapters.local.file_lock import file_lock
from tests.acceptance.conftest import OpenHome, OpenProvider
from tests.acceptance.dialer_process import Home, Provider, Running, dialing, until, write_list
from tests.redis_server import RedisServer

pytestmark = pytest.mark.acceptance

LONG = 150_000
"""Rows: enough that processes of their own read the numbers, and that they are not done at once."""


@pytest.fixture(scope="module")
def long_list(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A list that takes a while."""
    return write_list(tmp_path_factory.mktemp("lists") / "list.csv", LONG)


@pytest.fixture
def temporary(tmp_path: Path) -> Path:
    """A directory for temporary files that no other test uses."""
    path = tmp_path / "temporary"
    path.mkdir()
    return path


@pytest.fixture
def home(open_home: OpenHome, temporary: Path) -> Home:
    """A home whose provider is never asked."""
    return open_home(Provider("http://127.0.0.1:9"), TMPDIR=str(temporary))


def workers_of(running: Running) -> list[int]:
    """The processes that read numbers for a command."""
    children = Path(f"/proc/{running.process.pid}/task").glob("*/children")
    pids = [int(pid) for path in children for pid in path.read_text().split()]
    return [pid for pid in pids if b"spawn_main" in commandline(pid)]


def commandline(pid: int) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def importing(home: Home, *words: str) -> Running:
    running = home.start(*words, *dialing(rate=5))
    until(lambda: workers_of(running) != [] and home_has_rows(home), "the import's processes")
    return running


def home_has_rows(home: Home) -> bool:
    with suppress(Exception):
        return bool(home.glance()["contacts"]["total"])
    return False


@pytest.mark.parametrize("number_of", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_an_import_that_is_ended_leaves_no_process(home: Home, long_list: Path, number_of: signal.Signals) -> None:
    running = importing(home, "enqueue", str(long_list))
    running.signal(number_of)
    ended = running.ended()
    assert ended.code == (-signal.SIGKILL if number_of is signal.SIGKILL else 130)
    until(lambda: home.leftovers() == [], "the end of its processes")
    assert "Traceback" not in ended.err
    assert home.glance()["contacts"]["total"] < LONG


@pytest.mark.parametrize("number_of", [signal.SIGINT, signal.SIGHUP])
def test_a_run_is_interrupted_in_the_middle_of_its_import(
    home: Home, temporary: Path, long_list: Path, number_of: signal.Signals
) -> None:
    running = importing(home, "run", str(long_list))
    running.signal(number_of)
    ended = running.ended()
    assert (ended.code, "the same command goes on" in ended.err) == (130, True)
    until(lambda: home.leftovers() == [], "the end of its processes")
    assert home.glance()["contacts"]["total"] < LONG
    assert list(temporary.iterdir()) == []


def test_a_reader_that_is_killed_is_told_of_in_a_line(home: Home, long_list: Path) -> None:
    running = importing(home, "enqueue", str(long_list))
    for pid in workers_of(running):
        if b"resource_tracker" not in commandline(pid):
            os.kill(pid, signal.SIGKILL)
    ended = running.ended()
    assert ended.code == 1
    assert "Traceback" not in ended.err
    assert "the same list again adds the rest" in ended.err


def test_a_cancel_ends_an_import_and_leaves_nobody_waiting(home: Home, long_list: Path) -> None:
    running = importing(home, "enqueue", str(long_list))
    home.command("cancel", "list")
    ended = running.ended()
    assert (ended.code, "was cancelled" in ended.err) == (2, True)
    contacts = home.report()["contacts"]
    assert contacts["cancelled"] == contacts["total"] < LONG


@pytest.mark.parametrize("number_of", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_command_that_waits_for_a_lock_ends(home: Home, number_of: signal.Signals) -> None:
    home.command("campaigns")
    with file_lock(home.path / "home" / "ledger.lock"):
        running = home.start("campaigns")
        until(lambda: waits_for_a_lock(running), "the wait")
        running.signal(number_of)
        assert running.ended().code == 130


def waits_for_a_lock(running: Running) -> bool:
    threads = Path(f"/proc/{running.process.pid}/task").glob("*/syscall")
    flock = {"x86_64": "73", "aarch64": "32"}[os.uname().machine]
    with suppress(OSError):
        return any(path.read_text().split()[0] == flock for path in threads)
    return False


def test_a_worker_that_cannot_reach_its_ledger_ends(home: Home) -> None:
    worker = home.start("worker")
    until(lambda: home.command("worker", "--check", code=None).code == 0, "a worker that is well")
    with file_lock(home.path / "home" / "ledger.lock"):
        until(lambda: home.command("worker", "--check", code=None).code == 1, "a worker that is not well")
        worker.signal(signal.SIGTERM)
        worker.ended()
    assert home.leftovers() == []


def test_a_worker_ends_once_a_newer_program_upgraded_its_ledger(home: Home) -> None:
    worker = home.start("worker")
    until(lambda: home.command("worker", "--check", code=None).code == 0, "a worker that is well")
    with sqlite3.connect(home.path / "home" / "ledger.db") as ledger:
        ledger.execute("UPDATE alembic_version SET version_num = '9999'")
    ledger.close()
    ended = worker.ended()
    assert ended.code == 1
    assert ended.err.splitlines()[-1].startswith("dialer: the ledger has schema 9999, this program knows ")


def test_a_run_ends_while_redis_is_away(
    open_provider: OpenProvider, open_home: OpenHome, own_redis: RedisServer
) -> None:
    home = open_home(open_provider("--outcomes=answered=1"), DIALER_REDIS_URL=own_redis.url)
    running = home.start("run", str(write_list(home.path / "list.csv", 200)), *dialing(rate=5))
    until(lambda: "worker.started" in running.err.read_text(), "the start")
    own_redis.kill()
    until(lambda: "redis.unreachable" in running.err.read_text(), "a word of it")
    running.signal(signal.SIGINT)
    assert running.ended().code == 130
    assert home.leftovers() == []


def test_a_worker_waits_for_a_redis_that_comes_late(
    open_provider: OpenProvider, open_home: OpenHome, own_redis: RedisServer
) -> None:
    provider = open_provider("--outcomes=answered=1")
    home = open_home(provider, DIALER_REDIS_URL=own_redis.url)
    own_redis.kill()
    home.command("enqueue", str(write_list(home.path / "list.csv", 5)), *dialing(rate=50))
    worker = home.start("worker")
    until(lambda: worker.err.read_text().count("redis.unreachable") > 1, "a word of it")
    assert home.command("worker", "--check", code=1).err.startswith("worker: ")
    own_redis.start()
    until(lambda: provider.placed() == 5, "the calls")
    worker.signal(signal.SIGTERM)
    assert worker.ended().code == 0


def test_a_run_of_a_paused_campaign_says_so(open_provider: OpenProvider, open_home: OpenHome) -> None:
    home = open_home(open_provider("--outcomes=answered=1"))
    contacts = str(write_list(home.path / "list.csv", 5))
    home.command("enqueue", contacts, *dialing(rate=50))
    home.command("pause", "list")
    running = home.start("run", contacts, *dialing(rate=50))
    until(lambda: "list is paused: it goes on with `dialer resume list`" in running.err.read_text(), "a word of it")
    assert "5 rows: 0 queued" in running.out.read_text()
    home.command("resume", "list")
    assert running.ended().code == 0


def test_a_hang_up_is_no_end_under_nohup(open_provider: OpenProvider, open_home: OpenHome) -> None:
    home = open_home(open_provider("--outcomes=answered=1"))
    home.afresh = True  # what nohup does is done to a process before it starts
    contacts = str(write_list(home.path / "list.csv", 30))
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        running = home.start("run", contacts, *dialing(rate=10))
    finally:
        signal.signal(signal.SIGHUP, before)
    until(lambda: "worker.started" in running.err.read_text(), "the start")
    running.signal(signal.SIGHUP)
    assert running.ended().code == 0


def test_no_worker_on_this_host_is_said(home: Home) -> None:
    assert home.command("worker", "--check", code=1).err == "worker: no worker has run here\n"
    (home.path / "home" / "health").mkdir(parents=True)
    (home.path / "home" / "health" / f"{os.uname().nodename}.{os.getpid()}.json").write_text(json.dumps([1]))
    assert "cannot be read" in home.command("worker", "--check", code=1).err
