"""Pages of a log that are too large to take: the same rows, asked for in smaller pages, down to one row."""

from collections.abc import Awaitable, Callable
from typing import Any

from dialer.adapters.providers.answers.pages import ROWS
from dialer.errors import AnswerTooLarge, CallRefused, NotFound

Ask = Callable[[int, int], Awaitable[Any]]
TRY_WHOLE_AFTER = 50
"""So many pages in parts, and a whole one is tried again."""
TOO_LARGE = "a row that is too large to be read"


class FittingPages:
    """Asks for pages of ``size`` rows, ``part`` of them at once: fewer while a whole page does not fit."""

    def __init__(self, size: int) -> None:
        self.size = self.part = size
        self._fitted = 0

    async def page(self, ask: Ask, page: int) -> Any:
        """One page of ``size`` rows. Raises ProviderError, but not AnswerTooLarge: such a row is a text instead."""
        if self._fitted >= TRY_WHOLE_AFTER:
            self.part, self._fitted = self.size, 0
        if self.part == self.size:
            try:
                return await ask(page, self.size)
            except AnswerTooLarge:
                self.part = _divisors(self.size)[0]
        self._fitted += 1
        return await self._joined(ask, page)

    async def _joined(self, ask: Ask, page: int) -> Any:
        rows: list[Any] = []
        body: Any = {}
        at, end = (page - 1) * self.size, page * self.size
        while at < end:
            # Behind a row that stood alone the larger parts begin where they would.
            part = next(size for size in (self.part, *_divisors(self.part)) if at % size == 0)
            try:
                body = await ask(at // part + 1, part)
            except AnswerTooLarge:
                if part > 1:
                    self.part = _divisors(part)[0]
                    continue
                part_rows = [TOO_LARGE]
                self.part = next(size for size in _divisors(self.size) if size <= max(1, self.size // 4))
            except (CallRefused, NotFound):
                if not rows:
                    raise
                break  # past the end, which this server will not answer
            else:
                part_rows = _rows(body)
            rows += part_rows
            at += part
            if len(part_rows) < part:
                break
        return _envelope(body, rows)


def _divisors(size: int) -> list[int]:
    """The sizes that a page falls into without a rest, the largest first; at least 1."""
    return [part for part in range(size // 2, 0, -1) if size % part == 0] or [1]


def _rows(body: Any) -> list[Any]:
    if isinstance(body, list):
        return body
    if isinstance(body, dict):
        for name in ROWS:
            if isinstance(body.get(name), list):
                return list(body[name])
        if isinstance(body.get("data"), dict):
            return _rows(body["data"])
    return []


def _envelope(body: Any, rows: list[Any]) -> Any:
    """The joined rows, under what the last part said of whether more follow; its page numbers mean nothing here."""
    if not isinstance(body, dict):
        return rows
    inner = body["data"] if isinstance(body.get("data"), dict) else body
    paging = body.get("pagination") or inner.get("pagination")
    claims = {**inner, **(paging if isinstance(paging, dict) else {})}
    kept = {name: claims[name] for name in ("has_next", "total_count", "total") if name in claims}
    pages, page = claims.get("total_pages"), claims.get("page")
    if "has_next" not in kept and isinstance(pages, int) and isinstance(page, int):
        kept["has_next"] = page < pages
    return {"data": rows, "pagination": kept}
