"""Lists that come in pages, in every envelope the vendors have been seen to use.

Strict where tolerance could lie: an unreadable list must never look like an empty one.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from dialer.adapters.provider_values import Row, mapping, number, pick
from dialer.errors import AnswerUnreadable

T = TypeVar("T")

ROWS = ("data", "call_logs", "items", "logs", "calls", "agents", "campaigns", "results", "rows")
"""Under one of these names an envelope holds its rows."""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page, in the provider's order; ``unreadable`` counts rows that did not parse."""

    items: tuple[T, ...]
    unreadable: int = 0
    total: int | None = None


async def pages_of(
    ask: Callable[[int], Awaitable[Any]],
    size: int,
    parse: Callable[[Row], T],
    id_of: Callable[[T], str],
    what: str,
) -> AsyncIterator[Page[T]]:
    """Every page from 1 on, through ``ask(page)``, until the list says or shows that there are no more.

    ``parse`` raises ValueError or AnswerUnreadable for a row that cannot be read; such rows are counted. Raises
    AnswerUnreadable when a page holds no list, or when the list repeats one page for ever.
    """
    number_of, seen = 0, 0
    previous: list[str] | None = None
    while True:
        number_of += 1
        page = _page(await ask(number_of), what)
        found, unreadable = _parse_rows(page.rows, parse)
        ids = [id_of(item) for item in found]
        if ids and ids == previous:
            if page.bare:
                return
            raise AnswerUnreadable(f"the {what} answers page {number_of} with the page before it")
        previous = ids
        seen += len(page.rows)
        yield Page(tuple(found), unreadable, page.total)
        if page.is_last(number_of, size, seen):
            return


async def items_of(pages: AsyncIterator[Page[T]], id_of: Callable[[T], str]) -> AsyncIterator[T]:
    """Every item of every page. One that comes again on the next page, pushed there by newer ones, is left out."""
    previous: set[str] = set()
    async for page in pages:
        for item in page.items:
            if id_of(item) not in previous:
                yield item
        previous = {id_of(item) for item in page.items}


def _parse_rows(rows: Sequence[Any], parse: Callable[[Row], T]) -> tuple[list[T], int]:
    found: list[T] = []
    for row in rows:
        try:
            if isinstance(row, dict):
                found.append(parse(row))
        except (ValueError, AnswerUnreadable):
            continue
    return found, len(rows) - len(found)


@dataclass(frozen=True, slots=True)
class _Page:
    rows: list[Any]
    bare: bool = False
    has_next: bool | None = None
    total_pages: int | None = None
    total: int | None = None

    def is_last(self, page: int, size: int, seen: int) -> bool:
        if not self.rows:
            return True
        if self.has_next is not None:
            return not self.has_next
        if self.total_pages is not None:
            return page >= self.total_pages
        if self.total is not None:
            return seen >= self.total
        # A bare list longer than a page was never cut into pages.
        return len(self.rows) < size or (self.bare and len(self.rows) > size)


def _whole(value: object) -> int | None:
    found = number(value)
    return None if found is None else int(found)


def _page(body: object, what: str) -> _Page:
    if isinstance(body, list):
        return _Page(body, bare=True)
    if not isinstance(body, dict):
        raise AnswerUnreadable(f"the {what} is neither a list nor an object")
    paging = {**body, **mapping(body.get("pagination"))}
    total = _whole(pick(paging, "total_count", "total"))
    rows = next((body[name] for name in ROWS if isinstance(body.get(name), list)), None)
    if rows is None and isinstance(body.get("data"), dict):
        return _page({**body["data"], "pagination": body.get("pagination") or body["data"].get("pagination")}, what)
    if rows is None:
        if total != 0:
            raise AnswerUnreadable(f"the {what} holds no list")
        rows = []
    more = paging.get("has_next")
    return _Page(
        rows,
        has_next=more if isinstance(more, bool) else None,
        total_pages=_whole(paging.get("total_pages")),
        total=total,
    )
