"""``dialer serve`` as a process: its start, its end, two of it, and visitors who mean no good."""

import os
import re
import signal
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from dialer.domain.access import make_token
from tests.acceptance.dialer_process import ROOT, Home, number, until, write_list
from tests.web.serving import Serving, answer_on, head, serve

pytestmark = pytest.mark.acceptance

QUICK_LIFE = {"DIALER_REDIAL_SCALE": "0.0005", "DIALER_RECONCILE_INTERVAL_S": "0.5", "DIALER_MAX_CALL_S": "15",
              "DIALER_UNKNOWN_HORIZON_S": "20"}  # fmt: skip
ALWAYS = ("--provider", "simulator", "--window", "always", "--agent", "any", "--rate", "0",
          "--concurrency", "0")  # fmt: skip
GIGABYTE = 2**30


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """A home of its own, with the embedded default."""
    made = Home(tmp_path, QUICK_LIFE)
    yield made
    made.end()


def enqueue(home: Home, people: int = 5) -> None:
    """A campaign ``list`` that has begun."""
    home.command("enqueue", str(write_list(home.path / "list.csv", people)), *ALWAYS)


def test_it_says_where_it_listens_and_ends_in_time(home: Home) -> None:
    serving = serve(home)
    lines = [line for line in serving.said.splitlines() if "new ledger" not in line]
    assert len(lines) == 1
    assert re.fullmatch(r"the console listens on http://127\.0\.0\.1:\d+/enter/dlr_\S+ \(opens once.*\)", lines[0])

    with serving.browser() as browser:
        assert browser.get("/").status_code == 200
        assert browser.get("/readyz").text == "ready\n"
    serving.running.signal(signal.SIGTERM)
    assert serving.running.ended().code == 0


def test_others_are_not_let_near_without_a_token(home: Home) -> None:
    for host in ("0.0.0.0", "::", "198.51.100.7"):
        ended = home.command("serve", "--host", host, "--port", "0", code=None)
        lines = [line for line in (ended.out + ended.err).splitlines() if "new ledger" not in line]
        assert len(lines) == 1, lines
        assert ended.code == (1 if host == "198.51.100.7" else 2), lines
    token = home.command("token", "add", "boss", "--role", "admin").out.strip()
    serving = serve(home, "--host", "0.0.0.0")
    assert serving.link == "/"
    with serving.program(token) as program:
        program.base_url = f"http://127.0.0.1:{serving.port}"
        assert program.get("/api/v1/tokens").status_code == 200


def test_a_token_that_is_over_does_not_lock_its_owner_out(home: Home) -> None:
    home.command("token", "add", "boss", "--role", "admin")
    home.command("token", "revoke", "boss")
    assert serve(home).link.startswith("/enter/")


def test_a_port_that_is_used_is_one_line(home: Home) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        for worker in ((), ("--worker",)):
            ended = home.command("serve", "--port", str(taken.getsockname()[1]), *worker, code=1)
            assert len((ended.out + ended.err).splitlines()) == 1, ended
            assert "cannot listen on 127.0.0.1" in ended.err


def stream(serving: Serving, cookie: str, address: str = "/campaigns/1/live") -> socket.socket:
    """An event stream of which the first event has come."""
    connection = socket.create_connection(("127.0.0.1", serving.port), 60)
    connection.sendall(head(serving, f"GET {address}", f"Cookie: {cookie}"))
    came = b""
    while b"event: " not in came:
        piece = connection.recv(65_536)
        assert piece, came
        came += piece
    return connection


def ends(connection: socket.socket) -> bool:
    """Whether a stream comes to its end as a whole answer does, on a connection that stays."""
    came = b""
    while not came.endswith(b"0\r\n\r\n"):
        piece = connection.recv(65_536)
        if not piece:
            return False
        came += piece
    return True


@pytest.mark.parametrize("worker", [(), ("--worker",)], ids=["alone", "with a worker"])
def test_it_ends_in_time_with_streams_open(home: Home, worker: tuple[str, ...]) -> None:
    enqueue(home)
    serving = serve(home, *worker)
    with serving.browser() as browser:
        cookie = f"dialer_session={browser.cookies['dialer_session']}"
        streams = [stream(serving, cookie) for _ in range(20)]
        streams += [stream(serving, cookie, "/api/v1/events?campaign=list")]
        with serving.wire() as waiting:
            # Half of a request keeps its connection, on which the end can be watched.
            waiting.sendall(head(serving, "GET /readyz")[:-2])
            serving.running.signal(signal.SIGTERM)
            for one in streams:
                assert ends(one)
                one.close()
            came = rest_on(waiting)
            assert b" 503 " in came or came == b"", "it is not ready, or it listens no more"
    assert serving.running.ended().code == 0
    assert "Traceback" not in serving.said


def rest_on(waiting: socket.socket) -> bytes:
    """The answer to a request whose end is sent now; nothing where the server has closed the connection."""
    try:
        waiting.sendall(b"\r\n")
        return answer_on(waiting)
    except (BrokenPipeError, ConnectionResetError):
        return b""


def test_two_that_serve_one_ledger_are_as_one(home: Home) -> None:
    enqueue(home)
    token = home.command("token", "add", "boss", "--role", "admin").out.strip()
    one, two = serve(home), serve(home)
    key = {"Idempotency-Key": "k-1"}
    with one.program(token) as first, two.program(token) as second:
        made = first.post("/api/v1/tokens", json={"name": "lead form"}, headers=key)
        assert made.status_code == 201
        with one.browser(token) as browser:
            cookie = f"dialer_session={browser.cookies['dialer_session']}"
        assert first.post("/api/v1/campaigns/list/pause", json={"reason": "look"}).json()["status"] == "paused"

        one.running.signal(signal.SIGKILL)
        one.running.process.wait()

        again = second.post("/api/v1/tokens", json={"name": "lead form"}, headers=key)
        assert (again.content, again.headers["idempotency-replayed"]) == (made.content, "true")
        assert second.get("/campaigns/1", headers={"Cookie": cookie}).status_code == 200
        assert second.get("/api/v1/campaigns/list").json()["status"] == "paused"
        assert [one["act"] for one in second.get("/api/v1/audit").json()["data"]].count("pause") == 1
    assert home.command("audit", "--verify").code == 0


def test_with_a_worker_it_dials_what_is_enqueued(home: Home) -> None:
    serving = serve(home, "--worker")
    home.command("enqueue", str(ROOT / "examples" / "contacts.csv"), *ALWAYS)

    until(lambda: home.glance("contacts")["contacts"]["reached"] > 5, "people are reached")
    with serving.browser() as browser:
        shown = browser.get("/api/v1/campaigns/contacts").json()
        assert (shown["status"], shown["provider"]) == ("running", "simulator")
        assert shown["contacts"]["reached"] > 5
        assert browser.get("/campaigns/1").status_code == 200
    serving.running.signal(signal.SIGTERM)
    assert serving.running.ended().code == 0


def test_large_slow_and_odd_visitors_keep_nobody_waiting_and_leave_a_quiet_log(home: Home) -> None:
    enqueue(home)
    token = home.command("token", "add", "boss", "--role", "admin").out.strip()
    serving = serve(home)
    said = serving.said
    idle = [socket.create_connection(("127.0.0.1", serving.port), 60) for _ in range(300)]
    for place, connection in enumerate(idle):
        if place % 3 == 1:
            connection.sendall(b"GET / HT")
        if place % 3 == 2:
            connection.sendall(head(serving, "POST /login", "Content-Length: 1000") + b"tok")
    with serving.program(token) as program, serving.browser(token) as browser:
        assert program.get("/api/v1/campaigns").status_code == 200
        _large(serving, token)
        _odd(serving)
        wrong = make_token(bytes(32))
        for _ in range(200):
            program.get("/api/v1/campaigns", headers={"Authorization": f"Bearer {wrong}"})
        for address in ("/%2B14155550123", "/api/v1/campaigns/+14155550123", "/login?back=/+14155550123"):
            browser.get(address)
        assert program.get("/livez").status_code == 200
    for connection in idle:
        connection.close()
    news = serving.said.removeprefix(said).splitlines()
    assert len(news) <= 1, news
    serving.running.signal(signal.SIGTERM)
    assert serving.running.ended().code == 0
    assert re.search(r"\d{7,}", re.sub(r"\d{4}-\d\d-\d\dT\S+|127\.0\.0\.1:\d+|dlr_\S+", "", serving.said)) is None
    assert not any(word in serving.said for word in (token, wrong, number(0), "Person"))


def _large(serving: Serving, token: str) -> None:
    """A gigabyte, by its length and in pieces: refused long before it was sent."""
    who = f"Authorization: Bearer {token}"
    for address in ("/api/v1/campaigns/list/pause", "/api/v1/imports", "/api/v1/campaigns/list/contacts"):
        with serving.wire() as wire:
            wire.sendall(head(serving, f"POST {address}", who, f"Content-Length: {GIGABYTE}") + b"x" * 10_000)
            came = answer_on(wire)
            assert b" 413 " in came, came
            assert b"connection: close" in came
    for address, expected in (("/api/v1/campaigns/list/pause", b" 413 "), ("/livez", b" 200 "), ("/logout", b" 303 ")):
        method = "GET" if address == "/livez" else "POST"
        with serving.wire() as wire:
            wire.sendall(head(serving, f"{method} {address}", "Transfer-Encoding: chunked", who * (address != "/logout")
                              or "X: y"))  # fmt: skip
            assert _sent(wire) < GIGABYTE / 4
            came = answer_on(wire)
            assert expected in came or came == b"", came


def _sent(wire: socket.socket) -> int:
    """How much of a gigabyte went out, until nobody took any more."""
    piece, sent = b"%x\r\n" % 65_536 + b"x" * 65_536 + b"\r\n", 0
    try:
        while sent < GIGABYTE:
            wire.sendall(piece)
            sent += len(piece)
    except OSError:
        pass
    return sent


def _odd(serving: Serving) -> None:
    for first in ("GET /../../etc/passwd", "GET /static/../../app.py", "GET /campaigns/1/../../admin", "GET //..//",
                  "GET http://evil.example/", "OPTIONS *", "TRACE /", "GET /" + "a" * 5_000, "GET /%00"):  # fmt: skip
        with serving.wire() as wire:
            wire.sendall(head(serving, first, "Connection: close"))
            status = answer_on(wire).split(b" ", 2)[1:2]
            assert status and status[0] in (b"303", b"400", b"404", b"405", b"414", b"421"), (first, status)
    for raw in (
        b"\x00\x01\x02\r\n\r\n", b"GET\r\n\r\n", os.urandom(500), b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET / HTTP/1.0\r\n\r\n", b"GET / HTTP/1.1\r\nA: " + b"b" * 300_000 + b"\r\n\r\n",
    ):  # fmt: skip
        with serving.wire() as wire:
            _send(wire, raw)
            assert answer_on(wire)[9:12] in (b"400", b"421", b""), raw[:40]


def _send(wire: socket.socket, raw: bytes) -> None:
    with suppress(OSError):
        wire.sendall(raw)
