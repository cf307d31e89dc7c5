"""The port where this process is asked how it is: /metrics, /livez, /readyz. Nobody signs in; it tells of nobody."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from dialer.errors import CannotServe

NotReady = Callable[[], Awaitable[Sequence[str]]]
"""What is not well, in words without addresses. Empty: ready."""
PLAIN = "text/plain; charset=utf-8"
END_WITHIN_S = 2.0


@dataclass(frozen=True)
class Endpoint:
    """The port as ASGI."""

    registry: CollectorRegistry
    not_ready: NotReady

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        status, kind, body = await self._answer(scope["method"], scope["path"])
        headers = [(b"content-type", kind.encode()), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    async def _answer(self, method: str, path: str) -> tuple[int, str, bytes]:
        if method not in ("GET", "HEAD"):
            return 405, PLAIN, b"only GET\n"
        match path:
            case "/metrics":
                return 200, CONTENT_TYPE_LATEST, generate_latest(self.registry)
            case "/livez":
                return 200, PLAIN, b"ok\n"
            case "/readyz":
                ailing = await self.not_ready()
                said = json.dumps({"ready": not ailing, "ailing": list(ailing)}) + "\n"
                return 503 if ailing else 200, "application/json", said.encode()
        return 404, PLAIN, b"/metrics, /livez or /readyz\n"


class _Server(uvicorn.Server):
    """Signals are the command's."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def answering(port: int, registry: CollectorRegistry, not_ready: NotReady) -> AsyncIterator[None]:
    """Answer on every address of this machine while the block runs. Raises CannotServe."""
    listener = _listen(port)
    config = uvicorn.Config(
        Endpoint(registry, not_ready), http="httptools", ws="none", lifespan="off", log_config=None, access_log=False,
        server_header=False, proxy_headers=False, timeout_graceful_shutdown=int(END_WITHIN_S),
    )  # fmt: skip
    server = _Server(config)
    serving = asyncio.create_task(server.serve([listener]))
    try:
        yield
    finally:
        server.should_exit = True
        with suppress(TimeoutError):
            async with asyncio.timeout(END_WITHIN_S):
                await asyncio.wait([serving])
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
        listener.close()


def _listen(port: int) -> socket.socket:
    both = socket.has_dualstack_ipv6()
    family = socket.AF_INET6 if both else socket.AF_INET
    try:
        return socket.create_server(("", port), family=family, dualstack_ipv6=both)
    except OSError as wrong:
        raise CannotServe(f"cannot listen on port {port} (DIALER_METRICS_PORT): {wrong.strerror}") from None
