"""``Idempotency-Key``: a request that creates something and is sent twice is carried out once.

Every POST of the API honours it, except those whose repetition changes nothing anyway (``STEADY``): the answer to a
pause says that it holds now, so it is never an old one. Kept for 24 hours are the answers to what was done (2xx), by
asker and key. What was refused (4xx) or failed (5xx) changed nothing, and is not kept: the same request may be mended,
or sent again when the trouble is over, under the same key. Where the program is killed after it did what was asked, and
before its answer was kept, the same request is carried out again after two minutes; what it had created by then is a
duplicate for the ledger, and is not created twice.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from fastapi import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dialer.domain.access import Role
from dialer.errors import DialerError
from dialer.pipeline.keep_replies import HEARD_EVERY_S, KeepReplies, KeptAnswer
from dialer.web.access import Needs, console_of, secret_of
from dialer.web.door import EXPECTED, Answer
from dialer.web.problems import Refusal

HEADER, REPLAYED = "idempotency-key", "Idempotency-Replayed"
PLACES = "/api/v1/"
STEADY = re.compile(
    r"/api/v1/campaigns/[^/]+/(?:start|pause|resume|cancel|\{verb\})|/api/v1/.+/search|/api/v1/forecast"
)
"""A move to where the campaign is already, a question."""
KEY = re.compile(r"[!#-~](?:[ !#-~]{0,253}[!#-~])?")
KEPT_HEADERS = ("content-type", "location", "etag")
PARAMETER = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!#-~]([ !#-~]*[!#-~])?$"},
    "description": "Sent again with the same key and body within 24 hours, the request answers the same again with "
    "`Idempotency-Replayed: true`, and does nothing. 409 while the first still runs, 422 for another body.",
}


def honours_key(method: str, path: str) -> bool:
    """Whether this address heeds the header; ``path`` may be a template."""
    return method == "POST" and path.startswith(PLACES) and STEADY.fullmatch(path) is None


def with_keys(document: dict[str, Any]) -> dict[str, Any]:
    """An OpenAPI document that names the header where it counts."""
    for path, methods in document["paths"].items():
        if "post" in methods and honours_key("POST", path):
            parameters = methods["post"].setdefault("parameters", [])
            if PARAMETER not in parameters:
                parameters.append(PARAMETER)
    return document


def key_of(given: str) -> str:
    """The key, which may stand in quotation marks. Raises Refusal."""
    quoted = len(given) > 1 and given.startswith('"') and given.endswith('"')
    key = given[1:-1] if quoted else given
    if len(key) > 255 or not KEY.fullmatch(key):
        raise Refusal(400, "an Idempotency-Key has 1 to 255 printable characters")
    return key


@dataclass(frozen=True)
class Repeated:
    """A layer around the routes."""

    app: ASGIApp
    answer: Answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not honours_key(scope["method"], scope["path"]):
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        given = request.headers.get(HEADER)
        if given is None:
            await self.app(scope, receive, send)
            return
        body = _Fingerprint(scope, receive)
        try:
            asked = _Asked(console_of(request).replies, secret_of(request), key_of(given))
            await Needs(Role.VIEWER)(request)
            before = await asked.replies.begin(asked.asker, asked.key)
            response = None if before is None else await _again(before, body)
        except EXPECTED as refused:
            response = await self.answer(request, refused)
        if response is not None:
            await response(scope, receive, send)
            return
        async with asked.heard_of():
            await self._run(scope, asked, body, send)

    async def _run(self, scope: Scope, asked: "_Asked", body: "_Fingerprint", send: Send) -> None:
        given = _Given()
        try:
            await self.app(scope, body.receive, given.send)
        except Exception:
            await asked.forget()
            raise
        if given.is_done:
            # First kept, then sent: who did not get it asks again.
            with suppress(Refusal):  # the route needed no more of the body, and the rest did not come
                await asked.keep(given, await body.whole())
        else:
            await asked.forget()
        for message in given.messages:
            await send(message)


@dataclass(frozen=True)
class _Asked:
    replies: KeepReplies
    asker: str
    key: str

    @asynccontextmanager
    async def heard_of(self) -> AsyncIterator[None]:
        """The ledger hears of it while it runs."""

        async def say() -> None:
            while True:
                await asyncio.sleep(HEARD_EVERY_S)
                with suppress(DialerError):
                    await self.replies.hear(self.asker, self.key)

        saying = asyncio.create_task(say())
        try:
            yield
        finally:
            saying.cancel()

    async def keep(self, given: "_Given", fingerprint: str) -> None:
        """What was done is done, whether or not the ledger can be written now."""
        headers = {name: value for name, value in given.headers.items() if name in KEPT_HEADERS}
        with suppress(DialerError):
            await self.replies.keep(self.asker, self.key, KeptAnswer(fingerprint, given.status, headers, given.body))

    async def forget(self) -> None:
        """It may be asked again at once, or where the ledger cannot be written in two minutes."""
        with suppress(DialerError):
            await self.replies.forget(self.asker, self.key)


@dataclass
class _Given:
    """An answer that is held back."""

    messages: list[Message] = field(default_factory=list)

    async def send(self, message: Message) -> None:
        """Hold it."""
        self.messages.append(message)

    @property
    def status(self) -> int:
        """0: none came."""
        return int(self.messages[0]["status"]) if self.messages else 0

    @property
    def is_done(self) -> bool:
        """Whether it did what was asked."""
        return 200 <= self.status < 300

    @property
    def headers(self) -> dict[str, str]:
        """Names in small letters."""
        return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in self.messages[0]["headers"]}

    @property
    def body(self) -> bytes:
        """All of it."""
        return b"".join(message.get("body", b"") for message in self.messages[1:])


class _Fingerprint:
    """Of a request, computed while its body comes."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        kind = Request(scope).headers.get("content-type", "")
        where = f"{scope['method']} {scope['path']}?{scope['query_string'].decode('latin-1')}\n{kind}\n"
        self._hash, self._receive, self._over = sha256(where.encode()), receive, False

    async def receive(self) -> Message:
        """The next piece, as the route gets it."""
        message = await self._receive()
        self._hash.update(message.get("body", b""))
        self._over = self._over or not message.get("more_body", False)
        return message

    async def whole(self) -> str:
        """Once the rest has come as well."""
        while not self._over:
            await self.receive()
        return self._hash.hexdigest()


async def _again(before: KeptAnswer, body: _Fingerprint) -> Response:
    """What was answered before. Raises Refusal."""
    if before.status is None:
        raise Refusal(409, "a request with this Idempotency-Key still runs", headers={"Retry-After": "2"})
    if await body.whole() != before.fingerprint:
        raise Refusal(422, "this Idempotency-Key was used for another request", remedy="use a new key for each request")
    return Response(before.body, before.status, {**before.headers, REPLAYED: "true"})
