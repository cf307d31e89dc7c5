"""How a campaign goes, while it goes: live on a terminal, a line each ten seconds elsewhere."""

import sys
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.live import Live
from rich.text import Text

from dialer.bootstrap import App
from dialer.domain.attempt import LIVE, AttemptState
from dialer.domain.contact import FINAL_CONTACTS
from dialer.ports import Report

LINE_EVERY_S = 10.0
LIVE_EVERY_S = 0.5
RATE_OVER_S = 25.0
COUNTING_SHARE = 50.0
"""Counting a very long list takes a while: it may have one fiftieth of the time."""


@dataclass(slots=True)
class Progress:
    """Shows the campaign's state, no more often than its medium asks for."""

    app: App
    name: str
    live: Live | None
    _shown_at: float = -1e9
    _counting_s: float = 0.0
    _samples: deque[tuple[float, int, int]] = field(default_factory=lambda: deque(maxlen=64))

    async def show(self) -> None:
        """Show where the campaign is, if it is time to."""
        now = self.app.clock.monotonic()
        if now - self._shown_at < max(LIVE_EVERY_S if self.live else LINE_EVERY_S, self._counting_s * COUNTING_SHARE):
            return
        first, self._shown_at = self._shown_at < 0, now
        campaign = await self.app.ledger.campaign(self.name)
        line = self._line(await self.app.ledger.report(campaign.campaign_id), now)
        self._counting_s = self.app.clock.monotonic() - now
        if self.live is not None:
            self.live.update(Text(line))
        elif not first:
            print(line, file=sys.stderr, flush=True)

    def _line(self, report: Report, now: float) -> str:
        done = sum(count for status, count in report.contacts.items() if status in FINAL_CONTACTS)
        total = sum(report.contacts.values())
        dialed = sum(report.attempts.values()) - report.attempts[AttemptState.PLANNED]
        dialed -= report.attempts[AttemptState.QUEUED] + report.attempts[AttemptState.CANCELLED]
        lines = sum(report.attempts[state] for state in LIVE)
        self._samples.append((now, dialed, done))
        outcomes = ", ".join(f"{count} {name}" for name, count in report.dispositions.items() if count)
        parts = [
            f"{report.campaign.spec.name}: {done:,}/{total:,} done",
            f"{self._per_second(1):.1f} calls/s",
            f"{lines} lines in use",
            outcomes or "no outcome yet",
            self._left(total - done),
        ]
        return " · ".join(part for part in parts if part)

    def _per_second(self, which: int) -> float:
        newest = self._samples[-1]
        oldest = next(sample for sample in self._samples if sample[0] >= newest[0] - RATE_OVER_S)
        passed = newest[0] - oldest[0]
        return (newest[which] - oldest[which]) / passed if passed > 0 else 0.0

    def _left(self, contacts: int) -> str:
        rate = self._per_second(2)
        if rate <= 0 or not contacts:
            return ""
        minutes, seconds = divmod(int(contacts / rate), 60)
        return f"about {minutes} min {seconds} s left" if minutes else f"about {seconds} s left"


@contextmanager
def open_progress(app: App, name: str) -> Iterator[Progress]:
    """Progress on stderr for the block."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield Progress(app, name, None)
        return
    with Live(console=console, refresh_per_second=4, transient=True) as live:
        yield Progress(app, name, live)
