"""What people said in their calls is followed: not to be called again, or to be called back."""

from dataclasses import replace

from dialer.domain.attempt import AttemptState
from dialer.domain.call import CallLog, LogPage, Placed
from dialer.domain.campaign import Pace
from dialer.domain.contact import ContactStatus
from dialer.domain.disposition import Disposition
from dialer.domain.limits import UNLIMITED
from dialer.domain.redial import RedialPolicy
from dialer.domain.suppression import OptOut
from dialer.pipeline.follow_calls import ANALYSED_WITHIN_S
from dialer.pipeline.late_words import LOOK_S as ANALYSED_EVERY_S
from tests.fakes.provider import ScriptedProvider, log_row
from tests.house import SPEC, House, phone

S, D = AttemptState, Disposition


def page(*rows: CallLog) -> LogPage:
    return LogPage(tuple(rows))


async def placed(people: int = 1) -> House:
    """Calls that were accepted as call-1, call-2, ..."""
    ids = iter(range(1, 100))
    provider = ScriptedProvider(answer=lambda _: Placed(f"call-{next(ids)}"))
    house = await House(spec=replace(SPEC, pace=Pace(0, 50)), provider=provider).opened(people)
    await house.dialed()
    await house.clock.advance(30)
    return house


async def test_who_opts_out_in_a_call_is_not_called_again() -> None:
    house = await placed(2)
    at = house.clock.now()
    opted = log_row("call-1", phone(0), at - 25, ended_at=at, disposition=D.NO_ANSWER, entities={"opt_out": "true"})
    house.provider.pages = [page(opted)]
    await house.reconciler.tick()
    assert (await house.ledger.report(house.campaign_id)).contacts[ContactStatus.SUPPRESSED] == 1
    (entry,) = [entry async for entry in house.ledger.suppressions()]
    assert (entry.phone, entry.reason, entry.source, entry.campaign_id) == (
        phone(0), "opted out in a call: opt_out", "call log call-1", None,
    )  # fmt: skip
    await house.ledger.unsuppress([phone(0)])
    house.reconciler.memory.heeded.clear()  # as another worker's, or after a restart
    await house.reconciler.hear([opted])
    assert [entry async for entry in house.ledger.suppressions()] == [], "one call puts nobody back"
    house.reconciler.memory.heeded.clear()
    await house.reconciler.hear([replace(opted, call_id="call-2", to_number=phone(1))])
    assert [entry.phone async for entry in house.ledger.suppressions()] == [phone(1)], "said in another call"


async def test_an_opt_out_that_the_analysis_tells_late_is_heeded() -> None:
    house = await placed()
    row = log_row("call-1", phone(0), house.clock.now() - 25, disposition=D.ANSWERED, analysed=False)
    house.provider.pages = [page(row)]
    await house.reconciler.tick()
    assert await house.states() == [S.ENDED]
    house.provider.pages = [page(replace(row, analysed=True, entities={"call_disposition": "do not call"}))]
    assert (await house.reconciler.tick()).pages == 0, "not at every tick"
    house.clock.skip(ANALYSED_EVERY_S)
    await house.reconciler.tick()
    assert [entry.phone async for entry in house.ledger.suppressions()] == [phone(0)]
    house.clock.skip(ANALYSED_EVERY_S)
    assert (await house.reconciler.tick()).pages == 0


async def test_an_analysis_that_never_comes_is_not_waited_for() -> None:
    house = await placed()
    at = house.clock.now()
    row = log_row("call-1", phone(0), at - 25, ended_at=at, disposition=D.ANSWERED, analysed=False)
    house.provider.pages = [page(row)]
    await house.reconciler.tick()
    house.clock.skip(ANALYSED_WITHIN_S + 1)
    assert (await house.reconciler.tick()).pages == 0


async def test_a_campaign_that_heeds_no_opt_outs_lists_nobody() -> None:
    house = House(spec=replace(SPEC, opt_out=OptOut((), ())), provider=ScriptedProvider(answer=lambda _: Placed("c")))
    await house.opened()
    await house.dialed()
    opted = log_row("c", phone(0), house.clock.now(), disposition=D.ANSWERED, entities={"opt_out": "true"})
    house.provider.pages = [page(opted)]
    await house.reconciler.tick()
    assert [entry async for entry in house.ledger.suppressions()] == []


async def test_who_asks_to_be_called_back_gets_the_next_attempt() -> None:
    house = await placed()
    at = house.clock.now()
    asked = log_row("call-1", phone(0), at - 25, ended_at=at, disposition=D.ANSWERED, callback_requested=True)
    house.provider.pages = [page(asked)]
    await house.reconciler.tick()
    first, second = await house.attempts()
    assert (first.disposition, second.due_at, second.reason) == (D.ANSWERED, at + 3600, "callback requested")


async def test_a_disposition_is_followed_as_often_as_its_cap_says() -> None:
    policy = RedialPolicy(5, {D.NO_ANSWER: 0.0, D.BUSY: 0.0}, most={D.NO_ANSWER: 2})
    ids = iter(range(1, 9))
    provider = ScriptedProvider(answer=lambda _: Placed(f"call-{next(ids)}"))
    house = await House(spec=replace(SPEC, redial=policy, limits=UNLIMITED), provider=provider).opened()
    for n, word in enumerate((D.NO_ANSWER, D.BUSY, D.NO_ANSWER), 1):
        await house.dialed()
        at = house.clock.now()
        house.provider.pages = [page(log_row(f"call-{n}", phone(0), at, ended_at=at, disposition=word))]
        await house.reconciler.tick()
    assert await house.states() == [S.ENDED] * 3
    assert (await house.ledger.report(house.campaign_id)).contacts[ContactStatus.EXHAUSTED] == 1
