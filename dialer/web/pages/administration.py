"""Tokens and the audit."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from dialer.pipeline.keep_access import token_document
from dialer.pipeline.recent_acts import act_in_words
from dialer.web.access import Admin, Asker, Rooms
from dialer.web.pages.parts import show

routes = APIRouter(prefix="/admin", include_in_schema=False)
ROWS = 100


@routes.get("")
async def administration(request: Request, rooms: Rooms, asker: Admin, after: int | None = None) -> Response:
    """Tokens, and who did what."""
    return await _page(request, rooms, asker, after=after)


@routes.post("/tokens")
async def add_token(
    request: Request,
    rooms: Rooms,
    asker: Admin,
    name: Annotated[str, Form(max_length=60)] = "",
    role: Annotated[str, Form(max_length=10)] = "viewer",
    expires: Annotated[str, Form(max_length=8)] = "",
) -> Response:
    """Make a token, and show it this once."""
    _, token = await rooms.access.add(name.strip(), role, expires.strip(), asker.by())
    return await _page(request, rooms, asker, made=(name.strip(), token))


@routes.post("/tokens/{token_id}/revoke")
async def revoke_token(token_id: int, rooms: Rooms, asker: Admin) -> Response:
    """End a token and its sessions."""
    await rooms.access.revoke(str(token_id), asker.by())
    return RedirectResponse("/admin", 303)


async def _page(
    request: Request, rooms: Rooms, asker: Asker, *, after: int | None = None, made: tuple[str, str] | None = None
) -> Response:
    page = await rooms.recent_acts.page(ROWS, after)
    return show(
        request,
        asker,
        "admin.html",
        tokens=[token_document(one) for one in await rooms.access.tokens()],
        acts=[act_in_words(act) for act in page.acts],
        next_after=page.next_after,
        made=made,
    )
