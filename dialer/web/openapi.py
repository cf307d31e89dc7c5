"""The API as an OpenAPI 3.1 document: ``docs/openapi.json``, and the same over HTTP."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from dialer.web.problems import KIND

PROBLEM = {
    "type": "object",
    "description": "RFC 9457. `code` names the kind, `remedy` says what to do, `errors` what is wrong where.",
    "required": ["type", "title", "status", "detail", "code", "remedy", "errors"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "remedy": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"pointer": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
    },
}
ANSWERS: dict[int | str, dict[str, Any]] = {
    "default": {
        "description": "A problem",
        "content": {KIND: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
}
"""What every route may answer besides success."""


MADE_BY = {
    ("/api/v1/imports", "post"): ("import_id", "$response.body#/import_id"),
    ("/api/v1/tokens", "post"): ("token_id", "$response.body#/token_id"),
    ("/api/v1/campaigns/{name}", "put"): ("name", "$request.path.name"),
}
"""What makes something: the part of addresses that is its id, and where the answer or the request has it."""


def _link(paths: dict[str, Any]) -> None:
    """Name beside each route that makes something those that take it."""
    for (path, method), (part, source) in MADE_BY.items():
        takers = [operation["operationId"] for other, methods in paths.items() if f"{{{part}}}" in other
                  for operation in methods.values()]  # fmt: skip
        links = {taker: {"operationId": taker, "parameters": {part: source}} for taker in takers}
        for status, response in paths[path][method]["responses"].items():
            if status.startswith("2"):
                response["links"] = links


def openapi_document(app: FastAPI) -> dict[str, Any]:
    """The document of all routes under ``/api/v1``."""
    document = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes, openapi_version="3.1.0"
    )
    _link(document["paths"])
    parts = document.setdefault("components", {})
    parts.setdefault("schemas", {})["Problem"] = PROBLEM
    parts["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    document["security"] = [{"token": []}]
    return document
