"""Who sends much is asked first who they are: a route is only asked once its whole body was taken."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from fastapi import Request
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from dialer.domain.access import Role
from dialer.errors import DialerError
from dialer.web.access import SAFE, Needs, SignIn
from dialer.web.guard import HOOKS, SMALL_BYTES, most_bytes

Answer = Callable[[Request, Exception], Awaitable[Response]]
EXPECTED = (SignIn, HTTPException, DialerError)


@dataclass(frozen=True)
class Door:
    """A layer around the routes. Lists and people are taken from operators alone; webhooks ask by themselves."""

    app: ASGIApp
    answer: Answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and _sends_much(scope):
            request = Request(scope)
            try:
                await Needs(Role.OPERATOR)(request)
            except EXPECTED as refused:
                await (await self.answer(request, refused))(scope, receive, send)
                return
        await self.app(scope, receive, send)


def _sends_much(scope: Scope) -> bool:
    path: str = scope["path"]
    return scope["method"] not in SAFE and not path.startswith(HOOKS) and most_bytes(path, 2**62) > SMALL_BYTES
