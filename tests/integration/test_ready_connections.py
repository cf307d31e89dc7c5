"""A connection is made before a call is due, is given back when it was not needed, and goes the way out that is set."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

import httpx
import pytest

from dialer.adapters.providers.http.lifo_transport import LifoTransport
from dialer.adapters.providers.http.network_way import Proxy, proxy_for
from dialer.adapters.providers.http.requests import Endpoint
from dialer.adapters.providers.http.socket_stream import interleaved
from dialer.adapters.providers.vaani.adapter import Vaani
from dialer.adapters.providers.vaanivoice.adapter import VaaniVoice
from dialer.domain.call import CallRequest, NotPlaced, Placed, Unknown
from dialer.errors import NotSent, UsageError
from tests.raw_server import Line, Permit, StoppedClock, http_answer, raw_server, refused_url

GOOD = b'{"success":true,"message":"ok","output":{"call_id":"outbound-1790000000-0a1b2c3d"},"error":null}'
REQUEST = CallRequest("token-1", "agent-1", "+14155550123", "Ann")


def provider_at(url: str) -> VaaniVoice:
    return VaaniVoice(Endpoint(base_url=url, api_key="not-a-real-key", timeout_s=60.0), StoppedClock(), Random(1))


async def serve(line: Line) -> None:
    while True:
        await line.read_request()
        await line.answer(200, GOOD)


async def test_a_call_goes_over_the_connection_that_stood_ready() -> None:
    async with raw_server(serve) as server:
        provider = provider_at(server.url)
        ready = await provider.connect()
        assert ready.took_s > 0 and server.bytes == 0
        assert isinstance(await provider.place(REQUEST, Permit(), ready), Placed)
        assert (await provider.connect()).took_s == 0
        await provider.aclose()
        assert (server.connections, len(server.requests)) == (1, 1)


async def test_what_was_not_needed_is_given_back_and_serves_another_call() -> None:
    async with raw_server(serve) as server:
        provider = provider_at(server.url)
        first, second = await provider.connect(), await provider.connect()
        await first.give_back()
        await first.give_back()
        result = await provider.place(REQUEST, Permit(withdrawn_after=0), second)
        assert isinstance(result, NotPlaced) and server.bytes == 0
        third, fourth = await provider.connect(), await provider.connect()
        assert (third.took_s, fourth.took_s) == (0, 0)
        assert isinstance(await provider.place(REQUEST, Permit(), third), Placed)
        assert isinstance(await provider.place(REQUEST, Permit(), fourth), Placed)
        await provider.aclose()
        assert (server.connections, len(server.requests)) == (2, 2)


async def test_a_ready_connection_that_the_server_closed_is_not_used() -> None:
    async def close(line: Line) -> None:
        return

    async with raw_server(close) as server:
        provider = provider_at(server.url)
        ready = await provider.connect()
        await server.hung_up.wait()
        server.script = serve
        assert isinstance(await provider.place(REQUEST, Permit(), ready), Placed)
        await provider.aclose()
        assert len(server.requests) == 1


async def test_one_is_made_ahead_and_not_two() -> None:
    async with raw_server(serve) as server:
        provider = provider_at(server.url)
        for _ in range(50):
            provider.keep_connected(1.0)
            await asyncio.sleep(0)
        assert isinstance(await provider.place(REQUEST, Permit()), Placed)
        await provider.aclose()
        assert len(server.requests) == 1 and server.connections <= 2


async def test_what_cannot_be_reached_is_told_before_anything_is_sent() -> None:
    provider = provider_at(refused_url())
    with pytest.raises(NotSent):
        await provider.connect()
    provider.keep_connected(1.0)
    await provider.aclose()


async def test_a_server_that_never_reads_kept_connections_gets_new_ones() -> None:
    async def deaf(line: Line) -> None:
        await line.read_request()
        await line.answer(200, GOOD)
        await line.read_headers()

    async with raw_server(deaf) as server:
        provider = provider_at(server.url)
        results = [type(await provider.place(REQUEST, Permit())) for _ in range(8)]
        await provider.aclose()
    assert results == [Placed, Unknown, Placed, Unknown, Placed, Placed, Placed, Placed]


def test_the_families_take_turns() -> None:
    six = [(socket.AF_INET6, (f"2001:db8::{n}", 443, 0, 0)) for n in range(3)]
    four = [(socket.AF_INET, (f"192.0.2.{n}", 443)) for n in range(2)]
    assert interleaved([*six, *four]) == [six[0], four[0], six[1], four[1], six[2]]
    assert interleaved(four) == four


async def test_an_http_address_is_asked_through_the_proxy() -> None:
    async with raw_server(serve) as server:
        port = int(server.url.rsplit(":", 1)[1])
        transport = LifoTransport(max_connections=1, proxy=Proxy("127.0.0.1", port, "ann", "pass word"))
        async with httpx.AsyncClient(transport=transport, trust_env=False) as one:
            for _ in range(2):
                assert (await one.post("http://api.example.invalid/x?y=1", content=b"z")).content == GOOD
    assert [request.target for request in server.requests] == ["http://api.example.invalid/x?y=1"] * 2
    headers = server.requests[0].headers
    assert headers["host"] == "api.example.invalid"
    assert headers["proxy-authorization"] == "Basic YW5uOnBhc3Mgd29yZA=="
    assert server.connections == 1


async def test_an_https_address_is_reached_through_a_tunnel_and_a_refusal_sends_nothing() -> None:
    asked: list[str] = []

    async def door(line: Line) -> None:
        asked.append((await line.read_headers()).decode())
        await line.write(http_answer(407, b"", "proxy-authenticate: Basic\r\n"))

    async with raw_server(door) as server:
        port = int(server.url.rsplit(":", 1)[1])
        transport = LifoTransport(max_connections=1, proxy=Proxy("127.0.0.1", port))
        async with httpx.AsyncClient(transport=transport, trust_env=False) as one:
            with pytest.raises(httpx.ProxyError, match="answered 407"):
                await one.post("https://api.example.invalid/x", content=b"z")
    assert asked[0].startswith("CONNECT api.example.invalid:443 HTTP/1.1\r\nhost: api.example.invalid:443\r\n")


@contextmanager
def environment(patch: pytest.MonkeyPatch, **variables: str) -> Iterator[None]:
    with patch.context() as inside:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
            inside.delenv(name, raising=False)
            inside.delenv(name.lower(), raising=False)
        for name, value in variables.items():
            inside.setenv(name, value)
        yield


def test_the_proxy_is_the_one_that_the_environment_names(monkeypatch: pytest.MonkeyPatch) -> None:
    url = "http://proxy.example.invalid:3128"
    there = ("https", "api.example.invalid", 443)
    with environment(monkeypatch, HTTPS_PROXY=url):
        assert proxy_for(*there) == Proxy("proxy.example.invalid", 3128)
        assert proxy_for("http", *there[1:]) is None
        assert proxy_for("https", "127.0.0.1", 443) is None
        assert proxy_for("https", "localhost", 443) is None
    with environment(monkeypatch, https_proxy="proxy.example.invalid", no_proxy="other.invalid"):
        assert proxy_for(*there) == Proxy("proxy.example.invalid", 8080)
    with environment(monkeypatch, HTTPS_PROXY=url, NO_PROXY=".example.invalid"):
        assert proxy_for(*there) is None
    with environment(monkeypatch, HTTPS_PROXY="http://ann:secret%21@proxy.example.invalid:3128"):
        found = proxy_for(*there)
        assert found is not None and found.password == "secret!"
        assert "secret" not in repr(found) and "secret" not in found.url
        assert found.full_url == "http://ann:secret%21@proxy.example.invalid:3128"


@pytest.mark.parametrize("url", ["socks5://127.0.0.1:1080", "https://proxy.example.invalid", "http://:0x"])
def test_a_proxy_that_is_not_spoken_to_is_refused_with_a_word(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    with (
        environment(monkeypatch, HTTPS_PROXY=url),
        pytest.raises(UsageError, match="HTTPS_PROXY names a proxy that cannot be used"),
    ):
        Vaani(Endpoint(base_url="https://api.example.invalid", api_key="k"), StoppedClock(), Random(1))
