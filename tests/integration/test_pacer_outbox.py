"""Lines that are freed while Redis takes its time: whoever waits for it is answered, whatever happens meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from uuid import uuid4

import pytest_asyncio
from redis.asyncio import Redis

from dialer.adapters.pacing.outbox import Outbox
from dialer.adapters.pacing.script import PacerScript

PATIENCE_S = 30.0


class HeldScript(PacerScript):
    """The script over a real Redis, whose answers come when they are let go."""

    def __init__(self, client: Redis) -> None:
        super().__init__(client, f"t:{uuid4().hex}:{{a}}", 5.0)
        self.asked, self.let_go = asyncio.Event(), asyncio.Event()

    async def __call__(self, *args: str | int) -> object:
        self.asked.set()
        await self.let_go.wait()
        return await super().__call__(*args)


@pytest_asyncio.fixture
async def script(redis_url: str) -> AsyncIterator[HeldScript]:
    client = Redis.from_url(redis_url)
    yield HeldScript(client)
    await client.aclose()


async def test_a_release_whose_attempt_is_wanted_again_meanwhile_returns(script: HeldScript) -> None:
    outbox = Outbox(script)
    outbox.put([1])
    first = asyncio.create_task(outbox.sent())
    await script.asked.wait()
    outbox.put([2])
    second = asyncio.create_task(outbox.sent())
    await asyncio.sleep(0)
    outbox.keep(2)
    script.let_go.set()
    async with asyncio.timeout(PATIENCE_S):
        await asyncio.gather(first, second)
        await outbox.aclose()


async def test_closing_in_the_middle_of_a_release_returns_and_answers_who_waits(script: HeldScript) -> None:
    outbox = Outbox(script)
    outbox.put([1])
    waiting = asyncio.create_task(outbox.sent())
    await script.asked.wait()
    async with asyncio.timeout(PATIENCE_S):
        await outbox.aclose()
        with suppress(asyncio.CancelledError):
            await waiting
