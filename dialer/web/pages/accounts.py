"""Accounts at providers."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from dialer.doctor import Finding
from dialer.domain.access import Role
from dialer.web.access import Asker, Operator, Rooms, Viewer
from dialer.web.pages.parts import show

routes = APIRouter(include_in_schema=False)


@routes.get("/accounts")
async def accounts(request: Request, rooms: Rooms, asker: Viewer) -> Response:
    """Every account as it stands now."""
    return await _page(request, rooms, asker, None)


@routes.post("/accounts")
async def examine(request: Request, rooms: Rooms, asker: Operator) -> Response:
    """The same, and what the doctor says."""
    return await _page(request, rooms, asker, await rooms.examined())


async def _page(request: Request, rooms: Rooms, asker: Asker, findings: list[Finding] | None) -> Response:
    hooks = rooms.webhooks
    return show(
        request,
        asker,
        "accounts.html",
        accounts=await rooms.accounts.documents(),
        findings=findings,
        hooked=hooks.account,
        hook_path=await hooks.path() if asker.may(Role.ADMIN) else "",
        hook_secrets=len(rooms.settings.webhook_secrets),
    )
