"""Every method of both clients against everything that a socket can do: the right class, never a library's own."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from dialer.errors import (
    AccountBlocked,
    AddressMoved,
    AgentMissing,
    AnswerCut,
    AnswerLate,
    AnswerUnreadable,
    CallRefused,
    ConnectionLost,
    Forbidden,
    KeyRefused,
    NoCredit,
    NotFound,
    NotSent,
    OutcomeUnknown,
    ProviderError,
    RequestInvalid,
    ServerFailed,
    SessionExpired,
    Throttled,
    TranscriptMissing,
)
from tests.provider_api import METHODS, Method, client_at, public_methods
from tests.provider_dialects import serving
from tests.raw_server import Line, Script, black_hole, http_answer, raw_server, refused_url

Kind = type[ProviderError]
each_method = pytest.mark.parametrize("method", METHODS, ids=lambda method: method.id)


async def read_then_close(line: Line) -> None:
    await line.read_headers()


async def read_then_reset(line: Line) -> None:
    await line.read_headers()
    line.reset()


async def hang(line: Line) -> None:
    await line.read_headers()
    await line.until_gone()


def writing(data: bytes) -> Script:
    async def write(line: Line) -> None:
        await line.read_headers()
        await line.write(data)

    return write


async def raised(method: Method, url: str, tmp_path: Path, **changes: Any) -> ProviderError:
    client = client_at(method, url, **changes)
    try:
        with pytest.raises(ProviderError) as caught:
            await method.ask(client, tmp_path)
        return caught.value
    finally:
        await client.aclose()


BROKEN: list[tuple[str, Script, Kind]] = [
    ("closed without an answer", read_then_close, ConnectionLost),
    ("reset without an answer", read_then_reset, ConnectionLost),
    ("half a body", writing(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{"), AnswerCut),
    ("not HTTP", writing(b"220 mail.example.test ready\r\n\r\n"), AnswerCut),
]


@each_method
async def test_a_broken_connection(method: Method, tmp_path: Path) -> None:
    for what, script, kind in BROKEN:
        async with raw_server(script) as server:
            error = await raised(method, server.url, tmp_path)
        if method.kind == "socket" and kind is AnswerCut:
            # To a handshake an answer with half a body is an answer, and any other words are none at all.
            assert isinstance(error, OutcomeUnknown), what
        else:
            assert type(error) is kind, what
        # Half of a recording is kept, which counts as getting on.
        assert server.connections - method.tries in ({0, 1} if method.name.startswith("calls.save") else {0}), what


@each_method
async def test_no_answer_in_time(method: Method, tmp_path: Path) -> None:
    async with raw_server(hang) as server:
        patience = {"timeout_s": 0.3} if method.kind == "socket" else {"read_timeout_s": 0.05}
        error = await raised(method, server.url, tmp_path, **patience)
    assert type(error) is AnswerLate
    assert server.connections == method.tries


@each_method
async def test_nothing_leaves_when_nobody_listens(method: Method, tmp_path: Path) -> None:
    assert type(await raised(method, refused_url(), tmp_path)) is NotSent


async def test_nothing_leaves_when_connecting_takes_too_long(tmp_path: Path) -> None:
    async with black_hole() as url:
        for method in METHODS:
            if method.kind != "socket":
                assert type(await raised(method, url, tmp_path, connect_timeout_s=0.005)) is NotSent, method.id


STATUSES: list[tuple[int, str, Kind, dict[str, Kind]]] = [
    (400, "", RequestInvalid, {}),
    (401, "", KeyRefused, {}),
    (402, "", NoCredit, {}),
    (403, "", Forbidden, {}),
    (404, "", NotFound, {"call": AgentMissing, "transcript": TranscriptMissing}),
    (405, "", CallRefused, {"call": AccountBlocked, "read": OutcomeUnknown}),
    (408, "", OutcomeUnknown, {}),
    (409, "", CallRefused, {"call": OutcomeUnknown, "read": OutcomeUnknown}),
    (410, "", SessionExpired, {"call": AccountBlocked, "transcript": TranscriptMissing}),
    (422, "", RequestInvalid, {}),
    (429, "retry-after: 7\r\n", Throttled, {}),
    (500, "", ServerFailed, {}),
    (502, "", ServerFailed, {}),
    (503, "retry-after: 7\r\n", Throttled, {}),
    (307, "location: /elsewhere\r\n", OutcomeUnknown, {"call": AddressMoved}),
]


def expected(method: Method, kind: Kind, kinds: dict[str, Kind]) -> Kind:
    if method.name == "calls.transcript" and "transcript" in kinds:
        return kinds["transcript"]
    return kinds.get("read" if method.kind in {"file", "socket"} else method.kind, kind)


@each_method
async def test_an_error_status(method: Method, tmp_path: Path) -> None:
    body = b'{"status_code":0,"error":"x","message":"why","code":"WHY"}'
    for status, headers, kind, kinds in STATUSES:
        async with raw_server(serving(http_answer(status, body, headers))) as server:
            error = await raised(method, server.url, tmp_path)
        assert type(error) is expected(method, kind, kinds), status
        assert error.status == status
        assert error.retry_after_s == (7.0 if headers.startswith("retry") else None)
        assert (error.code, "why" in error.body) == ("WHY", True)
        repeated = status in {408, 429, 500, 502, 503}
        assert len(server.requests) == (method.tries if repeated else 1), status


SAYS_ENOUGH_WHEN_EMPTY = {
    *("agents.delete", "agents.update", "batches.send", "batches.delete", "files.upload", "files.delete"),
    *(f"numbers.{verb}" for verb in ("purchase", "register", "update", "delete")),
}


@pytest.mark.parametrize(
    "method",
    [one for one in METHODS if one.kind in {"read", "again", "once", "call"} and one.name != "login.log_out"],
    ids=lambda method: method.id,
)
async def test_a_good_status_without_the_promised_json(method: Method, tmp_path: Path) -> None:
    for body in (b"", b"<html>", b"null", b'"text"', b"5", b'{"a":1,"a":2}', b"[" * 20_000):
        if body == b"" and (method.name in SAYS_ENOUGH_WHEN_EMPTY or method.name.startswith("campaigns.")):
            continue
        async with raw_server(serving(http_answer(200, body))) as server:
            error = await raised(method, server.url, tmp_path)
        assert isinstance(error, AnswerUnreadable), body[:20]
        assert len(server.requests) == 1


@pytest.mark.parametrize("method", [one for one in METHODS if one.good is not None], ids=lambda method: method.id)
async def test_a_good_answer(method: Method, tmp_path: Path) -> None:
    async with raw_server(serving(method.answer)) as server:
        client = client_at(method, server.url)
        await method.ask(client, tmp_path)
        await client.aclose()
    assert len(server.requests) == 1
    assert server.requests[0].headers["x-api-key"] == "not-a-real-key"


async def test_every_method_of_both_clients_is_here() -> None:
    for api in {method.api for method in METHODS}:
        client = client_at(next(method for method in METHODS if method.api is api), "http://127.0.0.1:1")
        assert public_methods(client) == {method.name for method in METHODS if method.api is api}
        await client.aclose()


async def test_a_cancelled_method_is_cancelled_and_leaves_no_connection(tmp_path: Path) -> None:
    for method in METHODS:
        reached = asyncio.Event()

        async def hold(line: Line, reached: asyncio.Event = reached) -> None:
            await line.read_headers()
            reached.set()
            await line.until_gone()

        async with raw_server(hold) as server:
            client = client_at(method, server.url)
            task = asyncio.ensure_future(method.ask(client, tmp_path))
            await reached.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await server.hung_up.wait()
            await client.aclose()
