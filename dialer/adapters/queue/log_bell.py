"""Wakes the process that reads the log of an account. A lost bell costs nothing but time: the log is read anyway."""

from redis.asyncio import Redis

from dialer.adapters.queue.feeder_bell import FeederBell
from dialer.ports import Clock

PIECE_S = 2.0
"""So long at once: shorter than any connection waits for an answer."""
SHORTEST_S = 0.01
"""To Redis less may be none, which is for ever."""


class LogBell:
    """The bell of one ledger's account."""

    def __init__(self, redis: "Redis", identity: str, account: str, clock: Clock) -> None:
        self._stroke, self._clock = FeederBell(redis, f"{identity}:{account}", clock), clock

    async def ring(self) -> None:
        """Have the log read soon."""
        await self._stroke.ring()

    async def wait(self, within_s: float) -> bool:
        """Until it is rung, or so long; whether it was rung."""
        end = self._clock.monotonic() + within_s
        while (left_s := end - self._clock.monotonic()) > 0:
            if await self._stroke.hear(max(SHORTEST_S, min(left_s, PIECE_S))):
                return True
        return False
