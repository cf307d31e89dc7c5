"""One attempt, one call: the loop, over fakes."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from structlog.testing import capture_logs

from dialer.domain.attempt import AttemptState
from dialer.domain.call import CallRequest, NotPlaced, Placed, PlaceResult, Refused, Unknown
from dialer.domain.campaign import CampaignStatus, Pace
from dialer.domain.contact import ContactStatus
from dialer.domain.disposition import Disposition
from dialer.errors import LedgerUnavailable, NotSent, OutcomeUnknown
from dialer.pipeline.dialing_times import DialingTimes
from dialer.ports import Connection, GateAnswer, GateRequest, SendPermit
from tests.fakes.clock import ManualClock
from tests.fakes.provider import ScriptedProvider
from tests.house import SPEC, House, phone

S = AttemptState


async def test_the_intent_is_in_the_ledger_before_the_provider_is_asked() -> None:
    house = House()
    seen: list[AttemptState] = []

    async def place(request: CallRequest, permit: SendPermit, connection: Connection | None = None) -> PlaceResult:
        seen.extend(live.state for live in await house.ledger.live_attempts("vaanivoice"))
        return Placed("call-1")

    house.provider.place = place  # type: ignore[method-assign]
    await (await house.opened()).dialed()
    assert seen == [S.DIALING]
    assert await house.states() == [S.PLACED]


async def test_the_request_carries_agent_number_name_token_and_a_caller_id() -> None:
    house = House(spec=replace(SPEC, caller_ids=("+14155550190", "+14155550191")))
    await (await house.opened(2)).dialed()
    first, second = house.provider.sent
    assert (first.agent, first.to, first.name) == ("agent", phone(0), "Person 0")
    assert {first.caller_id, second.caller_id} == {"+14155550190", "+14155550191"}
    assert len({first.token, second.token}) == 2


async def test_a_call_that_was_accepted_keeps_its_line() -> None:
    house = await House(spec=replace(SPEC, pace=Pace(0, 5))).opened()
    await house.dialed()
    assert (await house.states(), await house.lines()) == ([S.PLACED], 1)


async def test_a_lost_answer_is_unknown_keeps_its_line_and_is_not_repeated() -> None:
    house = House(spec=replace(SPEC, pace=Pace(0, 5)), provider=ScriptedProvider(answer=lambda _: Unknown("reset")))
    await (await house.opened()).dialed()
    await house.clock.advance(60)
    assert await house.queued() == []
    assert (await house.states(), await house.lines(), len(house.provider.sent)) == ([S.UNKNOWN], 1, 1)


async def test_what_was_not_placed_frees_its_line_and_is_tried_again_unspent() -> None:
    answers: Iterator[PlaceResult] = iter([NotPlaced("connection refused"), Placed("call-1")])
    provider = ScriptedProvider(answer=lambda _: next(answers))
    house = await House(spec=replace(SPEC, pace=Pace(0, 5)), provider=provider).opened()
    await house.dialed()
    assert (await house.states(), await house.lines()) == ([S.PLANNED], 0)
    await house.clock.advance(60)
    await house.dialed()
    attempts = await house.attempts()
    assert [(row.state, row.number_of) for row in attempts] == [(S.PLACED, 1)]


async def test_retry_after_is_waited_for_and_brakes_the_account() -> None:
    provider = ScriptedProvider(answer=lambda _: NotPlaced("busy", retry_after_s=20, throttled=True))
    house = await House(provider=provider).opened()
    await house.dialed()
    due = (await house.attempts())[0].due_at - house.clock.now()
    braked = (await house.pacer.state("vaanivoice")).braked_until
    assert 20 <= due <= 24
    assert braked is not None
    assert braked - house.clock.now() >= 19.9


async def test_a_refused_number_settles_its_contact() -> None:
    provider = ScriptedProvider(answer=lambda _: Refused(Disposition.INVALID_NUMBER, "no such number"))
    house = await House(provider=provider).opened()
    await house.dialed()
    report = await house.ledger.report(house.campaign_id)
    assert await house.states() == [S.REFUSED]
    assert report.contacts[ContactStatus.INVALID] == 1


async def test_a_refused_key_halts_the_account_with_the_reason() -> None:
    provider = ScriptedProvider(answer=lambda _: NotPlaced("401", halt="the key was refused"))
    house = await House(provider=provider).opened()
    await house.dialed()
    campaign = await house.ledger.campaign("october")
    assert (campaign.status, campaign.halt_reason) == (CampaignStatus.HALTED, "the key was refused")
    assert await house.states() == [S.PLANNED]


async def test_a_job_that_comes_twice_places_one_call_and_keeps_its_line() -> None:
    house = await House(spec=replace(SPEC, pace=Pace(0, 5))).opened()
    attempts = await house.queued()
    await house.dialed(attempts)
    await house.dialed(attempts)
    assert (len(house.provider.sent), await house.lines()) == (1, 1)


async def test_two_workers_with_the_same_job_place_one_call() -> None:
    house = await House().opened()
    attempts = await house.queued()
    both = asyncio.gather(house.place_call.slice(attempts), house.place_call.slice(attempts))
    await house.clock.run(_gathered(both))
    assert len(house.provider.sent) == 1


async def _gathered(both: "asyncio.Future[tuple[None, None]]") -> None:
    await both


async def test_a_campaign_paused_after_the_hand_over_sends_nothing() -> None:
    house = await House().opened()
    attempts = await house.queued()
    await house.clock.run(house.control.move("october", "pause"))
    await house.dialed(attempts)
    assert (house.provider.sent, await house.states()) == ([], [S.PLANNED])


async def test_a_number_suppressed_after_the_hand_over_is_not_called() -> None:
    house = await House().opened()
    attempts = await house.queued()
    await house.clock.run(house.control.suppress([house.suppression(phone(0))]))
    await house.dialed(attempts)
    assert (house.provider.sent, await house.states()) == ([], [S.CANCELLED])


async def test_a_request_that_comes_too_late_after_its_intent_does_not_leave() -> None:
    house = await House().opened()
    gate = house.ledger.pass_gate

    async def stalled(requests: Sequence[GateRequest]) -> list[GateAnswer]:
        answers = await gate(requests)
        house.clock.skip(5)
        return answers

    house.ledger.pass_gate = stalled  # type: ignore[method-assign]
    await house.dialed()
    assert (house.provider.sent, await house.states()) == ([], [S.PLANNED])
    assert (await house.events())[-1].reason == "not sent: the moment allowed for it has passed"


@dataclass
class SlowToConnect(ScriptedProvider):
    """Stands still between its slot and the first byte."""

    clock: ManualClock = field(default_factory=ManualClock)
    still_s: float = 5.0

    async def place(
        self, request: CallRequest, permit: SendPermit, connection: Connection | None = None
    ) -> PlaceResult:
        return await super().place(request, _Slow(permit, self.clock, self.still_s), connection)


@dataclass
class _Slow:
    permit: SendPermit
    clock: ManualClock
    still_s: float

    async def slot(self, repeat: bool) -> None:
        await self.permit.slot(repeat)
        self.clock.skip(self.still_s)

    def last_instant(self) -> None:
        self.permit.last_instant()


async def test_a_request_that_stands_still_before_its_first_byte_does_not_leave() -> None:
    provider = SlowToConnect()
    house = await House(provider=provider).opened()
    provider.clock = house.clock
    await house.dialed()
    assert (provider.sent, await house.states()) == ([], [S.PLANNED])
    assert (await house.events())[-1].reason == "not sent: the moment allowed for it has passed"


async def test_no_more_pass_the_gate_than_a_slow_worker_can_send_in_time() -> None:
    provider = SlowToConnect(still_s=0.02)
    house = await House(provider=provider).opened(100)
    provider.clock, gate = house.clock, house.ledger.pass_gate

    async def committed(requests: Sequence[GateRequest]) -> list[GateAnswer]:
        answers = await gate(requests)
        await house.clock.sleep(0.005)
        return answers

    house.ledger.pass_gate = committed  # type: ignore[method-assign]
    await house.dialed()
    assert set(await house.states()) == {S.PLACED}
    moves = [(event.before, event.after) for n in range(1, 101) for event in await house.events(n)]
    assert moves.count(("planned", "queued")) == moves.count(("queued", "dialing")) == len(provider.sent) == 100


async def test_no_line_in_time_hands_the_attempt_back_unspent() -> None:
    house = await House(spec=replace(SPEC, pace=Pace(0, 1)), times=DialingTimes(patience_s=3)).opened(2)
    await house.feeder.tick()
    await house.dialed([*house.queue.rung, *(await house.ledger.claim_due({house.campaign_id: 2}, 60.0))[0]])
    states = await house.states()
    assert sorted(states) == [S.PLACED, S.PLANNED]
    assert len(house.provider.sent) == 1


async def test_a_worker_that_stops_hands_back_what_waits() -> None:
    house = await House(spec=replace(SPEC, pace=Pace(0, 1))).opened(2)
    attempts = await house.queued() + (await house.ledger.claim_due({house.campaign_id: 1}, 60.0))[0]
    working = asyncio.ensure_future(house.place_call.slice(attempts))
    await house.clock.advance(2)
    await house.place_call.stop(0)
    await house.clock.run(_done(working))
    assert sorted(await house.states()) == [S.PLACED, S.PLANNED]
    waiting = next(row for row in await house.attempts() if row.state is S.PLANNED)
    assert waiting.reason == "worker stopping"


async def _done(working: "asyncio.Future[None]") -> None:
    await working


async def test_a_provider_that_fails_again_and_again_is_braked_for_everyone() -> None:
    house = await House(provider=ScriptedProvider(answer=lambda _: NotPlaced("no connection"))).opened(20)
    attempts = await house.queued()
    await house.dialed(attempts[:4])
    assert (await house.pacer.state("vaanivoice")).braked_until is None
    await house.dialed(attempts[4:5])
    assert (await house.pacer.state("vaanivoice")).braked_until is not None


async def test_a_row_of_failures_is_told_at_each_doubling_and_not_each_time() -> None:
    house = await House(provider=ScriptedProvider(answer=lambda _: NotPlaced("reset"))).opened(22)
    with capture_logs() as told:
        for _ in range(22):
            await house.dialed((await house.queued())[:1])
            await house.clock.advance(61)
            await house.ledger.sweep()
    assert [line["in_a_row"] for line in told if line["event"] == "provider.failing"] == [5, 10, 20]


async def test_a_proper_answer_ends_a_row_of_failures() -> None:
    answers: Iterator[PlaceResult] = iter([*[NotPlaced("reset")] * 4, Placed("call-1"), *[NotPlaced("reset")] * 4])
    house = await House(provider=ScriptedProvider(answer=lambda _: next(answers))).opened(9)
    for attempt in await house.queued():
        await house.dialed([attempt])
    assert (await house.pacer.state("vaanivoice")).braked_until is None


async def test_after_lost_answers_nobody_is_risked_before_a_reading_is_answered() -> None:
    provider = ScriptedProvider(answer=lambda _: Unknown("reset"), pages=[OutcomeUnknown("HTTP 502", status=502)])
    house = await House(provider=provider).opened(20)
    for attempt in (await house.queued())[:6]:
        await house.dialed([attempt])
        await house.clock.advance(3)
    assert len(provider.sent) == 2
    waiting = [row.reason for row in await house.attempts() if row.state is S.PLANNED]
    assert waiting and set(waiting) == {"the provider does not answer: HTTP 502"}
    provider.pages, provider.answer = (), lambda request: Placed(f"call-{request.token[:8]}")
    await house.clock.advance(61)
    await house.dialed()
    assert len(provider.sent) == 20


async def test_a_connection_that_takes_seconds_places_the_call_all_the_same() -> None:
    provider = SlowToStand()
    house = await House(provider=provider, spec=replace(SPEC, pace=Pace(1, 0))).opened(3)
    provider.clock = house.clock
    await house.dialed()
    assert await house.states() == [S.PLACED] * 3
    assert provider.given_back == 3


async def test_no_connection_costs_nothing_and_says_why() -> None:
    provider = SlowToStand(refused="no connection (refused)")
    house = await House(provider=provider).opened(2)
    provider.clock = house.clock
    await house.dialed()
    assert (provider.sent, await house.states()) == ([], [S.PLANNED] * 2)
    assert {row.reason for row in await house.attempts()} == {"no connection (refused)"}
    assert await house.lines() == 0


@dataclass
class SlowToStand(ScriptedProvider):
    """A connection takes 3 s, or does not come at all."""

    clock: ManualClock = field(default_factory=ManualClock)
    refused: str = ""
    given_back: int = 0

    async def connect(self) -> Connection:
        await self.clock.sleep(3)
        if self.refused:
            raise NotSent(self.refused)
        return Standing(self)


@dataclass
class Standing:
    """A connection that is counted when it is given back."""

    provider: SlowToStand
    took_s: float = 3.0

    async def give_back(self) -> None:
        self.provider.given_back += 1


async def test_an_account_without_a_key_here_is_left_to_other_workers() -> None:
    house = await House().opened()
    attempts = await house.queued()
    await house.clock.run(house.place_call.one(replace(attempts[0], account="vaani")))
    assert (house.provider.sent, await house.states()) == ([], [S.PLANNED])


async def test_leases_are_kept_while_an_attempt_waits_for_a_line() -> None:
    house = House(spec=replace(SPEC, pace=Pace(0, 1)), times=DialingTimes(patience_s=30))
    attempts = await (await house.opened(2)).queued()
    working = asyncio.ensure_future(house.place_call.slice(attempts))
    keeping = asyncio.ensure_future(house.place_call.keep_leases())
    await house.clock.advance(20)
    assert (await house.ledger.sweep()).leases_expired == 0
    keeping.cancel()
    await house.place_call.stop(0)
    await house.clock.run(_done(working))


async def test_a_back_off_doubles_only_while_nothing_gets_through() -> None:
    refusal = NotPlaced("429", throttled=True)
    answers: Iterator[PlaceResult] = iter([refusal, refusal, Placed("call-1"), refusal])
    house = await House(provider=ScriptedProvider(answer=lambda _: next(answers))).opened(4)
    stops = []
    for attempt in await house.queued():
        asked = house.clock.now()
        await house.dialed([attempt])
        braked = (await house.pacer.state("vaanivoice")).braked_until
        stops.append(round(braked - asked) if braked else 0)
        await house.clock.advance(3)
    assert stops == [1, 2, 0, 1]


async def test_a_ledger_that_fails_one_attempt_does_not_cut_off_the_others() -> None:
    house = await House().opened(3)
    gate = house.ledger.pass_gate

    async def failing(requests: Sequence[GateRequest]) -> list[GateAnswer]:
        if requests[0].attempt_id == 2:
            raise LedgerUnavailable("disk full")
        return await gate(requests)

    house.ledger.pass_gate = failing  # type: ignore[method-assign]
    await house.dialed()
    assert await house.states() == [S.PLACED, S.QUEUED, S.PLACED]


async def test_a_lost_answer_to_the_gates_commit_costs_no_line_and_no_attempt() -> None:
    house = await House(spec=replace(SPEC, pace=Pace(0, 3))).opened(3)
    gate = house.ledger.pass_gate

    async def lost(requests: Sequence[GateRequest]) -> list[GateAnswer]:
        await gate(requests)
        raise LedgerUnavailable("the server closed the connection")

    house.ledger.pass_gate = lost  # type: ignore[method-assign]
    await house.dialed()
    assert (house.provider.sent, await house.states()) == ([], [S.PLANNED] * 3)
    assert (await house.events())[-1].reason == "not sent: the ledger's answer was lost"
    house.ledger.pass_gate = gate  # type: ignore[method-assign]
    await house.dialed()
    assert await house.states() == [S.PLACED] * 3
    assert {row.number_of for row in await house.attempts()} == {1}
    assert await house.lines() == 3
