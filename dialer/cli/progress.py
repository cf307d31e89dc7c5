"""How a command goes, while it goes: live on a terminal, else at most a line each ten seconds."""

import sys
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from dialer.cli.printing import in_words, plain
from dialer.domain.attempt import LIVE, AttemptState
from dialer.domain.contact import FINAL_CONTACTS
from dialer.ports import Clock, LedgerView, Report

LINE_EVERY_S = 10.0
LIVE_EVERY_S = 0.5
RATE_OVER_S = 25.0
COUNTING_SHARE = 50.0
"""Counting a very long list takes a while: it may have one fiftieth of the time."""


@dataclass(slots=True)
class Progress:
    """Shows the campaign's state, no more often than its medium asks for."""

    ledger: LedgerView
    clock: Clock
    name: str
    live: Live | None = None
    _shown_at: float = -1e9
    _counting_s: float = 0.0
    _samples: deque[tuple[float, int, int]] = field(default_factory=lambda: deque(maxlen=64))

    async def show(self) -> None:
        """Show where the campaign is, if it is time to."""
        now = self.clock.monotonic()
        if now - self._shown_at < max(LIVE_EVERY_S if self.live else LINE_EVERY_S, self._counting_s * COUNTING_SHARE):
            return
        first, self._shown_at = self._shown_at < 0, now
        campaign = await self.ledger.campaign(self.name)
        report = await self.ledger.report(campaign.campaign_id)
        done = sum(count for status, count in report.contacts.items() if status in FINAL_CONTACTS)
        total = sum(report.contacts.values())
        parts = self._parts(report, done, total, now)
        self._counting_s = self.clock.monotonic() - now
        if self.live is not None:
            self.live.update(Group(_bar_of(parts, done, total), Text(" · ".join(filter(None, parts[1:])))))
        elif not first:
            print(" · ".join(filter(None, parts)), file=sys.stderr, flush=True)

    def _parts(self, report: Report, done: int, total: int, now: float) -> list[str]:
        dialed = sum(report.attempts.values()) - report.attempts[AttemptState.PLANNED]
        dialed -= report.attempts[AttemptState.QUEUED] + report.attempts[AttemptState.CANCELLED]
        lines = sum(report.attempts[state] for state in LIVE)
        self._samples.append((now, dialed, done))
        outcomes = ", ".join(f"{count:,} {name}" for name, count in report.dispositions.items() if count)
        return [
            f"{plain(report.campaign.spec.name)}: {done:,}/{total:,} done",
            f"{self._per_second(1):.1f} calls/s",
            f"{lines:,} lines in use",
            outcomes or "no outcome yet",
            self._left(total - done),
        ]

    def _per_second(self, which: int) -> float:
        """Never less than none: what was not placed after all is taken back from the count."""
        newest = self._samples[-1]
        oldest = next(sample for sample in self._samples if sample[0] >= newest[0] - RATE_OVER_S)
        passed = newest[0] - oldest[0]
        return max(0, newest[which] - oldest[which]) / passed if passed > 0 else 0.0

    def _left(self, contacts: int) -> str:
        rate = self._per_second(2)
        return f"about {in_words(contacts / rate)} left" if rate > 0 and contacts else ""


def _bar_of(parts: Sequence[str], done: int, total: int) -> Table:
    grid = Table.grid(padding=(0, 1), expand=True)
    grid.add_column(no_wrap=True, overflow="ellipsis")
    grid.add_column(ratio=1)
    grid.add_row(Text(parts[0]), ProgressBar(total=total or None, completed=done))
    return grid


@contextmanager
def open_progress(ledger: LedgerView, clock: Clock, name: str) -> Iterator[Progress]:
    """Progress on stderr for the block."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield Progress(ledger, clock, name)
        return
    with Live(console=console, refresh_per_second=4, transient=True, redirect_stdout=False) as live:
        yield Progress(ledger, clock, name, live)
