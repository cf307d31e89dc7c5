"""Accounts at providers."""

from typing import Any

from fastapi import APIRouter

from dialer.web.access import Rooms, Viewer

routes = APIRouter(prefix="/api/v1", tags=["accounts"])


@routes.get("/accounts", summary="Every account as it stands now")
async def accounts(rooms: Rooms, asker: Viewer) -> dict[str, Any]:
    """Pace as configured and as the provider takes it, lines, brake, calls of unknown fate, the last whole reading of
    the call log.
    """
    return {"data": await rooms.accounts.documents(), "has_more": False, "next": None}
