"""A look is kept once, however many requests it takes."""

from dialer.domain.act import By
from dialer.pipeline.note_looks import SAME_LOOK_S, NoteLooks
from tests.fakes.clock import ManualClock
from tests.memory_ledger import memory_ledger

ANN, BEN = By("ann"), By("ben")


async def test_one_look_is_one_act_until_it_is_another(clock: ManualClock) -> None:
    ledger = memory_ledger(clock)
    looks = NoteLooks(ledger, clock)
    for by in (ANN, ANN, BEN):
        await looks.note(by, "recording", "spring", "attempt 1")
    await looks.note(ANN, "recording", "spring", "attempt 2")
    clock.skip(SAME_LOOK_S + 1)
    await looks.note(ANN, "recording", "spring", "attempt 1")
    assert [(act.who, act.subject) async for act in ledger.acts("spring")] == [
        ("ann", "attempt 1"), ("ben", "attempt 1"), ("ann", "attempt 2"), ("ann", "attempt 1"),
    ]  # fmt: skip
