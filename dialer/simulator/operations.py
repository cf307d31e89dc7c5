"""The endpoints of a section and what they answer, as OpenAPI says it, and JSON Schema in few words."""

import json
from collections.abc import Callable, Coroutine
from functools import cache
from typing import Annotated, Any

from fastapi import APIRouter, Security
from fastapi.routing import APIRoute
from fastapi.security import APIKeyCookie, APIKeyHeader
from pydantic import Field, TypeAdapter
from pydantic_core import from_json
from starlette.requests import Request
from starlette.responses import Response

from dialer.simulator.answers import Json

Schema = dict[str, Any]
JSON = ("application/json",)

TIME = Annotated[str, Field(description="ISO 8601, UTC")]
BINARY: Schema = {"type": "string", "format": "binary"}


@cache
def _of_type(kind: Any) -> Schema:
    return TypeAdapter(kind).json_schema()


def schema_of(kind: Any) -> Schema:
    """The JSON Schema of a type; a schema stays what it is."""
    return kind if isinstance(kind, dict) else _of_type(kind)


def record(optional: tuple[str, ...] = (), /, **fields: Any) -> Schema:
    """An object with these fields, types or schemas, required unless ``optional``; more of them are let through."""
    required = [name for name in fields if name not in optional]
    properties = {name: schema_of(kind) for name, kind in fields.items()}
    return {"type": "object", "properties": properties, **({"required": required} if required else {})}


def listed(item: Any) -> Schema:
    """A list of ``item``."""
    return {"type": "array", "items": schema_of(item)}


def one(*kinds: Any) -> Schema:
    """Any of ``kinds``: what a switch of the simulator, or the vendor's documents, leave open."""
    return {"anyOf": [schema_of(kind) for kind in kinds]}


def mapped(names: tuple[str, ...], kind: Any) -> dict[str, Any]:
    """``kind`` under every name."""
    return dict.fromkeys(names, kind)


DETAIL = record(detail=one(str, listed(record(type=str, loc=list[str | int], msg=str))))
GATEWAY = record(status_code=int, error=str, message=str, code=str)
ERROR = one(DETAIL, GATEWAY)
"""The two shapes of an error body (section 3.2)."""
FAULT = "a fault the simulator was asked for"
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
}
PLACING = (401, 402, 403, 404, 408, 409, 422, 429, 500, 502, 503, 504)
"""What a place-call request can be refused with, faults included."""


def answer(schema: Any, meaning: str = "done", kinds: tuple[str, ...] = JSON) -> dict[str, Any]:
    """One status: what it means, and its body in each content type."""
    return {"description": meaning, "content": {kind: {"schema": schema_of(schema)} for kind in kinds}}


def good(
    schema: Any, *refusals: int, status: int = 200, kinds: tuple[str, ...] = JSON, more: dict[int, Any] | None = None
) -> dict[str, Any]:
    """What a route answers when all is well, what it refuses with, and what else it answers."""
    refused = {each: answer(ERROR, MEANINGS.get(each, FAULT)) for each in refusals}
    return {"status_code": status, "responses": {status: answer(schema, kinds=kinds), **refused, **(more or {})}}


def sent(schema: Schema, kinds: tuple[str, ...] = JSON) -> dict[str, Any]:
    """The body of a request that its endpoint reads by itself."""
    return {"requestBody": {"required": True, "content": {kind: {"schema": schema} for kind in kinds}}}


class _Asked(Request):
    async def json(self) -> Any:
        """The body; what cannot be written as JSON again is not read either."""
        try:
            return from_json(await self.body(), allow_inf_nan=False)
        except ValueError as error:
            raise json.JSONDecodeError(str(error), "", 0) from None


class _Operation(APIRoute):
    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            return await handle(_Asked(request.scope, request.receive))

        return answer


KEY = Security(APIKeyHeader(name="X-API-Key", auto_error=False))
COOKIE = Security(APIKeyCookie(name="access_token", auto_error=False))
NEEDED = {"vaanivoice": [KEY], "vaani": [KEY, COOKIE]}


class Section(APIRouter):
    """The endpoints of one section of the wire contract; the first line of a docstring is the summary."""

    def __init__(self, dialect: str, number: str, *, needs_key: bool = True) -> None:
        needed = NEEDED[dialect] if needs_key else []
        super().__init__(tags=[dialect], dependencies=needed, default_response_class=Json, route_class=_Operation)
        self.number = number

    def add_api_route(self, path: str, endpoint: Callable[..., Any], **more: Any) -> None:
        """Serve ``endpoint`` at ``path``."""
        more["summary"] = (endpoint.__doc__ or "").splitlines()[0].rstrip(".")
        more["description"] = f"Section {self.number} of the wire contract."
        super().add_api_route(path, endpoint, **more)
