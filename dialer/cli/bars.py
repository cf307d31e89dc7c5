"""Bars on a terminal for what counts rows and takes a while."""

import threading
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, Task, TaskID, TextColumn, TimeRemainingColumn
from rich.text import Text

from dialer.cli.printing import plain
from dialer.domain.contact import NewContact
from dialer.ports import ContactSource, Reject

T = TypeVar("T")

BAR_AFTER_S = 2.0
"""Work that is done sooner needs no bar."""
BAR_WIDTH = 16
LOT = 200


class _Rate(TextColumn):
    """Rows a second."""

    def __init__(self) -> None:
        super().__init__("")

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:,.0f}/s" if task.speed else "")


@dataclass(slots=True)
class Bar:
    """Counts rows on stderr. Without a terminal it shows nothing."""

    bars: Progress
    task: TaskID
    _untold: int = 0

    def advance(self, rows: int = 1) -> None:
        """So many more are done. Reported in lots: the rate is reckoned from the last thousand of them."""
        self._untold += rows
        if self._untold >= LOT:
            self.tell()

    def tell(self) -> None:
        """Show what was not shown yet."""
        self.bars.advance(self.task, self._untold)
        self._untold = 0

    def expect(self, rows: int | None) -> None:
        """How many there are, once that is known."""
        self.bars.update(self.task, total=rows)

    def over(self, rows: Iterable[T]) -> Iterator[T]:
        """The rows, counted."""
        for row in rows:
            yield row
            self.advance()


@contextmanager
def open_bar(
    title: str,
    total: int | None = None,
    *,
    quiet: bool = False,
    after_s: float = BAR_AFTER_S,
    console: Console | None = None,
) -> Iterator[Bar]:
    """A bar with rate and time left, from ``after_s`` seconds on, on a terminal only; ``quiet``: nowhere."""
    to = console or Console(stderr=True)
    bars = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(BAR_WIDTH),
        MofNCompleteColumn(),
        _Rate(),
        TimeRemainingColumn(compact=True),
        console=to,
        transient=True,
        redirect_stdout=False,  # it may lead into a file
        disable=quiet or not to.is_terminal,
    )
    bar = Bar(bars, bars.add_task(plain(title), total=total))
    begin = threading.Timer(after_s, bars.start)
    begin.daemon = True
    begin.start()
    try:
        yield bar
    finally:
        begin.cancel()
        begin.join()
        bar.tell()
        bars.stop()


class CountedSource:
    """A ContactSource whose rows are counted by a bar."""

    def __init__(self, source: ContactSource, bar: Bar) -> None:
        self._source, self._bar = source, bar

    @property
    def fingerprint(self) -> str:
        return self._source.fingerprint

    @property
    def header(self) -> tuple[str, ...]:
        return self._source.header

    @property
    def notes(self) -> tuple[str, ...]:
        return self._source.notes

    async def batches(self, size: int) -> AsyncIterator[Sequence[NewContact | Reject]]:
        async for batch in self._source.batches(size):
            self._bar.expect(getattr(self._source, "expected_rows", None))
            yield batch
            self._bar.advance(len(batch))
