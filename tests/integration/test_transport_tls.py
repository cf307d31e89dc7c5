"""The transport inside TLS: certificates are verified, connections are kept, failures are told apart."""

import asyncio
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import uvloop

from dialer.adapters.providers.http.lifo_transport import LifoTransport

BODY = b"x" * 400_000
BIG = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(BODY), BODY)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A self-signed certificate for localhost, and its key."""
    assert shutil.which("openssl"), "no openssl: apt-get install openssl"
    folder = tmp_path_factory.mktemp("tls")
    made, key = folder / "certificate.pem", folder / "key.pem"
    command = (
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost"
    )
    subprocess.run([*command.split(), "-keyout", key, "-out", made], check=True, capture_output=True)
    return made, key


@asynccontextmanager
async def tls_server(certificate: tuple[Path, Path], answer: bytes) -> AsyncIterator[tuple[str, list[int]]]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate)
    served: list[int] = []
    connections = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        number = connections
        try:
            while True:
                await reader.readuntil(b"\r\n\r\n")
                served.append(number)
                writer.write(answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, OSError):
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    try:
        yield f"https://localhost:{server.sockets[0].getsockname()[1]}", served
    finally:
        server.close()


def trusting(certificate: tuple[Path, Path]) -> httpx.AsyncClient:
    context = ssl.create_default_context(cafile=str(certificate[0]))
    return httpx.AsyncClient(transport=LifoTransport(max_connections=2, ssl_context=context), trust_env=False)


async def exchange(certificate: tuple[Path, Path]) -> None:
    async with tls_server(certificate, BIG) as (url, served), trusting(certificate) as one:
        for _ in range(3):
            assert (await one.get(url)).content == BODY
        assert len(served) == 3 and len(set(served)) <= 2
        with pytest.raises(httpx.ConnectError):
            await one.get(url.replace("localhost", "127.0.0.1"))
        async with httpx.AsyncClient(transport=LifoTransport(max_connections=2), trust_env=False) as stranger:
            with pytest.raises(httpx.ConnectError):
                await stranger.get(url)
        assert len(served) == 3


async def test_a_verified_server_is_talked_to_and_no_other(certificate: tuple[Path, Path]) -> None:
    await exchange(certificate)


def test_the_same_holds_on_uvloop(certificate: tuple[Path, Path]) -> None:
    uvloop.run(exchange(certificate))
