"""What is shown while a command goes on."""

import io
import logging
from contextlib import redirect_stderr, redirect_stdout

import pytest
import structlog
from rich.console import Console
from typer.testing import CliRunner

from config.logs import configure_logs
from dialer.adapters.ledger import SqlLedger
from dialer.cli.app import app
from dialer.cli.bars import open_bar
from dialer.cli.progress import LINE_EVERY_S, Progress
from dialer.domain.call import NotPlaced
from tests.fakes.clock import ManualClock
from tests.ledger_steps import dial, outcome, running

HEADINGS = [
    "Call people",
    "See what happened",
    "Do not call",
    "The program on this machine",
    "The provider's own account",
]


def terminal(out: io.StringIO) -> Console:
    return Console(file=out, force_terminal=True, width=80, color_system=None)


def shown(quiet: bool, console: Console) -> str:
    """What a bar leaves on a console, and that rows on stdout go where they always went."""
    rows = io.StringIO()
    with redirect_stdout(rows), open_bar("reading [b]x[/b]\x1b.csv", 3, quiet=quiet, after_s=0, console=console) as bar:
        while not (bar.bars.live.is_started or bar.bars.disable):
            pass
        for n in bar.over(range(3)):
            print(n)
    assert rows.getvalue() == "0\n1\n2\n"
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_bar_counts_rows_on_a_terminal() -> None:
    seen = shown(False, terminal(io.StringIO()))
    assert "reading [b]x[/b]\ufffd.csv" in seen
    assert "3/3" in seen


def test_there_is_no_bar_in_a_pipe_nor_with_json() -> None:
    assert shown(False, Console(file=io.StringIO(), force_terminal=False)) == ""
    assert shown(True, terminal(io.StringIO())) == ""


def test_log_lines_go_to_the_stderr_of_now() -> None:
    before = io.StringIO()
    with redirect_stderr(before):
        configure_logs(fmt="json")
    now = io.StringIO()
    with redirect_stderr(now):
        structlog.get_logger().warning("account.halted")
        logging.getLogger("library").warning("beside")
    assert before.getvalue() == ""
    assert ("account.halted" in now.getvalue(), "beside" in now.getvalue()) == (True, True)


async def test_the_rate_is_never_below_none(
    sqlite_ledger_url: str, clock: ManualClock, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger = await SqlLedger.open(sqlite_ledger_url, clock)
    progress = Progress(ledger, clock, "spring")
    campaign = await running(ledger, 3)
    calls = await dial(ledger, campaign)
    await progress.show()
    clock.skip(LINE_EVERY_S + 1)
    assert all(await ledger.record_sends([outcome(call, NotPlaced("429"), clock.now()) for call in calls]))
    await progress.show()
    await ledger.aclose()
    assert "spring: 0/3 done · 0.0 calls/s" in capsys.readouterr().err


@pytest.mark.parametrize("words", [(), ("suppress",), ("agents",)])
def test_help_cuts_no_sentence(words: tuple[str, ...]) -> None:
    told = CliRunner().invoke(app, [*words, "--help"], env={"COLUMNS": "80"}).output
    usage, _, listed = told.partition("\n")
    assert usage.startswith("Usage:")
    assert "..." not in listed
    if not words:
        assert [line.rstrip(":") for line in told.splitlines() if line.rstrip(":") in HEADINGS] == HEADINGS
        assert "When this returns, no request leaves for it any more." in " ".join(told.split())
