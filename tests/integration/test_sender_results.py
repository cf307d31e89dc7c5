"""Every way a place-call request can end, over real sockets: its class, and how often it was really sent."""

import asyncio
import gzip
from collections.abc import Iterator
from random import Random

import pytest

from dialer.adapters.providers.http.requests import Endpoint
from dialer.adapters.providers.vaani.adapter import Vaani
from dialer.adapters.providers.vaanivoice.adapter import VaaniVoice
from dialer.domain.call import CallRequest, NotPlaced, Placed, PlaceResult, Refused, Unknown
from dialer.domain.disposition import Disposition
from tests.provider_dialects import Provider
from tests.raw_server import (
    Line,
    Permit,
    Script,
    StoppedClock,
    black_hole,
    http_answer,
    raw_server,
    refused_url,
)

DIALECTS: list[type[Provider]] = [VaaniVoice, Vaani]
GOOD = {
    VaaniVoice: b'{"success":true,"message":"ok","output":{"call_id":"outbound-1790000000-0a1b2c3d"},"error":null}',
    Vaani: b'{"detail":"Outgoing call initiated successfully."}',
}
REQUEST = CallRequest("token-1", "+14155550100", "+14155550123", "Ann", variables={"plan": "gold"})
KEY = "not-a-real-key"


def endpoint(url: str, **changes: object) -> Endpoint:
    settings: dict[str, object] = {
        "base_url": url,
        "api_key": KEY,
        "timeout_s": 0.5,
        "connect_timeout_s": 0.15,
        "read_timeout_s": 0.15,
        "write_timeout_s": 0.15,
        "pool_timeout_s": 0.05,
        "plain_http": True,
        **changes,
    }
    return Endpoint(**settings)  # type: ignore[arg-type]


async def place(dialect: type[Provider], url: str, permit: Permit | None = None, **changes: object) -> PlaceResult:
    provider = dialect(endpoint(url, **changes), StoppedClock(), Random(1))
    try:
        return await provider.place(REQUEST, permit or Permit())
    finally:
        await provider.aclose()


def answering(status: int, body: bytes = b"", headers: str = "") -> Script:
    async def answer(line: Line) -> None:
        while True:
            await line.read_request()
            await line.answer(status, body, headers)

    return answer


def writing(*parts: bytes) -> Script:
    async def write(line: Line) -> None:
        await line.read_request()
        for part in parts:
            await line.write(part)

    return write


async def close_at_once(line: Line) -> None:
    return


async def reset_at_once(line: Line) -> None:
    line.reset()


async def headers_then_close(line: Line) -> None:
    await line.read_headers()


async def read_then_close(line: Line) -> None:
    await line.read_request()


async def read_then_reset(line: Line) -> None:
    await line.read_request()
    line.reset()


async def hang(line: Line) -> None:
    await line.read_request()
    await line.until_gone()


async def drip(line: Line) -> None:
    await line.read_request()
    await line.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
    while True:
        await line.write(b" ")
        await asyncio.sleep(0.05)


OVER_CAP = b'{"success":true,"output":{"call_id":"a"},"pad":"' + b"x" * 70_000 + b'"}'
TWICE = b'{"success":true,"success":true,"output":{"call_id":"a"}}'
GZIPPED = gzip.compress(b'{"success":true,"output":{"call_id":"a"}}')

BROKEN: list[tuple[str, Script, int]] = [
    ("closed at once", close_at_once, 0),
    ("reset at once", reset_at_once, 0),
    ("headers read, closed", headers_then_close, 0),
    ("all read, closed", read_then_close, 1),
    ("all read, reset", read_then_reset, 1),
    ("hangs", hang, 1),
    ("half a status line", writing(b"HTTP/1.1 20"), 1),
    ("half the headers", writing(b"HTTP/1.1 200 OK\r\ncontent-le"), 1),
    ("garbage", writing(b"\x00\xff\r\n\r\n"), 1),
    ("truncated body", writing(b'HTTP/1.1 200 OK\r\ncontent-length: 90\r\n\r\n{"success":true}'), 1),
    ("truncated chunks", writing(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab"), 1),
    ("not gzip", writing(http_answer(200, b"nonsense", "content-encoding: gzip\r\n")), 1),
    ("half a gzip", writing(http_answer(200, GZIPPED[:20], "content-encoding: gzip\r\n")), 1),
    ("drips past the deadline", drip, 1),
    ("over the cap", writing(http_answer(200, OVER_CAP)), 1),
    ("switching protocols", writing(http_answer(101)), 1),
    ("200, empty", writing(http_answer(200)), 1),
    ("204", writing(http_answer(204)), 1),
    ("200, HTML", writing(http_answer(200, b"<html>ok</html>")), 1),
    ("200, a list", writing(http_answer(200, b'["success"]')), 1),
    ("200, null", writing(http_answer(200, b"null")), 1),
    ("200, a key twice", writing(http_answer(200, TWICE)), 1),
    ("200, nested too deep", writing(http_answer(200, b"[" * 60_000)), 1),
    ("200, not UTF-8", writing(http_answer(200, b'{"success":"\xff"}')), 1),
    ("200, something broke", writing(http_answer(200, b'{"success":false,"error":"internal error"}')), 1),
    ("200, refused with an id", writing(http_answer(200, b'{"success":false,"call_id":"a","error":"low balance"}')), 1),
    ("200, success is a word", writing(http_answer(200, b'{"success":"perhaps"}')), 1),
]


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(("name", "script", "read"), BROKEN, ids=[row[0] for row in BROKEN])
async def test_what_follows_the_first_byte_and_is_no_answer_is_unknown_and_sent_once(
    dialect: type[Provider], name: str, script: Script, read: int
) -> None:
    async with raw_server(script) as server:
        permit = Permit()
        result = await place(dialect, server.url, permit)
        assert isinstance(result, Unknown), (name, result)
        assert permit.slots == [False]
        assert (len(server.requests), server.connections) == (read, 1)


UNKNOWN_STATUSES = [406, 408, 409, 412, 416, 417, 418, 423, 424, 426, 428]
UNKNOWN_STATUSES += [*range(500, 512), 520, 522, 524, 527]
NEVER_REACHED = [521, 523, 525, 526, 530]
HALTS = [*range(300, 309), 402]
DOUBTFUL = [401, 403, 404, 405, 410, 411, 415]
REFUSED = [400, 413, 414, 422, 431]


def statuses() -> Iterator[tuple[int, type[PlaceResult]]]:
    yield from ((status, Placed) for status in (200, 201, 202))
    yield from ((status, Unknown) for status in UNKNOWN_STATUSES)
    yield from ((status, NotPlaced) for status in (*HALTS, *DOUBTFUL, *NEVER_REACHED, 407, 421, 425, 429))
    yield from ((status, Refused) for status in REFUSED)


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_every_status_has_its_class_and_is_sent_once(dialect: type[Provider]) -> None:
    """All statuses over one kept-alive connection; redirects point back and are not followed."""
    for status, expected in statuses():
        script = answering(status, GOOD[dialect], "location: /elsewhere\r\n")
        async with raw_server(script) as server:
            permit = Permit()
            result = await place(dialect, server.url, permit)
            assert isinstance(result, expected), (status, result)
            assert (len(server.requests), permit.slots, result.http_status) == (1, [False], status)
            assert bool(getattr(result, "halt", "")) == (status in HALTS), status
            assert getattr(result, "doubtful", False) == (status in DOUBTFUL), status


WORDED: list[tuple[str, int, bytes, PlaceResult]] = [
    ("number", 400, b'{"detail":"Invalid phone number format"}', Refused(Disposition.INVALID_NUMBER, "")),
    (
        "number, validation list",
        422,
        b'{"detail":[{"loc":["body","contact_number"],"msg":"bad","input":"+14155550123"}]}',
        Refused(Disposition.INVALID_NUMBER, ""),
    ),
    ("payload", 422, b'{"detail":[{"loc":["body","metadata"],"msg":"bad"}]}', Refused(Disposition.REJECTED, "")),
    ("our own number", 400, b'{"detail":"agent_phone_number missing"}', NotPlaced("", halt="x")),
    ("do not disturb", 403, b'{"detail":"Destination is DND blocked"}', Refused(Disposition.BLOCKED, "")),
    ("do-not-disturb", 403, b'{"message":"on do-not-disturb"}', Refused(Disposition.BLOCKED, "")),
    ("hours, 400", 400, b'{"detail":"Allowed between 08:00 and 20:00"}', NotPlaced("", 1800.0)),
    ("hours, 403", 403, b'{"detail":"TRAI regulations"}', NotPlaced("", 1800.0)),
    ("hours, 200", 200, b'{"success":false,"error":"outside calling hours"}', NotPlaced("", 1800.0)),
    ("funds, 200", 200, b'{"success":false,"error":"Insufficient wallet balance"}', NotPlaced("", halt="x")),
    ("funds, 400", 400, b'{"detail":"Insufficient balance"}', NotPlaced("", halt="x")),
    ("number, 200", 200, b'{"success":false,"error":"Invalid phone number"}', Refused(Disposition.INVALID_NUMBER, "")),
    ("list, 200", 200, b'{"success":false,"error":"Number is on DND"}', Refused(Disposition.BLOCKED, "")),
    ("agent, 200", 200, b'{"success":false,"error":"Agent not found"}', NotPlaced("", halt="x")),
    ("no known reason, 200", 200, b'{"success":false,"error":"E17"}', Refused(Disposition.REJECTED, "")),
    ("a time is no hour", 409, b'{"detail":"conflict at 2026-11-21T08:00:12"}', Unknown("")),
]


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(("status", "body", "expected"), [row[1:] for row in WORDED], ids=[row[0] for row in WORDED])
async def test_the_words_of_a_refusal_decide(
    dialect: type[Provider], status: int, body: bytes, expected: PlaceResult
) -> None:
    async with raw_server(answering(status, body)) as server:
        result = await place(dialect, server.url)
        assert type(result) is type(expected), result
        assert len(server.requests) == 1
        assert getattr(result, "disposition", None) == getattr(expected, "disposition", None)
        assert getattr(result, "retry_after_s", None) == getattr(expected, "retry_after_s", None)
        assert bool(getattr(result, "halt", "")) == bool(getattr(expected, "halt", ""))
        assert not getattr(result, "throttled", False)


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_what_never_left_is_not_placed_and_is_repeated_within_the_budget(dialect: type[Provider]) -> None:
    for url in (refused_url(), "http://nowhere.invalid"):
        permit = Permit()
        result = await place(dialect, url, permit, repeat_budget_s=0.3)
        assert isinstance(result, NotPlaced), result
        assert not result.halt and not result.throttled
        assert permit.slots[0] is False and set(permit.slots[1:]) == {True}
        assert permit.instants == 0


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_a_slow_connect_is_not_placed(dialect: type[Provider]) -> None:
    async with black_hole() as url:
        assert isinstance(await place(dialect, url, repeat_budget_s=0.1), NotPlaced)
        assert isinstance(await place(dialect, url, repeat_budget_s=0.1, timeout_s=0.05), NotPlaced)


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_a_failed_tls_handshake_is_not_placed(dialect: type[Provider]) -> None:
    async def no_tls(line: Line) -> None:
        await line.write(b"not TLS\r\n")

    for script in (no_tls, close_at_once):
        async with raw_server(script) as server:
            url = server.url.replace("http:", "https:")
            assert isinstance(await place(dialect, url, repeat_budget_s=0.01), NotPlaced)
            assert not server.requests


async def test_a_full_pool_is_not_placed() -> None:
    async with raw_server(hang) as server:
        settings = endpoint(server.url, max_connections=1, repeat_budget_s=0.01)
        provider = VaaniVoice(settings, StoppedClock(), Random(1))
        results = await asyncio.gather(*(provider.place(REQUEST, Permit()) for _ in range(3)))
        await provider.aclose()
        assert sorted(type(result).__name__ for result in results) == ["NotPlaced", "NotPlaced", "Unknown"]
        assert len(server.requests) == 1


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_a_withdrawn_permit_lets_no_byte_leave(dialect: type[Provider]) -> None:
    async with raw_server(answering(200, GOOD[dialect])) as server:
        permit = Permit(withdrawn_after=0)
        assert isinstance(await place(dialect, server.url, permit), NotPlaced)
        await server.hung_up.wait()
        assert (server.bytes, server.requests, permit.slots) == (0, [], [False])
        assert isinstance(await place(dialect, server.url, Permit(0, where="slot")), NotPlaced)
        assert server.bytes == 0


async def test_a_withdrawn_permit_lets_no_byte_leave_on_a_kept_connection() -> None:
    async with raw_server(answering(200, GOOD[VaaniVoice])) as server:
        provider = VaaniVoice(endpoint(server.url), StoppedClock(), Random(1))
        assert isinstance(await provider.place(REQUEST, Permit()), Placed)
        before = server.bytes
        assert isinstance(await provider.place(REQUEST, Permit(withdrawn_after=0)), NotPlaced)
        assert (server.bytes, server.connections) == (before, 1)
        assert isinstance(await provider.place(REQUEST, Permit()), Placed)
        assert (len(server.requests), server.connections) == (2, 1), "what was not used is kept"
        await provider.aclose()


async def test_a_stale_connection_closed_on_the_second_request_is_unknown_and_not_repeated() -> None:
    async def once(line: Line) -> None:
        await line.read_request()
        await line.answer(200, GOOD[VaaniVoice])
        await line.read_request()

    async with raw_server(once) as server:
        provider = VaaniVoice(endpoint(server.url), StoppedClock(), Random(1))
        assert isinstance(await provider.place(REQUEST, Permit()), Placed)
        assert isinstance(await provider.place(REQUEST, Permit()), Unknown)
        await provider.aclose()
        assert len(server.requests) == 2


def in_turn(*answers: bytes) -> Script:
    waiting = list(answers)

    async def serve(line: Line) -> None:
        while waiting:
            await line.read_request()
            await line.write(waiting.pop(0))

    return serve


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("answer", [http_answer(429, b"{}", "retry-after: 0\r\n"), http_answer(429, b"{}")])
async def test_who_asks_to_be_left_alone_is_not_asked_again_in_place(dialect: type[Provider], answer: bytes) -> None:
    async with raw_server(in_turn(answer, http_answer(200, GOOD[dialect]))) as server:
        permit = Permit()
        result = await place(dialect, server.url, permit)
        assert isinstance(result, NotPlaced) and result.throttled
        assert (permit.slots, permit.instants, len(server.requests)) == ([False], 1, 1)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", None),
        ("retry-after: 120\r\n", 120.0),
        ("retry-after: 99999999\r\n", 3600.0),
        ("retry-after: -5\r\n", None),
        ("retry-after: soon\r\n", None),
        ("retry-after: Mon, 21 Sep 2026 14:14:20 GMT\r\n", 60.0),
        ("retry-after: Mon, 21 Sep 2026 14:12:20 GMT\r\n", None),
    ],
)
async def test_a_long_or_missing_retry_after_goes_back_to_the_caller_as_a_brake(
    header: str, expected: float | None
) -> None:
    async with raw_server(answering(429, b"{}", header)) as server:
        result = await place(VaaniVoice, server.url)
        assert isinstance(result, NotPlaced)
        assert (result.throttled, result.retry_after_s, len(server.requests)) == (True, expected, 1)


async def test_nonsense_in_retry_after_does_not_make_a_503_harmless() -> None:
    async with raw_server(answering(503, b"{}", "retry-after: soon\r\n")) as server:
        assert isinstance(await place(VaaniVoice, server.url), Unknown)


async def test_at_once_repeats_a_5xx_and_only_that() -> None:
    good = http_answer(200, GOOD[VaaniVoice])
    async with raw_server(in_turn(http_answer(500), http_answer(502), good)) as server:
        assert isinstance(await place(VaaniVoice, server.url, retry_5xx="at_once"), Placed)
        assert len(server.requests) == 3
    async with raw_server(answering(500)) as server:
        result = await place(VaaniVoice, server.url, retry_5xx="at_once", repeat_budget_s=0.2)
        assert isinstance(result, NotPlaced) and not result.throttled
    async with raw_server(in_turn(http_answer(500))) as server:
        permit = Permit()
        assert isinstance(await place(VaaniVoice, server.url, permit, retry_5xx="at_once"), Unknown)
        assert permit.slots == [False, True]


async def test_a_repeat_whose_permit_is_gone_is_not_sent() -> None:
    for where in ("slot", "last_instant"):
        async with raw_server(in_turn(http_answer(500), http_answer(200, GOOD[VaaniVoice]))) as server:
            result = await place(VaaniVoice, server.url, Permit(1, where), retry_5xx="at_once")
            assert isinstance(result, NotPlaced)
            assert len(server.requests) == 1


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_cancelling_after_the_first_byte_is_not_swallowed_nor_repeated(dialect: type[Provider]) -> None:
    async with raw_server(hang) as server:
        provider = dialect(endpoint(server.url), StoppedClock(), Random(1))
        task = asyncio.ensure_future(provider.place(REQUEST, Permit()))
        await server.next_request()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await server.hung_up.wait()
        await provider.aclose()
        assert len(server.requests) == 1


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_no_reason_holds_a_key_or_a_whole_number(dialect: type[Provider]) -> None:
    leak = b'{"detail":"+1 (415) 555-0123 refused for key not-a-real-key","n":"+14155550123","pad":"%s"}' % (b"x" * 900)
    for status in (400, 401, 403, 429, 500, 302):
        async with raw_server(answering(status, leak)) as server:
            shown = repr(await place(dialect, server.url))
            assert KEY not in shown and "5550123" not in shown and "555-0123" not in shown
            assert len(shown) < 900
    assert KEY not in repr(endpoint("http://127.0.0.1"))
