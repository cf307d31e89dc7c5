"""The JobQueue port over arq, and the Redis connections that arq and the pacer use.

arq is a doorbell only: a job names attempts that the ledger already holds as queued, and running it twice,
late or never is harmless. Keys follow arq 0.28 (``arq:job:<id>`` and the queue's sorted set), written in one
transaction for a whole tick instead of three round trips for each job; a contract test compares the two.
"""

import json
from collections.abc import Sequence
from typing import Any

from arq.connections import ArqRedis
from arq.constants import job_key_prefix
from arq.jobs import serialize_job
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from dialer.errors import QueueUnavailable
from dialer.ports import Clock, QueuedAttempt

DIAL_QUEUE = "dialer:dial:v1"
PLACE_CALL = "place_call"

JOB_LIFE_S = 30
"""Longer than any lease: what is picked up later finds its hand-over void."""
SLICE_LIMIT = 50
SLICES_PER_TICK = 16


def serialize(value: Any) -> bytes:
    """JSON: what is planted in Redis can name attempts, and never run code."""
    return json.dumps(value, default=str).encode()


def deserialize(value: bytes) -> Any:
    """The other way."""
    return json.loads(value)


def arq_redis(url: str) -> ArqRedis:
    """A connection pool that rides out a lost connection, and reports within seconds that Redis is away.

    Its users try again by themselves. redis-py repeats both the command and, within each, the connecting.
    """
    pool = Redis.from_url(
        url,
        socket_timeout=5,
        socket_connect_timeout=2,
        retry=Retry(ExponentialBackoff(cap=0.5, base=0.05), 2),
        # OSError is what a refused connect raises; redis-py does not count it as a connection error.
        retry_on_error=[OSError, RedisConnectionError, RedisTimeoutError],
        health_check_interval=15,
    ).connection_pool
    return ArqRedis(pool, serialize, deserialize, default_queue_name=DIAL_QUEUE)


def pacing_redis(url: str) -> "Redis":
    """A client that fails at once, for the pacer, which has its own way of waiting."""
    client: Redis = Redis.from_url(url, socket_timeout=2)
    return client


class ArqQueue:
    """Hands attempts to the workers in slices: one job carries the attempts of one short moment."""

    def __init__(self, redis: ArqRedis, identity: str, clock: Clock) -> None:
        self._redis, self._identity, self._clock = redis, identity, clock

    async def enqueue(self, attempts: Sequence[QueuedAttempt]) -> None:
        """Ring for each attempt, in order. Raises QueueUnavailable."""
        now_ms = int(self._clock.now() * 1000)
        size = min(SLICE_LIMIT, -(-len(attempts) // SLICES_PER_TICK))
        try:
            async with self._redis.pipeline(transaction=True) as pipe:
                for start in range(0, len(attempts), size):
                    part = attempts[start : start + size]
                    job_id = f"dial:{self._identity}:{part[0].attempt_id}.{part[0].dispatch}"
                    handed = [[a.attempt_id, a.dispatch, a.campaign_id, a.account] for a in part]
                    job = serialize_job(PLACE_CALL, (self._identity, handed), {}, None, now_ms, serializer=serialize)
                    pipe.psetex(job_key_prefix + job_id, JOB_LIFE_S * 1000, job)
                    pipe.zadd(DIAL_QUEUE, {job_id: now_ms})
                await pipe.execute()
        except (RedisError, OSError) as broken:
            raise QueueUnavailable(f"Redis cannot be reached: {broken}") from broken
