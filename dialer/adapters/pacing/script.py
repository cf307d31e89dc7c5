"""The one Lua script: how it is called and how its answers read."""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import NoScriptError, RedisError

from dialer.errors import QueueUnavailable

PARTS = tuple(Path(__file__).with_name(f"{part}.lua").read_text("utf-8") for part in ("account", "slots", "verbs"))
REDIS_TIME = "redis.call('TIME')"
"""The Lua expression for the time, {seconds, microseconds}: the server's own clock, but where a test hands one in."""
DOWN = (RedisError, OSError, TimeoutError)
"""What redis-py raises when Redis cannot be asked."""

LATER, FULL, PAUSED = 1, 2, 3


@dataclass(frozen=True, slots=True)
class CampaignGrants:
    """What one campaign got; ``slots`` in microseconds of Redis's clock, 0 for at once."""

    campaign_id: int
    epoch: int
    interval_us: int
    why: int
    again_us: int
    slots: Sequence[int]


@dataclass(frozen=True, slots=True)
class Grants:
    """The answer to ``grant``; epoch 0 or not ready: nothing is known of the account yet."""

    now_us: int
    version: int
    epoch: int
    highest_us: int
    interval_us: int
    ready: bool
    campaigns: Sequence[CampaignGrants]


@dataclass(frozen=True, slots=True)
class CampaignLook:
    """One campaign in force; ``free``: no limit of its own."""

    campaign_id: int
    epoch: int
    paused: bool
    free: bool


@dataclass(frozen=True, slots=True)
class Look:
    """What is in force on the account and of campaigns that were asked for; ``free``: no limit, nothing in the way."""

    now_us: int
    version: int
    epoch: int
    ready: bool
    lines: int
    configured_us: int
    learned_us: int
    braked_until_us: int
    free: bool
    campaigns: Sequence[CampaignLook]


def read_grants(raw: Any) -> Grants:
    """The answer of the verb ``grant``."""
    campaigns = [CampaignGrants(row[0], row[1], row[2], row[3], row[4], row[5:]) for row in raw[6:]]
    return Grants(raw[0], raw[1], raw[2], raw[3], raw[4], bool(raw[5]), campaigns)


def read_look(raw: Any) -> Look:
    """The answer of the verb ``look``; those of ``configure``, ``brake`` and ``reset`` name no campaign."""
    now, version, epoch, _, _, ready, lines, configured, learned, until, free = raw[:11]
    campaigns = [CampaignLook(row[0], row[1], bool(row[2]), bool(row[3])) for row in raw[11:]]
    return Look(now, version, epoch, bool(ready), lines, configured, learned, until, bool(free), campaigns)


@dataclass(slots=True)
class PacerScript:
    """Calls the script of one account; ``calls`` counts the commands sent to Redis."""

    client: "Redis"
    key: str
    timeout_s: float
    time: str = REDIS_TIME
    calls: int = 0
    _source: str = field(init=False)
    _sha: str = field(init=False)

    def __post_init__(self) -> None:
        self._source = "\n".join((f"local clock = {self.time}", *PARTS))
        self._sha = hashlib.sha1(self._source.encode(), usedforsecurity=False).hexdigest()

    async def __call__(self, *args: str | int) -> Any:
        """Run a verb. Raises QueueUnavailable when Redis did not answer in time or at all."""
        self.calls += 1
        try:
            async with asyncio.timeout(self.timeout_s):
                return await self._evaluate(args)
        except DOWN as error:
            raise QueueUnavailable(f"Redis does not answer: {error or type(error).__name__}") from error

    async def _evaluate(self, args: Sequence[str | int]) -> Any:
        try:
            return await self.client.execute_command("EVALSHA", self._sha, 1, self.key, *args)  # type: ignore[no-untyped-call]
        except NoScriptError:
            self.calls += 1
            return await self.client.execute_command("EVAL", self._source, 1, self.key, *args)  # type: ignore[no-untyped-call]
