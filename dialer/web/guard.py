"""Around every request: which hosts we answer to, how large and how slow a body may be, and what a browser may do with
an answer.
"""

import asyncio
import re
from contextlib import suppress
from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dialer.web.names import with_names
from dialer.web.problems import Refusal, answer

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
SMALL_BYTES = 64 * 1024
LARGE = frozenset({"/api/v1/imports", "/api/v1/suppressions/import", "/new/list", "/suppressions/import"})
"""Where lists are taken."""
PEOPLE_BYTES = 8 * 1024 * 1024
PEOPLE = "/contacts"
"""Where people are taken as JSON, a thousand at most."""
HOOKS, HOOK_BYTES = "/hooks/", 2 * 1024 * 1024
"""Where providers tell of calls, with all that was said."""
SMALL_WITHIN_S, LIST_WITHIN_S = 60.0, 15 * 60.0
"""A whole body comes within this time, or is not waited for."""
LINGER_S, LINGER_BYTES = 2.0, 16 * 1024 * 1024
"""Of a body that was refused so much is taken, for so long, so that its sender gets to read why."""
LONGEST_PATH, LONGEST_QUERY = 2_000, 8_000
HOST = re.compile(r"(?:\[([\da-f:.]+)\]|([^\s:\[\]@/]+))(?::\d{1,5})?", re.IGNORECASE)
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "media-src 'self'; font-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "x-frame-options": "DENY",
    "cache-control": "no-store",
}


@dataclass(frozen=True)
class Guard:
    """The outermost layer. ``hosts``: the names, without port, that the page may be called by; ``list_bytes``: the
    largest list.
    """

    app: ASGIApp
    hosts: frozenset[str]
    list_bytes: int

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        scope, headers = with_names(scope), Headers(scope=scope)
        largest = most_bytes(scope["path"], self.list_bytes)
        within_s = LIST_WITHIN_S if largest > SMALL_BYTES else SMALL_WITHIN_S
        body = _Body(receive, largest, within_s, whole=not _has_body(headers))

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    given.setdefault(name, value)
                if not body.whole or message["status"] == 500:
                    # Nobody reads what is left of it; after a fault the server closes the connection anyway.
                    given["connection"] = "close"
            elif not body.whole and not message.get("more_body", False):
                # Closed at once, the connection would take the answer with it while the other side still sends.
                await send({**message, "more_body": True})
                await body.linger()
                message = {"type": "http.response.body"}
            await send(message)

        try:
            self._check(scope, headers, largest)
        except Refusal as refusal:
            await answer(refusal)(scope, receive, guarded)
            return
        await self.app(scope, body.receive, guarded)

    def _check(self, scope: Scope, headers: Headers, largest: int) -> None:
        hosts = headers.getlist("host")
        if len(hosts) != 1 or _host(hosts[0]) not in self.hosts:
            raise Refusal(421, "this host name is not one of ours", remedy="name it in DIALER_WEB_HOSTS")
        query: bytes = scope["query_string"]
        if len(scope["path"]) > LONGEST_PATH or len(query) > LONGEST_QUERY:
            raise Refusal(414, "no address of ours is so long")
        if CONTROL.search(scope["path"]) or b"%00" in query:
            raise Refusal(400, "the address holds characters that none of ours has")
        if _length(headers) > largest:
            raise _too_large(largest)


def most_bytes(path: str, list_bytes: int) -> int:
    """How large a body may be that is sent there."""
    if path in LARGE:
        return list_bytes
    if path.startswith(HOOKS):
        return HOOK_BYTES
    return PEOPLE_BYTES if path.endswith(PEOPLE) else SMALL_BYTES


@dataclass
class _Body:
    """What comes of a body. Raises Refusal where it is too large, or does not come in time."""

    take: Receive
    largest: int
    within_s: float
    whole: bool
    taken: int = 0
    end_s: float | None = None

    async def receive(self) -> Message:
        """The next piece; once it is whole, whatever the server says."""
        if self.whole:
            return await self.take()
        message = await self._in_time()
        if message["type"] == "http.request":
            self.taken += len(message.get("body", b""))
            if self.taken > self.largest:
                raise _too_large(self.largest)
            self.whole = not message.get("more_body", False)
        return message

    async def linger(self) -> None:
        """Let some more come, which nobody reads."""
        taken = 0
        with suppress(TimeoutError):
            async with asyncio.timeout(LINGER_S):
                while not self.whole and taken < LINGER_BYTES:
                    message = await self.take()
                    taken += len(message.get("body", b""))
                    self.whole = not message.get("more_body", False)

    async def _in_time(self) -> Message:
        loop = asyncio.get_running_loop()
        if self.end_s is None:
            self.end_s = loop.time() + self.within_s
        try:
            async with asyncio.timeout_at(self.end_s):
                return await self.take()
        except TimeoutError:
            raise Refusal(408, f"the request did not come whole within {self.within_s:g} seconds") from None


def _has_body(headers: Headers) -> bool:
    return "transfer-encoding" in headers or _length(headers) > 0


def _length(headers: Headers) -> int:
    given = headers.get("content-length", "")
    return int(given) if given.isascii() and given.isdecimal() else 0


def _too_large(largest: int) -> Refusal:
    return Refusal(413, f"more than {largest:,} bytes")


def _host(given: str) -> str:
    """Without the port; "" for what is no host."""
    read = HOST.fullmatch(given)
    return (read[1] or read[2]).lower() if read else ""
