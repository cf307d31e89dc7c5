"""An httpx transport whose pool costs the same with one connection as with a thousand.

httpcore's own pool walks and polls every connection for every request (encode/httpx issue 3215), which
costs milliseconds of CPU a request at 100 at once. Here a semaphore counts the requests under way and a
LIFO list per origin keeps idle connections: the one used last is used next, so the rest grow old and close.
"""

import asyncio
import socket
import ssl
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol, cast

import httpcore
import httpx

# Private, hence the pin httpx<0.29: a copy of this table could drift from what httpx itself raises.
from httpx._transports.default import map_httpcore_exceptions

from dialer.adapters.providers.http.network_way import Proxy, trusted_roots
from dialer.adapters.providers.http.socket_stream import SocketStream, connect

Idle = deque["Kept"]
Place = tuple[bytes, bytes, int]
Timeouts = Mapping[str, float | None]

USER_TIMEOUT_MS = 10_000
UNUSED_S = 8.0
"""How long a connection waits for its first request: servers give a head at least 10 s to come."""
RESERVED_S = 0.75
"""How much older a connection may grow between the moment it was set aside for a call and its first byte."""
DEAF_TWICE = 2
SOCKET_OPTIONS: list[tuple[int, int, int]] = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]
if hasattr(socket, "TCP_USER_TIMEOUT"):
    # A peer that vanished is noticed after 10 s of unacknowledged bytes instead of after 15 minutes.
    SOCKET_OPTIONS.append((socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, USER_TIMEOUT_MS))


class _CoreStream(Protocol):
    def __aiter__(self) -> AsyncIterator[bytes]: ...

    async def aclose(self) -> None: ...


@dataclass(slots=True, eq=False)
class Kept:
    """A connection and what is known of it. ``took_s``: how long it took to make."""

    connection: httpcore.AsyncHTTP11Connection
    stream: SocketStream
    origin: httpcore.Origin
    opened_at: float
    took_s: float
    used: bool = False
    idle_since: float = 0.0


class Ready:
    """A connection that stands ready for one request: hand it over in the request's extensions, or give it back."""

    def __init__(self, pool: "LifoTransport", kept: Kept, took_s: float) -> None:
        self._pool, self._kept = pool, kept
        self.took_s = took_s
        """How long it was waited for; 0 when it stood already."""
        self._given = False

    def take(self) -> Kept | None:
        """The connection, once."""
        given, self._given = self._given, True
        return None if given else self._kept

    async def give_back(self) -> None:
        """Keep it for another request, if it was not taken."""
        kept = self.take()
        if kept is not None:
            await self._pool.keep(kept)


class LifoTransport(httpx.AsyncBaseTransport):
    """HTTP/1.1 over kept-alive connections; no redirects and no retries.

    ``max_connections`` requests may be under way at once; one more waits for the request's pool time-out and
    raises httpx.PoolTimeout. A connection is used again only when it was idle for less than ``keepalive_s``
    seconds and the peer has neither closed it nor sent anything; 0 never uses one twice. A peer that closes kept
    connections without reading them, twice in a row, gets a new one for each request. One that was never used waits
    ``UNUSED_S`` seconds. ``may_reach`` is asked of every address that a name resolves to. TLS is verified by
    ``ssl_context``, else against the roots of this machine's way out.
    Raises what httpx's own transport raises.

    Of a request's extensions, ``ready`` is a connection of its own, and ``before_send`` is called at the last instant
    before the first byte; what that raises goes through, and the connection, unused, is kept.
    """

    def __init__(
        self,
        *,
        max_connections: int,
        keepalive_s: float = 2.0,
        ssl_context: ssl.SSLContext | None = None,
        proxy: Proxy | None = None,
        may_reach: Callable[[str], bool] | None = None,
    ) -> None:
        self._slots = asyncio.Semaphore(max_connections)
        self._keepalive_s = keepalive_s
        self._ssl_context = ssl_context
        self._proxy = proxy
        self._may = (may_reach,) if may_reach else ()
        self._idle: dict[Place, Idle] = {}
        self._opening: set[asyncio.Task[None]] = set()
        self._deaf_in_a_row = 0
        self._closed = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request; the slot is held until the response is closed."""
        core = self._core_request(request)
        origin = core.url.origin
        timeouts: Timeouts = request.extensions.get("timeout", {})
        await self._take_slot(timeouts.get("pool"))
        kept: Kept | None = None
        unsent = False
        try:
            with map_httpcore_exceptions():
                ready: Ready | None = request.extensions.get("ready")
                kept = ready.take() if ready else None
                # One that stood ready was good a moment ago, and may be that much older.
                if kept is not None and not self._is_good(kept, -RESERVED_S):
                    await kept.connection.aclose()
                    kept = None
                kept = kept or self._pop(origin) or await self._open(origin, timeouts)
                unsent = True
                request.extensions.get("before_send", _nothing)()
                unsent = False
                if "transfer-encoding" not in request.headers:
                    kept.stream.hold()
                answer = await kept.connection.handle_async_request(core)
        except BaseException as error:
            self._slots.release()
            if kept is not None and unsent:
                await self.keep(kept)
            elif kept is not None:
                await kept.connection.aclose()
                self._mind_deaf(kept, error)
            raise
        if kept.used:
            self._deaf_in_a_row = 0
        return httpx.Response(
            answer.status,
            headers=answer.headers,
            stream=_Body(cast(_CoreStream, answer.stream), self, kept),
            extensions=answer.extensions,
        )

    async def ready(self, url: httpx.URL, timeouts: Timeouts) -> Ready:
        """A connection for one request to come, kept or new. Raises what connecting raises."""
        origin = _origin(url)
        kept = self._pop(origin)
        if kept is not None:
            return Ready(self, kept, 0.0)
        with map_httpcore_exceptions():
            kept = await self._open(origin, timeouts)
        return Ready(self, kept, kept.took_s)

    def keep_ready(self, url: httpx.URL, timeouts: Timeouts, for_s: float) -> None:
        """See to it that a connection will stand ready for the next ``for_s`` seconds, as far as can be seen."""
        origin = _origin(url)
        idle = self._idle.get(_place(origin), ())
        if self._closed or self._opening or any(self._is_good(kept, for_s + kept.took_s) for kept in idle):
            return
        task = asyncio.get_running_loop().create_task(self._open_ahead(origin, timeouts))
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)

    async def aclose(self) -> None:
        """Close idle connections now, and those under way as their responses are closed."""
        self._closed = True
        opening = list(self._opening)
        for task in opening:
            task.cancel()
        if opening:
            await asyncio.wait(opening)
        lists = [list(idle) for idle in self._idle.values()]
        self._idle.clear()
        for kept in [one for idle in lists for one in idle]:
            await kept.connection.aclose()

    async def give_back(self, kept: Kept) -> None:
        """Free the slot of a closed response, and keep its connection if it can serve again."""
        self._slots.release()
        if kept.connection.is_closed():
            return
        kept.used, kept.idle_since = True, asyncio.get_running_loop().time()
        if self._keepalive_s <= 0 or not kept.connection.is_idle() or _left_over(kept.connection):
            await kept.connection.aclose()
            return
        await self.keep(kept)

    async def keep(self, kept: Kept) -> None:
        """Let it serve another request."""
        if self._closed or not self._is_young(kept):
            await kept.connection.aclose()
            return
        idle = self._idle.setdefault(_place(kept.origin), deque())
        idle.append(kept)
        # The oldest stand on the left: whatever a burst opened is closed as it grows stale.
        while idle and not self._is_young(idle[0]):
            await idle.popleft().connection.aclose()

    def _is_good(self, kept: Kept, for_s: float = 0.0) -> bool:
        """Whether it can carry a request, also in ``for_s`` seconds if nothing happens."""
        return self._is_young(kept, for_s) and not kept.stream.get_extra_info("is_readable")

    def _is_young(self, kept: Kept, for_s: float = 0.0) -> bool:
        """The same, as far as it is known without asking the kernel."""
        now = asyncio.get_running_loop().time()
        if kept.used:
            return now - kept.idle_since + for_s < self._keepalive_s and kept.connection.is_idle()
        return now - kept.opened_at + for_s < UNUSED_S

    def _mind_deaf(self, kept: Kept, error: BaseException) -> None:
        if kept.used and isinstance(error, httpx.RemoteProtocolError | httpx.ReadError | httpx.WriteError):
            self._deaf_in_a_row += 1
            if self._deaf_in_a_row >= DEAF_TWICE:
                self._keepalive_s = 0.0

    async def _take_slot(self, timeout_s: float | None) -> None:
        if not self._slots.locked():
            await self._slots.acquire()
            return
        try:
            async with asyncio.timeout(timeout_s):
                await self._slots.acquire()
        except TimeoutError as error:
            raise httpx.PoolTimeout("no connection became free in time") from error

    def _pop(self, origin: httpcore.Origin) -> Kept | None:
        idle = self._idle.get(_place(origin))
        while idle:
            kept = idle.pop()
            if self._is_good(kept):
                return kept
            # Aborting needs no waiting; what httpcore would await is this alone.
            kept.stream.abort()
        return None

    async def _open_ahead(self, origin: httpcore.Origin, timeouts: Timeouts) -> None:
        with suppress(Exception):  # the request that needs a connection will meet the same, and say so
            await self.keep(await self._open(origin, timeouts))

    async def _open(self, origin: httpcore.Origin, timeouts: Timeouts) -> Kept:
        timeout_s = timeouts.get("connect")
        host, proxy = origin.host.decode("ascii"), self._proxy
        loop = asyncio.get_running_loop()
        began = loop.time()
        if proxy is None:
            stream = await connect(host, origin.port, timeout_s, SOCKET_OPTIONS, *self._may)
        else:
            stream = await connect(proxy.host, proxy.port, timeout_s, SOCKET_OPTIONS)
        try:
            if origin.scheme == b"https":
                if proxy is not None:
                    await _tunnel(stream, proxy, origin, timeout_s)
                stream = await stream.start_tls(self._tls(), host, timeout_s)
        except BaseException:
            stream.abort()
            raise
        now = loop.time()
        connection = httpcore.AsyncHTTP11Connection(origin, stream, self._keepalive_s)
        return Kept(connection, stream, origin, now, now - began)

    def _tls(self) -> ssl.SSLContext:
        if self._ssl_context is None:
            self._ssl_context = trusted_roots()
            self._ssl_context.set_alpn_protocols(["http/1.1"])
        return self._ssl_context

    def _core_request(self, request: httpx.Request) -> httpcore.Request:
        url = request.url
        origin = _origin(url)
        target, headers = url.raw_path, request.headers.raw
        if self._proxy is not None and url.scheme == "http":
            target = b"http://" + url.netloc + target
            headers = [*headers, *self._proxy.headers]
        return httpcore.Request(
            method=request.method,
            url=httpcore.URL(scheme=origin.scheme, host=origin.host, port=url.port, target=target),
            headers=headers,
            content=request.stream,
            extensions=request.extensions,
        )


async def _tunnel(stream: SocketStream, proxy: Proxy, origin: httpcore.Origin, timeout_s: float | None) -> None:
    """Ask a proxy for a way through. Raises ProxyError."""
    host = origin.host if b":" not in origin.host else b"[" + origin.host + b"]"
    there = b"%b:%d" % (host, origin.port)
    door = httpcore.Origin(b"http", proxy.host.encode("idna"), proxy.port)
    asking = httpcore.Request(
        method=b"CONNECT",
        url=httpcore.URL(scheme=door.scheme, host=door.host, port=door.port, target=there),
        headers=[(b"host", there), (b"accept", b"*/*"), *proxy.headers],
        extensions={"timeout": dict.fromkeys(("read", "write"), timeout_s)},
    )
    try:
        answer = await httpcore.AsyncHTTP11Connection(door, stream).handle_async_request(asking)
    except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.RemoteProtocolError) as error:
        raise httpcore.ProxyError(f"the proxy {proxy.url} did not answer") from error
    if not 200 <= answer.status < 300:
        raise httpcore.ProxyError(f"the proxy {proxy.url} answered {answer.status}")


def _nothing() -> None:
    pass


class _Body(httpx.AsyncByteStream):
    def __init__(
        self,
        stream: _CoreStream,
        pool: LifoTransport,
        kept: Kept,
    ) -> None:
        self._stream, self._pool, self._kept = stream, pool, kept
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
            await self._pool.give_back(self._kept)


def _place(origin: httpcore.Origin) -> Place:
    return origin.scheme, origin.host, origin.port


def _left_over(connection: httpcore.AsyncHTTP11Connection) -> bool:
    """Whether bytes were read beyond the answer: they would pass for the answer to the next request."""
    state = getattr(connection, "_h11_state", None)
    return state is None or bool(state.trailing_data[0])


def _origin(url: httpx.URL) -> httpcore.Origin:
    if url.scheme not in {"http", "https"}:
        raise httpx.UnsupportedProtocol("a provider's address starts with http:// or https://")
    return httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=b"/").origin
