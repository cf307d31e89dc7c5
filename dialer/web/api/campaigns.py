"""Campaigns: look at them, and move them."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body
from pydantic import BaseModel, ConfigDict, Field

from dialer.pipeline.report import campaign_document
from dialer.web.access import Operator, Rooms, Viewer
from dialer.web.names import Name

routes = APIRouter(prefix="/api/v1", tags=["campaigns"])

Verb = Literal["start", "pause", "resume", "cancel"]


class Reason(BaseModel):
    """Why; it is kept in the audit."""

    model_config = ConfigDict(extra="forbid")
    reason: str = Field("", max_length=500)


@routes.get("/campaigns", summary="All campaigns, oldest first")
async def campaigns(rooms: Rooms, asker: Viewer) -> dict[str, Any]:
    """As `dialer campaigns --json`."""
    data = [campaign_document(one) for one in await rooms.ledger.campaigns()]
    return {"data": data, "has_more": False, "next": None}


@routes.get("/campaigns/{name:campaign}", summary="One campaign, counted")
async def campaign(name: Name, rooms: Rooms, asker: Viewer) -> dict[str, Any]:
    """As `dialer report NAME --json`; `limits` says what keeps people from being called right now."""
    return await rooms.report.document(name)


@routes.post("/campaigns/{name:campaign}/{verb:verb}", summary="Start, pause, resume or cancel")
async def move(
    name: Name, verb: Verb, rooms: Rooms, asker: Operator, reason: Annotated[Reason | None, Body()] = None
) -> dict[str, Any]:
    """Answers when it holds: after `pause` and `cancel` no request leaves for the campaign. Asked again, it changes
    nothing.
    """
    moved = await rooms.control(asker.by(reason.reason if reason else "")).move(name, verb)
    return {"campaign": moved.spec.name, "status": str(moved.status)}
