"""Dialect A's knowledge bases: the files of an agent (wire contract, section 2.9; every body is ours).

A user who logged in teaches an agent; what is found are the lines that share a word with the query.
"""

import re
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from dialer.simulator.answers import Json
from dialer.simulator.checking import Body, Filled, iso
from dialer.simulator.desk import Provider, User, known_agent
from dialer.simulator.forms import MULTIPART, File, form_of
from dialer.simulator.operations import BINARY, TIME, Section, good, listed, record, sent
from dialer.simulator.switchboard import Refused

section = Section("vaani", "2.9")
MOST_FOUND = 5
FILE = record(name=str, size_bytes=int, uploaded_at=TIME)
FOUND = record(answer=str, results=listed(record(name=str, text=str)))
UPLOAD = sent(record(file=BINARY), (MULTIPART,))


class Query(Body):
    """What is asked."""

    query: Filled


@section.post("/agents/{agent_id}/upload", openapi_extra=UPLOAD, **good(FILE, 401, 403, 404, 422, status=201))
async def upload(provider: User, agent_id: str, request: Request) -> Response:
    """Add a file to what an agent knows, or replace the one of that name."""
    files = _files(provider, agent_id)
    file = (await form_of(request)).file("file")
    files[file.name] = (file, provider.now)
    return Json(_shown(*files[file.name]), 201)


@section.get("/agents/{agent_id}/files", **good(listed(FILE), 401, 403, 404))
async def files(provider: User, agent_id: str) -> Response:
    """An agent's files, in the order they came."""
    return Json([_shown(*kept) for kept in _files(provider, agent_id).values()])


@section.delete("/agents/{agent_id}/files/{name}", **good(record(message=str), 401, 403, 404))
async def delete(provider: User, agent_id: str, name: str) -> Response:
    """Forget a file."""
    if _files(provider, agent_id).pop(name, None) is None:
        raise Refused(404, "File not found")
    return Json({"message": "File deleted successfully"})


@section.post("/agents/{agent_id}/query", **good(FOUND, 401, 403, 404, 422))
async def query(provider: User, agent_id: str, sent: Query) -> Response:
    """What the files say: a few lines at most, of which the first is the answer."""
    words = _words(sent.query)
    found = [
        {"name": file.name, "text": line.strip()}
        for file, _ in _files(provider, agent_id).values()
        for line in file.content.decode(errors="replace").splitlines()
        if words & _words(line)
    ]
    return Json({"answer": found[0]["text"] if found else "", "results": found[:MOST_FOUND]})


def _files(provider: Provider, agent_id: str) -> dict[str, tuple[File, float]]:
    return provider.files.setdefault(known_agent(provider, agent_id).agent_id, {})


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.casefold()))


def _shown(file: File, at: float) -> dict[str, Any]:
    return {"name": file.name, "size_bytes": len(file.content), "uploaded_at": iso(at)}
