"""What a campaign looks like now, on time that passes when everybody waits."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from dialer.errors import LedgerUnavailable
from dialer.web.live import KEPT_S, MOST_STREAMS, STILL_S, Live, Now
from dialer.web.problems import Refusal
from tests.virtual_time import VirtualClock

pytestmark = pytest.mark.virtual_time

NOTHING = {"total": 0, "planned": 0, "queued": 0, "cancelled": 0, "dialing": 0, "placed": 0, "unknown": 0}


@dataclass
class Reader:
    """Answers reports, and counts."""

    takes_s: float = 0.0
    status: str = "running"
    calls: int = 0
    at_once: int = 0
    most_at_once: int = 0
    fails: bool = False
    times: list[float] = field(default_factory=list)

    async def __call__(self, handle: str) -> Mapping[str, Any]:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        began = VirtualClock().monotonic()
        self.times.append(began)
        said = {"handle": handle, "status": self.status, "calls": self.calls, "attempts": NOTHING}
        try:
            await asyncio.sleep(self.takes_s)
            if self.fails:
                raise LedgerUnavailable("away")
        finally:
            self.at_once -= 1
        return said


def opened(reader: Reader) -> Live:
    return Live(reader, VirtualClock())


@dataclass
class Watching:
    """Somebody who looks at a stream, and when what came."""

    live: Live
    came: list[tuple[float, Now | None]] = field(default_factory=list)
    ended: bool = False

    async def run(self) -> None:
        async for now in self.live.changes("one"):
            self.came.append((VirtualClock().monotonic(), now))
        self.ended = True


async def test_the_snapshot_comes_first_and_a_change_within_a_second() -> None:
    reader = Reader(calls=1)
    live = opened(reader)
    watching = Watching(live)
    task = asyncio.create_task(watching.run())
    await asyncio.sleep(3.5)
    reader.calls = 2
    changed_at = VirtualClock().monotonic()
    await asyncio.sleep(1.1)

    assert [now.document["calls"] for _, now in watching.came if now] == [1, 2]
    assert watching.came[1][0] - changed_at <= 1.0
    await live.aclose()
    await task
    assert watching.ended


async def test_many_who_look_cost_one_reading_a_second() -> None:
    reader = Reader(takes_s=0.01)
    live = opened(reader)
    tasks = [asyncio.create_task(Watching(live).run()) for _ in range(200)]
    pages = [asyncio.create_task(live.now("one")) for _ in range(200)]
    await asyncio.sleep(10)
    pages += [asyncio.create_task(live.now("one")) for _ in range(200)]
    await asyncio.gather(*pages)

    assert len(reader.times) <= 11
    assert reader.most_at_once == 1
    await live.aclose()
    await asyncio.gather(*tasks)


async def test_a_slow_ledger_is_read_a_tenth_of_the_time() -> None:
    reader = Reader(takes_s=1.0)
    live = opened(reader)
    task = asyncio.create_task(Watching(live).run())
    for _ in range(100):
        await live.now("one")
        await asyncio.sleep(1)

    assert len(reader.times) <= 11
    await live.aclose()
    await task


async def test_nothing_is_read_when_nobody_looked_for_a_while() -> None:
    reader = Reader()
    live = opened(reader)
    await live.now("one")
    await asyncio.sleep(KEPT_S + 2)
    read = len(reader.times)
    await asyncio.sleep(3_600)
    assert len(reader.times) == read

    reader.calls = 7
    assert (await live.now("one")).document["calls"] == 7
    await live.aclose()


async def test_who_looks_again_after_that_sees_every_change() -> None:
    reader = Reader()
    live = opened(reader)
    first = (await live.now("one")).number
    await asyncio.sleep(2 * KEPT_S)
    assert (await live.now("one")).number > first
    await live.aclose()


async def test_a_state_that_was_read_before_a_move_is_no_answer_after_it() -> None:
    reader = Reader(takes_s=0.05)
    live = opened(reader)
    await live.now("one")
    early = asyncio.create_task(live.now("one", "running"))
    reader.status = "paused"
    assert (await live.now("one", "paused")).document["status"] == "paused"
    assert (await early).document["status"] in ("running", "paused")
    await live.aclose()


async def test_a_reading_that_began_before_a_move_is_waited_for_and_made_again() -> None:
    reader = Reader(takes_s=0.5)
    live = opened(reader)
    first = asyncio.create_task(live.now("one"))
    await asyncio.sleep(0.1)
    reader.status = "paused"
    assert (await live.now("one", "paused")).document["status"] == "paused"
    assert (await first).document["status"] == "running"
    assert reader.most_at_once == 1
    await live.aclose()


async def test_a_ledger_that_is_away_ends_no_stream(capsys: pytest.CaptureFixture[str]) -> None:
    reader = Reader(fails=True)
    live = opened(reader)
    watching = Watching(live)
    task = asyncio.create_task(watching.run())
    with pytest.raises(LedgerUnavailable):
        await live.now("one")
    await asyncio.sleep(4 * STILL_S + 1)
    assert [now for _, now in watching.came] == [None] * 4
    reader.fails = False
    await asyncio.sleep(1.1)
    assert watching.came[-1][1] is not None

    reader.fails = True
    await asyncio.sleep(60)
    reader.fails, reader.calls = False, 5
    await asyncio.sleep(1.1)
    last = watching.came[-1][1]
    assert last is not None
    assert last.document["calls"] == 5
    assert not task.done()
    assert capsys.readouterr().out.count("console.not_read") == 2, "said once each time"
    await live.aclose()
    await task


async def test_an_old_state_is_no_answer_for_a_page_while_the_ledger_is_away() -> None:
    reader = Reader()
    live = opened(reader)
    await live.now("one")
    reader.fails = True
    await asyncio.sleep(30)
    with pytest.raises(LedgerUnavailable):
        await live.now("one")
    await live.aclose()


async def test_where_nothing_changes_a_stream_says_so() -> None:
    live = opened(Reader())
    watching = Watching(live)
    task = asyncio.create_task(watching.run())
    await asyncio.sleep(4 * STILL_S + 1)

    assert [now is None for _, now in watching.came] == [False, True, True, True, True]
    await live.aclose()
    await task


async def test_every_stream_ends_with_the_program() -> None:
    live = opened(Reader())
    watching = [Watching(live) for _ in range(50)]
    tasks = [asyncio.create_task(one.run()) for one in watching]
    await asyncio.sleep(5)
    before = VirtualClock().monotonic()
    await live.aclose()
    await asyncio.gather(*tasks)

    assert VirtualClock().monotonic() - before < 0.1
    assert all(one.ended for one in watching)
    late = Watching(live)
    await late.run()
    assert late.came == []
    await live.aclose()


async def test_there_are_so_many_streams_and_no_more() -> None:
    live = opened(Reader())
    streams = [live.stream() for _ in range(MOST_STREAMS)]
    for stream in streams:
        stream.__enter__()
    with pytest.raises(Refusal) as refused, live.stream():
        raise AssertionError("one more")
    assert refused.value.status_code == 503
    streams[0].__exit__(None, None, None)
    with live.stream():
        assert live.streams == MOST_STREAMS
    assert live.streams == MOST_STREAMS - 1


async def test_campaigns_are_read_apart() -> None:
    reader = Reader()
    live = opened(reader)
    one, two = await live.now("one"), await live.now("two")
    assert (one.document["handle"], two.document["handle"]) == ("one", "two")
    await live.aclose()
