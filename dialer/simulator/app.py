"""The ASGI face: both dialects on one port, the control paths, and the line each request leaves in the books."""

import json
from contextlib import suppress
from dataclasses import fields
from html import escape
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Match, Route, WebSocketRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dialer.simulator import (
    desk,
    vaani,
    vaani_accounts,
    vaani_agents,
    vaani_batches,
    vaani_files,
    vaani_numbers,
    vaanivoice,
    vaanivoice_agents,
    vaanivoice_campaigns,
    vaanivoice_captions,
    vaanivoice_recordings,
    vaanivoice_sessions,
)
from dialer.simulator.answers import Json
from dialer.simulator.books import Received
from dialer.simulator.desk import Anybody, Provider
from dialer.simulator.options import Options, what_is_wrong
from dialer.simulator.summary import summarise
from dialer.simulator.switchboard import Refused

CONTROL = "/_sim"
NOT_THE_VENDORS = (f"{CONTROL}/", "/docs", "/openapi.json", "/session/")
"""What is not written into the books."""
ANSWERED = {"http.response.start": 200, "websocket.accept": 101, "websocket.http.response.start": 403}
"""What begins an answer, and its status where the message names none."""
LONGEST_OUTAGE_S = 600.0
ABOUT = (
    "Both Vaani APIs as a local simulator. Sections are those of the wire contract that the switches name; "
    "any key will do unless the simulator was told one."
)
TITLES = {"vaanivoice": "api.vaanivoice.ai (dialect B)", "vaani": "api.vaani.ai (dialect A)"}
SECTIONS = (
    *vaanivoice.sections,
    *(each.section for each in (vaanivoice_recordings, vaanivoice_agents, vaanivoice_captions)),
    *(each.section for each in (vaanivoice_sessions, vaanivoice_campaigns)),
    *vaani.sections,
    *(each.section for each in (vaani_accounts, vaani_agents, vaani_files, vaani_numbers, vaani_batches)),
)
"""In the order they are matched."""

pages = APIRouter(include_in_schema=False)
"""What is not the vendor's: never counted in the books, needs no key."""


@pages.get("/openapi.json")
async def openapi(provider: Anybody) -> Response:
    """What is served, as an OpenAPI document."""
    return Json(API.openapi() | {"servers": [{"url": f"http://{provider.board.address}"}]})


@pages.get("/docs")
async def docs() -> Response:
    """The same for people, without a script."""
    document = API.openapi()
    lines = [
        f"{method.upper():7} {path:45} {operation['summary']} ({operation['description']})"
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    ]
    text = "\n".join((ABOUT, "", *(tag["description"] for tag in document["tags"]), "", *lines))
    return Response(f"<!doctype html><title>Vaani simulator</title><pre>{escape(text)}</pre>", media_type="text/html")


@pages.get("/session/{session_token}")
async def session_page(session_token: str) -> Response:
    """The vendor's page would join the conversation here; there is nobody to talk to."""
    return Response("This conversation is simulated: there is no audio to join.\n", media_type="text/plain")


@pages.api_route("/storage/{name:path}", methods=["GET", "HEAD"])
async def file(provider: Anybody, name: str, request: Request) -> Response:
    """A file behind a link that was handed out."""
    return provider.storage.serve(request, name, provider.now)


@pages.get(f"{CONTROL}/books")
async def books(provider: Anybody) -> Response:
    """The full books, numbers unmasked."""
    return Json(provider.board.books.export(provider.now))


@pages.get(f"{CONTROL}/summary")
async def summary(provider: Anybody) -> Response:
    """What is printed at the end."""
    return Json(summarise(provider.board.books))


@pages.get(f"{CONTROL}/count")
async def count(provider: Anybody) -> Response:
    """How many requests and calls there were so far: cheap to ask again and again."""
    return Json({"requests": len(provider.board.books.requests), "calls": len(provider.board.books.calls)})


@pages.post(f"{CONTROL}/webhook-test")
async def webhook_test(provider: Anybody) -> Response:
    """Send what the dashboard's test button sends."""
    provider.courier.test()
    return Json({"sent": provider.options.webhook_url is not None})


@pages.post(f"{CONTROL}/options")
async def change(provider: Anybody, request: Request) -> Response:
    """Change options while running; the body is an object of option names, e.g. ``{"faults": {"500": 1}}``."""
    try:
        provider.board.change(**_known(json.loads(await request.body())))
    except ValueError as error:
        return Json({"detail": what_is_wrong(error)}, 422)
    return Json({"changed": True})


@pages.post(f"{CONTROL}/outage")
async def outage(provider: Anybody, request: Request) -> Response:
    """Refuse every connection for ``{"seconds": 2}`` real seconds, this one's answer being the last."""
    seconds = json.loads(await request.body())["seconds"]
    if not 0 < seconds <= LONGEST_OUTAGE_S:
        return Json({"detail": f"seconds: more than 0, at most {LONGEST_OUTAGE_S:g}"}, 422)
    answer = Json({"away_s": seconds})
    answer.background = BackgroundTask(provider.unplug, seconds)
    return answer


def _known(body: Any) -> dict[str, Any]:
    names = {field.name for field in fields(Options)} - {"port"}
    if not isinstance(body, dict) or not set(body) <= names:
        raise ValueError(f"an object with any of: {', '.join(sorted(names))}")
    return body


def _told(dialect: str) -> str:
    """What a dialect is, with its sockets, for which OpenAPI has no words."""
    sockets = [
        f"{(route.endpoint.__doc__ or '').partition('.')[0]} ({section.number}): {route.path}"
        for section in SECTIONS
        for route in section.routes
        if isinstance(route, WebSocketRoute) and section.tags == [dialect]
    ]
    return TITLES[dialect] + (f". WebSockets: {'; '.join(sockets)}" if sockets else "")


async def _plain_error(request: Request, error: Exception) -> Response:
    """Unknown paths and methods in FastAPI's words; ``Allow`` names every method of the path."""
    assert isinstance(error, HTTPException)
    headers = dict(error.headers or {})
    if error.status_code == 405:
        at = [each for each in API.routes if isinstance(each, Route) and each.matches(request.scope)[0] != Match.NONE]
        methods = {method for route in at if route.path == at[0].path for method in route.methods or ()}
        headers["Allow"] = ", ".join(sorted(methods))
    return Json({"detail": error.detail}, error.status_code, headers)


HANDLERS: dict[Any, Any] = {Refused: desk.refusal, RequestValidationError: desk.problems, HTTPException: _plain_error}
PLACING = {"/api/trigger-call/": vaanivoice.trigger, "/calls/outbound_call": vaani.outbound_call}
"""What a rehearsal asks for a thousand times more often than anything else: FastAPI describes it, and is not asked."""
PLACE = Starlette(
    routes=[Route(path, endpoint, methods=["POST"]) for path, endpoint in PLACING.items()], exception_handlers=HANDLERS
)
API = FastAPI(
    title="Vaani simulator",
    version="1",
    description=ABOUT,
    openapi_url=None,
    openapi_tags=[{"name": dialect, "description": _told(dialect)} for dialect in TITLES],
    routes=[*(route for section in SECTIONS for route in section.routes), *pages.routes],
    exception_handlers=HANDLERS,
)
"""One for all simulators of a process: which of them was connected to, a request says itself."""


def application(provider: Provider) -> ASGIApp:
    """Everything ``provider`` serves, as one ASGI app."""
    board = provider.board

    async def record(scope: Scope, receive: Receive, send: Send) -> None:
        received = Received(board.clock.now(), scope.get("method", "WS"), scope["path"])
        if not scope["path"].startswith(NOT_THE_VENDORS):
            board.books.requests.append(received)
        scope["state"] |= {"record": received, "provider": provider}
        # What is due by now has happened before anything is answered.
        board.agenda.run(received.at)

        async def noting(message: Message) -> None:
            if message["type"] in ANSWERED:
                received.status = message.get("status", ANSWERED[message["type"]])
            await send(message)

        # A caller that died in the middle of its request wants no answer.
        with suppress(ClientDisconnect):
            await (PLACE if scope["path"] in PLACING else API)(scope, receive, noting)

    return record
