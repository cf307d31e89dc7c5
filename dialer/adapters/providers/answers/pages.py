"""Lists that come in pages, in every envelope the vendors have been seen to use.

Strict where tolerance could lie: an unreadable list must never look like an empty one.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from dialer.adapters.providers.answers.page_ends import Claims, PageEnds
from dialer.adapters.providers.answers.values import Row, mapping, number, pick
from dialer.errors import AnswerUnreadable, CallRefused, NotFound

T = TypeVar("T")

ROWS = (
    *("data", "call_logs", "items", "logs", "calls", "agents", "campaigns", "results", "rows"),
    *("batches", "files", "numbers"),
)
"""Under one of these names an envelope holds its rows."""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page, in the provider's order; ``unreadable`` counts rows that did not parse."""

    items: tuple[T, ...]
    unreadable: int = 0
    total: int | None = None
    odd: tuple[Any, ...] = ()
    """The rows that did not parse, as they came."""


async def pages_of(
    ask: Callable[[int], Awaitable[Any]],
    size: int,
    parse: Callable[[Row], T],
    id_of: Callable[[T], str],
    what: str,
    *,
    wary: bool = False,
) -> AsyncIterator[Page[T]]:
    """Every page from 1 on, through ``ask(page)``, until the list says or shows that there are no more.

    ``parse`` raises ValueError or AnswerUnreadable for a row that cannot be read; such rows are counted. Raises
    AnswerUnreadable when a page holds no list, or is not what the one before it promised. ``wary`` asks once more
    where a short first page may be as much as the server gives at once.
    """
    ends = PageEnds(size, what, wary)
    while True:
        try:
            page = _page(await ask(ends.pages + 1), what)
        except (CallRefused, NotFound):
            if ends.pages and not ends.promised:
                return  # past the end, which this server will not answer
            raise
        items, odd = _parse_rows(page.rows, parse)
        last = ends.is_last(page.rows, [id_of(item) for item in items], page.claims)
        yield Page(tuple(items), len(odd), page.claims.total, tuple(odd))
        if last:
            return


async def items_of(pages: AsyncIterator[Page[T]], id_of: Callable[[T], str]) -> AsyncIterator[T]:
    """Every item of every page. One that comes again on the next page, pushed there by newer ones, is left out."""
    previous: set[str] = set()
    async for page in pages:
        for item in page.items:
            if id_of(item) not in previous:
                yield item
        previous = {id_of(item) for item in page.items}


def _parse_rows(rows: Sequence[Any], parse: Callable[[Row], T]) -> tuple[list[T], list[Any]]:
    items: list[T] = []
    odd: list[Any] = []
    for row in rows:
        if not isinstance(row, dict):
            odd.append(row)
            continue
        try:
            items.append(parse(row))
        except (ValueError, TypeError, ArithmeticError, LookupError, AttributeError, RecursionError, AnswerUnreadable):
            odd.append(row)
    return items, odd


@dataclass(frozen=True, slots=True)
class _Page:
    rows: list[Any]
    claims: Claims


def _whole(value: object) -> int | None:
    parsed = number(value)
    return None if parsed is None else int(parsed)


def _page(body: object, what: str) -> _Page:
    if isinstance(body, list):
        return _Page(body, Claims())
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
    claims = Claims(
        has_next=more if isinstance(more, bool) else None,
        total_pages=_whole(paging.get("total_pages")),
        total=total,
        page_size=_whole(paging.get("page_size")),
    )
    return _Page(rows, claims)
