"""Joins the pages, the API and what stands around them."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import structlog
from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Match, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from config import Settings
from dialer import __version__
from dialer.console import Console
from dialer.errors import DialerError, LedgerUnavailable
from dialer.web import api, hooks, pages, problems
from dialer.web.access import Guesses, SignIn, Viewer, sign_in_address
from dialer.web.door import Door
from dialer.web.guard import HOOKS, LOOPBACK, Guard
from dialer.web.idempotency import Repeated, with_keys
from dialer.web.live import Live
from dialer.web.openapi import ANSWERS, openapi_document
from dialer.web.pages.parts import show_problem
from dialer.web.seen import Counted, Seen

log = structlog.get_logger()

STATIC = Path(__file__).parent / "static"
ABOUT = (
    "See and steer campaigns. Every request carries `Authorization: Bearer TOKEN`; `dialer token add NAME --role ROLE` "
    "makes a token. Times are ISO 8601 in UTC. Errors are `application/problem+json`."
)

Rooms = Callable[[], AbstractAsyncContextManager[Console]]


class Application:
    """The whole as ASGI. The rooms are open from startup to shutdown."""

    def __init__(self, settings: Settings, open_rooms: Rooms, host: str = "", seen: Seen | None = None) -> None:
        named = settings.web_hosts.lower().replace(",", " ").split()
        self._api = _api(open_rooms)
        hosts = LOOPBACK | ({*named, host.lower()} - {""})
        guarded = Guard(self._api, hosts, settings.web_upload_mib * 2**20)
        self._guarded = guarded if seen is None else Counted(guarded, seen)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._guarded(scope, receive, send)

    def running(self) -> AbstractAsyncContextManager[object]:
        """Its rooms, opened for the block, for who serves it by other means than a server."""
        return self._api.router.lifespan_context(self._api)

    async def end_streams(self) -> None:
        """Say that it is not ready any more, and let open streams end."""
        if hasattr(self._api.state, "live"):
            await self._api.state.live.aclose()

    async def not_ready(self) -> Sequence[str]:
        """What keeps it from doing its work, in a word each."""
        state = self._api.state
        if not hasattr(state, "live"):
            return ("starting",)
        if state.live.ending.is_set():
            return ("ending",)
        try:
            await state.console.ledger.is_held("feeder")
        except LedgerUnavailable:
            return ("ledger",)
        return ()

    @property
    def streams(self) -> int:
        """Open event streams."""
        return int(self._api.state.live.streams) if hasattr(self._api.state, "live") else 0

    def openapi(self) -> dict[str, Any]:
        """The API as an OpenAPI document."""
        return with_keys(openapi_document(self._api))

    @property
    def routes(self) -> list[BaseRoute]:
        """Every address, for those who look whether each has a role."""
        mounted = [one for one in self._api.routes if isinstance(one, Mount | Route)]
        return [*mounted, *(route for router in ROUTERS for route in router.routes)]


def _api(open_rooms: Rooms) -> FastAPI:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_rooms() as console:
            clock = console.ledger.clock
            app.state.console, app.state.guesses = console, Guesses(clock)
            app.state.live = Live(console.report.document, clock)
            try:
                yield
            finally:
                await app.state.live.aclose()

    app = FastAPI(
        title="dialer",
        version=__version__,
        description=ABOUT,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: "_".join([*map(str, route.tags), route.name]),
    )
    app.add_middleware(Repeated, answer=_answer_error)
    app.add_middleware(Door, answer=_answer_error)
    for router in ROUTERS:
        app.include_router(router, responses=ANSWERS)
    app.mount("/static", StaticFiles(directory=STATIC))
    for kind in (
        SignIn,
        DialerError,
        HTTPException,
        RequestValidationError,
        OverflowError,
        ClientDisconnect,
        Exception,
    ):
        app.exception_handler(kind)(_answer_error)
    return app


description = APIRouter(prefix="/api/v1", tags=["description"])
health = APIRouter(include_in_schema=False)


@description.get("/openapi.json", summary="This description")
async def described(request: Request, asker: Viewer) -> dict[str, Any]:
    """As an OpenAPI 3.1 document."""
    return with_keys(openapi_document(request.app))


@health.get("/livez")
async def alive() -> Response:
    """Whether the program answers at all."""
    return Response("alive\n", media_type="text/plain")


@health.get("/readyz")
async def ready(request: Request) -> Response:
    """Whether it can do its work: the ledger can be read, and it is not ending."""
    if request.app.state.live.ending.is_set():
        return Response("ending\n", 503, media_type="text/plain")
    console: Console = request.app.state.console
    await console.ledger.is_held("feeder")
    return Response("ready\n", media_type="text/plain")


ROUTERS = (hooks.routes, *api.ROUTERS, description, *pages.ROUTERS, health)
"""In the order in which an address is looked for: what comes a thousand times a second stands first."""


async def _answer_error(request: Request, error: Exception) -> Response:
    if isinstance(error, SignIn):
        return RedirectResponse(sign_in_address(error.back), 303)
    problem, headers = problems.of_error(error)
    if problem["status"] >= 500 and problem["code"] != "internal":  # of which the server writes the whole story
        log.warning("console.failed", error=str(error))
    if request.url.path.startswith(("/api/", HOOKS, "/livez", "/readyz")):
        answer: Response = problems.answer(error)
    else:
        answer = show_problem(request, problem, headers)
    if problem["status"] == 405:
        answer.headers["allow"] = ", ".join(sorted(_methods_at(request)))
    return answer


def _methods_at(request: Request) -> set[str]:
    """What can be asked at this address: several routes may share it."""
    at = [route for router in ROUTERS for route in router.routes if isinstance(route, Route)]
    return {
        method for route in at if route.matches(request.scope)[0] is not Match.NONE for method in route.methods or ()
    }
