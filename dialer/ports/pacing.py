"""The doorbell and the pace. Times are unix seconds unless a name says otherwise."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class QueuedAttempt:
    """An attempt handed to the workers; ``dispatch`` counts the hand-overs and voids older ones."""

    attempt_id: int
    dispatch: int
    campaign_id: int
    account: str


class JobQueue(Protocol):
    """The doorbell: shows workers which attempts were handed to them. May lose or repeat anything."""

    async def enqueue(self, attempts: Sequence[QueuedAttempt]) -> None:
        """Hand attempts over. Raises QueueUnavailable."""
        ...


@dataclass(frozen=True, slots=True)
class Limits:
    """``calls_per_second`` and ``concurrent_calls``; 0 means no limit. ``paused`` grants nothing."""

    calls_per_second: float
    concurrent_calls: int
    paused: bool = False


class Grant(Protocol):
    """A slot and a line, held for one attempt."""

    async def slot(self) -> bool:
        """Wait for the exact moment to send; False when the grant no longer holds (braked, paused, too late).

        A grant that is False keeps its line; ask the pacer again or release it.
        """
        ...

    @property
    def valid(self) -> bool:
        """Whether the grant still holds at this instant (no brake, no pause since it was given)."""
        ...


@dataclass(frozen=True, slots=True)
class PaceState:
    """What the pacer knows of one account: lines in use, the configured and the learned rate (0: no limit)."""

    lines: int
    configured_per_s: float
    learned_per_s: float
    braked_until: float | None = None


@dataclass(frozen=True, slots=True)
class OldLines:
    """Some lines, granted before ``granted_before`` (unix seconds); ``cursor`` is for the next ones, 0 at the end."""

    cursor: int
    attempt_ids: Sequence[int]
    granted_before: float


class Pacer(Protocol):
    """Calls per second and concurrent calls of an account, shared by every worker process."""

    async def configure(self, account: str, limits: Limits, campaigns: Mapping[int, Limits]) -> int | None:
        """Set the limits in force. Campaigns not named are paused. Raises QueueUnavailable.

        Answers the lines in use; None when they are not known, and nothing is granted before ``restored``.
        """
        ...

    async def acquire(self, account: str, campaign_id: int, attempt_id: int, patience_s: float) -> Grant | None:
        """A grant, shortly before its slot; None when none came within ``patience_s``.

        First come, first served: whose turn it is, the feeder has dealt.
        """
        ...

    async def again(self, account: str, campaign_id: int, attempt_id: int, patience_s: float) -> Grant | None:
        """Another slot for an attempt that keeps its line."""
        ...

    async def release(self, account: str, attempt_ids: Sequence[int]) -> None:
        """Free the lines of attempts that are over. Safe to repeat; never raises when Redis is away."""
        ...

    async def brake(self, account: str, seconds: float) -> None:
        """Stop every worker of the account for ``seconds``, then recover the rate step by step."""
        ...

    async def hold(self, account: str, lines: Mapping[int, tuple[int, float]]) -> None:
        """These lines are in use: attempt id -> (campaign id, when the line runs out). Others stay as they are.

        Raises QueueUnavailable.
        """
        ...

    async def old_lines(self, account: str, cursor: int) -> OldLines:
        """Some of the lines that were not granted just now; a walk from cursor 0 to 0 names each. QueueUnavailable."""
        ...

    async def drop(self, account: str, attempt_ids: Sequence[int], granted_before: float) -> None:
        """Free lines that the ledger does not know, except those granted again since. Raises QueueUnavailable."""
        ...

    async def restored(self, account: str) -> None:
        """After a loss: every line that the ledger knows is held again, and grants may be given."""
        ...

    async def state(self, account: str) -> PaceState:
        """What is in force now. Raises QueueUnavailable."""
        ...
