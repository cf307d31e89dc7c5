"""One campaign on one screen, in blocks that are sent again when they change."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Literal

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response, StreamingResponse

from dialer.domain.access import Role
from dialer.ports import Campaign
from dialer.web.access import Asker, Operator, Rooms, Viewer
from dialer.web.api.events import event, streamed
from dialer.web.live import Live, Now
from dialer.web.pages.campaign_blocks import blocks_of
from dialer.web.pages.parts import show

routes = APIRouter(prefix="/campaigns/{campaign_id}", include_in_schema=False)


@routes.get("")
async def campaign(campaign_id: int, request: Request, rooms: Rooms, asker: Viewer) -> Response:
    """The screen."""
    one = await rooms.ledger.people.campaign(campaign_id)
    live: Live = request.app.state.live
    now = await live.now(one.spec.handle, str(one.status))
    blocks = await blocks_of(rooms.recent_acts, one, now, may_operate=asker.may(Role.OPERATOR))
    return show(request, asker, "campaign.html", name=one.spec.name, campaign_id=campaign_id, blocks=blocks)


@routes.get("/live")
async def live(campaign_id: int, request: Request, rooms: Rooms, asker: Viewer) -> StreamingResponse:
    """The blocks of the screen as they change: all of them first."""
    one = await rooms.ledger.people.campaign(campaign_id)
    return streamed(request, one.spec.handle, _changes(rooms, asker, one))


def _changes(rooms: Rooms, asker: Asker, one: Campaign) -> Callable[[Now], Awaitable[str]]:
    shown: dict[str, str] = {}

    async def changed(now: Now) -> str:
        blocks = await blocks_of(rooms.recent_acts, one, now, may_operate=asker.may(Role.OPERATOR))
        news = {key: html for key, html in blocks.items() if shown.get(key) != html}
        shown.update(news)
        return event("blocks", news)

    return changed


@routes.get("/cancel")
async def ask_cancel(campaign_id: int, request: Request, rooms: Rooms, asker: Operator) -> Response:
    """The question whether it is to end for good."""
    one = await rooms.ledger.people.campaign(campaign_id)
    return show(request, asker, "cancel.html", campaign=one, wrong=False)


@routes.post("/cancel")
async def cancel(
    campaign_id: int,
    request: Request,
    rooms: Rooms,
    asker: Operator,
    typed: Annotated[str, Form(max_length=300)] = "",
    reason: Annotated[str, Form(max_length=500)] = "",
) -> Response:
    """End it for good, if its name was typed."""
    one = await rooms.ledger.people.campaign(campaign_id)
    if typed.strip() != one.spec.name:
        return show(request, asker, "cancel.html", 422, campaign=one, wrong=True)
    await rooms.control(asker.by(reason)).move(one.spec.handle, "cancel")
    return RedirectResponse(f"/campaigns/{campaign_id}", 303)


@routes.post("/{verb}")
async def move(
    campaign_id: int, verb: Literal["start", "pause", "resume"], request: Request, rooms: Rooms, asker: Operator
) -> Response:
    """Start, pause or resume: the answer comes when it holds."""
    one = await rooms.ledger.people.campaign(campaign_id)
    await rooms.control(asker.by()).move(one.spec.handle, verb)
    return RedirectResponse(f"/campaigns/{campaign_id}", 303)
