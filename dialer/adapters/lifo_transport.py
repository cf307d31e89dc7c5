"""An httpx transport whose pool costs the same with one connection as with a thousand.

httpcore's own pool walks and polls every connection for every request (encode/httpx issue 3215), which
costs milliseconds of CPU a request at 100 at once. Here a semaphore counts the requests under way and a
LIFO list per origin keeps idle connections: the one used last is used next, so the rest grow old and close.
"""

import asyncio
import socket
import ssl
from collections import deque
from collections.abc import AsyncIterator, Mapping
from typing import Protocol, cast

import httpcore
import httpx

# Private, hence the pin httpx<0.29: a copy of this table could drift from what httpx itself raises.
from httpx._transports.default import map_httpcore_exceptions

from dialer.adapters.socket_stream import connect

Idle = deque[httpcore.AsyncHTTP11Connection]
Place = tuple[bytes, bytes, int]
Timeouts = Mapping[str, float | None]

USER_TIMEOUT_MS = 10_000
SOCKET_OPTIONS: list[tuple[int, int, int]] = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]
if hasattr(socket, "TCP_USER_TIMEOUT"):
    # A peer that vanished is noticed after 10 s of unacknowledged bytes instead of after 15 minutes.
    SOCKET_OPTIONS.append((socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, USER_TIMEOUT_MS))


class _CoreStream(Protocol):
    def __aiter__(self) -> AsyncIterator[bytes]: ...

    async def aclose(self) -> None: ...


class LifoTransport(httpx.AsyncBaseTransport):
    """HTTP/1.1 over kept-alive connections; no redirects, no retries, no proxies from the environment.

    ``max_connections`` requests may be under way at once; one more waits for the request's pool time-out and
    raises httpx.PoolTimeout. A connection is used again only when it was idle for less than ``keepalive_s``
    seconds and the peer has neither closed it nor sent anything; 0 never uses one twice. TLS is verified
    against certifi's roots unless ``ssl_context`` is given. Raises what httpx's own transport raises.
    """

    def __init__(
        self, *, max_connections: int, keepalive_s: float = 2.0, ssl_context: ssl.SSLContext | None = None
    ) -> None:
        self._slots = asyncio.Semaphore(max_connections)
        self._keepalive_s = keepalive_s
        self._ssl_context = ssl_context
        self._idle: dict[Place, Idle] = {}
        self._closed = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request; the slot is held until the response is closed."""
        core = _core_request(request)
        origin = core.url.origin
        timeouts: Timeouts = request.extensions.get("timeout", {})
        await self._take_slot(timeouts.get("pool"))
        connection: httpcore.AsyncHTTP11Connection | None = None
        try:
            with map_httpcore_exceptions():
                connection = await self._connection(origin, timeouts)
                answer = await connection.handle_async_request(core)
        except BaseException:
            self._slots.release()
            if connection is not None:
                await connection.aclose()
            raise
        return httpx.Response(
            answer.status,
            headers=answer.headers,
            stream=_Body(cast(_CoreStream, answer.stream), self, connection, origin),
            extensions=answer.extensions,
        )

    async def aclose(self) -> None:
        """Close idle connections now, and those under way as their responses are closed."""
        self._closed = True
        lists = [list(idle) for idle in self._idle.values()]
        self._idle.clear()
        for connection in [one for idle in lists for one in idle]:
            await connection.aclose()

    async def give_back(self, connection: httpcore.AsyncHTTP11Connection, origin: httpcore.Origin) -> None:
        """Free the slot of a closed response, and keep its connection if it can serve again."""
        self._slots.release()
        if connection.is_closed():
            return
        if self._closed or self._keepalive_s <= 0 or not connection.is_idle() or _left_over(connection):
            await connection.aclose()
            return
        idle = self._idle.setdefault(_place(origin), deque())
        idle.append(connection)
        # The oldest stand on the left: whatever a burst opened is closed as it grows stale.
        while idle and idle[0].has_expired():
            await idle.popleft().aclose()

    async def _take_slot(self, timeout_s: float | None) -> None:
        if not self._slots.locked():
            await self._slots.acquire()
            return
        try:
            async with asyncio.timeout(timeout_s):
                await self._slots.acquire()
        except TimeoutError as error:
            raise httpx.PoolTimeout("no connection became free in time") from error

    async def _connection(self, origin: httpcore.Origin, timeouts: Timeouts) -> httpcore.AsyncHTTP11Connection:
        idle = self._idle.get(_place(origin))
        while idle:
            connection = idle.pop()
            if connection.is_idle() and not connection.has_expired():
                return connection
            await connection.aclose()
        timeout_s = timeouts.get("connect")
        host = origin.host.decode("ascii")
        stream = await connect(host, origin.port, timeout_s, SOCKET_OPTIONS)
        if origin.scheme == b"https":
            stream = await stream.start_tls(self._tls(), host, timeout_s)
        return httpcore.AsyncHTTP11Connection(origin, stream, self._keepalive_s)

    def _tls(self) -> ssl.SSLContext:
        if self._ssl_context is None:
            self._ssl_context = httpx.create_ssl_context(verify=True, trust_env=False)
            self._ssl_context.set_alpn_protocols(["http/1.1"])
        return self._ssl_context


class _Body(httpx.AsyncByteStream):
    def __init__(
        self,
        stream: _CoreStream,
        pool: LifoTransport,
        connection: httpcore.AsyncHTTP11Connection,
        origin: httpcore.Origin,
    ) -> None:
        self._stream, self._pool = stream, pool
        self._connection, self._origin = connection, origin
        self._open = True

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with map_httpcore_exceptions():
            async for part in self._stream:
                yield part

    async def aclose(self) -> None:
        if not self._open:
            return
        self._open = False
        try:
            await self._stream.aclose()
        finally:
            await self._pool.give_back(self._connection, self._origin)


def _place(origin: httpcore.Origin) -> Place:
    return origin.scheme, origin.host, origin.port


def _left_over(connection: httpcore.AsyncHTTP11Connection) -> bool:
    """Whether bytes were read beyond the answer: they would pass for the answer to the next request."""
    state = getattr(connection, "_h11_state", None)
    return state is None or bool(state.trailing_data[0])


def _core_request(request: httpx.Request) -> httpcore.Request:
    url = request.url
    if url.scheme not in {"http", "https"}:
        raise httpx.UnsupportedProtocol("a provider's address starts with http:// or https://")
    return httpcore.Request(
        method=request.method,
        url=httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
        headers=request.headers.raw,
        content=request.stream,
        extensions=request.extensions,
    )
