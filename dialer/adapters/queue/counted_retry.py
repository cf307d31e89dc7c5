"""Tells of each command that did not get through to Redis, from wherever it was sent."""

from collections.abc import Callable
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry


class CountedRetry(Retry):
    """As another, and ``failed`` is called at each failure, also at those that are tried again."""

    def __init__(self, like: Retry, failed: Callable[[], None]) -> None:
        super().__init__(like._backoff, like._retries, like._supported_errors)
        self._failed = failed

    def __deepcopy__(self, memo: dict[int, Any]) -> "CountedRetry":
        return CountedRetry(self, self._failed)  # each connection has one, and all tell the same

    async def call_with_retry(self, do: Any, fail: Any) -> Any:
        async def counted(error: Exception) -> Any:
            self._failed()
            return await fail(error)

        return await super().call_with_retry(do, counted)


def tell_failures(redis: "Redis", failed: Callable[[], None]) -> None:
    """Let ``failed`` be called for each of its commands that does not get through. Before its first command."""
    kept = redis.connection_pool.connection_kwargs
    probe = redis.connection_pool.connection_class(**kept)
    kept["retry"] = CountedRetry(probe.retry, failed)
