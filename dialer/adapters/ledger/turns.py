"""Long work in short commits: others who wait for the gate get in between two of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from dialer.adapters.ledger.store import Store
from dialer.adapters.ledger.transaction import Transaction
from dialer.ports import Clock

HOLD_S = 0.03
"""So long, and a few items more, one commit of long work holds the gate."""

Item = TypeVar("Item")
Answer = TypeVar("Answer")


@dataclass(frozen=True, eq=False)
class _Turn:
    """A verb that stops when its time is over. No two are equal: the store joins none with another's."""

    verb: Callable[..., Sequence[Any]]
    at_once: int
    clock: Clock

    @property
    def __name__(self) -> str:
        return self.verb.__name__

    def __call__(self, transaction: Transaction, items: Sequence[Any], *context: Any) -> list[Any]:
        """Answers for as many of the items as there was time for."""
        until = self.clock.monotonic() + HOLD_S
        answers: list[Any] = []
        while len(answers) < len(items) and (not answers or self.clock.monotonic() < until):
            answers += self.verb(transaction, items[len(answers) :][: self.at_once], *context)
        return answers


async def in_turns(
    store: Store,
    clock: Clock,
    verb: Callable[..., Sequence[Answer]],
    items: Sequence[Item],
    *context: Any,
    at_once: int,
) -> list[Answer]:
    """As ``store.submit``, in as many commits as it takes: ``at_once`` items, more of them for HOLD_S, and commit.

    The verb must treat each item by itself. When one commit fails, those before it hold. Raises LedgerUnavailable.
    """
    answers: list[Answer] = []
    while len(answers) < len(items):
        answers += await store.submit(_Turn(verb, at_once, clock), items[len(answers) :], *context)
    return answers
