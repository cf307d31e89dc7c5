"""What every ledger promises: which requests were made and what they came to, what was spent, when the log was read."""

from dialer.domain.call import NotPlaced, PlaceResult, Refused, Unknown
from dialer.domain.disposition import Disposition
from dialer.ports import LogScan
from tests.fakes.clock import START, ManualClock
from tests.ledger_steps import (
    ACCOUNT,
    EXHAUSTED,
    REACHED,
    FullLedger,
    contact,
    dial,
    end,
    outcome,
    phone,
    place,
    running,
)

DAY_S = 86_400.0


async def test_every_passage_of_the_gate_is_a_send(ledger: FullLedger, clock: ManualClock) -> None:
    campaign = await running(ledger)
    (first,) = await dial(ledger, campaign)
    assert [(one.kind, one.requests, one.answered_at) for one in await ledger.sends([first.attempt_id])] == [
        ("inflight", 0, None)
    ]
    clock.skip(2)
    turned = NotPlaced("429", http_status=429)
    assert await ledger.record_sends([outcome(first, turned, due_at=clock.now())]) == [True]
    (second,) = await dial(ledger, campaign)
    clock.skip(3)
    await ledger.record_sends([outcome(second, Unknown("read time-out"))])
    told = await ledger.sends([first.attempt_id, 99])
    assert [(one.kind, one.requests, one.http_status, one.reason) for one in told] == [
        ("not_placed", 1, 429, "429"), ("unknown", 1, None, "read time-out"),
    ]  # fmt: skip
    assert [(one.started_at, one.answered_at) for one in told] == [(START, START + 2), (START + 2, START + 5)]
    assert {one.attempt_id for one in told} == {first.attempt_id}


async def test_what_was_not_placed_is_no_call_of_the_contact(ledger: FullLedger, clock: ManualClock) -> None:
    campaign = await running(ledger)
    (call,) = await dial(ledger, campaign)
    assert (await contact(ledger, campaign, phone(1))).attempts == 1
    await ledger.record_sends([outcome(call, NotPlaced("no connection"), due_at=clock.now())])
    told = await contact(ledger, campaign, phone(1))
    assert (told.attempts, told.last_attempt_at) == (0, None)
    clock.skip(7)
    await place(ledger, campaign)
    told = await contact(ledger, campaign, phone(1))
    assert (told.attempts, told.last_attempt_at) == (1, START + 7)


async def test_recent_sends_are_counted_by_kind_since_the_last_halt(ledger: FullLedger) -> None:
    campaign = await running(ledger, people=4)
    calls = await dial(ledger, campaign)
    results: tuple[PlaceResult, ...] = (Unknown("reset"), NotPlaced("429"), Refused(Disposition.REJECTED, "no"))
    await ledger.record_sends(
        [outcome(call, result, follow=EXHAUSTED) for call, result in zip(calls, results, strict=False)]
    )
    assert await ledger.recent_sends(ACCOUNT, 10) == {"unknown": 1, "not_placed": 1, "refused": 1, "inflight": 1}
    assert await ledger.recent_sends(ACCOUNT, 2) == {"refused": 1, "inflight": 1}
    assert await ledger.recent_sends("vaani", 10) == {}
    await ledger.halt_account(ACCOUNT, "the key was refused")
    assert await ledger.recent_sends(ACCOUNT, 10) == {}


async def test_what_was_spent_and_what_is_open(ledger: FullLedger) -> None:
    campaign = await running(ledger, people=3)
    other = await running(ledger, name="autumn", first=7)
    assert await ledger.spent(campaign.campaign_id) == (0.0, 0, 0)
    first, second, _ = await place(ledger, campaign)
    await place(ledger, other)
    await end(ledger, first, Disposition.ANSWERED, REACHED)
    assert await ledger.spent(campaign.campaign_id) == (0.5, 1, 2)
    await end(ledger, second, Disposition.BUSY, EXHAUSTED)
    assert await ledger.spent(campaign.campaign_id) == (1.0, 2, 1)
    assert await ledger.spent(other.campaign_id) == (0.0, 0, 1)


async def test_readings_of_the_log_are_remembered_for_a_month(ledger: FullLedger, clock: ManualClock) -> None:
    whole = LogScan(START, START + 1, START - 300, pages=3, rows=450, whole=True)
    broken = LogScan(START + 5, START + 6, START - 300, pages=1, rows=200, whole=False)
    for reading in (broken, whole):
        await ledger.record_scan(ACCOUNT, reading)
    assert await ledger.scans(ACCOUNT, START, START + 5) == [whole, broken]
    assert await ledger.scans(ACCOUNT, START + 1, START + 9) == [broken]
    assert await ledger.scans("vaani", START, START + 9) == []
    clock.skip(31 * DAY_S)
    later = LogScan(clock.now(), clock.now(), START, pages=1, rows=0, whole=True)
    await ledger.record_scan(ACCOUNT, later)
    assert await ledger.scans(ACCOUNT, 0, clock.now()) == [later]
