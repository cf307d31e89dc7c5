"""What a provider, a list or a file says reaches a terminal as text: nothing of it acts, and no line is forged."""

import json
import os
import pty
import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.dialer_process import Home, Provider, number, settings_for
from tests.forked import Forked

pytestmark = pytest.mark.acceptance

EVIL = "\x1b[31mEVIL\x1b]0;PWN\x07\nok     forged: all is well\r\x9b2J\u202edrowssap\u2028[link=http://h]x[/b]\x08\x7f"
ACTING = ("\x1b[31m", "\x1b]", "\x07", "\x9b", "\u202e", "\u2028", "\x08", "\x7f")
COLOUR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
"""What our own bars and tables send to a terminal."""


def log_row() -> dict[str, Any]:
    return {
        "call_id": "c1", "call_type": "Outbound", "direction": "Outbound", "call_status": EVIL, "agent_name": EVIL,
        "agent_id": "agent-1", "to_number": number(0), "call_summary": EVIL, "call_entity": {EVIL: EVIL},
        "call_transcription": EVIL, "transcript": EVIL, "duration_ms": 1000, "call_metadata": {EVIL: EVIL},
        "Start_time": "2025-03-01T10:00:00", "End_time": "2025-03-01T10:00:01", "call_end_reason": EVIL,
        "call_log_id": "c1", "called_number": number(0), "start_time": "2025-03-01T10:00:00", "messages": [],
    }  # fmt: skip


class Evil(BaseHTTPRequestHandler):
    """A provider whose every word is hostile."""

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/api/agents":
            self._answer(200, [{"id": "agent-1", "agent_name": EVIL, "display_name": EVIL}])
        elif path.startswith("/api/agents/"):
            self._answer(200, {"id": "agent-1", "agent_name": EVIL, EVIL: EVIL})
        elif path in ("/api/call-history", "/calls/logs"):
            pages = {"page": 1, "page_size": 200, "total_count": 1, "total_pages": 1, "has_next": False}
            self._answer(200, {"data": [log_row()], "call_logs": [log_row()], "pagination": pages, "total": 1})
        elif "transcript" in path:
            self._answer(200, {"transcript": EVIL, "call_transcription": EVIL})
        elif path.startswith(("/api/call", "/calls/")):
            self._answer(200, log_row())
        else:
            self._answer(418, {"detail": EVIL, "message": EVIL, "error": EVIL})

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self._answer(401, {"detail": EVIL, "message": EVIL, "error": EVIL})

    def _answer(self, status: int, document: object) -> None:
        data = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        with suppress(OSError):
            self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def evil_provider() -> Iterator[Provider]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Evil)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield Provider(f"http://127.0.0.1:{server.server_address[1]}")
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A home where a hostile list was dialed through a hostile provider, and all stopped at its 401."""
    path = tmp_path_factory.mktemp("evil")
    with evil_provider() as provider:
        home = Home(path, settings_for(provider, DIALER_VAANI_API_KEY=""))
        (path / "list.csv").write_text(
            f'name,phone,note\n"{EVIL}",{number(0)},"{EVIL}"\nB,"12{EVIL}",x\n', encoding="utf-8", newline=""
        )
        (path / "barred.csv").write_text(
            f'phone,reason\n{number(5)},"{EVIL}"\n"{EVIL}",x\n', encoding="utf-8", newline=""
        )
        reason = json.dumps(EVIL).replace("\x7f", "\\u007f")
        window = f'[window]\ndays = "always"\nrules = "off"\nrules_reason = {reason}\n'
        (path / "c.toml").write_text(f'name = "x [/b] :warning:"\nagent = "agent-1"\n{window}')
        home.command("suppress", "import", "barred.csv", code=None)
        home.command("run", "list.csv", "--campaign", "c.toml", code=None)
        yield home
        home.end()


def on_terminal(home: Home, words: Sequence[str]) -> str:
    """What a person sees of a command: stdout and stderr of a terminal."""
    ours, theirs = pty.openpty()
    process = Forked(
        ["dialer", *words],
        env=home.environment | {"TERM": "xterm-256color", "COLUMNS": "300"},
        cwd=home.path,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    seen = b""
    with suppress(OSError):
        while piece := os.read(ours, 65536):
            seen += piece
    os.close(ours)
    process.wait(300)
    return seen.decode("utf-8", "replace")


COMMANDS = [
    ("campaigns",), ("audit",), ("report", "x [/b] :warning:"), ("attempts", number(0)), ("export", "x [/b] :warning:"),
    ("export", "x [/b] :warning:", "--attempts"), ("export", "x [/b] :warning:", "--format", "jsonl"),
    ("suppress", "list"), ("suppress", "list", "--format", "jsonl"), ("suppress", "import", "barred.csv"),
    ("agents",), ("agents", "show", "agent-1"), ("calls",), ("call", "c1"), ("call", "c1", "--transcript"), ("doctor",),
    ("doctor", "--probe"), ("check", "list.csv"), ("run", "list.csv", "--campaign", "c.toml"), ("report", EVIL),
    ("check", f"{EVIL}.csv"), ("check", "list.csv", "--campaign", f"{EVIL}.toml"), (EVIL,), ("report", "x", EVIL),
    ("check", "list.csv", f"--{EVIL}"), ("check", "list.csv", "--region", EVIL), ("check", "list.csv", "--name", EVIL),
    ("check", "list.csv", "--window", EVIL), ("check", "list.csv", "--provider", EVIL), ("attempts", EVIL),
    ("call", EVIL), ("agents", "show", EVIL), ("session", EVIL), ("report", "x [/b] :warning:", "--json"),
    ("campaigns", "--json"), ("calls", "--json"), ("agents", "--json"), ("doctor", "--json"),
]  # fmt: skip


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: " ".join(words).encode("ascii", "replace").decode()[:40])
def test_nothing_acts_on_a_terminal(home: Home, words: tuple[str, ...]) -> None:
    seen = on_terminal(home, words)
    assert seen.strip()
    assert [one for one in ACTING if one in seen] == []
    lines = COLOUR.sub("", seen).replace("\r", "\n").splitlines()
    assert [line for line in lines if line.startswith("ok     forged")] == []
    assert "Traceback" not in seen


def test_a_json_document_says_the_same_in_escapes(home: Home) -> None:
    (agent,) = json.loads(home.command("agents", "--json").out)
    assert EVIL in agent.values()


def test_what_leads_into_a_file_is_as_it_was(home: Home) -> None:
    (row,) = [row for row in home.export("x [/b] :warning:") if row["phone"] == number(0)]
    assert "\x1b[31mEVIL" in row["note"]


def test_a_name_of_markup_is_shown_as_it_is(home: Home) -> None:
    assert "x [/b] :warning:" in home.command("campaigns").out
    assert "[link=http://h]x[/b]" in on_terminal(home, ("agents",))


def test_logs_are_text_on_a_terminal_and_in_a_file(home: Home) -> None:
    told = "".join(path.read_text() for path in home.path.glob("*.err"))
    assert "EVIL" in told
    assert [one for one in ACTING if one in told] == []
    seen = on_terminal(home, ("run", "list.csv", "--campaign", "c.toml", "--name", "again"))
    assert [one for one in ACTING if one in seen] == []


def test_a_traceback_is_text_too(home: Home, tmp_path: Path) -> None:
    seen = on_terminal(home, ("check", "list.csv", "--campaign", str(tmp_path / f"{EVIL}.toml"), "--debug"))
    assert "Traceback" in seen
    assert [one for one in ACTING if one in seen] == []
