"""What every Pacer promises: the fake, and the real one over a real Valkey that keeps the loop's time."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from uuid import uuid4

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from dialer.adapters.pacing import RedisPacer
from dialer.ports import Grant, Limits, Pacer
from tests.fakes.pacer import MemoryPacer, restore
from tests.redis_server import redis_server
from tests.virtual_time import REDIS_TIME, RedisFollower, VirtualClock, running_virtual_loop

pytestmark = pytest.mark.virtual_time
ACCOUNT = "simulator"
FREE = Limits(0, 0)
CLOCK = VirtualClock()


@pytest.fixture(scope="module")
def pacer_redis_url() -> Iterator[str]:
    with redis_server() as url:
        yield url


@pytest_asyncio.fixture(params=["memory", "redis"])
async def pacer(request: pytest.FixtureRequest, pacer_redis_url: str) -> AsyncIterator[Pacer]:
    if request.param == "memory":
        yield MemoryPacer(CLOCK)
        return
    follower = RedisFollower(running_virtual_loop(), pacer_redis_url)
    client = Redis.from_url(pacer_redis_url)
    real = RedisPacer(client, f"t:{uuid4().hex}", CLOCK.monotonic, redis_time=REDIS_TIME)
    yield real
    await real.aclose()
    await client.aclose()
    follower.close()


async def ready(pacer: Pacer, limits: Limits, *campaigns: Limits) -> None:
    """Limits in force, no live calls; campaigns are numbered from 1."""
    await pacer.configure(ACCOUNT, limits, dict(enumerate(campaigns or (FREE,), 1)))
    await restore(pacer, ACCOUNT, {})


async def send(pacer: Pacer, campaign_id: int, attempt_id: int, patience_s: float = 5.0) -> float | None:
    """Take a slot as a worker does; the monotonic moment of sending, None when patience ended."""
    grant = await pacer.acquire(ACCOUNT, campaign_id, attempt_id, patience_s)
    while grant is not None:
        if await grant.slot() and grant.valid:
            return CLOCK.monotonic()
        grant = await pacer.again(ACCOUNT, campaign_id, attempt_id, patience_s)
    return None


async def send_again(pacer: Pacer, attempt_id: int) -> float | None:
    """Send with the line that the attempt holds."""
    grant = await pacer.again(ACCOUNT, 1, attempt_id, 1.0)
    return CLOCK.monotonic() if grant is not None and await grant.slot() else None


def holds(grant: Grant) -> bool:
    return grant.valid


async def dial(pacer: Pacer, seconds: float, workers: dict[int, int], hang_up: bool = True) -> list[tuple[float, int]]:
    """``workers``: campaign -> how many dial at once. Answers (moment, campaign) of each call, in order."""
    sent: list[tuple[float, int]] = []
    end = CLOCK.monotonic() + seconds
    numbers = iter(range(1, 1_000_000))

    async def work(campaign_id: int) -> None:
        while CLOCK.monotonic() < end:
            attempt_id = next(numbers)
            moment = await send(pacer, campaign_id, attempt_id, max(0.0, end - CLOCK.monotonic()))
            if moment is not None and moment < end:
                sent.append((moment, campaign_id))
            if hang_up:
                await pacer.release(ACCOUNT, [attempt_id])

    await asyncio.gather(*(work(campaign) for campaign, many in workers.items() for _ in range(many)))
    return sorted(sent)


def worst_second(sent: list[tuple[float, int]]) -> int:
    moments = [moment for moment, _ in sent]
    return max(sum(first <= moment < first + 1 for moment in moments) for first in moments)


async def within(seconds: float, true: Callable[[], Awaitable[bool]]) -> bool:
    end = CLOCK.monotonic() + seconds
    while CLOCK.monotonic() < end:
        if await true():
            return True
        await asyncio.sleep(0.01)
    return False


async def test_the_rate_is_used_and_never_exceeded(pacer: Pacer) -> None:
    await ready(pacer, Limits(20, 0))
    sent = await dial(pacer, 1.9, {1: 16})
    assert worst_second(sent) <= 20
    assert (len(sent) - 1) / (sent[-1][0] - sent[0][0]) >= 0.9 * 20


async def test_the_campaigns_own_rate_holds_beside_a_faster_one(pacer: Pacer) -> None:
    await ready(pacer, Limits(30, 0), Limits(5, 0), FREE)
    sent = await dial(pacer, 1.75, {1: 4, 2: 16})
    slow = [call for call in sent if call[1] == 1]
    assert worst_second(sent) <= 30
    assert worst_second(slow) <= 5
    assert len(slow) >= 3
    # Far more than the slow one's 5.
    assert (len(sent) - 1) / (sent[-1][0] - sent[0][0]) >= 15.0


async def test_lines_are_never_exceeded_and_a_release_frees_one(pacer: Pacer) -> None:
    await ready(pacer, Limits(0, 3))
    for attempt_id in (1, 2, 3):
        assert await send(pacer, 1, attempt_id) is not None
    assert (await pacer.state(ACCOUNT)).lines == 3
    waiting = asyncio.create_task(send(pacer, 1, 4))
    done, _ = await asyncio.wait([waiting], timeout=0.15)
    assert not done
    released = CLOCK.monotonic()
    await pacer.release(ACCOUNT, [2])
    moment = await waiting
    assert moment is not None and moment - released < 0.1
    assert (await pacer.state(ACCOUNT)).lines == 3


async def test_a_campaigns_own_cap_leaves_the_rest_to_others(pacer: Pacer) -> None:
    await ready(pacer, Limits(0, 3), Limits(0, 1), FREE)
    assert await send(pacer, 1, 1) is not None
    assert await send(pacer, 1, 2, patience_s=0.05) is None
    assert await send(pacer, 2, 3) is not None
    assert await send(pacer, 2, 4) is not None
    assert await send(pacer, 2, 5, patience_s=0.05) is None


async def test_many_workers_never_hold_more_lines_than_allowed(pacer: Pacer) -> None:
    await ready(pacer, Limits(0, 5))
    held: set[int] = set()

    async def call(attempt_id: int) -> int:
        assert await send(pacer, 1, attempt_id) is not None
        held.add(attempt_id)
        most = len(held)
        await asyncio.sleep(0.01)
        held.discard(attempt_id)
        await pacer.release(ACCOUNT, [attempt_id])
        return most

    assert max(await asyncio.gather(*(call(attempt_id) for attempt_id in range(1, 60)))) == 5


async def test_releasing_twice_frees_once(pacer: Pacer) -> None:
    await ready(pacer, Limits(0, 2))
    for attempt_id in (1, 2):
        await send(pacer, 1, attempt_id)
    await pacer.release(ACCOUNT, [1, 1, 99])
    await pacer.release(ACCOUNT, [1])
    assert (await pacer.state(ACCOUNT)).lines == 1
    assert await send(pacer, 1, 3) is not None
    assert await send(pacer, 1, 4, patience_s=0.05) is None


async def test_again_keeps_the_line(pacer: Pacer) -> None:
    await ready(pacer, Limits(0, 1))
    assert await send(pacer, 1, 1) is not None
    grant = await pacer.again(ACCOUNT, 1, 1, 1.0)
    assert grant is not None and await grant.slot()
    assert (await pacer.state(ACCOUNT)).lines == 1


@pytest.mark.parametrize(("account", "campaign"), [(Limits(0, 2), FREE), (FREE, Limits(0, 2))])
async def test_a_line_given_to_another_meanwhile_is_kept_by_nobody_twice(
    pacer: Pacer, account: Limits, campaign: Limits
) -> None:
    """A worker stood still between its grant and its intent: its lines were taken for free, and given away."""
    await ready(pacer, account, campaign)
    ends = CLOCK.now() + 600
    await restore(pacer, ACCOUNT, dict.fromkeys((1, 2, 3), (1, ends)))
    assert await pacer.again(ACCOUNT, 1, 1, 0.05) is None
    await pacer.release(ACCOUNT, [1])
    assert await send_again(pacer, 2) is not None


async def test_restore_makes_lines_equal_to_what_is_live(pacer: Pacer) -> None:
    await pacer.configure(ACCOUNT, Limits(0, 3), {1: FREE})
    ends = CLOCK.now() + 600
    await restore(pacer, ACCOUNT, {11: (1, ends), 12: (1, ends), 13: (1, ends), 14: (1, ends)})
    assert (await pacer.state(ACCOUNT)).lines == 4
    assert await send(pacer, 1, 1, patience_s=0.05) is None
    waiting = asyncio.create_task(send(pacer, 1, 2))
    await asyncio.sleep(0)
    await restore(pacer, ACCOUNT, {11: (1, ends)})
    assert await waiting is not None
    assert (await pacer.state(ACCOUNT)).lines == 2


async def test_restore_spares_a_grant_that_the_ledger_cannot_show_yet(pacer: Pacer) -> None:
    await ready(pacer, Limits(0, 2))
    assert await send(pacer, 1, 1) is not None
    await restore(pacer, ACCOUNT, {})
    assert (await pacer.state(ACCOUNT)).lines == 1


async def test_nothing_is_granted_before_configure_and_restore(pacer: Pacer) -> None:
    assert await send(pacer, 1, 1, patience_s=0.1) is None
    await pacer.configure(ACCOUNT, Limits(0, 5), {1: FREE})
    assert await send(pacer, 1, 2, patience_s=0.1) is None
    await restore(pacer, ACCOUNT, {})
    assert await send(pacer, 1, 3) is not None


async def test_a_brake_voids_grants_and_nothing_leaves_until_it_ends(pacer: Pacer) -> None:
    await ready(pacer, Limits(20, 0))
    grant = await pacer.acquire(ACCOUNT, 1, 1, 5)
    assert grant is not None and holds(grant)
    began = CLOCK.monotonic()
    await pacer.brake(ACCOUNT, 0.4)
    assert not holds(grant)
    assert not await grant.slot()
    state = await pacer.state(ACCOUNT)
    assert state.braked_until is not None and 0 < state.braked_until - CLOCK.now() <= 0.5
    sent = await dial(pacer, 0.9, {1: 8})
    assert sent[0][0] - began >= 0.39
    assert worst_second(sent) <= 18
    assert 15.0 <= (await pacer.state(ACCOUNT)).learned_per_s <= 19.0


async def test_one_event_is_one_cut(pacer: Pacer) -> None:
    await ready(pacer, Limits(20, 0))
    assert await send(pacer, 1, 1) is not None
    for _ in range(5):
        await pacer.brake(ACCOUNT, 0.2)
    assert (await pacer.state(ACCOUNT)).learned_per_s >= 16.5


async def test_a_brake_stops_an_account_without_limits_too(pacer: Pacer) -> None:
    await ready(pacer, FREE)
    grant = await pacer.acquire(ACCOUNT, 1, 1, 5)
    assert grant is not None and await grant.slot()
    began = CLOCK.monotonic()
    await pacer.brake(ACCOUNT, 0.3)
    assert not holds(grant)
    moment = await send(pacer, 1, 2)
    assert moment is not None and moment - began >= 0.29


@pytest.mark.parametrize("limits", [Limits(20, 5), FREE], ids=["paced", "free"])
async def test_a_pause_voids_the_grants_of_that_campaign_alone(pacer: Pacer, limits: Limits) -> None:
    await ready(pacer, limits, FREE, FREE)
    grant = await pacer.acquire(ACCOUNT, 1, 1, 5)
    other = await pacer.acquire(ACCOUNT, 2, 2, 5)
    assert grant is not None and other is not None
    await pacer.configure(ACCOUNT, limits, {1: Limits(0, 0, paused=True), 2: FREE})
    assert not holds(grant) and not await grant.slot()
    assert other.valid
    assert await send(pacer, 1, 3, patience_s=0.1) is None
    await pacer.configure(ACCOUNT, limits, {1: FREE, 2: FREE})
    assert await send(pacer, 1, 4) is not None


async def test_a_campaign_not_named_is_paused(pacer: Pacer) -> None:
    await ready(pacer, FREE, FREE, FREE)
    grant = await pacer.acquire(ACCOUNT, 2, 1, 5)
    await pacer.configure(ACCOUNT, FREE, {1: FREE})
    assert grant is not None and not holds(grant)
    assert await send(pacer, 2, 2, patience_s=0.05) is None


async def test_a_paused_account_grants_nothing(pacer: Pacer) -> None:
    await ready(pacer, Limits(20, 0))
    grant = await pacer.acquire(ACCOUNT, 1, 1, 5)
    await pacer.configure(ACCOUNT, Limits(20, 0, paused=True), {1: FREE})
    assert grant is not None and not holds(grant)
    assert await send(pacer, 1, 2, patience_s=0.1) is None


async def test_patience_ends_and_leaves_no_line_behind(pacer: Pacer) -> None:
    await ready(pacer, Limits(0, 1))
    assert await send(pacer, 1, 1) is not None
    began = CLOCK.monotonic()
    assert await send(pacer, 1, 2, patience_s=0.2) is None
    assert 0.19 <= CLOCK.monotonic() - began < 0.5
    assert (await pacer.state(ACCOUNT)).lines == 1


async def test_a_cancelled_wait_leaves_no_line_behind(pacer: Pacer) -> None:
    await ready(pacer, Limits(0, 1))
    assert await send(pacer, 1, 1) is not None
    waiting = asyncio.create_task(send(pacer, 1, 2))
    await asyncio.wait([waiting], timeout=0.05)
    waiting.cancel()
    await asyncio.wait([waiting])
    await pacer.release(ACCOUNT, [1])

    async def free() -> bool:
        return (await pacer.state(ACCOUNT)).lines == 0

    assert await within(1.0, free)
    assert await send(pacer, 1, 3) is not None


async def test_a_new_rate_is_in_force_within_half_a_second(pacer: Pacer) -> None:
    await ready(pacer, Limits(5, 0))
    running = asyncio.create_task(dial(pacer, 2.15, {1: 16}))
    await asyncio.wait([running], timeout=1.1)
    changed = CLOCK.monotonic()
    await pacer.configure(ACCOUNT, Limits(40, 0), {1: FREE})
    await pacer.configure(ACCOUNT, Limits(40, 0), {1: FREE})
    sent = await running
    assert worst_second(sent) <= 40
    assert sum(changed + 0.5 <= moment < changed + 1.0 for moment, _ in sent) >= 12
