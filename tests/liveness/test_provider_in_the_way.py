"""What never ends by itself: a slow way, a refusal that meets everybody, a deaf account, an outage.

Nobody is spent by it, who can be called is called at the pace, and what needs a person says so.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import httpx
import pytest

from dialer.adapters.providers.answers.placing import place_error, result_of
from dialer.adapters.providers.answers.proof import Answer
from dialer.domain.attempt import AttemptState as S
from dialer.domain.call import CallRequest, NotPlaced, Placed, PlaceResult, Unknown
from dialer.domain.campaign import CampaignSpec, CampaignStatus, Pace
from dialer.errors import NotSent, OutcomeUnknown
from dialer.ports import Connection, ContactRow, SendPermit
from tests.fakes.clock import ManualClock
from tests.fakes.provider import Connected, ScriptedProvider
from tests.house import SPEC, House

OUTAGE_S = 600.0
TEN = 10


@dataclass
class OnTheWay(ScriptedProvider):
    """A provider behind a way that takes time; ``reached`` says whether it can be reached at all."""

    clock: ManualClock = field(default_factory=ManualClock)
    connect_s: float = 0.005
    answer_s: float = 0.05
    reached: Callable[[], bool] = lambda: True
    reads: Callable[[], bool] = lambda: True

    async def connect(self) -> Connection:
        await self.clock.sleep(self.connect_s)
        if not self.reached():
            raise NotSent("no connection (refused)")
        return Connected(self.connect_s)

    async def place(
        self, request: CallRequest, permit: SendPermit, connection: Connection | None = None
    ) -> PlaceResult:
        result = await super().place(request, permit, connection)
        await self.clock.sleep(self.answer_s)
        self.pages = () if self.reads() else [OutcomeUnknown("HTTP 502", status=502)]
        return result


def house_of(provider: OnTheWay, spec: CampaignSpec = SPEC) -> House:
    house = House(provider=provider, spec=spec)
    provider.clock = house.clock
    return house


async def lives(house: House, for_s: float, step_s: float = 1.0) -> None:
    """A feeder, a worker that takes what is rung, and time."""
    work: set[asyncio.Task[None]] = {asyncio.ensure_future(house.place_call.keep_leases())}
    end = house.clock.now() + for_s
    while house.clock.now() < end:
        house.queue.rung.clear()
        tick = asyncio.ensure_future(house.feeder.tick())
        await house.clock.advance(0)
        await tick
        if house.queue.rung:
            work.add(asyncio.ensure_future(house.place_call.slice(list(house.queue.rung))))
        await house.clock.advance(step_s)
    for task in work:
        task.cancel()
    await asyncio.gather(*work, return_exceptions=True)


async def people(house: House) -> list[ContactRow]:
    return [row async for row in house.ledger.contact_rows(house.campaign_id)]


@pytest.mark.parametrize("connect_s", [0.3, 0.8, 1.0, 3.0])
async def test_a_slow_way_costs_no_pace(connect_s: float) -> None:
    house = await house_of(OnTheWay(connect_s=connect_s), replace(SPEC, pace=Pace(1, 0))).opened(20)
    await lives(house, 20 + 3 * connect_s + 5)
    assert await house.states() == [S.PLACED] * 20
    events = [event for n in range(1, 21) for event in await house.events(n)]
    assert not [event for event in events if event.before == "dialing" and event.after == "planned"]


def saying(status: int, body: str, content_type: str = "application/json") -> PlaceResult:
    """An answer, as the adapters read it."""
    answer = Answer(status, body.encode(), headers=httpx.Headers({"content-type": content_type}))
    error = place_error(answer, lambda text: text)
    assert error is not None
    return result_of(error)


FOR_ALL = [
    (422, '{"detail":[{"loc":["body","agent_id"],"msg":"not a valid UUID"}]}', "application/json"),
    (400, '{"detail":"Agent typo not found"}', "application/json"),
    (400, '{"detail":"E1047"}', "application/json"),
    (422, '{"detail":"Bad Request"}', "application/json"),
    (400, '{"detail":"Invalid phone number format"}', "application/json"),
    (400, '{"detail":"Outbound trunk missing for this phone number"}', "application/json"),
    (401, '{"detail":"Invalid or missing token"}', "application/json"),
    (403, '{"detail":"Forbidden"}', "application/json"),
    (403, '{"detail":"Calls to this country are not enabled"}', "application/json"),
    (404, "<html>404 Not Found</html>", "text/html"),
    (405, '{"detail":"Method Not Allowed"}', "application/json"),
    (308, "<html>moved</html>", "text/html"),
]


@pytest.mark.parametrize(("status", "body", "kind"), FOR_ALL, ids=[f"{row[0]} {row[1][:40]}" for row in FOR_ALL])
@pytest.mark.parametrize("before", [0, 3])
async def test_what_refuses_everybody_halts_and_spends_nobody(status: int, body: str, kind: str, before: int) -> None:
    provider = OnTheWay(answer_s=0.4)
    house = await house_of(provider, replace(SPEC, pace=Pace(20, 0))).opened(60)

    def answer(request: CallRequest) -> PlaceResult:
        if len(provider.sent) <= before:
            return Placed(f"call-{request.token[:8]}")
        return saying(status, body, kind)

    provider.answer = answer
    await lives(house, 30)
    campaign = await house.ledger.campaign("october")
    assert campaign.status is CampaignStatus.HALTED
    assert f"HTTP {status}" in campaign.halt_reason and "dialer start" in campaign.halt_reason
    asked = {request.to for request in provider.sent[before:]}
    assert len(asked) <= TEN + (TEN if before else 0), "those on the wire when the first refusal came are asked too"
    rows = await people(house)
    assert sum(row.attempts for row in rows) == before
    assert (await house.states()).count(S.REFUSED) == 0


@pytest.mark.parametrize("small", [1, 2, 4])
async def test_a_small_list_is_no_exception(small: int) -> None:
    provider = OnTheWay(answer=lambda _: saying(400, '{"detail":"E1047"}'))
    house = await house_of(provider).opened(small)
    await lives(house, 30)
    assert (await house.ledger.campaign("october")).status is CampaignStatus.HALTED
    assert [row.attempts for row in await people(house)] == [0] * small


async def test_a_deaf_account_keeps_no_other_waiting() -> None:
    deaf, well = OnTheWay(account="vaani", connect_s=30.0, reached=lambda: False), OnTheWay()
    house = await house_of(well, replace(SPEC, pace=Pace(1, 5))).opened(10)
    deaf.clock = house.clock
    house.place_call = replace(house.place_call, providers={"vaanivoice": well, "vaani": deaf})
    other = await house.ledger.open_campaign(replace(SPEC, name="autumn", provider="vaani", pace=Pace(1, 5)))
    await house.ledger.add_contacts(other.campaign_id, [house.contact(n) for n in range(100, 110)])
    await house.ledger.move_campaign(other.campaign_id, "start", "")
    house.feeder = replace(house.feeder, account_limits={})
    await lives(house, 30)
    assert (await house.states()).count(S.PLACED) == 5, "as many as it has lines"
    assert deaf.sent == []


async def test_an_outage_without_a_way_costs_nobody_an_attempt() -> None:
    provider = OnTheWay()
    house = await house_of(provider, replace(SPEC, pace=Pace(5, 0))).opened(30)
    back_at = house.clock.now() + OUTAGE_S
    provider.reached = lambda: house.clock.now() >= back_at
    await lives(house, OUTAGE_S, step_s=5.0)
    assert provider.sent == []
    await lives(house, 240)
    assert await house.states() == [S.PLACED] * 30
    assert [row.attempts for row in await people(house)] == [1] * 30


async def test_an_outage_of_lost_answers_costs_few_an_attempt() -> None:
    provider = OnTheWay()
    house = await house_of(provider, replace(SPEC, pace=Pace(5, 0))).opened(40)
    back_at = house.clock.now() + OUTAGE_S
    provider.reads = lambda: house.clock.now() >= back_at

    def answer(request: CallRequest) -> PlaceResult:
        return Placed(f"call-{request.token[:8]}") if provider.reads() else Unknown("HTTP 502", 502)

    provider.answer = answer
    provider.pages = [OutcomeUnknown("HTTP 502", status=502)]
    await lives(house, OUTAGE_S, step_s=5.0)
    lost = (await house.states()).count(S.UNKNOWN)
    assert 0 < lost <= 5
    assert (await house.ledger.campaign("october")).status is CampaignStatus.RUNNING
    provider.pages = ()
    await lives(house, 240)
    assert (await house.states()).count(S.PLACED) == 40 - lost


async def test_a_provider_that_reads_well_and_places_nothing_halts() -> None:
    provider = OnTheWay(answer=lambda _: Unknown("HTTP 500", 500))
    house = await house_of(provider, replace(SPEC, pace=Pace(5, 0))).opened(40)
    await lives(house, 900)
    assert (await house.ledger.campaign("october")).status is CampaignStatus.HALTED
    assert len(provider.sent) <= TEN + 1


async def test_a_full_account_is_waited_for_and_everybody_is_called() -> None:
    provider = OnTheWay()
    house = await house_of(provider, replace(SPEC, pace=Pace(5, 0))).opened(12)
    full_until = house.clock.now() + 30
    provider.answer = lambda request: (
        Placed(f"call-{request.token[:8]}")
        if house.clock.now() > full_until
        else saying(403, '{"detail":"User channel limit exceeded"}')
    )
    await lives(house, 180)
    assert await house.states() == [S.PLACED] * 12
    assert len(provider.sent) <= 12 + 40


async def test_withdrawn_in_time_is_not_the_same_as_refused() -> None:
    result = saying(503, '{"detail":"Concurrency limit reached"}')
    assert isinstance(result, NotPlaced) and result.throttled
