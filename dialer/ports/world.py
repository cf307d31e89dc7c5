"""Time and lists of people, handed in."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from dialer.domain.contact import NewContact


class Clock(Protocol):
    """Time, handed in."""

    def now(self) -> float:
        """Unix seconds."""
        ...

    def monotonic(self) -> float:
        """Seconds that never run backwards, for measuring."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class SendMarks(Protocol):
    """How many sends the ledger has held, kept outside it: a ledger restored from a copy does not know."""

    async def highest(self) -> tuple[int, float]:
        """The most that was noted, and when (unix seconds); zeros if nothing was. Raises QueueUnavailable."""
        ...

    async def note(self, sends: int, at: float) -> None:
        """So many now, also if it is fewer. Raises QueueUnavailable."""
        ...


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that cannot be called: where it stands, its cells as read, why, and what to do about it."""

    row: int
    cells: tuple[str, ...]
    reason: str
    remedy: str
    column: str = ""
    undecided: bool = field(default=False, compare=False)
    """It holds several numbers, and only the owner of the list knows which one is meant."""


class ContactSource(Protocol):
    """A list of people, read as a stream."""

    @property
    def fingerprint(self) -> str:
        """What distinguishes a list from a changed one, e.g. the file's SHA-256."""
        ...

    @property
    def header(self) -> tuple[str, ...]:
        """The column names, as in the source."""
        ...

    @property
    def notes(self) -> tuple[str, ...]:
        """Choices made for the user, such as which column is the phone number."""
        ...

    def batches(self, size: int) -> AsyncIterator[Sequence[NewContact | Reject]]:
        """Every data row, in order, as a contact or a reject.

        Raises InputFileError before the first batch if the list must be refused whole.
        """
        ...
