"""What a reading of the log costs: what is new, and now and then all that anybody waits for."""

import math

import pytest

from dialer.domain.attempt import AttemptState as S
from dialer.domain.call import CallLog, LogPage
from dialer.domain.disposition import Disposition as D
from dialer.pipeline.read_log import (
    CHEAP_PAGES,
    CLOCK_SKEW_S,
    COVERS_OF_A_HORIZON,
    FRESH_S,
    NEAR_S,
    OVERDUE_PART,
    WALKS_OF_A_HORIZON,
    next_look_s,
)
from tests.fakes.provider import log_row
from tests.house import HORIZON_S, House, phone
from tests.unit.pipeline.test_reconcile_calls import placed

PAGE = 8
OVERDUE = HORIZON_S / OVERDUE_PART


def pages(rows: list[CallLog]) -> list[LogPage]:
    """Newest first, eight rows a page."""
    rows = sorted(rows, key=lambda row: row.started_at or 0.0, reverse=True)
    return [LogPage(tuple(rows[at : at + PAGE])) for at in range(0, len(rows), PAGE)]


def answered(house: House, numbers: range) -> list[CallLog]:
    """Rows of calls that were placed one after the other, a tenth of a second apart."""
    at = house.clock.now() - 30
    return [log_row(f"call-{n + 1}", phone(n), at + n / 10, disposition=D.ANSWERED) for n in numbers]


async def test_a_look_costs_what_is_new_however_long_the_log() -> None:
    house = await placed(40)
    house.provider.pages = pages(answered(house, range(20)))
    assert (await house.reconciler.tick()).ended == 20
    house.provider.pages = pages(answered(house, range(28)))
    told = await house.reconciler.tick()
    assert (told.ended, told.news, told.pages, told.complete) == (8, 8, 2, False)


async def test_a_look_over_a_short_log_is_whole() -> None:
    house = await placed(2)
    house.provider.pages = pages(answered(house, range(1)))
    assert (await house.reconciler.tick()).complete


async def test_a_look_goes_past_calls_that_may_just_have_ended_now_and_then() -> None:
    house = await placed(40)
    rows = answered(house, range(40))
    house.provider.pages = pages(rows[1:])
    assert (await house.reconciler.tick()).ended == 39
    house.provider.pages = pages(rows)
    told = await house.reconciler.tick()
    assert (told.ended, told.pages) == (0, 1), "a long call lies behind those that came after it"
    house.clock.skip(HORIZON_S / COVERS_OF_A_HORIZON + 1)
    told = await house.reconciler.tick()
    assert (told.ended, told.pages) == (1, 5)


async def test_where_a_line_is_waited_for_or_it_is_cheap_every_look_goes_so_far() -> None:
    reader, now = (await House().opened()).reconciler.reader, 1e9
    reader.covered_at, reader.covered_pages = now, CHEAP_PAGES + 1
    assert reader.since([now - 20], now, scarce=False) == math.inf
    assert reader.since([now - 20], now, scarce=True) < now - 20
    reader.covered_pages = CHEAP_PAGES
    assert reader.since([now - 20], now, scarce=False) < now - 20


async def test_how_far_depends_on_how_far_the_clocks_are_apart() -> None:
    house = await placed(1)
    reader, now = house.reconciler.reader, house.clock.now()
    assert reader.since([now - 20], now, scarce=True) == now - 20 - CLOCK_SKEW_S
    house.provider.pages = pages([log_row("call-1", phone(0), now - 30 - 45, disposition=D.ANSWERED)])
    await house.reconciler.tick()
    assert reader.since([now - 20], now, scarce=True) == now - 20 - 45 - NEAR_S


async def test_a_row_that_comes_late_is_walked_for_once_its_call_is_overdue() -> None:
    house = await placed(40)
    rows = answered(house, range(39))
    house.provider.pages = pages(rows)
    assert (await house.reconciler.tick()).ended == 39
    old = log_row("call-40", phone(39), house.clock.now() - 40, disposition=D.NO_ANSWER)
    house.provider.pages = pages([*rows, old])
    told = await house.reconciler.tick()
    assert (told.ended, told.pages) == (0, 1)
    await house.clock.advance(OVERDUE)
    told = await house.reconciler.tick()
    assert (told.ended, told.pages, told.complete) == (1, 5, True)


async def test_walks_for_the_same_call_are_rare() -> None:
    house = await placed(40)
    rows = answered(house, range(39))
    house.provider.pages = pages(rows)
    await house.clock.advance(OVERDUE)
    read = []
    for _ in range(4):
        read.append((await house.reconciler.tick()).pages)
        house.clock.skip(HORIZON_S / WALKS_OF_A_HORIZON / 2)
    assert read == [5, 1, 5, 1]


async def test_rows_that_explain_nothing_yet_are_looked_at_until_an_answer_is_owed_no_more() -> None:
    house = await placed(1)
    strangers = [log_row(f"a{n}", phone(50 + n), house.clock.now() - n / 10, ended_at=None) for n in range(40)]
    house.provider.pages = pages(strangers)
    read = []
    for _ in range(3):
        read.append((await house.reconciler.tick()).pages)
        house.clock.skip(1)
    assert read == [5, 5, 5]
    house.reconciler.reader.walked_at = house.clock.now() + FRESH_S  # a walk would read them all anyway
    house.clock.skip(FRESH_S)
    assert [(await house.reconciler.tick()).pages for _ in range(2)] == [5, 1]


async def test_a_call_that_goes_on_is_no_news_until_it_ends() -> None:
    house = await placed(40)
    rows = answered(house, range(39))
    talking = log_row("call-40", phone(39), house.clock.now() - 40, ended_at=None, raw_status="In progress")
    house.provider.pages = pages([*rows, talking])
    assert (await house.reconciler.tick()).pages == 5
    assert (await house.reconciler.tick()).pages == 1
    assert await house.states() == [*[S.ENDED] * 39, S.PLACED]


@pytest.mark.parametrize(
    ("news", "elapsed_s", "next_s"),
    [
        (0, 5.0, 5.0),
        (100, 5.0, 5.0),  # half a page
        (1000, 5.0, 10.0),  # ten pages of 200 come up in ten seconds
        (400, 5.0, 20.0),  # but nobody waits for longer than four intervals
        (4000, 5.0, 5.0),
        (1000, 0.0, 5.0),
    ],
)
def test_the_next_look_waits_for_full_pages_but_not_long(news: int, elapsed_s: float, next_s: float) -> None:
    assert next_look_s(5.0, elapsed_s, news, 200) == pytest.approx(next_s)
