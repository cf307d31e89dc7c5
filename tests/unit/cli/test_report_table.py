"""The report on a terminal and in a pipe."""

import io
import time
from collections.abc import Iterator
from typing import Any

import pytest
from rich.console import Console

from dialer.cli.printing import in_words, local, plain
from dialer.cli.report_table import print_report

REASON = "window opens on Monday 2026-11-30 at 09:00 in Asia/Kolkata, for nobody is called there on a Sunday"
DOCUMENT: dict[str, Any] = {
    "campaign": "october\x1b[31m",
    "provider": "vaanivoice",
    "status": "halted",
    "halt_reason": "no credit",
    "moved": {"act": "halt", "at": "2026-11-22T03:03:29.361+00:00", "by": "dialer", "why": "no credit"},
    "import": {"rows": 336, "queued": 304, "duplicate": 12, "suppressed": 8, "invalid": 12, "deferred": 0,
               "rejects": "a.csv"},
    "contacts": {"total": 312, "reached": 257, "exhausted": 47, "suppressed": 8, "pending": 0},
    "attempts": {"total": 416, "ended": 416, "unknown": 0},
    "dispositions": {"answered": 322, "no_answer": 94},
    "waiting": {REASON: 12},
    "expired": {},
    "rules": "off",
    "rules_reason": "they agreed",
    "schedule": {"start": None, "end": None, "next_round": None},
    "source": None,
    "calls_per_second": {"configured": 25.0, "learned": None, "measured": 19.9},
    "unknown_now": 0,
    "unconfirmed": 3,
    "unexplained_calls": 0,
    "unmapped_words": {},
    "log_notes": [],
    "cost": 1.5,
    "started_at": "2026-11-22T01:59:25.361+00:00",
    "finished_at": "2026-11-22T03:03:29.361+00:00",
}  # fmt: skip


@pytest.fixture(autouse=True)
def in_india(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def told(width: int = 80, *, terminal: bool = True) -> str:
    out = io.StringIO()
    print_report(DOCUMENT, Console(file=out, width=width, force_terminal=terminal, color_system=None, highlight=False))
    return out.getvalue()


@pytest.mark.parametrize("width", [80, 120])
def test_a_terminal_shows_bars_and_no_line_is_too_long(width: int) -> None:
    lines = told(width).splitlines()
    assert max(map(len, lines)) <= width
    (reached,) = [line for line in lines if line.startswith("  reached")]
    assert reached.split()[1:4] == ["257", "82", "%"]
    assert reached.count("█") == int((16 if width == 80 else 32) * 257 / 312)
    assert " ".join(REASON.split()[:6]) in told(width)


def test_a_pipe_gets_the_same_without_bars() -> None:
    text = told(200, terminal=False)
    assert "█" not in text
    assert "\x1b" not in text
    assert REASON in text
    assert [line for line in text.splitlines() if line != line.rstrip()] == []


def test_times_are_local_and_say_so() -> None:
    assert "started         2026-11-22 07:29:25 IST\n" in told(terminal=False)
    assert "finished        2026-11-22 08:33:29 IST, after 1 h 4 min\n" in told(terminal=False)
    assert local(None) == "-"
    assert local(0.0) == "1970-01-01 05:30:00 IST"


def test_what_comes_from_outside_cannot_move_the_cursor() -> None:
    assert "\x1b" not in told()
    assert plain("a\x1b[2Jb\nc\u202ed\x9be") == "a\ufffd[2Jb\ufffdc\ufffdd\ufffde"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "less than a second"), (59, "59 s"), (60, "1 min"), (3_661, "1 h 1 min"), (90_061, "1 d 1 h")],
)
def test_durations_are_words(seconds: float, words: str) -> None:
    assert in_words(seconds) == words
