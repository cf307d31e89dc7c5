"""Answers that are given again, as the ledger keeps them."""

import asyncio

from dialer.adapters.ledger import SqlLedger
from dialer.adapters.ledger.keys import RUNNING_S
from dialer.pipeline.keep_replies import KEPT_S, KeepReplies, KeptAnswer
from tests.fakes.clock import ManualClock
from tests.ledger_steps import FullLedger
from tests.memory_ledger import MemoryStore, Tables

ANSWER = KeptAnswer("of the request", 201, {"content-type": "application/json"}, '{"token": "dlr_…"}'.encode())


def room(ledger: FullLedger) -> KeepReplies:
    assert isinstance(ledger, SqlLedger)
    return KeepReplies(ledger.keys)


async def test_what_was_answered_is_known(ledger: FullLedger) -> None:
    replies = room(ledger)
    assert await replies.begin("me", "key") is None
    running = await replies.begin("me", "key")
    assert running is not None
    assert running.status is None

    await replies.keep("me", "key", ANSWER)

    assert await replies.begin("me", "key") == ANSWER
    assert await replies.begin("another", "key") is None
    assert await replies.begin("me", "another key") is None


async def test_what_changed_nothing_may_run_again(ledger: FullLedger) -> None:
    replies = room(ledger)
    await replies.begin("me", "key")
    await replies.forget("me", "key")

    assert await replies.begin("me", "key") is None


async def test_an_answer_is_kept_for_a_day(ledger: FullLedger, clock: ManualClock) -> None:
    replies = room(ledger)
    await replies.begin("me", "key")
    await replies.keep("me", "key", ANSWER)

    clock.skip(KEPT_S - 1)
    assert await replies.begin("me", "key") == ANSWER
    clock.skip(1)
    assert await replies.begin("me", "key") is None


async def test_a_request_whose_process_is_gone_may_run_again(ledger: FullLedger, clock: ManualClock) -> None:
    replies = room(ledger)
    await replies.begin("me", "key")

    clock.skip(RUNNING_S - 1)
    assert await replies.begin("me", "key") is not None
    clock.skip(1)
    assert await replies.begin("me", "key") is None


async def test_a_request_of_which_is_heard_still_runs(ledger: FullLedger, clock: ManualClock) -> None:
    replies = room(ledger)
    await replies.begin("me", "key")
    for _ in range(10):
        clock.skip(RUNNING_S - 1)
        await replies.hear("me", "key")
    clock.skip(RUNNING_S - 1)

    assert await replies.begin("me", "key") is not None


async def test_hearing_of_a_request_does_not_keep_its_answer_longer(ledger: FullLedger, clock: ManualClock) -> None:
    replies = room(ledger)
    await replies.begin("me", "key")
    await replies.keep("me", "key", ANSWER)
    clock.skip(KEPT_S / 2)
    await replies.hear("me", "key")
    clock.skip(KEPT_S / 2)

    assert await replies.begin("me", "key") is None


async def test_of_many_at_once_one_runs(ledger_url: str, clock: ManualClock) -> None:
    ledgers = [await SqlLedger.open(ledger_url, clock) for _ in range(2)]
    rooms = [KeepReplies(ledger.keys) for ledger in ledgers]

    begun = await asyncio.gather(*(rooms[n % 2].begin("me", f"key {n // 20}") for n in range(100)))

    assert begun.count(None) == 5
    for ledger in ledgers:
        await ledger.aclose()


async def test_the_ledger_alone_does_not_say_what_was_answered(clock: ManualClock) -> None:
    tables = Tables(clock)
    replies = KeepReplies(SqlLedger(MemoryStore(tables), clock, "memory").keys)
    await replies.begin("the asker's secret", "key-of-mine")
    await replies.keep("the asker's secret", "key-of-mine", ANSWER)

    (row,) = tables.rows("SELECT * FROM replies")
    assert not any(word in str(row) for word in ("dlr_", "token", "secret", "key-of-mine"))


async def test_an_empty_answer_and_an_odd_one_come_back(ledger: FullLedger) -> None:
    replies = room(ledger)
    for key, body in (("empty", b""), ("zeros", bytes(40)), ("bytes", bytes(range(256)))):
        await replies.begin("me", key)
        await replies.keep("me", key, KeptAnswer("f", 200, {}, body))
        assert await replies.begin("me", key) == KeptAnswer("f", 200, {}, body)
