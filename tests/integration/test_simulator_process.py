"""The simulator as a process: what it prints, what it leaves, and how it is steered while it runs."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path

import httpx
import pytest

from dialer.simulator.__main__ import flag_of
from dialer.simulator.options import SECTIONS, Options
from tests.simulator_support import AGENT, line
from tests.socket_client import opened

NUMBER = "+919876543210"


@contextmanager
def process(*switches: str) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    command = [sys.executable, "-m", "dialer.simulator", *switches]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=os.environ) as running:
        try:
            first = (running.stderr if "--json" in switches else running.stdout).readline()  # type: ignore[union-attr]
            assert first.startswith("simulator listening on http://127.0.0.1:")
            yield running, first.split()[-1]
        finally:
            running.kill()


def call(url: str, number: str = NUMBER) -> httpx.Response:
    body = {"agent_id": AGENT, "contact_number": number, "name": "Asha", "metadata": {"ref": "k1"}}
    return httpx.post(f"{url}/api/trigger-call/", json=body, headers={"X-API-Key": "k"}, trust_env=False)


async def test_sockets_open_on_the_loop_of_the_process() -> None:
    with process() as (_, url):
        async with httpx.AsyncClient(base_url=url, headers={"X-API-Key": "k"}, trust_env=False) as http:
            created = await http.post("/api/webrtc/session/create", json={"agent_id": AGENT})
        token = created.raise_for_status().json()["session_token"]
        async with opened(f"{url}/api/webrtc/session/ws/{token}") as socket:
            await (await socket.connection.ping())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_with_a_table_and_the_books(tmp_path: Path, number: signal.Signals) -> None:
    books = tmp_path / "books.json"
    with process("--outcomes", "busy=1", "--books", str(books)) as (running, url):
        assert [call(url).status_code for _ in range(2)] == [200, 200]
        running.send_signal(number)
        printed, errors = running.communicate(timeout=300)
    assert (running.returncode, errors) == (0, "")
    assert NUMBER not in printed
    assert "***********10" in printed
    rows = {" ".join(row.split()[:-1]): row.split()[-1] for row in printed.splitlines()[1:]}
    assert (rows["requests 200"], rows["outcomes busy"], rows["people called more than once"]) == ("2", "2", "1")
    kept = json.loads(books.read_text(encoding="utf-8"))
    assert [(entry["to"], entry["variables"]) for entry in kept["calls"]] == [(NUMBER, {"ref": "k1"})] * 2
    assert [entry["status"] for entry in kept["requests"]] == [200, 200]


def test_it_ends_at_once_though_a_request_is_stalled() -> None:
    body = json.dumps({"agent_id": AGENT, "contact_number": NUMBER, "name": "Asha"})
    head = f"POST /api/trigger-call/ HTTP/1.1\r\nhost: x\r\nx-api-key: k\r\ncontent-length: {len(body)}\r\n\r\n"
    with process("--fault", "stalled=1") as (running, url), socket.socket() as stalled:
        stalled.connect(("127.0.0.1", int(url.rsplit(":", 1)[1])))
        stalled.sendall((head + body).encode())
        while not httpx.get(f"{url}/_sim/books", trust_env=False).json()["calls"]:
            pass
        running.send_signal(signal.SIGTERM)
        printed, errors = running.communicate(timeout=300)
        assert stalled.recv(1) == b""
    assert (running.returncode, errors) == (0, "")
    assert "stalled" in printed


def test_json_is_the_one_document_on_stdout() -> None:
    with process("--json", "--fault", "500=1") as (running, url):
        assert call(url).status_code == 500
        running.send_signal(signal.SIGTERM)
        printed, _ = running.communicate(timeout=300)
    seen = json.loads(printed)
    assert (seen["requests"], seen["faults"], seen["calls"]) == ({"500": 1}, {"500": 1}, {})
    assert seen["most_requests_in_a_second"] == 1


@pytest.mark.parametrize(
    ("switches", "message"),
    [
        (["--fault", "fire=1"], "unknown fault 'fire'"),
        (["--fault", "500"], "not NAME=VALUE"),
        (["--fault", "500=often"], "faults: Input should be a valid number"),
        (["--ring-s", "3,1"], "ring_s"),
    ],
)
def test_wrong_switches_are_named(switches: list[str], message: str) -> None:
    command = [sys.executable, "-m", "dialer.simulator", *switches]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert message in ended.stderr


def test_a_taken_port_is_told() -> None:
    with process() as (_, url):
        command = [sys.executable, "-m", "dialer.simulator", "--port", url.rsplit(":", 1)[1]]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert "cannot listen on port" in ended.stderr


def test_help_says_which_faults_place_the_call() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "dialer.simulator", "--help"], capture_output=True, text=True, check=True
    )
    rows = [row.split() for row in ended.stdout.splitlines()]
    assert ["dropped", "placed"] in [row[:2] for row in rows]
    assert ["unread", "NOT", "placed"] in [row[:3] for row in rows]


def test_the_documentation_lists_every_switch_with_its_section() -> None:
    told = (Path(__file__).parents[2] / "docs" / "simulator.md").read_text(encoding="utf-8")
    rows = {row.split("`")[1]: row.split("|")[-2].strip() for row in told.splitlines() if row.startswith("| `--")}
    assert rows == {flag_of(item.name): SECTIONS.get(item.name, "") for item in fields(Options)}


async def test_faults_can_be_changed_while_it_runs() -> None:
    async with line() as it:
        assert (await it.trigger()).status_code == 200
        assert (await it.http.post("/_sim/options", json={"faults": {"503": 1}})).json() == {"changed": True}
        assert (await it.trigger()).status_code == 503
        wrong = await it.http.post("/_sim/options", json={"faults": {"fire": 1}})
        assert (wrong.status_code, "fire" in wrong.json()["detail"]) == (422, True)
        assert (await it.http.post("/_sim/options", json={"port": 1})).status_code == 422
        assert (await it.http.post("/_sim/options", content="[")).status_code == 422


async def test_the_books_are_open_while_it_runs() -> None:
    async with line() as it:
        await it.trigger(NUMBER, metadata={"ref": "k1"})
        it.clock.advance(6)
        kept = (await it.http.get("/_sim/books")).json()
        assert len(kept["requests"]) == 1
        (entry,) = kept["calls"]
        assert (entry["to"], entry["variables"], entry["state"]) == (NUMBER, {"ref": "k1"}, "answered")
        assert (entry["dialing_at"] - entry["accepted_at"], entry["ended_at"] - entry["answered_at"]) == (1, 10)
        assert (await it.http.get("/_sim/summary")).json()["most_live_calls"] == 1
