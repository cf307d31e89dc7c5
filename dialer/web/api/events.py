"""What changes, as it changes: server-sent events."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

import structlog
from fastapi import APIRouter, Query, Request
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from dialer.errors import DialerError
from dialer.web.access import Rooms, Viewer, still_known
from dialer.web.live import STILL_S, Live, Now

log = structlog.get_logger()

routes = APIRouter(prefix="/api/v1", tags=["events"])
KIND = "text/event-stream"
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


@routes.get("/events", summary="One campaign as it changes", response_class=StreamingResponse)
async def events(
    request: Request, rooms: Rooms, asker: Viewer, campaign: str = Query(description="Its name.", max_length=300)
) -> StreamingResponse:
    """Server-sent events. The first one, and each after it, is `campaign` with the whole report: a reader that lost
    its connection has missed nothing.
    """
    chosen = await rooms.ledger.campaign(campaign)

    async def shown(now: Now) -> str:
        return event("campaign", now.document)

    return streamed(request, chosen.spec.handle, shown)


def event(kind: str, data: Mapping[str, Any]) -> str:
    """One event as it is sent."""
    return f"event: {kind}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"


class Streamed(StreamingResponse):
    """It counts as a stream while it is sent."""

    def __init__(self, live: Live, parts: AsyncIterator[str]) -> None:
        super().__init__(parts, media_type=KIND, headers=HEADERS)
        self._live = live

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._live.stream():
            await super().__call__(scope, receive, send)


def streamed(request: Request, handle: str, shown: Callable[[Now], Awaitable[str]]) -> Streamed:
    """A stream of a campaign's states, each as ``shown`` says, for as long as who asks is known.

    Where a state cannot be shown it ends; its reader comes again, and begins with the whole state.
    """
    live: Live = request.app.state.live

    async def parts() -> AsyncIterator[str]:
        checked_at = live.clock.monotonic()
        async for now in live.changes(handle):
            if live.clock.monotonic() >= checked_at + STILL_S:
                checked_at = live.clock.monotonic()
                if not await still_known(request):
                    return
            if now is None:
                yield ": still here\n\n"
                continue
            try:
                text = await shown(now)
            except DialerError as failed:
                log.warning("console.not_shown", error=str(failed))
                return
            yield text

    return Streamed(live, parts())
