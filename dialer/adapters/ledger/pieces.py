"""Long lists written in pieces, so that nobody waits at the gate for long while one is."""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, TypeVar

from dialer.adapters.ledger.transaction import Transaction

Item = TypeVar("Item")
Answer = TypeVar("Answer")

HELD_S = 0.05
"""For no longer than this is the gate's lock held for one piece."""
AIM_S = HELD_S / 2
"""What a piece is sized for: the next may be dearer, and there is the commit."""
FIRST, FEWEST, MOST = 20, 10, 1000


class Pieces:
    """How many rows one transaction takes: as many as the last ones show to fit. ``monotonic`` is in seconds."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self.rows = FIRST

    def of(self, items: Sequence[Item]) -> Sequence[Item]:
        """The first of these, as many as one transaction takes."""
        return items[: self.rows]

    def timed(self, verb: Callable[..., list[Answer]]) -> Callable[..., list[Answer]]:
        """The same verb, by whose time the next piece is sized."""

        @wraps(verb)
        def timed(transaction: Transaction, items: Sequence[Any], *context: Any) -> list[Answer]:
            began = self._monotonic()
            answers = verb(transaction, items, *context)
            self._note(len(items), self._monotonic() - began)
            return answers

        return timed

    def _note(self, rows: int, took_s: float) -> None:
        if took_s > AIM_S:
            self.rows = max(FEWEST, int(rows * AIM_S / took_s))
        elif rows >= self.rows and took_s < AIM_S / 2:
            self.rows = min(MOST, 2 * self.rows)
