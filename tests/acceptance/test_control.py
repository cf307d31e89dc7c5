"""pause, resume, cancel, Ctrl-C and halts: what the operator was told holds at the provider."""

import json
import signal

import pytest

from tests.acceptance.conftest import OpenHome, OpenProvider
from tests.acceptance.dialer_process import (
    Books,
    Ended,
    Home,
    Provider,
    Running,
    dialing,
    finals,
    stays,
    until,
    write_list,
)

pytestmark = pytest.mark.acceptance

RATE, CONTACTS = 10, 200
"""Some time: a command that starts slowly still finds people who wait."""


def dial_in_background(home: Home, command: str) -> Running:
    """Dial a list, in the foreground command or by a worker; either runs beside the test."""
    contacts = write_list(home.path / "list.csv", CONTACTS)
    if command == "run":
        return home.start("run", str(contacts), *dialing(rate=RATE))
    home.command("enqueue", str(contacts), *dialing(rate=RATE))
    return home.start("worker")


def assert_nothing_after(provider: Provider, told: Ended) -> Books:
    """No request was received after a command had returned, nor comes later."""
    seen = len(provider.books().placing)
    assert stays(lambda: provider.placed() <= seen, 1.5)
    books = provider.books()
    late = [at - told.at for at in books.placing if at > told.at]
    assert late == []
    assert 30 <= len(books.placing) < CONTACTS
    return books


def assert_once_each(provider: Provider, count: int = CONTACTS) -> None:
    """Everybody was called, nobody twice."""
    books = provider.books()
    assert {len(one) for one in books.by_number().values()} == {1}
    assert len(books.calls) == count


@pytest.mark.parametrize("command", ["run", "worker"])
def test_no_request_arrives_after_pause_returned(
    open_provider: OpenProvider, open_home: OpenHome, command: str
) -> None:
    provider = open_provider("--answer-s=0,0.2")
    home = open_home(provider)
    running = dial_in_background(home, command)
    for calls in (30, 70):
        until(lambda calls=calls: provider.placed() >= calls, f"{calls} calls")  # type: ignore[misc]
        told = home.command("pause", "list", "--json")
        assert told.json() == {"campaign": "list", "status": "paused"}
        assert_nothing_after(provider, told)
        assert home.report()["status"] == "paused"
        assert home.command("resume", "list", "--json").json()["status"] == "running"
    if command == "run":
        assert running.ended().code == 0
    home.until_status("finished")
    assert_once_each(provider)


@pytest.mark.parametrize("command", ["run", "worker"])
def test_no_request_arrives_after_cancel_returned(
    open_provider: OpenProvider, open_home: OpenHome, command: str
) -> None:
    provider = open_provider("--answer-s=0,0.2")
    home = open_home(provider)
    running = dial_in_background(home, command)
    until(lambda: provider.placed() >= 30, "30 calls")
    told = home.command("cancel", "list", "--json")
    assert told.json() == {"campaign": "list", "status": "cancelled"}
    books = assert_nothing_after(provider, told)
    if command == "run":
        assert running.ended().code == 1
        home.start("worker")
    until(lambda: finals(home.glance()) == CONTACTS, "every contact is accounted for")
    report = home.report()
    assert report["status"] == "cancelled"
    assert report["contacts"]["cancelled"] == CONTACTS - len(books.calls)
    assert sum(report["dispositions"].values()) == len(books.calls)
    refused = home.command("resume", "list", code=2)
    assert "cancelled" in refused.err
    assert {len(one) for one in provider.books().by_number().values()} == {1}


def test_ctrl_c_stops_cleanly_and_the_same_command_goes_on(open_provider: OpenProvider, open_home: OpenHome) -> None:
    provider = open_provider()
    home = open_home(provider)
    running = dial_in_background(home, "run")
    for calls in (30, 80):
        until(lambda calls=calls: provider.placed() >= calls, f"{calls} calls")  # type: ignore[misc]
        address = json.loads((home.path / "home" / "redis.json").read_text())["socket"]
        running.signal(signal.SIGINT)
        ended = running.ended()
        assert ended.code == 130
        assert "goes on" in ended.err
        assert home.leftovers(address) == []
        before = provider.placed()
        assert before < CONTACTS
        running = home.start("run", str(home.path / "list.csv"), *dialing(rate=RATE))
    assert running.ended().code == 0
    assert_once_each(provider)
    assert finals(home.report()) == CONTACTS
    assert home.leftovers(address) == []


def test_ctrl_c_leaves_no_rehearsal_behind(open_provider: OpenProvider, open_home: OpenHome) -> None:
    home = open_home(open_provider())
    contacts = write_list(home.path / "list.csv", 40)
    running = home.start("run", str(contacts))
    until(lambda: any("dialer.simulator" in one for one in home.leftovers()), "the built-in simulator")
    until(lambda: "rows:" in running.out.read_text() or (home.path / "home" / "redis.json").exists(), "the import")
    address = json.loads((home.path / "home" / "redis.json").read_text())["socket"]
    running.signal(signal.SIGINT)
    assert running.ended().code == 130
    assert home.leftovers(address) == []


def test_a_refused_key_halts_until_start(open_provider: OpenProvider, open_home: OpenHome) -> None:
    provider = open_provider("--key=another")
    home = open_home(provider)
    contacts = write_list(home.path / "list.csv", 40)
    run = ("run", str(contacts), *dialing(rate=RATE))
    ended = home.command(*run, "--json", code=3)
    report = ended.json()
    assert report["status"] == "halted"
    assert "key" in report["halt_reason"]
    assert report.pop("notes")
    assert report == home.report() | {"calls_per_second": report["calls_per_second"]}
    assert len(provider.books().placing) < 40
    assert provider.placed() == 0
    provider.change(key=None)
    assert home.command("start", "list", "--json").json()["status"] == "running"
    assert home.command(*run).code == 0
    assert_once_each(provider, 40)


def test_an_empty_wallet_halts_until_start(open_provider: OpenProvider, open_home: OpenHome) -> None:
    provider = open_provider("--balance=20", "--cost-per-call=1", "--cost-per-minute=0")
    home = open_home(provider)
    contacts = write_list(home.path / "list.csv", 60)
    home.command("enqueue", str(contacts), *dialing(rate=RATE))
    worker = home.start("worker")
    home.until_status("halted")
    report = home.report()
    assert "wallet" in report["halt_reason"] or "credit" in report["halt_reason"]
    assert provider.placed() == 20
    assert stays(lambda: provider.placed() == 20 and worker.alive, 1.0)
    provider.change(balance=None)
    home.command("start", "list")
    home.until_status("finished")
    assert_once_each(provider, 60)
    assert home.report()["cost"] == pytest.approx(60, abs=0.01)
