"""What changes, as it changes: server-sent events."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

from fastapi import APIRouter, Query, Request
from starlette.responses import StreamingResponse

from dialer.web.access import Rooms, Viewer
from dialer.web.live import Live, Now
from dialer.web.problems import Refusal

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

    return streamed(request.app.state.live, chosen.spec.handle, shown)


def event(kind: str, data: Mapping[str, Any]) -> str:
    """One event as it is sent."""
    return f"event: {kind}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"


def streamed(live: Live, handle: str, shown: Callable[[Now], Awaitable[str]]) -> StreamingResponse:
    """A stream of a campaign's states, each as ``shown`` says. Raises Refusal when there are too many streams."""
    if live.full:
        raise Refusal(503, "too many streams are open", headers={"Retry-After": "15"})

    async def sent() -> AsyncIterator[str]:
        with live.stream():
            async for now in live.changes(handle):
                yield ": still here\n\n" if now is None else await shown(now)

    return StreamingResponse(sent(), media_type=KIND, headers=HEADERS)
