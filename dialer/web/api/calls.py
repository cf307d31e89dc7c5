"""One attempt: its story, and what was said in its call."""

from typing import Any

from fastapi import APIRouter
from starlette.responses import FileResponse

from dialer.errors import UnknownName
from dialer.pipeline.tell_story import history_document
from dialer.web.access import Operator, Rooms, Viewer
from dialer.web.filters import Id
from dialer.web.private import shown

routes = APIRouter(prefix="/api/v1/attempts", tags=["people"])


@routes.get("/{attempt_id:int}", summary="One attempt, event by event")
async def attempt(attempt_id: Id, rooms: Rooms, asker: Viewer) -> dict[str, Any]:
    """As `dialer attempts ID --json`."""
    story = await rooms.stories.of(attempt_id=attempt_id)
    if not story:
        raise UnknownName(f"there is no attempt {attempt_id}")
    return shown(history_document(story[0]), asker)


@routes.get("/{attempt_id:int}/transcript", summary="What was said")
async def transcript(attempt_id: Id, rooms: Rooms, asker: Operator) -> dict[str, Any]:
    """`text` is null while the provider makes it. The audit keeps who read it."""
    return {"attempt_id": attempt_id, "text": await rooms.replay.transcript(attempt_id, asker.by())}


@routes.get("/{attempt_id:int}/recording", summary="The recording", response_class=FileResponse)
async def recording(attempt_id: Id, rooms: Rooms, asker: Operator) -> FileResponse:
    """Honours `Range`. The audit keeps who listened."""
    path, kind = await rooms.replay.recording(attempt_id, asker.by())
    return FileResponse(path, media_type=kind, content_disposition_type="inline")
