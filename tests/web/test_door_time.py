"""What comes too slowly is not waited for; on time that passes when everybody waits, over real sockets."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from dialer.web.connections import HEAD_BYTES, HEAD_WITHIN_S, Protocol
from dialer.web.guard import LINGER_S, LIST_WITHIN_S, LOOPBACK, SMALL_WITHIN_S, Guard
from dialer.web.problems import Refusal, answer

pytestmark = pytest.mark.virtual_time

HEAD = b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n"


async def read_it(scope: Scope, receive: Receive, send: Send) -> None:
    """An application that takes the whole body."""
    try:
        body = await Request(scope, receive).body()
        await PlainTextResponse(f"{len(body)} bytes")(scope, receive, send)
    except Refusal as refused:
        await answer(refused)(scope, receive, send)


@asynccontextmanager
async def door() -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection to the door."""
    config = uvicorn.Config(Guard(read_it, LOOPBACK, 2**20), http=Protocol, log_config=None, lifespan="off")
    config.load()
    state = ServerState()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Protocol(config, state, {}), "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    try:
        yield reader, writer
    finally:
        writer.close()
        server.close()


def now() -> float:
    return asyncio.get_running_loop().time()


async def test_a_connection_that_says_nothing_is_closed() -> None:
    async with door() as (reader, _):
        before = now()
        assert await reader.read() == b""
        assert now() - before == pytest.approx(HEAD_WITHIN_S)


async def test_a_head_that_comes_slowly_is_not_waited_for() -> None:
    async with door() as (reader, writer):
        before = now()

        async def drip() -> None:
            for byte in HEAD % (b"/login", 5):
                writer.write(bytes([byte]))
                await asyncio.sleep(1)

        dripping = asyncio.create_task(drip())
        assert await reader.read() == b""
        assert now() - before == pytest.approx(HEAD_WITHIN_S, abs=1.5)
        dripping.cancel()


async def test_empty_lines_before_a_head_buy_no_time() -> None:
    async with door() as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        writer.write(b"\r\n")
        before = now()
        await reader.read()
        assert now() - before <= HEAD_WITHIN_S + 1


async def test_a_head_that_does_not_end_is_refused() -> None:
    async with door() as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\nA: " + b"b" * (HEAD_BYTES + 10_000))
        assert (await reader.readline()).startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize(("path", "within_s"), [(b"/login", SMALL_WITHIN_S), (b"/api/v1/imports", LIST_WITHIN_S)])
async def test_a_body_that_comes_slowly_is_not_waited_for(path: bytes, within_s: float) -> None:
    async with door() as (reader, writer):
        writer.write(HEAD % (path, 10_000))
        before = now()

        async def drip() -> None:
            while True:
                writer.write(b"x")
                await asyncio.sleep(5)

        dripping = asyncio.create_task(drip())
        assert (await reader.readline()).startswith(b"HTTP/1.1 408")
        assert now() - before == pytest.approx(within_s)
        assert b"connection: close" in await reader.read(), "and it could be read to its end"
        assert now() - before <= within_s + LINGER_S + 0.1
        dripping.cancel()


async def test_a_body_that_comes_in_time_is_taken() -> None:
    async with door() as (reader, writer):
        writer.write(HEAD % (b"/login", 5))
        await asyncio.sleep(SMALL_WITHIN_S - 1)
        writer.write(b"12345")
        assert (await reader.readuntil(b"bytes")).endswith(b"\r\n\r\n5 bytes")
        writer.write(HEAD % (b"/login", 0))
        assert (await reader.readuntil(b"bytes")).endswith(b"\r\n\r\n0 bytes"), "the connection is kept"


async def test_an_answer_may_take_longer_than_a_head() -> None:
    async with door() as (reader, writer):
        writer.write(HEAD % (b"/api/v1/imports", 1))
        await asyncio.sleep(3 * HEAD_WITHIN_S)
        writer.write(b"x")
        assert (await reader.readuntil(b"bytes")).endswith(b"\r\n\r\n1 bytes")
