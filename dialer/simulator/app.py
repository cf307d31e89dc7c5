"""The ASGI face: both dialects on one port, the control paths, and the line each request leaves in the books."""

import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import fields
from typing import Any

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dialer.simulator.answers import Json
from dialer.simulator.books import Received
from dialer.simulator.courier import Courier
from dialer.simulator.openapi import document, page
from dialer.simulator.options import Options
from dialer.simulator.served import Part, served
from dialer.simulator.summary import summarise
from dialer.simulator.switchboard import Switchboard

CONTROL = "/_sim/"
NOT_THE_VENDORS = (CONTROL, "/docs", "/openapi.json", "/session/")
"""What is not written into the books."""
ANSWERED = {
    "http.response.start": 200,
    "websocket.accept": 101,
    "websocket.http.response.start": 403,
}
"""What begins an answer, and its status where the message names none."""
LONGEST_OUTAGE_S = 600.0
PLACING = ("/api/trigger-call/", "/calls/outbound_call")
"""Matched before all others, which a rehearsal asks for a thousand times less often."""


def application(board: Switchboard, courier: Courier, unplug: Callable[[float], Awaitable[None]]) -> ASGIApp:
    """Everything the simulator serves, as one ASGI app; ``unplug`` takes it off the network for so many seconds."""
    parts = served(board, courier)
    every: list[BaseRoute] = [route for part in parts for route in part.routes()]
    every += [*_Pages(board, parts).routes(), *_Control(board, courier, unplug).routes()]
    every.sort(key=lambda route: getattr(route, "path", "") not in PLACING)
    app = Starlette(routes=every, exception_handlers={HTTPException: _plain_error})
    return _recorded(app, board)


class _Pages:
    """What people and tools read: the documentation, and where a session's link leads."""

    def __init__(self, board: Switchboard, parts: list[Part]) -> None:
        self.board, self.parts = board, parts

    def routes(self) -> list[Route]:
        return [
            Route("/openapi.json", self.openapi),
            Route("/docs", self.docs),
            Route("/session/{session_token}", self.session),
        ]

    async def openapi(self, request: Request) -> Response:
        return Json(document(self.parts, f"http://{self.board.address}"))

    async def docs(self, request: Request) -> Response:
        return Response(page(self.parts), media_type="text/html")

    async def session(self, request: Request) -> Response:
        """The vendor's page would join the conversation here; there is nobody to talk to."""
        return Response("This conversation is simulated: there is no audio to join.\n", media_type="text/plain")


class _Control:
    """``/_sim/``: not the vendor's; never counted in the books, needs no key."""

    def __init__(self, board: Switchboard, courier: Courier, unplug: Callable[[float], Awaitable[None]]) -> None:
        self.board, self.courier, self.unplug = board, courier, unplug

    def routes(self) -> list[Route]:
        return [
            Route(CONTROL + "books", self.books),
            Route(CONTROL + "summary", self.summary),
            Route(CONTROL + "count", self.count),
            Route(CONTROL + "options", self.change, methods=["POST"]),
            Route(CONTROL + "outage", self.outage, methods=["POST"]),
            Route(CONTROL + "webhook-test", self.webhook_test, methods=["POST"]),
        ]

    async def books(self, request: Request) -> Response:
        return Json(self.board.books.export(self.board.clock.now()))

    async def summary(self, request: Request) -> Response:
        return Json(summarise(self.board.books))

    async def count(self, request: Request) -> Response:
        """How many requests and calls there were so far: cheap to ask again and again."""
        return Json({"requests": len(self.board.books.requests), "calls": len(self.board.books.calls)})

    async def webhook_test(self, request: Request) -> Response:
        """Send what the dashboard's test button sends."""
        self.courier.test()
        return Json({"sent": self.board.options.webhook_url is not None})

    async def change(self, request: Request) -> Response:
        """Change options while running; the body is an object of option names, e.g. ``{"faults": {"500": 1}}``."""
        try:
            self.board.change(**_known(json.loads(await request.body())))
        except (TypeError, ValueError) as error:
            return Json({"detail": str(error)}, 422)
        return Json({"changed": True})

    async def outage(self, request: Request) -> Response:
        """Refuse every connection for ``{"seconds": 2}`` real seconds, this one's answer being the last."""
        seconds = json.loads(await request.body())["seconds"]
        if not 0 < seconds <= LONGEST_OUTAGE_S:
            return Json({"detail": f"seconds: more than 0, at most {LONGEST_OUTAGE_S:g}"}, 422)
        answer = Json({"away_s": seconds})
        answer.background = BackgroundTask(self.unplug, seconds)
        return answer


def _known(body: Any) -> dict[str, Any]:
    names = {field.name for field in fields(Options)} - {"port"}
    if not isinstance(body, dict) or not set(body) <= names:
        raise ValueError(f"an object with any of: {', '.join(sorted(names))}")
    return {name: tuple(value) if isinstance(value, list) else value for name, value in body.items()}


async def _plain_error(request: Request, error: Exception) -> Response:
    """Unknown paths and methods in FastAPI's words: ``{"detail": "Not Found"}``."""
    assert isinstance(error, HTTPException)
    return Json({"detail": error.detail}, error.status_code, dict(error.headers or {}))


def _recorded(app: ASGIApp, board: Switchboard) -> ASGIApp:
    async def record(scope: Scope, receive: Receive, send: Send) -> None:
        received = Received(board.clock.now(), scope.get("method", "WS"), scope["path"])
        if not scope["path"].startswith(NOT_THE_VENDORS):
            board.books.requests.append(received)
        scope["state"]["record"] = received

        async def noting(message: Message) -> None:
            if message["type"] in ANSWERED:
                received.status = message.get("status", ANSWERED[message["type"]])
            await send(message)

        # A caller that died in the middle of its request wants no answer.
        with suppress(ClientDisconnect):
            await app(scope, receive, noting)

    return record
