"""Dialect A's knowledge bases: the files of an agent (wire contract, section 2.9; every body is ours)."""

import re
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from dialer.simulator import checking, forms
from dialer.simulator.answers import Json
from dialer.simulator.checking import Invalid, iso, problem
from dialer.simulator.forms import File
from dialer.simulator.operations import Body, Operation, good, operation, refused, sent
from dialer.simulator.schemas import TEXT, TIME, WHOLE, listed, record
from dialer.simulator.switchboard import Refused
from dialer.simulator.vaani_desk import VaaniDesk

_operation = partial(operation, "2.9")
MOST_FOUND = 5
SENT = Body(
    {"type": "object", "properties": {"file": {"type": "string", "format": "binary"}}, "required": ["file"]},
    (forms.MULTIPART,),
)
QUERY = {"query": checking.filled}
FILE = record(name=TEXT, size_bytes=WHOLE, uploaded_at=TIME)
FOUND = record(answer=TEXT, results=listed(record(name=TEXT, text=TEXT)))


class VaaniFiles:
    """What a user who logged in teaches an agent; what is found are the lines that share a word with the query."""

    def __init__(self, desk: VaaniDesk) -> None:
        self.desk = desk
        self._files: dict[str, dict[str, tuple[File, float]]] = {}

    def operations(self) -> list[Operation]:
        """What is served."""
        known = refused(401, 403, 404)
        return [
            _operation(
                "POST",
                "/agents/{agent_id}/upload",
                self.upload,
                "Add a file to what an agent knows, or replace the one of that name",
                good(FILE, status=201) | known | refused(422),
                body=SENT,
            ),
            _operation("GET", "/agents/{agent_id}/files", self.list, "An agent's files", good(listed(FILE)) | known),
            _operation(
                "DELETE",
                "/agents/{agent_id}/files/{name}",
                self.delete,
                "Forget a file",
                good(record(message=TEXT)) | known,
            ),
            _operation(
                "POST",
                "/agents/{agent_id}/query",
                self.query,
                "What the files say",
                good(FOUND) | known | refused(422),
                body=sent(QUERY, ("query",)),
            ),
        ]

    async def upload(self, request: Request) -> Response:
        """Keep the file."""
        files = self._of_agent(request)
        file = (await forms.read(request)).files.get("file")
        if file is None:
            raise Invalid([problem("body", "file", "Field required", "missing")])
        files[file.name] = (file, self.desk.board.clock.now())
        return Json(_shown(*files[file.name]), 201)

    async def list(self, request: Request) -> Response:
        """All of them, in the order they came."""
        return Json([_shown(*kept) for kept in self._of_agent(request).values()])

    async def delete(self, request: Request) -> Response:
        """404 when there is none of that name."""
        if self._of_agent(request).pop(request.path_params["name"], None) is None:
            raise Refused(404, "File not found")
        return Json({"message": "File deleted successfully"})

    async def query(self, request: Request) -> Response:
        """A few lines at most; the first is the answer."""
        files = self._of_agent(request)
        body = await checking.json_object(request)
        checking.check_body(body, QUERY, ("query",))
        words = _words(body["query"])
        found = [
            {"name": file.name, "text": line.strip()}
            for file, _ in files.values()
            for line in file.content.decode(errors="replace").splitlines()
            if words & _words(line)
        ]
        return Json({"answer": found[0]["text"] if found else "", "results": found[:MOST_FOUND]})

    def _of_agent(self, request: Request) -> dict[str, tuple[File, float]]:
        self.desk.let_user_in(request)
        return self._files.setdefault(self.desk.agent(request).agent_id, {})


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.casefold()))


def _shown(file: File, at: float) -> dict[str, Any]:
    return {"name": file.name, "size_bytes": len(file.content), "uploaded_at": iso(at)}
