"""One campaign's queue of local waiters, and what they are given."""

import asyncio
import math
from collections import deque
from dataclasses import dataclass, field
from typing import Protocol


class Keeper(Protocol):
    """Who knows whether a grant still holds."""

    async def await_slot(self, grant: "PacedGrant") -> bool:
        """Wait for the grant's moment."""
        ...

    def holds(self, grant: "PacedGrant") -> bool:
        """Whether the grant is worth anything at this instant."""
        ...


@dataclass(slots=True, eq=False)
class Lane:
    """Waiters of one campaign, first come first served. A change of ``fence`` voids what was given."""

    campaign_id: int
    epoch: int = 0
    epoch_at: float = 0.0
    fence: int = 0
    interval_us: int = 0
    free: bool = False
    full: bool = False
    retry_at: float = 0.0
    touched: float = -math.inf
    """When somebody last asked here."""
    held: int = 0
    queue: "deque[Waiter]" = field(default_factory=deque)


@dataclass(slots=True, eq=False)
class PacedGrant:
    """A slot and a line. ``due`` is the monotonic moment of the slot; of a grant for at once, when it was given."""

    keeper: Keeper
    lane: Lane
    epoch: int
    fence: int
    lane_fence: int
    slot_us: int
    due: float

    async def slot(self) -> bool:
        """Wait for the exact moment; False when the grant no longer holds."""
        return await self.keeper.await_slot(self)

    @property
    def valid(self) -> bool:
        """Whether the grant holds at this instant."""
        return self.keeper.holds(self)


@dataclass(slots=True, eq=False)
class Waiter:
    """One ``acquire`` in progress. ``line``: Redis may hold a line for it that nobody else will free."""

    lane: Lane
    attempt_id: int
    keeps_line: bool
    future: "asyncio.Future[PacedGrant | None]"
    asked: bool = False
    line: bool = False
    late: bool = False
    grant: PacedGrant | None = None
    timer: asyncio.TimerHandle | None = None
