"""Lines in a real Redis follow the calls that a real ledger knows, whatever is lost in between."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace
from uuid import uuid4

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from dialer.adapters.ledger import SqlLedger
from dialer.adapters.pacing import RedisPacer
from dialer.domain.disposition import Disposition
from dialer.pipeline.keep_lines import FRESH_S, IN_FLIGHT_S, KeepLines
from dialer.ports import Admitted, Limits, LiveCall
from tests.ledger_steps import ACCOUNT, EXHAUSTED, end, place, running
from tests.memory_ledger import MemoryStore, Tables, memory_ledger
from tests.redis_server import redis_server
from tests.virtual_time import REDIS_TIME, RedisFollower, VirtualClock, running_virtual_loop

pytestmark = pytest.mark.virtual_time
CLOCK = VirtualClock()
PEOPLE, AT_ONCE = 25, 10


@pytest.fixture(scope="module")
def redis_url() -> Iterator[str]:
    with redis_server() as url:
        yield url


@pytest_asyncio.fixture
async def follower(redis_url: str) -> AsyncIterator[RedisFollower]:
    made = RedisFollower(running_virtual_loop(), redis_url)
    yield made
    made.close()


@pytest_asyncio.fixture
async def client(redis_url: str, follower: RedisFollower) -> AsyncIterator["Redis"]:
    del follower
    made = Redis.from_url(redis_url)
    yield made
    await made.aclose()


@pytest_asyncio.fixture
async def ledger() -> AsyncIterator[SqlLedger]:
    made = memory_ledger(CLOCK)
    yield made
    await made.aclose()


class Feeder:
    """The part of the feeder that keeps the lines; in Redis all of these are one part, in the ledger three."""

    def __init__(self, client: "Redis", ledger: SqlLedger, prefix: str) -> None:
        self.pacer = RedisPacer(client, prefix, CLOCK.monotonic, redis_time=REDIS_TIME)
        self.lines = KeepLines(ledger, self.pacer, CLOCK, 900.0, at_once=AT_ONCE)

    async def tick(self, live: int = 0) -> int | None:
        """One round; the lines before it. ``live``: the calls that the ledger counts."""
        counted = await self.pacer.configure(ACCOUNT, Limits(0, PEOPLE), {1: Limits(0, 0)})
        await self.lines.tick(ACCOUNT, counted, live)
        return counted

    async def rounds(self, many: int) -> None:
        for _ in range(many):
            await self.tick()

    async def held(self) -> int:
        return (await self.pacer.state(ACCOUNT)).lines


@pytest.fixture
def prefix() -> str:
    return f"t:{uuid4().hex}"


@pytest_asyncio.fixture
async def feeder(client: "Redis", ledger: SqlLedger, prefix: str) -> AsyncIterator[Feeder]:
    made = Feeder(client, ledger, prefix)
    yield made
    await made.pacer.aclose()


async def calling(ledger: SqlLedger, feeder: Feeder) -> Sequence[Admitted]:
    """Calls that are on, since long, and hold their lines."""
    calls = await place(ledger, await running(ledger, PEOPLE))
    await feeder.tick()
    await asyncio.sleep(IN_FLIGHT_S + 1)
    assert await feeder.tick() == PEOPLE
    return calls


async def hang_up(ledger: SqlLedger, call: Admitted) -> None:
    assert await end(ledger, call, Disposition.REJECTED, EXHAUSTED)


async def test_after_a_loss_every_line_is_held_before_anything_is_granted(
    follower: RedisFollower, ledger: SqlLedger, feeder: Feeder
) -> None:
    await calling(ledger, feeder)
    follower.flush()
    assert await feeder.pacer.acquire(ACCOUNT, 1, 999, 0.3) is None
    assert await feeder.tick() is None
    assert await feeder.held() == PEOPLE
    assert await feeder.pacer.acquire(ACCOUNT, 1, 999, 0.3) is None


async def test_a_call_that_becomes_live_while_the_lines_are_restored_is_held_by_the_next_round(
    follower: RedisFollower, ledger: SqlLedger, feeder: Feeder
) -> None:
    await calling(ledger, feeder)
    await place(ledger, await running(ledger, 1, "autumn", first=100))
    follower.flush()
    await feeder.tick()
    late = await place(ledger, await running(ledger, 3 * AT_ONCE, "winter", first=200))
    await feeder.tick()
    assert await feeder.held() == PEOPLE + 1 + len(late)


async def test_one_line_that_redis_lost_is_held_again_when_the_rounds_came_by(
    ledger: SqlLedger, feeder: Feeder
) -> None:
    first, *_ = await calling(ledger, feeder)
    await feeder.pacer.release(ACCOUNT, [first.attempt_id])
    await feeder.rounds(3)
    assert await feeder.held() == PEOPLE


async def test_many_lines_that_redis_lost_are_held_again_at_once(ledger: SqlLedger, feeder: Feeder) -> None:
    calls = await calling(ledger, feeder)
    await feeder.pacer.release(ACCOUNT, [call.attempt_id for call in calls[5:]])
    await feeder.tick(live=PEOPLE)
    assert await feeder.held() == PEOPLE


async def test_a_line_that_nobody_freed_is_free_in_the_next_round(ledger: SqlLedger, feeder: Feeder) -> None:
    calls = await calling(ledger, feeder)
    await hang_up(ledger, calls[-1])
    await feeder.tick()
    assert await feeder.held() == PEOPLE - 1
    assert await feeder.pacer.acquire(ACCOUNT, 1, 999, 0.3) is not None


async def test_a_line_freed_while_it_is_being_written_is_free_in_the_next_round(
    client: "Redis", ledger: SqlLedger, feeder: Feeder, prefix: str
) -> None:
    calls = await calling(ledger, feeder)

    class HangsUp(SqlLedger):
        async def live_calls(self, account: str, after: int, limit: int) -> list[LiveCall]:
            found = await ledger.live_calls(account, after, limit)
            if not after:
                await hang_up(ledger, calls[0])
                await feeder.pacer.release(ACCOUNT, [calls[0].attempt_id])
            return found

        async def live_among(self, attempt_ids: Sequence[int]) -> set[int]:
            return set(attempt_ids)

    other = Feeder(client, HangsUp(MemoryStore(Tables(CLOCK)), CLOCK, "other"), prefix)
    await other.tick()
    assert await feeder.held() == PEOPLE, "it was written after it was freed"
    await feeder.tick()
    assert await feeder.held() == PEOPLE - 1
    await other.pacer.aclose()


async def test_a_new_feeder_goes_on_where_no_round_was_finished(
    client: "Redis", ledger: SqlLedger, feeder: Feeder, prefix: str
) -> None:
    calls = await calling(ledger, feeder)
    await feeder.tick()
    await hang_up(ledger, calls[0])
    await feeder.pacer.release(ACCOUNT, [calls[-1].attempt_id])
    other = Feeder(client, ledger, prefix)
    await other.rounds(3)
    assert await other.held() == PEOPLE - 1
    await other.pacer.aclose()


async def test_a_line_granted_anew_since_the_ledger_was_asked_is_not_dropped(ledger: SqlLedger, feeder: Feeder) -> None:
    await calling(ledger, feeder)
    old = await feeder.pacer.old_lines(ACCOUNT, 0)
    assert await feeder.pacer.again(ACCOUNT, 1, old.attempt_ids[0], 0.3) is not None
    await feeder.pacer.drop(ACCOUNT, old.attempt_ids[:2], old.granted_before)
    assert await feeder.held() == PEOPLE - 1


async def test_a_ledger_that_answers_late_restores_nothing(
    follower: RedisFollower, ledger: SqlLedger, feeder: Feeder
) -> None:
    class Slow(SqlLedger):
        async def live_calls(self, account: str, after: int, limit: int) -> list[LiveCall]:
            await asyncio.sleep(FRESH_S + 1)
            return await ledger.live_calls(account, after, limit)

    await calling(ledger, feeder)
    follower.flush()
    feeder.lines = replace(feeder.lines, view=Slow(MemoryStore(Tables(CLOCK)), CLOCK, "slow"))
    await feeder.rounds(2)
    assert await feeder.tick() is None
