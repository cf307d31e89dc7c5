"""The contract of the transport: what happens on the wire is told truthfully, and no slot is ever lost."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
import uvloop

from dialer.adapters.providers.answers.proof import TRANSPORT_ERRORS
from dialer.adapters.providers.http.lifo_transport import LifoTransport
from tests.raw_server import Line, RawServer, Script, black_hole, http_answer, raw_server, refused_url

PATIENT = httpx.Timeout(60)
NO_ANSWER = httpx.Timeout(60, read=0.3)
NO_WAY = httpx.Timeout(60, connect=0.3)
NO_SLOT = httpx.Timeout(60, pool=0.1)


def client(max_connections: int = 4, keepalive_s: float = 600.0) -> httpx.AsyncClient:
    transport = LifoTransport(max_connections=max_connections, keepalive_s=keepalive_s)
    return httpx.AsyncClient(transport=transport, timeout=PATIENT, trust_env=False)


async def serve(line: Line) -> None:
    while True:
        request = await line.read_request()
        await line.answer(200, request.body)


async def close_at_once(line: Line) -> None:
    return


async def close_after_headers(line: Line) -> None:
    await line.read_headers()


async def close_after_reading(line: Line) -> None:
    await line.read_request()


async def reset_after_reading(line: Line) -> None:
    await line.read_request()
    line.reset()


async def half_a_body(line: Line) -> None:
    await line.read_request()
    await line.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf")


async def half_a_status_line(line: Line) -> None:
    await line.read_request()
    await line.write(b"HTTP/1.")


async def garbage(line: Line) -> None:
    await line.read_request()
    await line.write(b"\x00\x01 what?\r\n\r\n")


async def stall(line: Line) -> None:
    await line.read_request()
    await line.until_gone()


async def stall_in_body(line: Line) -> None:
    await line.read_request()
    await line.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf")
    await line.until_gone()


async def close_before_second(line: Line) -> None:
    await line.read_request()
    await line.answer(200)
    await line.read_request()


async def no_tls(line: Line) -> None:
    await line.write(b"not TLS at all\r\n")


BROKEN: list[tuple[Script, set[type[Exception]]]] = [
    (close_at_once, {httpx.ReadError, httpx.RemoteProtocolError}),
    (close_after_headers, {httpx.RemoteProtocolError, httpx.ReadError}),
    (close_after_reading, {httpx.RemoteProtocolError}),
    (reset_after_reading, {httpx.ReadError}),
    (half_a_body, {httpx.RemoteProtocolError}),
    (half_a_status_line, {httpx.RemoteProtocolError}),
    (garbage, {httpx.RemoteProtocolError}),
    (stall, {httpx.ReadTimeout}),
    (stall_in_body, {httpx.ReadTimeout}),
]


@pytest.mark.parametrize(("script", "expected"), BROKEN, ids=lambda value: getattr(value, "__name__", ""))
async def test_a_failure_after_the_first_byte_raises_what_httpx_raises_and_frees_the_slot(
    script: Script, expected: set[type[Exception]]
) -> None:
    async with raw_server(script) as server, client(max_connections=1) as one:
        with pytest.raises(httpx.TransportError) as caught:
            timeout = NO_ANSWER if httpx.ReadTimeout in expected else PATIENT
            await one.post(server.url, content=b"hello", timeout=timeout)
        assert type(caught.value) in expected
        server.script = serve
        assert (await one.post(server.url, content=b"again")).content == b"again"


async def test_connecting_fails_as_connect_errors() -> None:
    async with client(max_connections=1) as one:
        with pytest.raises(httpx.ConnectError):
            await one.post(refused_url())
        with pytest.raises(httpx.ConnectError):
            await one.post("http://nowhere.invalid/")
        async with raw_server(no_tls) as server:
            with pytest.raises(httpx.ConnectError):
                await one.post(server.url.replace("http:", "https:"))
        async with black_hole() as url:
            with pytest.raises(httpx.ConnectTimeout):
                await one.post(url, timeout=NO_WAY)
        with pytest.raises(httpx.UnsupportedProtocol):
            await one.post("ftp://127.0.0.1/")


async def test_a_full_pool_raises_pool_timeout_and_is_free_again_afterwards() -> None:
    async with raw_server(serve) as server, client(max_connections=1) as one:
        async with one.stream("POST", server.url, content=b"x"):
            with pytest.raises(httpx.PoolTimeout):
                await one.post(server.url, timeout=NO_SLOT)
        assert (await one.post(server.url)).status_code == 200


async def test_waiters_of_a_full_pool_are_served_in_turn() -> None:
    async with raw_server(serve) as server, client(max_connections=2) as one:
        answers = await asyncio.gather(*(one.post(server.url, content=b"%d" % n) for n in range(20)))
        assert [answer.content for answer in answers] == [b"%d" % n for n in range(20)]
        assert server.connections <= 2


async def cancel_in_flight(server: RawServer, one: httpx.AsyncClient) -> None:
    task = asyncio.ensure_future(one.post(server.url, content=b"x"))
    await server.next_request()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("script", [stall, stall_in_body])
async def test_cancelling_closes_the_connection_and_returns_the_slot(script: Script) -> None:
    gone = asyncio.Event()

    async def watched(line: Line) -> None:
        await script(line)
        gone.set()

    async with raw_server(watched) as server, client(max_connections=1) as one:
        await cancel_in_flight(server, one)
        await gone.wait()
        server.script = serve
        assert (await one.post(server.url)).status_code == 200


async def test_cancelling_while_connecting_returns_the_slot() -> None:
    async with black_hole() as url, raw_server(serve) as server, client(max_connections=1) as one:
        for turns in range(6):
            task = asyncio.ensure_future(one.post(url))
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        assert (await one.post(server.url)).status_code == 200


async def test_the_connection_used_last_is_used_next() -> None:
    served: list[int] = []

    async def numbered(line: Line) -> None:
        number = server.connections
        while True:
            await line.read_request()
            served.append(number)
            await line.answer(200)

    async with raw_server(numbered) as server, client() as one:
        async with one.stream("GET", server.url) as first:
            async with one.stream("GET", server.url) as second:
                await second.aread()
            await first.aread()
        for _ in range(3):
            await one.get(server.url)
    assert served == [1, 2, 1, 1, 1]


async def test_no_connection_is_used_twice_past_its_expiry() -> None:
    async with raw_server(serve) as server, client(keepalive_s=0) as one:
        for _ in range(3):
            await one.get(server.url)
        assert server.connections == 3


async def test_a_connection_closed_by_the_server_is_not_used_again() -> None:
    async def once(line: Line) -> None:
        await line.read_request()
        await line.answer(200)

    async with raw_server(once) as server, client() as one:
        for _ in range(3):
            server.hung_up.clear()
            assert (await one.get(server.url)).status_code == 200
            await server.hung_up.wait()
        assert server.connections == 3


async def test_a_stale_connection_closed_on_the_second_request_is_told_and_not_repeated() -> None:
    async with raw_server(close_before_second) as server, client() as one:
        await one.post(server.url, content=b"1")
        with pytest.raises(httpx.RemoteProtocolError):
            await one.post(server.url, content=b"2")
        assert len(server.requests) == 2


async def test_unsolicited_bytes_make_a_connection_unfit() -> None:
    async def chatty(line: Line) -> None:
        await line.read_request()
        await line.write(http_answer(200) + http_answer(500))
        await line.until_gone()

    async with raw_server(chatty) as server, client() as one:
        assert [(await one.get(server.url)).status_code for _ in range(2)] == [200, 200]
        assert server.connections == 2


async def test_closing_the_client_closes_its_connections() -> None:
    gone = asyncio.Event()

    async def watched(line: Line) -> None:
        await line.read_request()
        await line.answer(200)
        await line.until_gone()
        gone.set()

    async with raw_server(watched) as server:
        async with client() as one:
            await one.get(server.url)
        await asyncio.wait_for(gone.wait(), 5)


async def _parts() -> AsyncIterator[bytes]:
    yield b"in "
    yield b"parts"


@pytest.mark.parametrize(
    ("content", "writes"), [(b"whole", 1), (b"", 1), (_parts(), 4)], ids=["body", "none", "chunked"]
)
async def test_a_request_of_known_length_leaves_in_one_write(
    content: bytes | AsyncIterator[bytes], writes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[bytes] = []
    write = asyncio.selector_events._SelectorSocketTransport.write  # type: ignore[attr-defined]

    def count(transport: asyncio.Transport, data: bytes) -> None:
        written.append(bytes(data))
        write(transport, data)

    async def answer(line: Line) -> None:
        await line.read_headers()
        await line.write(http_answer(200, b"ok"))

    monkeypatch.setattr(asyncio.selector_events._SelectorSocketTransport, "write", count)  # type: ignore[attr-defined]
    async with raw_server(answer) as server, client() as http:
        assert (await http.post(server.url, content=content)).text == "ok"
    assert len([data for data in written if not data.startswith(b"HTTP/")]) == writes


def test_the_table_of_transport_errors_covers_all_of_httpx() -> None:
    public = [getattr(httpx, name) for name in httpx.__all__]
    exceptions = {one for one in public if isinstance(one, type) and issubclass(one, Exception)}
    assert exceptions == set(TRANSPORT_ERRORS)


def test_the_same_holds_on_uvloop_whose_transports_end_in_other_ways() -> None:
    async def every_case() -> None:
        for script, expected in BROKEN:
            await test_a_failure_after_the_first_byte_raises_what_httpx_raises_and_frees_the_slot(script, expected)
        for script in (stall, stall_in_body):
            await test_cancelling_closes_the_connection_and_returns_the_slot(script)
        await test_connecting_fails_as_connect_errors()
        await test_a_full_pool_raises_pool_timeout_and_is_free_again_afterwards()
        await test_cancelling_while_connecting_returns_the_slot()
        await test_the_connection_used_last_is_used_next()
        await test_a_connection_closed_by_the_server_is_not_used_again()
        await test_a_stale_connection_closed_on_the_second_request_is_told_and_not_repeated()
        await test_unsolicited_bytes_make_a_connection_unfit()

    uvloop.run(every_case())
