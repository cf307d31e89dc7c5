"""Few calls at a time between the gate and their first byte.

What has passed the gate must leave within a moment; what does not is withdrawn, and handed over once more. A worker
that gets little of its machine, or is handed a great many at once, lets no more through than it can send by then.
"""

import asyncio

WIDTH = 32
"""Of each account: at 20 ms of waiting for a CPU each, all have left within the moment."""


class Passage:
    """One call's place in the doorway."""

    def __init__(self, free: asyncio.Semaphore) -> None:
        self._free, self._held = free, True

    def leave(self) -> None:
        """Make way for the next; a second time does nothing."""
        if self._held:
            self._held = False
            self._free.release()


class Doorway:
    """First come, first served."""

    def __init__(self) -> None:
        self._free = asyncio.Semaphore(WIDTH)

    async def enter(self) -> Passage:
        """Wait for a place."""
        await self._free.acquire()
        return Passage(self._free)
