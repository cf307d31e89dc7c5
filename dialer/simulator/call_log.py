"""The rows a caller can see: kept in order as they appear, so that a page costs a slice and not a sort."""

import heapq
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from dialer.simulator.books import Call

MANY = 200
"""Above this many at once, sorting the whole list is quicker than inserting one by one."""


class Row(NamedTuple):
    """A call by the start time its dialect sorts by; ties keep the order of arrival, which no two calls share."""

    start: float
    number_of: int
    call: Call


@dataclass(frozen=True, slots=True)
class Page:
    """One page of rows and what a pagination object says; ``total`` counts every row that matched."""

    rows: list[Row]
    page: int
    page_size: int
    total: int
    repeated: bool = False

    @property
    def total_pages(self) -> int:
        """How many pages there are; 0 when there is no row."""
        return -(-self.total // self.page_size)


class CallLog:
    """One dialect's log. Calls wait until they become visible; looking at the log lets in those that are due."""

    def __init__(self) -> None:
        self._due: list[tuple[float, int, Row]] = []
        self._all: list[Row] = []
        self._by_agent: dict[str, list[Row]] = {}

    def expect(self, call: Call, start: float) -> None:
        """Let ``call`` appear at its ``visible_at``, sorted by ``start``; a call that never appears is ignored."""
        if call.visible_at is not None:
            row = Row(start, call.number_of, call)
            heapq.heappush(self._due, (call.visible_at, call.number_of, row))
        # A little work with every call, so that the first page after a long run is as fast as any.
        self._let_in(call.life.accepted_at)

    def rows(self, now: float, agent: str | None = None) -> Sequence[Row]:
        """Every row visible at ``now``, oldest first; not to be changed."""
        self._let_in(now)
        return self._all if agent is None else self._by_agent.get(agent, [])

    def agents(self, now: float) -> Iterable[str]:
        """The agents that have a row visible at ``now``."""
        self._let_in(now)
        return self._by_agent

    def _let_in(self, now: float) -> None:
        due: list[Row] = []
        while self._due and self._due[0][0] <= now:
            due.append(heapq.heappop(self._due)[2])
        for agent, rows in groupby(sorted(due, key=_agent), _agent):
            _merge(self._by_agent.setdefault(agent, []), list(rows))
        _merge(self._all, due)


def _merge(rows: list[Row], due: list[Row]) -> None:
    if len(due) > MANY:
        rows.extend(due)
        rows.sort()
    else:
        for row in due:
            insort(rows, row)


def _agent(row: Row) -> str:
    return row.call.order.agent


def between(rows: Sequence[Row], start: float | None, end: float | None) -> tuple[int, int]:
    """The half-open index range of the rows that started in ``[start, end]``; None leaves a side open."""
    low = 0 if start is None else bisect_left(rows, start, key=_start)
    high = len(rows) if end is None else bisect_right(rows, end, key=_start)
    return low, max(low, high)


def _start(row: Row) -> float:
    return row.start


def cut(
    rows: Sequence[Row], page: int, page_size: int, *, newest: bool, repeat: bool, span: tuple[int, int] | None = None
) -> Page:
    """The ``page``-th page of ``rows[span]``; ``repeat`` puts the last row of the page before in front of it."""
    low, high = span or (0, len(rows))
    total = high - low
    first = (page - 1) * page_size
    last = min(first + page_size, total)
    repeated = repeat and 0 < first < total
    first -= repeated
    if first >= total:
        return Page([], page, page_size, total)
    wanted = rows[high - last : high - first][::-1] if newest else rows[low + first : low + last]
    return Page(list(wanted), page, page_size, total, repeated)
