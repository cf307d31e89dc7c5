"""CPU per POST: httpx as shipped, httpx on LifoTransport, and a whole ``place`` of the sender.

    python -m benchmarks.http_transport [requests]

The server runs in a process of its own, so that its CPU does not count.
"""

import asyncio
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from random import Random

import httpx
import uvloop

from dialer.adapters.providers.http.lifo_transport import LifoTransport
from dialer.adapters.providers.http.requests import Endpoint
from dialer.adapters.providers.vaanivoice.adapter import VaaniVoice
from dialer.domain.call import CallRequest, Placed

BODY = b'{"success":true,"message":"ok","output":{"call_id":"outbound-1790000000-0a1b2c3d"},"error":null}'
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (len(BODY), BODY)
SERVER = f"""
import asyncio, uvloop
class Server(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport, self.data = transport, b""
    def data_received(self, data):
        self.data += data
        while b"\\r\\n\\r\\n" in self.data:
            head, rest = self.data.split(b"\\r\\n\\r\\n", 1)
            size = int(head.lower().split(b"content-length: ")[1].split(b"\\r\\n")[0])
            if len(rest) < size:
                return
            self.data = rest[size:]
            self.transport.write({ANSWER!r})
async def main():
    server = await asyncio.get_running_loop().create_server(Server, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
uvloop.run(main())
"""
PAYLOAD = {"agent_id": "a", "contact_number": "+14155550123", "name": "Ann", "metadata": {"token": "t"}}
Post = Callable[[], Awaitable[object]]


class FreePermit:
    """A permit that never says no."""

    async def slot(self, repeat: bool) -> None:
        """Go."""

    def last_instant(self) -> None:
        """Go."""


class WallClock:
    """The machine's clock."""

    def now(self) -> float:
        """Unix seconds."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds for measuring."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


async def measure(post: Post, requests: int, concurrency: int) -> tuple[float, float]:
    """CPU milliseconds per request, and requests per second."""
    left = iter(range(requests))

    async def work() -> None:
        for _ in left:
            await post()

    await asyncio.gather(*(post() for _ in range(concurrency)))
    cpu, wall = time.process_time(), time.perf_counter()
    await asyncio.gather(*(work() for _ in range(concurrency)))
    return (time.process_time() - cpu) / requests * 1000, requests / (time.perf_counter() - wall)


def plain(client: httpx.AsyncClient, url: str) -> Post:
    """One POST through a client."""

    async def post() -> None:
        (await client.post(url, json=PAYLOAD)).raise_for_status()

    return post


def sender(provider: VaaniVoice) -> Post:
    """One place-call through the whole adapter."""
    request = CallRequest("token", "agent", "+14155550123", "Ann", variables={"plan": "gold"})

    async def post() -> None:
        assert isinstance(await provider.place(request, FreePermit()), Placed)

    return post


async def compare(base_url: str, requests: int) -> None:
    """Print one line per client and concurrency."""
    url = base_url + "/api/trigger-call/"
    for concurrency in (10, 100):
        limits = httpx.Limits(max_connections=concurrency, max_keepalive_connections=concurrency)
        shipped = httpx.AsyncClient(limits=limits, trust_env=False)
        ours = httpx.AsyncClient(transport=LifoTransport(max_connections=concurrency), trust_env=False)
        endpoint = Endpoint(base_url=base_url, api_key="key", max_connections=concurrency, pool_timeout_s=10)
        provider = VaaniVoice(endpoint, WallClock(), Random(1))
        ways = {"httpx as shipped": plain(shipped, url), "LifoTransport": plain(ours, url), "place": sender(provider)}
        for name, post in ways.items():
            cpu_ms, rate = await measure(post, requests, concurrency)
            print(f"{name:18} concurrency {concurrency:4}: {cpu_ms:6.3f} ms CPU, {rate:8.0f} requests/s")
        await shipped.aclose()
        await ours.aclose()
        await provider.aclose()


def main() -> None:
    """Start the server, compare, stop it."""
    requests = int(sys.argv[1]) if len(sys.argv) > 1 else 3000
    with subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        port = int(server.stdout.readline())
        try:
            uvloop.run(compare(f"http://127.0.0.1:{port}", requests))
        finally:
            server.terminate()


if __name__ == "__main__":
    main()
