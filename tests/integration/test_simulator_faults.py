"""Faults, caps and chance: what a caller sees, and what the books say really happened."""

import asyncio
import json
from contextlib import suppress
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest

from dialer.simulator.options import Options
from tests.simulator_support import AGENT, Line, line

KEYS = {"history": ("to_number", "data"), "logs": ("called_number", "call_logs")}
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
        ("429-retry-nonsense", 429, "soon", 0),
        ("502", 502, None, 0),
        ("504-placed", 504, None, 1),
        ("403", 403, None, 0),
        ("408", 408, None, 0),
        ("409", 409, None, 0),
        ("422", 422, None, 0),
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


async def test_a_date_to_come_back_at_is_not_over_when_it_arrives() -> None:
    async with line(faults={"429-retry-date": 1.0}, retry_after_s=2) as it:
        answer = await it.trigger()
        wait = parsedate_to_datetime(answer.headers["retry-after"]).timestamp() - it.clock.now()
        assert (answer.status_code, 2 <= wait <= 3) == (429, True)


async def test_a_redirect_names_the_address_that_was_asked() -> None:
    async with line(faults={"307": 1.0}) as it:
        answer = await it.trigger()
        assert (answer.status_code, answer.headers["location"]) == (307, "/api/trigger-call/")
        assert it.simulator.books.calls == []


@pytest.mark.parametrize(
    ("fault", "status", "placed"), [("refused-number", 403, 0), ("refused-oddly", 200, 0), ("refused-with-id", 200, 1)]
)
async def test_other_refusals_by_word(fault: str, status: int, placed: int) -> None:
    async with line(faults={fault: 1.0}) as it:
        answer = (await it.trigger()).json()
        assert (answer["success"], bool(answer["error"]), bool(answer["output"])) == (False, True, bool(placed))
        other = await it.outbound()
        assert (other.status_code, "call_log_id" in other.json()) == (status, bool(placed))
        assert len(it.simulator.books.calls) == 2 * placed


async def test_answers_that_are_no_answer() -> None:
    async with line(faults={"huge": 1.0}) as it:
        assert len((await it.trigger()).content) > 5_000_000
    async with line(faults={"wrong-type": 1.0}) as it:
        assert (await it.trigger()).json() == ["Call initiated successfully"]
    async with line(faults={"drip": 1.0}, stall_s=0.05) as it:
        assert (await it.trigger()).json()["success"] is True
    async with line(faults={"drip": 1.0}, stall_s=60) as it:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(it.trigger(), 0.2)
        assert len(it.simulator.books.calls) == 1


async def test_a_late_request_places_its_call_when_nobody_waits_any_more() -> None:
    async with line(faults={"late": 1.0}, late_s=(0.2, 0.2)) as it:
        with pytest.raises(httpx.ReadTimeout):
            await it.http.post("/api/trigger-call/", content=ORDER, timeout=0.1)
        assert (len(it.simulator.books.requests), it.simulator.books.calls) == (1, [])
        it.clock.advance(30)
        await it.trigger("+919876543211")
        call = it.simulator.books.calls[0]
        assert (call.life.accepted_at - call.asked_at, it.clock.now() - call.asked_at) == (30, 30)


async def test_a_caller_that_dies_in_the_middle_of_its_request_is_no_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with line() as it:
        address = httpx.URL(it.simulator.url)
        _, writer = await asyncio.open_connection(address.host, address.port)
        head = "POST /api/trigger-call/ HTTP/1.1\r\nHost: simulator\r\nX-API-Key: any\r\n"
        writer.write(f"{head}Content-Length: {len(ORDER)}\r\n\r\n{ORDER[:20]}".encode())
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        assert (await it.trigger()).status_code == 200
        assert (len(it.simulator.books.requests), len(it.simulator.books.calls)) == (2, 1)
    assert "Exception in ASGI application" not in caplog.text


async def test_for_a_while_nobody_is_there_and_then_at_the_same_address() -> None:
    async with line() as it:
        assert (await it.http.post("/_sim/outage", json={"seconds": 0.2})).json() == {"away_s": 0.2}
        async with asyncio.timeout(5):
            with pytest.raises(httpx.ConnectError):
                while True:
                    await it.http.get("/api/health", headers={"connection": "close"})
            while True:
                with suppress(httpx.TransportError):
                    assert (await it.trigger()).status_code == 200
                    break
        assert (await it.http.post("/_sim/outage", json={"seconds": 0})).status_code == 422


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


async def test_rows_that_come_too_late_never_or_too_early() -> None:
    async with line(faults={"log-later": 1.0}) as it:
        await it.trigger()
        it.clock.advance(15 + 239.9)
        assert (await it.history())["data"] == []
        it.clock.advance(0.2)
        assert len((await it.history())["data"]) == 1
    async with line(faults={"log-never": 1.0}) as it:
        await it.trigger()
        it.clock.advance(1_000_000)
        assert ((await it.history())["data"], it.simulator.books.calls[0].row_fault) == ([], "log-never")
    async with line(faults={"log-early": 1.0}) as it:
        await it.trigger()
        words = []
        for seconds in (0, 1, 1, 3, 10):
            it.clock.advance(seconds)
            words.append((await it.history())["data"][0]["call_status"])
        assert words == ["Initiated", "Dialing", "Ringing", "In progress", "Agent disconnected"]


@pytest.mark.parametrize("ask", ["history", "logs"])
async def test_strangers_shift_the_pages_and_are_in_no_book(ask: str) -> None:
    async with line(faults={"log-shift": 1.0}) as it:
        for last in range(4):
            await (it.trigger if ask == "history" else it.outbound)(f"+91987654321{last}")
        it.clock.advance(60)
        rows = [(await getattr(it, ask)(page=number, page_size=2)) for number in (1, 2)]
        numbers = [[row[key] for row in page[at]] for page in rows for key, at in [KEYS[ask]]]
        assert numbers[0] == ["+919876543213", "+919876543212"]
        assert all(number.startswith("+1650555") for number in numbers[1]) or numbers[1] == numbers[0]
        assert (len(it.simulator.books.calls), it.simulator.books.requests[-1].fault) == (4, "log-shift")


async def test_a_page_in_any_order_holds_the_same_rows() -> None:
    async with line(faults={"log-shuffle": 1.0}) as it:
        for last in range(8):
            await it.trigger(f"+91987654321{last}")
        it.clock.advance(60)
        found = [row["to_number"][-1] for row in (await it.history())["data"]]
        assert (sorted(found), found != sorted(found, reverse=True)) == (list("01234567"), True)
        assert it.simulator.books.requests[-1].fault == "log-shuffle"


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
        ({"faults": {"log-late": 0.6, "log-never": 0.6}}, "row faults"),
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
