"""A WebSocket server that says what a script tells it to, then drops or closes the connection."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from dialer.adapters.providers.vaanivoice.client import VaaniVoiceApi
from tests.provider_api import voice_at
from tests.raw_server import StoppedClock

Script = Callable[[ServerConnection], Awaitable[None]]


class SleptClock(StoppedClock):
    """Sleeping takes no time, yet the clock shows it."""

    async def sleep(self, seconds: float) -> None:
        """Move on."""
        self.at += seconds
        await super().sleep(seconds)


@dataclass
class Server:
    """Serves a script for each connection in turn, the last again and again, and plain answers to GETs."""

    scripts: list[Script]
    answers: dict[str, tuple[int, Any]] = field(default_factory=dict)
    paths: list[str] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    served: int = 0
    url: str = ""

    async def run(self, connection: ServerConnection) -> None:
        script = self.scripts[min(self.served, len(self.scripts) - 1)]
        self.served += 1
        await script(connection)

    def answer(self, connection: ServerConnection, request: Request) -> Response | None:
        self.paths.append(request.path)
        self.keys.append(request.headers.get("x-api-key"))
        for path, (status, body) in self.answers.items():
            if request.path.startswith(path):
                return connection.respond(HTTPStatus(status), json.dumps(body))
        return None


@asynccontextmanager
async def events_from(*scripts: Script, **answers: tuple[int, Any]) -> AsyncIterator[tuple[VaaniVoiceApi, Server]]:
    named = {path.replace("__", "/"): answer for path, answer in answers.items()}
    found = Server(list(scripts), named)
    async with serve(found.run, "127.0.0.1", 0, process_request=found.answer) as listening:
        port = next(iter(listening.sockets)).getsockname()[1]
        found.url = f"http://127.0.0.1:{port}"
        async with voice_at(found.url, SleptClock()) as api:
            yield api, found


def says(*messages: Any, close: int | None = None) -> Script:
    """Sends these, then closes with a code, or drops the connection."""

    async def script(connection: ServerConnection) -> None:
        for message in messages:
            await connection.send(message if isinstance(message, str | bytes) else json.dumps(message))
        if close is None:
            connection.transport.abort()
        else:
            await connection.close(close)

    return script


ACTIVE = {"__api__webrtc__session__status": (200, {"status": "active"})}
READY, ENDED = {"event": "agent_ready"}, {"event": "session_ended", "reason": "agent left"}
