"""The one table of what is served: the routes are made from it, and so is the OpenAPI document."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

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
    paths: Mapping[str, Schema] = field(default_factory=dict)


class Socket(NamedTuple):
    """One WebSocket; OpenAPI has no words for it, so it is told in the text of the document."""

    path: str
    endpoint: Callable[[WebSocket], Awaitable[None]]
    summary: str
    section: str

    def route(self) -> WebSocketRoute:
        """Its route."""
        return WebSocketRoute(self.path, self.endpoint)


MEANINGS = {
    400: "what was asked for cannot be read",
    401: "key or cookie missing, wrong or expired",
    402: "the wallet is empty",
    403: "not allowed for this key, or the number is on the do-not-disturb list",
    404: "there is no such thing",
    409: "not possible in its present state",
    410: "the session has ended or expired",
    422: "parameters failed validation",
    429: "too many requests",
    500: "a fault the simulator was asked for",
    503: "a fault the simulator was asked for",
}


def good(schema: Schema, *, status: int = 200, meaning: str = "done") -> dict[int, Answer]:
    """A JSON answer of one status."""
    return {status: Answer(meaning, schema)}


def refused(*statuses: int) -> dict[int, Answer]:
    """The usual error bodies for these statuses."""
    return {status: Answer(MEANINGS[status], DETAIL if status == 422 else ERROR) for status in statuses}


def sent(checks: Mapping[str, Check], required: tuple[str, ...] = ()) -> Body:
    """A JSON object that ``check_body`` reads."""
    return Body(body_schema(checks, required))


def routes(operations: Iterable[Operation], worded: Callable[[Endpoint], Endpoint]) -> list[Route]:
    """A route for each, in the order of the table, with the errors of every endpoint put in the dialect's words."""
    return [Route(each.path, worded(each.endpoint), methods=[each.method]) for each in operations]
