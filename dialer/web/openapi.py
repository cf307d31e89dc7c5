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


def openapi_document(app: FastAPI) -> dict[str, Any]:
    """The document of all routes under ``/api/v1``."""
    document = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes, openapi_version="3.1.0"
    )
    parts = document.setdefault("components", {})
    parts.setdefault("schemas", {})["Problem"] = PROBLEM
    parts["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    document["security"] = [{"token": []}]
    return document
