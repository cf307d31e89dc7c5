"""Where does a list that comes in pages end?

The vendors' pages leave it open: a server may give fewer rows than asked, count wrongly, or answer past the end with an
empty page, with the last one again, or with an error. So no sign is believed that what was read contradicts, and where
the answer says nothing, only what is short or empty ends a list: a row that was not looked for would count as absent.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from dialer.errors import AnswerUnreadable


@dataclass(frozen=True, slots=True)
class Claims:
    """What an envelope says of its list; None where it says nothing."""

    has_next: bool | None = None
    total_pages: int | None = None
    total: int | None = None
    page_size: int | None = None

    def more_after(self, page: int) -> bool | None:
        """Whether it promises another page."""
        if self.has_next is not None:
            return self.has_next
        return None if self.total_pages is None else page < self.total_pages


@dataclass(slots=True)
class PageEnds:
    """Sees each page in turn. ``asked`` is the size that was asked for.

    ``wary``: a smaller first page that says nothing of its end is not taken for all there is.
    """

    asked: int
    what: str
    wary: bool
    pages: int = 0
    promised: bool = False
    """Whether the last page said that another follows."""
    _largest: int = 0
    _before: Sequence[Any] = ()
    _seen: set[str] = field(default_factory=set)

    def is_last(self, rows: Sequence[Any], ids: Collection[str], claims: Claims) -> bool:
        """Take in a page, of whose rows those that could be read have these ids; whether it is the last.

        Raises AnswerUnreadable for a page that cannot be what it should.
        """
        self.pages += 1
        more = claims.more_after(self.pages)
        self.promised = more is True
        count = len(rows)
        new = not self._seen.issuperset(ids) or (len(ids) < count and rows != self._before)
        self._seen.update(ids)
        self._before = rows
        if count == 0 or not new:
            self._refuse_broken_promise(count, claims)
            return True
        largest, self._largest = self._largest, max(self._largest, count)
        if more is True:
            return False
        if more is None and self.pages == 1 and self._cap(claims) is None:
            # Fewer than asked: all there is, or as much as the server gives at once.
            return not self.wary or count > self.asked
        size = self._cap(claims) or largest or self.asked
        return count < size or count > self.asked

    def _cap(self, claims: Claims) -> int | None:
        """The size of the server's pages, if it is known."""
        if claims.page_size is not None:
            return min(claims.page_size, self.asked)
        return self.asked if self._largest == self.asked else None

    def _refuse_broken_promise(self, rows: int, claims: Claims) -> None:
        if rows and self.promised:
            raise AnswerUnreadable(f"the {self.what} answers page {self.pages} with the page before it")
        if not rows and (self.promised or (self.pages == 1 and claims.total)):
            raise AnswerUnreadable(f"page {self.pages} of the {self.what} is empty, and should not be")
