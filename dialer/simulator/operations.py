"""The one table of what is served: the routes are made from it, and so is the OpenAPI document."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from dialer.simulator.checking import Check, Query, body_schema
from dialer.simulator.schemas import DETAIL, ERROR, Schema

Endpoint = Callable[[Request], Awaitable[Response]]
JSON = "application/json"


class Body(NamedTuple):
    """What is sent: one schema under each content type it may come in."""

    schema: Schema
    kinds: tuple[str, ...] = (JSON,)
    required: bool = True


class Answer(NamedTuple):
    """One status: what it means, and the body by content type; no content type for an empty body."""

    meaning: str
    schema: Schema
    kinds: tuple[str, ...] = (JSON,)


@dataclass(frozen=True, kw_only=True, slots=True)
class Operation:
    """One method on one path; ``section`` is where the wire contract describes it."""

    method: str
    path: str
    endpoint: Endpoint
    summary: str
    section: str
    answers: Mapping[int, Answer]
    query: tuple[Query, ...] = ()
    body: Body | None = None
    needs_key: bool = True


class Socket(NamedTuple):
    """One WebSocket; OpenAPI has no words for it, so it is told in the text of the document."""

    path: str
    endpoint: Callable[[WebSocket], Awaitable[None]]
    summary: str
    section: str

    def route(self) -> WebSocketRoute:
        """Its route."""
        return WebSocketRoute(self.path, self.endpoint)


def operation(
    section: str,
    method: str,
    path: str,
    endpoint: Endpoint,
    summary: str,
    answers: Mapping[int, Answer],
    *,
    query: tuple[Query, ...] = (),
    body: Body | None = None,
) -> Operation:
    """An ``Operation`` in fewer words, for the many of one section."""
    return Operation(
        method=method,
        path=path,
        endpoint=endpoint,
        summary=summary,
        section=section,
        answers=answers,
        query=query,
        body=body,
    )


MEANINGS = {
    400: "what was asked for cannot be read",
    401: "key or cookie missing, wrong or expired",
    402: "the wallet is empty",
    403: "not allowed for this key, or the number is on the do-not-disturb list",
    404: "there is no such thing",
    408: "a fault the simulator was asked for",
    409: "not possible in its present state",
    410: "the session has ended or expired",
    422: "parameters failed validation",
    429: "too many requests",
    500: "a fault the simulator was asked for",
    502: "a fault the simulator was asked for",
    503: "a fault the simulator was asked for",
    504: "a fault the simulator was asked for",
}


PLACING = (401, 402, 403, 404, 408, 409, 422, 429, 500, 502, 503, 504)
"""What a place-call request can be refused with, faults included."""


def good(schema: Schema, *, status: int = 200, meaning: str = "done") -> dict[int, Answer]:
    """A JSON answer of one status."""
    return {status: Answer(meaning, schema)}


def refused(*statuses: int) -> dict[int, Answer]:
    """The usual error bodies for these statuses."""
    return {status: Answer(MEANINGS[status], DETAIL if status == 422 else ERROR) for status in statuses}


def sent(checks: Mapping[str, Check], required: tuple[str, ...] = (), **more: Any) -> Body:
    """A JSON object that ``check_body`` reads; ``more`` says what holds between its fields."""
    return Body(body_schema(checks, required) | more)


def routes(operations: Iterable[Operation], worded: Callable[[Endpoint], Endpoint]) -> list[Route]:
    """A route for each path, in the order of the table; ``worded`` gives errors the words of the dialect."""
    paths: dict[str, dict[str, Endpoint]] = {}
    for each in operations:
        paths.setdefault(each.path, {})[each.method] = worded(each.endpoint)
    return [Route(path, _by_method(endpoints), methods=list(endpoints)) for path, endpoints in paths.items()]


def _by_method(endpoints: Mapping[str, Endpoint]) -> Endpoint:
    """One route for all methods of a path, so that ``Allow`` names them all."""
    if len(endpoints) == 1:
        return next(iter(endpoints.values()))

    async def chosen(request: Request) -> Response:
        return await endpoints["GET" if request.method == "HEAD" else request.method](request)

    return chosen
