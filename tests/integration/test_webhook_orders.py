"""Every order of a call's webhooks, with the log read before, between and after them: one and the same end.

Each person of a campaign gets the webhooks of the call in an order of their own, so that one run goes through all of
them. What is compared is everything the ledger holds of the call, and what the story says.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.adapters.ledger import SqlLedger
from dialer.domain.call import Placed
from dialer.domain.disposition import Disposition
from dialer.pipeline.tell_story import History, TellStory
from dialer.ports import Admitted
from tests.fakes.clock import ManualClock
from tests.hook_steps import ANSWERED, NO_ANSWER, REJECTED, hearing, hook, signed
from tests.ledger_steps import dial, outcome, running
from tests.log_desk import LogDesk
from tests.memory_ledger import memory_ledger

KINDS = {
    Disposition.ANSWERED: ANSWERED,
    Disposition.NO_ANSWER: NO_ANSWER,
    Disposition.BUSY: REJECTED,
}
Order = Sequence[str]


@dataclass
class Calls:
    """A call to each of some people, whose webhooks come in the orders given."""

    disposition: Disposition
    orders: Sequence[Order]

    async def begin(self) -> "Calls":
        """All are dialed; the provider's answers are not recorded yet."""
        self.clock = ManualClock()
        self.ledger: SqlLedger = memory_ledger(self.clock)
        self.desk = LogDesk(self.ledger, self.clock, ids=True)
        self.rung = False
        self.room = hearing(self.ledger.webhooks, self.clock, self._ring)
        self.desk.campaign = await running(self.ledger, len(self.orders))
        self.desk.calls = await dial(self.ledger, self.desk.campaign, len(self.orders))
        return self

    async def _ring(self) -> None:
        self.rung = True

    async def answered(self) -> None:
        """The provider's answers are recorded."""
        placed = [outcome(call, Placed(call_id(call))) for call in self.desk.calls]
        await self.ledger.record_sends(placed)

    async def deliver(self, n: int, times: int = 2) -> None:
        """The n-th webhook of everybody, each sent more than once; who is rung for reads the log."""
        for call, order in zip(self.desk.calls, self.orders, strict=True):
            for event in order[n : n + 1]:
                body = hook(event, call_id(call))
                for _ in range(times):
                    if await self.room.hear(body, signed(body)):
                        await self.clock.run(self.room.hint())
        if self.rung:
            self.rung = False
            await self.desk.tick()

    def show(self) -> None:
        """From now on the log has the calls."""
        self.desk.show(*(self.desk.row(n, self.disposition) for n in range(len(self.orders))))

    async def end(self) -> list[Any]:
        """What is known of each call, without what names it."""
        await self.desk.tick()
        told = TellStory(self.ledger, self.clock, self.ledger.webhooks)
        contacts = [row async for row in self.ledger.contact_rows(self.desk.campaign.campaign_id)]
        stories = [(await told.of(attempt_id=call.attempt_id))[0] for call in self.desk.calls]
        return [
            (known(story), contact.status, contact.attempts, contact.disposition)
            for story, contact in zip(stories, contacts, strict=True)
        ]

    async def heard(self) -> set[tuple[str, ...]]:
        """What everybody's story says of webhooks, without the order in which they came."""
        told = TellStory(self.ledger, self.clock, self.ledger.webhooks)
        stories = [(await told.of(attempt_id=call.attempt_id))[0] for call in self.desk.calls]
        return {tuple(sorted(one.event for one in story.webhooks)) for story in stories}


def call_id(call: Admitted) -> str:
    return f"call-{call.attempt_id}"


def known(story: History) -> tuple[Any, ...]:
    """Of an attempt: how it ended, what it cost, and every move."""
    attempt = story.attempt
    moves = [(event.actor, event.before, event.after, event.reason) for event in story.events]
    return (attempt.state, attempt.disposition, attempt.duration_s, len(story.sends), moves)


async def without_webhooks(disposition: Disposition) -> Any:
    """The end that the log alone brings."""
    calls = await Calls(disposition, [()]).begin()
    await calls.answered()
    calls.clock.skip(40)
    calls.show()
    return (await calls.end())[0]


@pytest.mark.parametrize("disposition", KINDS)
@pytest.mark.parametrize("early", [0, 1, 5], ids=lambda early: f"{early} before the answer")
@pytest.mark.parametrize("shown", [0, 1, 3, 5], ids=lambda shown: f"in the log after {shown}")
async def test_every_order_comes_to_the_same(disposition: Disposition, early: int, shown: int) -> None:
    events = KINDS[disposition]
    calls = await Calls(disposition, list(permutations(events))).begin()
    for n in range(len(events) + 1):
        if n == min(early, len(events)):
            await calls.answered()
            calls.clock.skip(40)
        if n == max(min(shown, len(events)), min(early, len(events))):
            calls.show()
        if n >= early:
            await calls.desk.tick()
        await calls.deliver(n)

    ends = await calls.end()
    assert ends == [await without_webhooks(disposition)] * len(ends)
    assert await calls.heard() == {tuple(sorted(events))}
    assert len(ends) == {5: 120, 3: 6, 2: 2}[len(events)]


STEPS = st.lists(st.sampled_from(["webhook", "read", "answer", "show"]), max_size=14)


@given(order=st.permutations(ANSWERED), lost=st.sets(st.sampled_from(ANSWERED)), steps=STEPS)
def test_so_do_webhooks_that_come_twice_or_never_among_readings_at_any_time(
    order: list[str], lost: set[str], steps: list[str]
) -> None:
    async def run() -> None:
        calls = await Calls(Disposition.ANSWERED, [[event for event in order if event not in lost]]).begin()
        came, done = 0, set[str]()
        for step in [*steps, "answer", "show", *["webhook"] * len(ANSWERED)]:
            if step == "webhook":
                await calls.deliver(came)
                came += 1
            elif step == "read":
                await calls.desk.tick()
            elif step == "answer" and step not in done:
                await calls.answered()
                calls.clock.skip(40)
            elif step == "show" and "answer" in done and step not in done:
                calls.show()
            else:
                continue
            done.add(step)
        assert await calls.end() == [await without_webhooks(Disposition.ANSWERED)]
        assert await calls.heard() == {tuple(sorted(set(ANSWERED) - lost))}

    asyncio.run(run())
