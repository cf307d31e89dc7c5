"""JSON messages of a WebSocket, over reconnections.

Errors of the library stay inside: a handshake is a GET and fails like one, a lost socket is opened again while
there is time, and then it is ConnectionLost.
"""

import json
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import suppress
from urllib.parse import urlsplit

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage, InvalidStatus, WebSocketException

from dialer.adapters.providers.answers.proof import Answer, Json, read_error, retry_after_s
from dialer.adapters.providers.http.network_way import trusted_roots
from dialer.adapters.providers.http.requests import ProviderHttp, may_ask_again
from dialer.errors import AnswerCut, AnswerLate, ConnectionLost, NotSent, OutcomeUnknown, ProviderError

FIRST_WAIT_S = 0.2
LONGEST_WAIT_S = 5.0
CLOSED_FOR_GOOD = 1000
LARGEST_MESSAGE = 1024 * 1024


class EventSocket:
    """Messages of one address. ``grace_s`` bounds how long a lost socket is tried again, from when it was lost.

    ``on_lost`` is asked before every new try; False ends the messages, an error of our tree goes through.
    """

    def __init__(
        self, http: ProviderHttp, path: str, grace_s: float, on_lost: Callable[[], Awaitable[bool]] | None = None
    ) -> None:
        base = urlsplit(http.endpoint.base_url.rstrip("/"))
        scheme = {"https": "wss", "http": "ws"}[base.scheme]
        self._url = base._replace(scheme=scheme, path=base.path + path).geturl()
        self._http, self._grace_s, self._on_lost = http, grace_s, on_lost
        self.reconnections = 0
        self._end: float | None = None
        self._tries = 0

    async def messages(self) -> AsyncGenerator[Json, None]:
        """Every JSON object that comes, until the server closes for good; anything else is left out.

        Raises NotFound, SessionExpired, KeyRefused and what else a GET raises; ConnectionLost when the grace is over.
        """
        socket: ClientConnection | None = await self._http.repeated(self._open)
        while socket is not None:
            try:
                while True:
                    message = await socket.recv()
                    self._end, self._tries = None, 0
                    if (body := _object(message)) is not None:
                        yield body
            except ConnectionClosed as closed:
                if closed.rcvd is not None and closed.rcvd.code == CLOSED_FOR_GOOD:
                    return
            finally:
                with suppress(WebSocketException, OSError):
                    await socket.close()
            socket = await self._again()

    async def _again(self) -> ClientConnection | None:
        """A new socket in place of a lost one; None when nothing is left to follow.

        One that is lost again before it brought anything uses up the same grace.
        """
        clock, random = self._http.clock, self._http.random
        if self._end is None:
            self._end = clock.monotonic() + self._grace_s
        while True:
            await clock.sleep(random.uniform(0, min(LONGEST_WAIT_S, FIRST_WAIT_S * 2**self._tries)))
            self._tries += 1
            problem = "closed again and again"
            try:
                if self._on_lost is not None and not await self._on_lost():
                    return None
                if clock.monotonic() < self._end:
                    self.reconnections += 1
                    return await self._open()
            except ProviderError as error:
                if not may_ask_again(error):
                    raise
                problem = str(error)
            if clock.monotonic() >= self._end:
                raise ConnectionLost(f"the connection was lost and did not come back: {problem}")

    async def _open(self) -> ClientConnection:
        endpoint = self._http.endpoint
        try:
            return await _Connect(
                self._url,
                additional_headers=self._http.identity,
                user_agent_header="dialer",
                open_timeout=endpoint.timeout_s,
                close_timeout=1,
                compression=None,
                max_size=LARGEST_MESSAGE,
                proxy=self._proxy(),
                ssl=self._tls(),
            )
        except (WebSocketException, OSError, EOFError) as error:
            raise self._failure(error) from error

    def _tls(self) -> ssl.SSLContext | None:
        if not self._url.startswith("wss"):
            return None
        return self._http.endpoint.ssl_context or trusted_roots()

    def _proxy(self) -> str | None:
        """The same way out as every request; the library takes it with the password in the address."""
        proxy = self._http.proxy
        return proxy.full_url if proxy is not None else None

    def _failure(self, error: Exception) -> ProviderError:
        match error:
            case InvalidStatus(response=response):
                headers = httpx.Headers(list(response.headers.raw_items()))
                wait = retry_after_s(headers, self._http.clock.now())
                answer = Answer(response.status_code, bytes(response.body or b""), wait, headers)
                refused = read_error(answer, self._http.hide)
                return refused or OutcomeUnknown("no WebSocket at this address", status=answer.status)
            case TimeoutError():
                return AnswerLate("no WebSocket in time")
            case ConnectionRefusedError():
                return NotSent("no connection")
            case InvalidMessage() | EOFError() | ConnectionError():
                return ConnectionLost("the connection broke before it was a WebSocket")
            case InvalidHandshake():
                return AnswerCut("the answer is no WebSocket handshake")
            case OSError():
                return NotSent(f"no connection ({error})")
            case _:
                return OutcomeUnknown(f"the WebSocket failed ({type(error).__name__})")


class _Connect(connect):
    """Follows no redirect: the key goes to the configured host alone."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


def _object(message: str | bytes) -> Json | None:
    try:
        body = json.loads(message)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None
