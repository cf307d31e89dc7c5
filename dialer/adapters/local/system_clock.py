"""The machine's clock: the one place that reads it."""

import asyncio
import time


class SystemClock:
    """Real time."""

    def now(self) -> float:
        return time.time()  # noqa: TID251 - this is the Clock

    def monotonic(self) -> float:
        # Unlike CLOCK_MONOTONIC it goes on while the machine is suspended: a send deadline must not.
        return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
