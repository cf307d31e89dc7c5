"""A JobQueue that keeps what was rung."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from dialer.errors import QueueUnavailable
from dialer.ports import QueuedAttempt


@dataclass
class MemoryQueue:
    """``down`` makes it unreachable."""

    rung: list[QueuedAttempt] = field(default_factory=list)
    down: bool = False

    async def enqueue(self, attempts: Sequence[QueuedAttempt]) -> None:
        if self.down:
            raise QueueUnavailable("Redis cannot be reached: down")
        self.rung.extend(attempts)
