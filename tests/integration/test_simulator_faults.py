"""Faults, caps and chance: what a caller sees, and what the books say really happened."""

import asyncio
import json
from typing import Any

import httpx
import pytest

from dialer.simulator.options import Options
from tests.simulator_support import AGENT, Line, line

ORDER = json.dumps({"agent_id": AGENT, "contact_number": "+919876543210", "name": "Asha"})


@pytest.mark.parametrize(
    ("fault", "status", "retry_after", "placed"),
    [
        ("429", 429, None, 0),
        ("429-retry-after", 429, "7", 0),
        ("500", 500, None, 0),
        ("503", 503, None, 0),
        ("503-retry-after", 503, "7", 0),
        ("500-placed", 500, None, 1),
    ],
)
async def test_faults_that_answer(fault: str, status: int, retry_after: str | None, placed: int) -> None:
    async with line(faults={fault: 1.0}, retry_after_s=7) as it:
        for answer in (await it.trigger(), await it.outbound()):
            assert (answer.status_code, answer.headers.get("retry-after")) == (status, retry_after)
            assert list(answer.json()) == ["detail"]
        assert len(it.simulator.books.calls) == 2 * placed
        assert [seen.fault for seen in it.simulator.books.requests] == [fault, fault]


@pytest.mark.parametrize(
    ("fault", "error", "placed"),
    [
        ("dropped", httpx.RemoteProtocolError, 1),
        ("half-body", httpx.RemoteProtocolError, 1),
        ("unread", httpx.ReadError, 0),
    ],
)
async def test_faults_that_break_the_connection(fault: str, error: type[Exception], placed: int) -> None:
    async with line(faults={fault: 1.0}) as it:
        with pytest.raises(error):
            await it.trigger()
        with pytest.raises(error):
            await it.outbound()
        assert len(it.simulator.books.calls) == 2 * placed
        statuses = {seen.status for seen in it.simulator.books.requests}
        assert statuses == ({200} if fault == "half-body" else {None})


async def test_a_refusal_by_word_places_nothing() -> None:
    async with line(faults={"refused": 1.0}) as it:
        answer = await it.trigger()
        assert (answer.status_code, answer.json()["success"], answer.json()["output"]) == (200, False, None)
        assert "TRAI" in answer.json()["error"]
        assert (await it.outbound()).status_code == 403
        assert it.simulator.books.calls == []


async def test_an_answer_may_take_its_time() -> None:
    async with line(answer_s=(0.2, 0.2)) as it:
        with pytest.raises(httpx.ReadTimeout):
            await it.http.post("/api/trigger-call/", content=ORDER, timeout=0.1)
        assert (await it.trigger()).status_code == 200
        assert len(it.simulator.books.calls) == 2


async def test_garbage_is_a_200_that_is_not_json() -> None:
    async with line(faults={"garbage": 1.0}) as it:
        answer = await it.trigger()
        assert answer.status_code == 200
        with pytest.raises(ValueError, match="Expecting value"):
            answer.json()
        assert len(it.simulator.books.calls) == 1


async def test_half_a_body_promises_the_whole() -> None:
    async with line(faults={"half-body": 1.0}) as it:
        host, port = it.simulator.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        head = f"POST /api/trigger-call/ HTTP/1.1\r\nhost: x\r\nx-api-key: k\r\ncontent-length: {len(ORDER)}\r\n\r\n"
        writer.write((head + ORDER).encode())
        answer, _, body = (await reader.read()).partition(b"\r\n\r\n")
        writer.close()
        promised = int(answer.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
        assert len(body) == promised // 2
        assert body.startswith(b'{"success":true')


async def test_a_stalled_request_places_the_call_and_never_answers() -> None:
    async with line(faults={"stalled": 1.0}) as it:
        with pytest.raises(httpx.ReadTimeout):
            await it.http.post("/api/trigger-call/", content=ORDER, timeout=0.3)
        assert len(it.simulator.books.calls) == 1
    async with line(faults={"stalled": 1.0}, stall_s=0.1) as it:
        with pytest.raises(httpx.RemoteProtocolError):
            await it.trigger()


async def test_a_fault_is_drawn_per_number_and_try_in_whatever_order_they_arrive() -> None:
    numbers = [f"+9198765{last:05d}" for last in range(60)]

    async def statuses(it: Line, order: list[str]) -> dict[str, int]:
        answers = await asyncio.gather(*(it.trigger(number) for number in order))
        return {number: answer.status_code for number, answer in zip(order, answers, strict=True)}

    async with line(faults={"500": 0.3, "503": 0.3}) as it:
        first = await statuses(it, numbers)
    async with line(faults={"500": 0.3, "503": 0.3}) as it:
        assert await statuses(it, numbers[::-1]) == first
        assert set(first.values()) == {200, 500, 503}
        assert await statuses(it, numbers) != first
    async with line(faults={"500": 0.3, "503": 0.3}, seed=1) as it:
        assert await statuses(it, numbers) != first


async def test_outcomes_follow_the_mix_the_seed_and_forced_endings() -> None:
    mix = {"answered": 0.5, "busy": 0.5}
    numbers = [f"+9198765{last:05d}" for last in range(200)]

    async def outcomes(it: Line, order: list[str]) -> dict[str, str]:
        await asyncio.gather(*(it.trigger(number) for number in order))
        return {call.order.to: call.life.outcome for call in it.simulator.books.calls}

    async with line(outcomes=mix) as it:
        first = await outcomes(it, numbers)
    assert 60 < list(first.values()).count("busy") < 140
    async with line(outcomes=mix) as it:
        assert await outcomes(it, numbers[::-1]) == first
    async with line(outcomes=mix, outcome_by_number={"7": "failed", "07": "rejected"}) as it:
        forced = await outcomes(it, numbers)
        assert {forced[number] for number in numbers if number.endswith("07")} == {"rejected"}
        assert {forced[number] for number in numbers if number.endswith("17")} == {"failed"}
        assert {number: forced[number] for number in numbers if number[-1] != "7"} == {
            number: first[number] for number in numbers if number[-1] != "7"
        }


@pytest.mark.parametrize(("told", "retry_after"), [(False, None), (True, "1")])
async def test_the_rate_cap_holds_over_any_rolling_second(told: bool, retry_after: str | None) -> None:
    async with line(rate_cap=2, cap_retry_after=told) as it:
        assert (await it.trigger()).status_code == 200
        it.clock.advance(0.6)
        assert (await it.outbound()).status_code == 200
        refused = await it.trigger()
        assert (refused.status_code, refused.headers.get("retry-after")) == (429, retry_after)
        it.clock.advance(0.4)
        assert (await it.trigger()).status_code == 200
        assert (await it.trigger()).status_code == 429
        assert (it.simulator.books.place_requests.most, it.simulator.books.placed.most) == (4, 2)


async def test_the_line_cap_counts_calls_that_have_not_ended() -> None:
    async with line(line_cap=1) as it:
        assert (await it.trigger()).status_code == 200
        it.clock.advance(14.9)
        assert (await it.trigger("+919876543211")).status_code == 429
        it.clock.advance(0.1)
        assert (await it.trigger("+919876543211")).status_code == 200
        assert it.simulator.books.most_live == 1


async def test_the_wallet_runs_dry() -> None:
    async with line(balance=2.0) as it:
        assert [(await it.trigger()).status_code for _ in range(3)] == [200, 200, 402]
        assert (await it.outbound()).json() == {"detail": "Insufficient balance"}
        assert it.simulator.books.called_more_than_once() == {"+919876543210": 2}


@pytest.mark.parametrize("path", ["/api/call-history", "/calls/logs"])
async def test_an_unreadable_log(path: str) -> None:
    async with line(faults={"log-500": 1.0}) as it:
        assert (await it.http.get(path)).status_code == 500
        assert it.simulator.books.requests[0].fault == "log-500"


async def test_a_late_row_comes_after_five_delays() -> None:
    async with line(faults={"log-late": 1.0}) as it:
        await it.trigger()
        it.clock.advance(15 + 9.9)
        assert (await it.history())["data"] == []
        it.clock.advance(0.2)
        assert len((await it.history())["data"]) == 1


async def test_a_repeated_row_stands_on_both_pages_and_none_is_lost() -> None:
    async with line(faults={"log-repeat": 1.0}) as it:
        for last in range(5):
            await it.trigger(f"+91987654321{last}")
        it.clock.advance(60)
        pages = [(await it.history(page=number, page_size=2))["data"] for number in (1, 2, 3)]
        assert [[row["to_number"][-1] for row in page] for page in pages] == [
            ["4", "3"],
            ["3", "2", "1"],
            ["1", "0"],
        ]
        assert [seen.fault for seen in it.simulator.books.requests[-3:]] == [None, "log-repeat", "log-repeat"]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"faults": {"fire": 1.0}}, "unknown fault 'fire'"),
        ({"faults": {"500": 1.5}}, "fault 500"),
        ({"faults": {"500": 0.6, "429": 0.6}}, "more than 1"),
        ({"outcomes": {"asleep": 1.0}}, "unknown outcome 'asleep'"),
        ({"outcomes": {"busy": 0.0}}, "above 0"),
        ({"ring_s": (2.0, 1.0)}, "ring_s"),
        ({"vaani_list": "rows"}, "vaani_list"),
        ({"vaanivoice_missing_transcript": 500}, "404 or 200"),
    ],
)
def test_options_that_cannot_be_obeyed_are_named(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Options(**wrong)
