"""``dialer run``, compared with the provider's own books."""

import json
from collections import Counter
from typing import Any

import pytest

from tests.acceptance.conftest import OpenHome, OpenProvider
from tests.acceptance.dialer_process import (
    KEY,
    Books,
    Home,
    dialing,
    finals,
    number,
    until,
    write_list,
)

pytestmark = pytest.mark.acceptance

CONTACTS = 200
PICKED_UP = ("answered", "voicemail")


def run_list(home: Home, dialect: str, *, count: int = CONTACTS, rate: float = 100, most: int = 1) -> dict[str, Any]:
    """Dial a list in the foreground; the report."""
    contacts = write_list(home.path / "list.csv", count)
    ended = home.command("run", str(contacts), *dialing(dialect, rate=rate, lines=100, most=most), "--json")
    report: dict[str, Any] = ended.json()
    return report


def assert_adds_up(report: dict[str, Any], count: int) -> None:
    """Every row and every contact is accounted for, and final."""
    imported, contacts = report["import"], report["contacts"]
    parts = sum(imported[name] for name in ("queued", "duplicate", "suppressed", "invalid", "deferred"))
    assert (imported["rows"], parts) == (count, count)
    assert (contacts["total"], finals(report)) == (count, count)
    states = {name: n for name, n in report["attempts"].items() if name != "total"}
    assert sum(states.values()) == report["attempts"]["total"]
    assert report["status"] == "finished"
    assert (report["unknown_now"], report["unexplained_calls"], report["unmapped_words"]) == (0, 0, {})


def talk_s(call: dict[str, Any]) -> float | None:
    return call["ended_at"] - call["answered_at"] if call["answered_at"] is not None else None


def assert_equal_to_books(home: Home, books: Books) -> None:
    """One call for each contact, and what the export says of it is what the provider wrote."""
    calls = books.by_number()
    assert sorted(calls) == [number(n) for n in range(CONTACTS)]
    assert {len(one) for one in calls.values()} == {1}
    assert len(books.placing) == CONTACTS
    rows = home.export()
    assert len(rows) == CONTACTS
    for row in rows:
        (call,) = calls[row["phone"]]
        assert (row["disposition"], row["call_id"], row["attempts"]) == (call["outcome"], call["call_id"], "1")
        talked = talk_s(call)
        assert (float(row["duration_s"]) if row["duration_s"] else 0.0) == pytest.approx(talked or 0.0, abs=0.1)


def test_a_list_over_vaanivoice_equals_the_books(open_provider: OpenProvider, open_home: OpenHome) -> None:
    provider = open_provider("--seed=3")
    home = open_home(provider)
    report = run_list(home, "vaanivoice")
    books = provider.books()
    assert_adds_up(report, CONTACTS)
    assert_equal_to_books(home, books)
    outcomes = Counter(call["outcome"] for call in books.calls)
    assert {name: n for name, n in report["dispositions"].items() if n} == dict(outcomes)
    assert report["cost"] == pytest.approx(sum(call["cost"] for call in books.calls), abs=0.01)


def test_a_list_over_vaani_equals_the_books(open_provider: OpenProvider, open_home: OpenHome) -> None:
    provider = open_provider("--seed=3", "--vaani-unanswered")
    home = open_home(provider)
    assert_adds_up(run_list(home, "vaani"), CONTACTS)
    assert_equal_to_books(home, provider.books())


def test_vaani_that_logs_only_what_connected(open_provider: OpenProvider, open_home: OpenHome) -> None:
    provider = open_provider("--seed=3")
    home = open_home(provider, DIALER_UNKNOWN_HORIZON_S="5", DIALER_MAX_CALL_S="4")
    assert_adds_up(run_list(home, "vaani"), CONTACTS)
    calls = provider.books().by_number()
    assert {len(one) for one in calls.values()} == {1}
    assert len(calls) == CONTACTS
    for row in home.export():
        (call,) = calls[row["phone"]]
        connected = call["outcome"] in PICKED_UP
        expected = (call["outcome"], call["call_id"]) if connected else ("no_answer", "")
        assert (row["disposition"], row["call_id"]) == expected
        talked = talk_s(call)
        assert (float(row["duration_s"]) if row["duration_s"] else 0.0) == pytest.approx(talked or 0.0, abs=0.1)


@pytest.mark.parametrize("dialect", ["vaanivoice", "vaani"])
def test_exactly_those_who_did_not_answer_are_called_again(
    open_provider: OpenProvider, open_home: OpenHome, dialect: str
) -> None:
    provider = open_provider("--outcomes=answered=0.7", "--outcomes=no_answer=0.3", "--vaani-unanswered", "--seed=5")
    home = open_home(provider, DIALER_REDIAL_SCALE="0.0001")
    report = run_list(home, dialect, most=3)
    assert_adds_up(report, CONTACTS)
    books = provider.books()
    calls = books.by_number()
    for of_person in calls.values():
        *earlier, last = [call["outcome"] for call in of_person]
        assert set(earlier) <= {"no_answer"}
        assert last == "answered" or len(of_person) == 3
    tries = Counter(len(of_person) for of_person in calls.values())
    assert tries[2] > 10
    assert tries[3] > 3
    assert {row["phone"]: int(row["attempts"]) for row in home.export()} == {
        phone: len(of_person) for phone, of_person in calls.items()
    }
    by_attempt = {row["call_id"]: row["disposition"] for row in home.export("list", "--attempts")}
    assert by_attempt == {call["call_id"]: call["outcome"] for call in books.calls}


def test_answers_that_got_lost_are_found_in_the_log(open_provider: OpenProvider, open_home: OpenHome) -> None:
    lost = ["dropped=0.1", "garbage=0.05", "half-body=0.05", "500-placed=0.05", "unread=0.05", "500=0.05"]
    provider = open_provider(*(f"--fault={one}" for one in lost), "--outcomes=answered=1")
    home = open_home(provider, DIALER_UNKNOWN_HORIZON_S="8", DIALER_MAX_CALL_S="6", DIALER_LOG_LEVEL="debug")
    report = run_list(home, "vaanivoice")
    assert_adds_up(report, CONTACTS)
    books = provider.books()
    assert {len(one) for one in books.by_number().values()} == {1}
    rows = {row["phone"]: row for row in home.export()}
    for phone, (call,) in books.by_number().items():
        assert (rows[phone]["disposition"], rows[phone]["call_id"]) == ("answered", call["call_id"])
    never = set(rows) - set(books.by_number())
    assert never
    assert {rows[phone]["disposition"] for phone in never} == {"unconfirmed"}
    assert report["unconfirmed"] == len(never)
    assert_private(home)


def assert_private(home: Home) -> None:
    """No output of any command but the export holds a number of the list, and none the key."""
    told = "".join(path.read_text() for one in home.running for path in (one.out, one.err) if "export" not in path.name)
    assert len(told) > 1000
    assert KEY not in told
    digits = "".join(told.split())
    assert [n for n in range(CONTACTS) if number(n)[3:] in digits] == []


def test_logs_hold_no_number_and_no_key(open_provider: OpenProvider, open_home: OpenHome) -> None:
    provider = open_provider("--fault=429-retry-after=0.1", "--fault=log-500=0.2", "--fault=503=0.02")
    home = open_home(provider, DIALER_LOG_LEVEL="debug", DIALER_UNKNOWN_HORIZON_S="8", DIALER_MAX_CALL_S="6")
    contacts = write_list(home.path / "list.csv", 60)
    home.command("run", str(contacts), *dialing(rate=50))
    assert_private(home)


def test_a_second_command_shares_the_embedded_redis(open_provider: OpenProvider, open_home: OpenHome) -> None:
    provider = open_provider("--outcomes=answered=1")
    home = open_home(provider, DIALER_LOG_LEVEL="debug")
    contacts = write_list(home.path / "list.csv", 150)
    running = home.start("run", str(contacts), *dialing(rate=10))
    note = home.path / "home" / "redis.json"
    until(lambda: provider.placed() > 5, "the first calls")
    first = note.read_text()
    home.command("pause", "list")
    worker = home.start("worker")
    until(lambda: "worker.started" in worker.err.read_text(), "the second command")
    home.command("resume", "list")
    until(lambda: "call.recorded" in worker.err.read_text(), "a call placed by the second command")
    assert note.read_text() == first
    address = json.loads(first)["socket"]
    assert len([one for one in home.leftovers(address) if address in one]) == 1
    assert running.ended().code == 0
    worker.process.terminate()
    assert worker.ended().code == 0
    books = provider.books()
    assert {len(one) for one in books.by_number().values()} == {1}
    assert len(books.calls) == 150
    assert home.leftovers(address) == []
    assert not note.exists()
