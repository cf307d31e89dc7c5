"""How every provider is asked: one request with proof of whether a byte left, and when it may be repeated."""

import asyncio
import json
import math
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from random import Random
from typing import Any, TypeVar
from urllib.parse import urlencode

import httpx
import tenacity

from dialer.adapters.providers.answers.placing import place_error, result_of
from dialer.adapters.providers.answers.proof import (
    Answer,
    is_5xx,
    lists_value,
    lost_kind,
    read_error,
    retry_after_s,
    storable,
)
from dialer.adapters.providers.http.endpoint import Endpoint as Endpoint  # noqa: PLC0414 - it is known from here
from dialer.adapters.providers.http.endpoint import Secret as Secret  # noqa: PLC0414
from dialer.adapters.providers.http.lifo_transport import LifoTransport, Ready
from dialer.adapters.providers.http.login import Login, with_login
from dialer.adapters.providers.http.network_way import is_loopback, proxy_for
from dialer.adapters.providers.http.stream import Stream, words_of
from dialer.domain.call import Placed, PlaceResult
from dialer.errors import (
    AnswerTooLarge,
    NotSent,
    OutcomeUnknown,
    ProviderError,
    SendWithdrawn,
    Throttled,
    UsageError,
)
from dialer.ports import Clock, Connection, SendPermit

ANSWER_CAP = 64 * 1024
LOG_CAP = 32 * 1024 * 1024
GET_ATTEMPTS = 4
GET_LONGEST_WAIT_S = 30.0
PLACE_FIRST_WAIT_S = 0.1
GET_FIRST_WAIT_S = 0.5

LONG_SECRET = 8
DEFAULT_PORTS = {"http": 80, "https": 443}

T = TypeVar("T")
Headers = Sequence[tuple[str, str]]

_JSON_BODY: Headers = (("content-type", "application/json"), ("accept-encoding", "identity"))
_NO_BODY: Headers = (("accept-encoding", "gzip"),)
_LONG_NUMBER = re.compile(r"\+?\d(?:[ ().-]{0,2}\d){6,14}")


class ProviderHttp:
    """The client of one provider account. Close it with ``aclose``.

    With a ``login`` a request that met a 401 is repeated, once, after the login was renewed: by its contract a 401
    did nothing.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        headers: Mapping[str, str],
        clock: Clock,
        random: Random,
        may_reach: Callable[[str], bool] | None = None,
    ) -> None:
        self.endpoint = endpoint
        self.login: Login | None = None
        self.clock, self.random = clock, random
        self._base = endpoint.base_url.rstrip("/")
        self._secrets = tuple(Secret(key) for key in (endpoint.api_key, endpoint.access_token) if key)
        self._headers = [("accept", "application/json"), ("user-agent", "dialer"), *headers.items()]
        self._timeouts = {
            "connect": endpoint.connect_timeout_s,
            "read": endpoint.read_timeout_s,
            "write": endpoint.write_timeout_s,
            "pool": endpoint.pool_timeout_s,
        }
        self._urls: dict[str, httpx.URL] = {}
        self._home = httpx.URL(self._base)
        self._quiet_until = -math.inf
        # The transport is used without httpx's client: there is nothing here that follows a redirect, keeps a
        # cookie or reads the environment, and that costs a fifth of the CPU of a request.
        scheme = self._home.scheme
        self.proxy = proxy_for(scheme, self._home.host, self._home.port or DEFAULT_PORTS[scheme])
        self._refuse_plain_key()
        self._transport = LifoTransport(
            max_connections=endpoint.max_connections,
            keepalive_s=endpoint.keepalive_s,
            ssl_context=endpoint.ssl_context,
            proxy=self.proxy,
            may_reach=may_reach,
        )

    def _refuse_plain_key(self) -> None:
        """No key leaves this machine in clear, unless the operator says so."""
        endpoint, first = self.endpoint, self.proxy.host if self.proxy else self._home.host
        keys = endpoint.api_key or endpoint.access_token or endpoint.refresh_token
        if self._home.scheme == "http" and keys and not endpoint.plain_http and not is_loopback(first):
            raise UsageError(
                f"{self._address_option} begins with http://, so the key would leave this machine unencrypted. "
                "Write https://, or set DIALER_PLAIN_HTTP=true"
            )

    async def connect(self) -> Ready:
        """A connection that stands ready for one request. Raises NotSent."""
        try:
            return await self._transport.ready(self._home, self._timeouts)
        except Exception as error:
            raise self._failure(error, armed=False) from error

    def keep_connected(self, for_s: float) -> None:
        """See to it that a connection will stand ready for so long."""
        self._transport.keep_ready(self._home, self._timeouts, for_s)

    async def aclose(self) -> None:
        """Close every connection."""
        await self._transport.aclose()

    @property
    def identity(self) -> list[tuple[str, str]]:
        """The headers that say who asks."""
        return [header for header in self._headers if header[0] not in {"accept", "user-agent"}]

    def authenticate(self, name: str, value: str) -> None:
        """Send this header from now on, in place of what stood under its name."""
        self._headers = [*(header for header in self._headers if header[0] != name), (name, Secret(value))]

    def conceal(self, *secrets: str) -> None:
        """Show these nowhere from now on."""
        self._secrets = tuple({*self._secrets, *(Secret(one) for one in secrets if one)})

    def hide(self, text: str) -> str:
        """A provider's text without our keys and without whole phone numbers, fit for ledger, logs and reports."""
        for secret in self._secrets:
            if len(secret) >= LONG_SECRET:
                text = text.replace(secret, "***")
            else:  # a short one is a part of ordinary words
                text = re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", "***", text)
        return _LONG_NUMBER.sub(lambda match: f"…{match[0][-4:]}", storable(text))

    async def exchange(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        permit: SendPermit | None = None,
        cap: int = ANSWER_CAP,
        headers: Headers | None = None,
        ready: Ready | None = None,
    ) -> Answer:
        """Send one request and read the whole answer, at most ``cap`` bytes of it, within ``timeout_s``.

        The transport calls ``before_send`` when the connection stands (``ready``, or another) and before it touches
        it: until then every failure raises NotSent (SendWithdrawn if ``permit`` said no at that instant, and no byte
        leaves); from then on every failure raises OutcomeUnknown. Cancelling raises CancelledError as ever.
        """
        request, proof = self._request(method, path, body, permit, headers)
        if ready is not None:
            request.extensions["ready"] = ready
        try:
            async with asyncio.timeout(self.endpoint.timeout_s):
                return await self._answer(request, cap)
        except (ProviderError, asyncio.CancelledError):
            raise
        except Exception as error:
            raise self._failure(error, proof.armed) from error

    @asynccontextmanager
    async def streaming(self, path: str, headers: Headers = ()) -> AsyncIterator[Stream]:
        """One GET whose body is read piece by piece, each within ``read_timeout_s``; the whole may take long.

        Raises what ``exchange`` raises, an error status included.
        """
        request, proof = self._request("GET", path, None, None, (("accept-encoding", "identity"), *headers))
        try:
            response = await self._transport.handle_async_request(request)
        except (ProviderError, asyncio.CancelledError):
            raise
        except Exception as error:
            raise self._failure(error, proof.armed) from error
        response.request = request
        try:
            yield Stream(response, self.hide, self.clock)
        finally:
            await response.aclose()

    def _failure(self, error: Exception, armed: bool) -> ProviderError:
        kind = lost_kind(error) if armed else NotSent
        return kind(self.hide(words_of(error)))

    async def place(
        self,
        path: str,
        body: Mapping[str, Any],
        permit: SendPermit,
        read: Callable[[Answer], Placed],
        ready: Connection | None = None,
    ) -> PlaceResult:
        """Place one call; ``read`` turns a 2xx into Placed or raises the ProviderError it stands for.

        Repeated in place only on proof that nothing was sent (a 5xx too with ``retry_5xx="at_once"``), each time after
        asking ``permit`` for a slot. A provider that asks to be left alone is not: that is the caller's brake.
        """
        content = json.dumps(body, separators=(",", ":")).encode()
        first = ready if isinstance(ready, Ready) else None
        requests = 0

        async def once() -> Placed:
            nonlocal requests
            await permit.slot(repeat=requests > 0)
            requests += 1
            answer = await self.exchange("POST", path, content, permit, ready=first)
            error = place_error(answer, self.hide, self._address_option)
            if error is not None:
                raise error
            return read(answer)

        started = self.clock.monotonic()
        try:
            return await (once() if self.login is None else self.logged_in(once))
        except ProviderError as error:
            if not self._may_place_again(error):
                return result_of(error, self._at_once)
            left_s = self.endpoint.repeat_budget_s - (self.clock.monotonic() - started)
            return await self._place_repeats(once, error, left_s)

    async def logged_in(self, once: Callable[[], Awaitable[T]]) -> T:
        """Do something; with a ``login``, once more after a 401 and a renewal. Raises LoginExpired."""
        return await (once() if self.login is None else with_login(self.login, once))

    async def get(self, path: str, query: Mapping[str, str | int] | None = None) -> Answer:
        """Read something; repeated on 429, 5xx and transport errors, ``GET_ATTEMPTS`` requests in all.

        A Retry-After holds for every reading: until it has passed, Throttled is raised without asking.

        Raises NotSent, Throttled, KeyRefused, NoCredit, CallRefused, NotFound, OutcomeUnknown.
        """
        target = f"{path}?{urlencode(query)}" if query else path

        async def once() -> Answer:
            answer = await self.exchange("GET", target, cap=LOG_CAP)
            error = read_error(answer, self.hide)
            if error is not None:
                raise error
            return answer

        left_s = self._quiet_until - self.clock.monotonic()
        if left_s > 0:
            raise Throttled("the provider asked not to be read for now", status=429, retry_after_s=left_s)
        try:
            return await self.repeated(once)
        except Throttled as asked:
            self._quiet_until = self.clock.monotonic() + (asked.retry_after_s or 0.0)
            raise

    async def repeated(self, once: Callable[[], Awaitable[T]]) -> T:
        """Do something that may be done twice, until it succeeds or ``GET_ATTEMPTS`` are used up."""

        async def attempt() -> T:
            return await self.logged_in(once)

        return await tenacity.AsyncRetrying(
            sleep=self.clock.sleep,
            stop=tenacity.stop_after_attempt(GET_ATTEMPTS),
            wait=self._wait(GET_FIRST_WAIT_S),
            retry=tenacity.retry_if_exception(may_ask_again),
            reraise=True,
        )(attempt)

    async def get_json(self, path: str, query: Mapping[str, str | int] | None = None) -> Any:
        """``get``, with the body as JSON of any type, read as ``lists_value`` reads it."""
        return lists_value(await self.get(path, query))

    @property
    def _address_option(self) -> str:
        account = self.endpoint.account
        return f"DIALER_{account.upper()}_BASE_URL" if account else "the base URL"

    @property
    def _at_once(self) -> bool:
        return self.endpoint.retry_5xx == "at_once"

    async def _place_repeats(
        self, once: Callable[[], Awaitable[Placed]], first: ProviderError, left_s: float
    ) -> PlaceResult:
        """Repeat after a first request that failed. Other calls do not pay for tenacity."""
        failed = [first]

        async def attempt() -> Placed:
            if failed:
                raise failed.pop()
            return await once()

        try:
            return await tenacity.AsyncRetrying(
                sleep=self.clock.sleep,
                stop=tenacity.stop_before_delay(left_s),
                wait=self._wait(PLACE_FIRST_WAIT_S),
                retry=tenacity.retry_if_exception(self._may_place_again),
                reraise=True,
            )(attempt)
        except ProviderError as error:
            return result_of(error, self._at_once)

    def _may_place_again(self, error: BaseException) -> bool:
        match error:
            case SendWithdrawn():
                return False
            case NotSent():
                return True
            case _:
                return self._at_once and is_5xx(error)

    def _wait(self, first_s: float) -> Callable[[tenacity.RetryCallState], float]:
        """Exponential back-off with full jitter, on top of what Retry-After asks for."""

        def wait(state: tenacity.RetryCallState) -> float:
            error = state.outcome.exception() if state.outcome else None
            asked = error.retry_after_s if isinstance(error, ProviderError) else None
            return (asked or 0.0) + self.random.uniform(0, first_s * 2 ** (state.attempt_number - 1))

        return wait

    def _request(
        self, method: str, path: str, body: bytes | None, permit: SendPermit | None, headers: Headers | None = None
    ) -> tuple[httpx.Request, "_Proof"]:
        proof = _Proof(permit)
        # Answers to a POST are small; unpacked ones cannot grow past the cap unseen.
        kind = headers if headers is not None else (_NO_BODY if body is None else _JSON_BODY)
        url = self._urls.get(path) or httpx.URL(self._base + path)
        if permit is not None:
            self._urls[path] = url
        extensions = {"timeout": self._timeouts, "before_send": proof.before_send}
        return httpx.Request(method, url, headers=[*self._headers, *kind], content=body, extensions=extensions), proof

    async def _answer(self, request: httpx.Request, cap: int) -> Answer:
        response = await self._transport.handle_async_request(request)
        response.request = request
        try:
            body = await _read(response, cap)
        finally:
            await response.aclose()
        wait = retry_after_s(response.headers, self.clock.now())
        return Answer(response.status_code, body, wait, response.headers)


class _Proof:
    """Whether a byte may have left."""

    __slots__ = ("_permit", "armed")

    def __init__(self, permit: SendPermit | None) -> None:
        self._permit = permit
        self.armed = False

    def before_send(self) -> None:
        if self._permit is not None:
            self._permit.last_instant()
        self.armed = True


async def _read(response: httpx.Response, cap: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in response.aiter_bytes():
        size += len(part)
        if size > cap:
            # With its status: a second time it would be as large.
            raise AnswerTooLarge(
                f"HTTP {response.status_code} with a body over {cap} bytes", status=response.status_code
            )
        parts.append(part)
    return b"".join(parts)


def may_ask_again(error: BaseException) -> bool:
    """Whether a request that may be done twice should be, after this error."""
    match error:
        case SendWithdrawn() | AnswerTooLarge():
            return False
        case NotSent():
            return True
        case Throttled():
            return (error.retry_after_s or 0.0) <= GET_LONGEST_WAIT_S
        case OutcomeUnknown():
            return error.status is None or error.status == 408 or is_5xx(error)
        case _:
            return False
