"""Tells who counts of each request: by the template of its route, never by its address."""

import time
from dataclasses import dataclass
from typing import Protocol

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Seen(Protocol):
    """``dialer.adapters.metrics.requests_seen.RequestsSeen``."""

    def seen(self, route: str, method: str, code: int, took_s: float | None) -> None: ...


@dataclass(frozen=True)
class Counted:
    """A layer around the whole."""

    app: ASGIApp
    meter: Seen

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, code, stream = time.monotonic(), 0, False

        async def counted(message: Message) -> None:
            nonlocal code, stream
            if message["type"] == "http.response.start":
                code = message["status"]
                stream = any(
                    name.lower() == b"content-type" and kind.startswith(b"text/event-stream")
                    for name, kind in message["headers"]
                )
            await send(message)

        try:
            await self.app(scope, receive, counted)
        finally:
            if code:
                took_s = None if stream else time.monotonic() - began
                self.meter.seen(_template(scope), scope["method"], code, took_s)


def _template(scope: Scope) -> str:
    route = scope.get("route")
    return str(getattr(route, "path", "")) or ("/static" if scope["path"].startswith("/static/") else "")
