"""Accounts at providers."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from dialer.web.access import Operator, Rooms, Viewer
from dialer.web.pages.parts import show

routes = APIRouter(include_in_schema=False)


@routes.get("/accounts")
async def accounts(request: Request, rooms: Rooms, asker: Viewer) -> Response:
    """Every account as it stands now."""
    return show(request, asker, "accounts.html", accounts=await rooms.accounts.documents(), findings=None)


@routes.post("/accounts")
async def examine(request: Request, rooms: Rooms, asker: Operator) -> Response:
    """The same, and what the doctor says."""
    findings = await rooms.examined()
    return show(request, asker, "accounts.html", accounts=await rooms.accounts.documents(), findings=findings)
