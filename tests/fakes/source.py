"""A list in memory."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

from dialer.domain.contact import NewContact
from dialer.ports import Reject


@dataclass
class MemorySource:
    """ContactSource over ``rows``; ``breaks_after`` so many of them it raises ``error``."""

    rows: list[NewContact | Reject] = field(default_factory=list)
    breaks_after: int | None = None
    error: BaseException = field(default_factory=RuntimeError)
    fingerprint: str = "memory"
    header: tuple[str, ...] = ("name", "phone")
    notes: tuple[str, ...] = ()

    async def batches(self, size: int) -> AsyncIterator[Sequence[NewContact | Reject]]:
        del size
        for n, row in enumerate(self.rows):
            if n == self.breaks_after:
                raise self.error
            yield [row]
        if self.breaks_after is not None and self.breaks_after >= len(self.rows):
            raise self.error
