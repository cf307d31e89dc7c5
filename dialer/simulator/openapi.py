"""What is served, as an OpenAPI document and as a plain page, both made from the table the routes are made from."""

import re
from collections.abc import Iterable
from html import escape
from typing import Any

from dialer.simulator.operations import Operation
from dialer.simulator.schemas import Schema
from dialer.simulator.served import Part

ABOUT = (
    "Both Vaani APIs as a local simulator. Sections are those of the wire contract that the switches name; "
    "any key will do unless the simulator was told one."
)
TITLES = {"vaanivoice": "api.vaanivoice.ai (dialect B)", "vaani": "api.vaani.ai (dialect A)"}
SECURITY: dict[str, list[dict[str, list[str]]]] = {
    "vaanivoice": [{"key": []}],
    "vaani": [{"key": []}, {"cookie": []}],
}
SCHEMES = {
    "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    "cookie": {"type": "apiKey", "in": "cookie", "name": "access_token"},
}


def document(parts: Iterable[Part], url: str) -> dict[str, Any]:
    """The OpenAPI 3.1 document of everything but the sockets, which it names in the text of their tag."""
    paths: dict[str, dict[str, Any]] = {}
    tags = []
    for part in parts:
        tags.append({"name": part.name, "description": _told(part)})
        for operation in part.operations:
            paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(part.name, operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Vaani simulator", "version": "1", "description": ABOUT},
        "servers": [{"url": url}],
        "tags": tags,
        "paths": paths,
        "components": {"securitySchemes": SCHEMES},
    }


def page(parts: Iterable[Part]) -> str:
    """The same for people: one table for each dialect, no script."""
    tables = "".join(_table(part) for part in parts)
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'><title>Vaani simulator</title><style>"
        "body{font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem}"
        "td{padding:.2rem 1rem .2rem 0;vertical-align:top}code{font-size:.9em}</style></head><body>"
        f"<h1>Vaani simulator</h1><p>{escape(ABOUT)}</p><p>The same as <a href='/openapi.json'>OpenAPI</a>.</p>"
        f"{tables}</body></html>"
    )


def _operation(name: str, operation: Operation) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "tags": [name],
        "operationId": re.sub(r"\W+", "_", f"{operation.method.lower()}{operation.path}").strip("_"),
        "summary": operation.summary,
        "description": f"Section {operation.section} of the wire contract.",
        "parameters": [*_in_path(operation), *_in_query(operation)],
        "responses": {str(status): _answer(answer) for status, answer in sorted(operation.answers.items())},
        "security": SECURITY[name] if operation.needs_key else [],
    }
    if operation.body is not None:
        content = {kind: {"schema": operation.body.schema} for kind in operation.body.kinds}
        shown["requestBody"] = {"required": operation.body.required, "content": content}
    return shown


def _answer(answer: Any) -> dict[str, Any]:
    content = {kind: {"schema": answer.schema} for kind in answer.kinds}
    return {"description": answer.meaning, **({"content": content} if content else {})}


def _in_path(operation: Operation) -> list[dict[str, Any]]:
    text: Schema = {"type": "string", "minLength": 1}
    return [
        {"name": name, "in": "path", "required": True, "schema": text}
        for name in re.findall(r"{(\w+)}", operation.path)
    ]


def _in_query(operation: Operation) -> list[dict[str, Any]]:
    return [
        {"name": query.name, "in": "query", "required": query.required, "schema": query.schema}
        for query in operation.query
    ]


def _told(part: Part) -> str:
    sockets = "; ".join(f"{socket.summary} ({socket.section}): {socket.path}" for socket in part.sockets)
    return TITLES[part.name] + (f". WebSockets: {sockets}" if sockets else "")


def _table(part: Part) -> str:
    rows = [(each.method, each.path, each.summary, each.section) for each in part.operations]
    rows += [("WebSocket", each.path, each.summary, each.section) for each in part.sockets]
    lines = (
        f"<tr><td><code>{method}</code></td><td><code>{escape(path)}</code></td><td>{escape(summary)}</td>"
        f"<td>{section}</td></tr>"
        for method, path, summary, section in rows
    )
    return f"<h2>{escape(TITLES[part.name])}</h2><table>{''.join(lines)}</table>"
