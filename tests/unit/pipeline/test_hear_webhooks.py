"""The room that takes webhooks: who is believed, what rings, and what is said of those who are not."""

import asyncio
import json

import pytest
from structlog.testing import capture_logs

from dialer.errors import WebhookForged
from dialer.pipeline.hear_webhooks import HearWebhooks
from tests.fakes.clock import ManualClock
from tests.hook_steps import ANSWERED, NEW, hearing, hook, signed
from tests.memory_ledger import memory_ledger


class Strokes:
    """A bell that counts."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock, self.at = clock, list[float]()

    async def ring(self) -> None:
        """When it was rung."""
        self.at.append(self.clock.monotonic())


@pytest.fixture
def strokes(clock: ManualClock) -> Strokes:
    return Strokes(clock)


@pytest.fixture
def room(clock: ManualClock, strokes: Strokes) -> HearWebhooks:
    return hearing(memory_ledger(clock).webhooks, clock, strokes.ring)


async def test_only_the_end_of_a_call_has_the_log_read_and_only_once(room: HearWebhooks) -> None:
    for again in (False, True):
        rings = [event for event in ANSWERED if await room.hear(hook(event), signed(hook(event)))]
        assert rings == ([] if again else ["call_ended"])


async def test_without_a_secret_it_rings_and_nothing_is_kept(clock: ManualClock, strokes: Strokes) -> None:
    ledger = memory_ledger(clock)
    room = hearing(ledger.webhooks, clock, strokes.ring, secrets=())
    for _ in range(2):
        assert await room.hear(hook("call_ended"), signed(hook("call_ended"), "anybody's"))
    assert await ledger.webhooks.of_calls(["room-1"]) == []
    last = await room.last()
    assert last is not None
    assert (last.event, last.signed_by) == ("", "")


async def test_many_ring_once_and_who_comes_later_rings_again(
    room: HearWebhooks, clock: ManualClock, strokes: Strokes
) -> None:
    async def crowd() -> None:
        await asyncio.gather(*(room.hint() for _ in range(100)))

    await clock.run(crowd())
    assert strokes.at == [0.0, 0.5]  # the first at once, and one after all the others
    await clock.run(room.hint())
    assert strokes.at == [0.0, 0.5, 1.0]
    clock.skip(60)
    await clock.run(room.hint())
    assert strokes.at[3:] == [61.0]


async def test_the_address_is_known_only_to_who_was_told(room: HearWebhooks, clock: ManualClock) -> None:
    assert not await room.is_ours("")
    path = await room.path()
    assert len(path) == 24
    assert await room.is_ours(path)
    assert await room.path() == path
    for other in ("", path[:-1], path + "a", path.swapcase(), "\ud800"):
        assert not await room.is_ours(other)


async def test_forged_ones_are_told_once_a_minute_and_nothing_of_them(room: HearWebhooks, clock: ManualClock) -> None:
    body = hook("call_ended", phone_number="+14155550123", summary="said in confidence")
    with capture_logs() as said:
        for _ in range(120):
            with pytest.raises(WebhookForged):
                await room.hear(body, signed(body, "guessed"))
            clock.skip(1)
    assert [one["event"] for one in said] == ["webhook.refused"] * 2
    text = json.dumps(said)
    assert not any(word in text for word in ("4155550123", "confidence", "room-1", NEW, "guessed"))
