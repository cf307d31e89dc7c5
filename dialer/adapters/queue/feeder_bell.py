"""Wakes the feeder when there is somebody to call, so that new contacts need not wait for its next look.

A lost bell costs half a second: the feeder looks that often by itself.
"""

import asyncio
from contextlib import suppress

from redis.asyncio import Redis
from redis.exceptions import RedisError

from dialer.ports import Clock

HEARD_WITHIN_S = 30
"""What nobody heard by then has been seen without it."""
RING_WITHIN_S = 0.5
AT_MOST_EVERY_S = 0.1
"""However often it is rung: one look sees everybody who was added before it."""


class FeederBell:
    """The bell of one ledger's feeder."""

    def __init__(self, redis: "Redis", identity: str, clock: Clock) -> None:
        self._redis, self._key, self._clock = redis, f"dialer:{identity}:bell", clock

    async def ring(self) -> None:
        """Let the feeder look now."""
        with suppress(RedisError, OSError, TimeoutError):
            async with asyncio.timeout(RING_WITHIN_S), self._redis.pipeline(transaction=True) as pipe:
                # One stroke is enough, however often it was rung.
                pipe.delete(self._key)
                pipe.rpush(self._key, b"1")
                pipe.expire(self._key, HEARD_WITHIN_S)
                await pipe.execute()

    async def wait(self, within_s: float) -> None:
        """Until it is rung, or so long."""
        begun = self._clock.monotonic()
        await self.hear(within_s)
        rest_s = min(AT_MOST_EVERY_S, within_s)
        await self._clock.sleep(max(0.0, begun + rest_s - self._clock.monotonic()))

    async def hear(self, within_s: float) -> bool:
        """Until it is rung, or so long, without Redis as well; whether it was rung."""
        begun = self._clock.monotonic()
        try:
            # redis-py's own command knows whole seconds only.
            return bool(await self._redis.execute_command("BLPOP", self._key, within_s))  # type: ignore[no-untyped-call]
        except (RedisError, OSError):
            await self._clock.sleep(max(0.0, begun + within_s - self._clock.monotonic()))
            return False
