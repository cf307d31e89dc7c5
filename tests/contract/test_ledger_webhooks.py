"""What every ledger promises of webhooks: each is kept once, for a week, whoever hears it."""

import asyncio
from collections.abc import AsyncIterator

import pytest_asyncio

from dialer.adapters.ledger import SqlLedger
from dialer.ports.webhooks import HeardWebhook, Webhook
from tests.fakes.clock import START, ManualClock

WEEK_S = 7 * 86_400.0


def webhook(n: int = 1, event: str = "call_ended") -> Webhook:
    return Webhook("vaanivoice", event, f"room-{n}", "Vaani-Signature", True, f"{event}-{n}")


@pytest_asyncio.fixture
async def two(ledger_url: str, clock: ManualClock) -> AsyncIterator[list[SqlLedger]]:
    """One ledger, opened by two processes."""
    opened = [await SqlLedger.open(ledger_url, clock) for _ in range(2)]
    yield opened
    for one in opened:
        await one.aclose()


async def test_the_same_is_kept_once_over_all_processes(two: list[SqlLedger]) -> None:
    wanted = [webhook(n) for n in range(20)]
    asked = [one.webhooks.hear(each, WEEK_S) for one in (*two, *reversed(two)) for each in wanted]

    assert sum(await asyncio.gather(*asked)) == len(wanted)
    heard = await two[0].webhooks.of_calls([one.call_id for one in wanted])
    assert sorted(one.call_id for one in heard) == sorted(one.call_id for one in wanted)


async def test_after_a_week_it_is_forgotten(two: list[SqlLedger], clock: ManualClock) -> None:
    ledger = two[0].webhooks
    await ledger.hear(webhook(), WEEK_S)
    clock.skip(WEEK_S - 1)
    assert not await ledger.hear(webhook(), WEEK_S)
    clock.skip(1)
    assert await ledger.hear(webhook(2), WEEK_S)
    assert await ledger.of_calls(["room-1"]) == []
    assert await ledger.hear(webhook(), WEEK_S)


async def test_a_calls_webhooks_stand_in_the_order_in_which_they_came(two: list[SqlLedger], clock: ManualClock) -> None:
    for ledger, event in zip(two, ("call_ended", "call_started"), strict=True):
        await ledger.webhooks.hear(webhook(event=event), WEEK_S)
        clock.skip(1)
    await two[0].webhooks.hear(webhook(2), WEEK_S)

    assert await two[0].webhooks.of_calls(["room-1", "", "another"]) == [
        HeardWebhook("vaanivoice", "call_ended", "room-1", "Vaani-Signature", START),
        HeardWebhook("vaanivoice", "call_started", "room-1", "Vaani-Signature", START + 1),
    ]


async def test_calls_without_an_id_have_none(two: list[SqlLedger]) -> None:
    await two[0].webhooks.hear(Webhook("vaanivoice", "webhook_test", "", "Vaani-Signature", False, "d"), WEEK_S)
    assert await two[0].webhooks.of_calls(["", ""]) == []


async def test_the_last_is_told_whether_it_was_signed_or_not(two: list[SqlLedger], clock: ManualClock) -> None:
    ledger = two[0].webhooks
    assert await ledger.last("vaanivoice") is None
    await ledger.note_unsigned("vaanivoice")
    assert await ledger.last("vaanivoice") == HeardWebhook("vaanivoice", "", "", "", START)
    clock.skip(1)
    await ledger.hear(webhook(), WEEK_S)
    assert (await ledger.last("vaanivoice")) == HeardWebhook(
        "vaanivoice", "call_ended", "room-1", "Vaani-Signature", START + 1
    )
    clock.skip(1)
    await ledger.note_unsigned("vaanivoice")
    last = await ledger.last("vaanivoice")
    assert last is not None
    assert (last.signed_by, last.received_at) == ("", START + 2)
    assert await ledger.last("vaani") is None


async def test_the_address_is_made_once(two: list[SqlLedger]) -> None:
    assert await two[0].webhooks.path("vaanivoice") == ""
    made = await asyncio.gather(*(one.webhooks.path("vaanivoice", f"fresh-{n}") for n, one in enumerate(two)))
    assert made[0] == made[1]
    assert await two[1].webhooks.path("vaanivoice", "another") == made[0]
