"""What providers send by themselves. They have no token: the address is secret, and the body is signed."""

from fastapi import APIRouter, Request
from starlette.background import BackgroundTask
from starlette.responses import Response

from dialer.errors import AnswerUnreadable
from dialer.web.access import console_of
from dialer.web.problems import Refusal

routes = APIRouter(prefix="/hooks", include_in_schema=False)


@routes.post("/vaanivoice/{secret}")
async def heard(request: Request) -> Response:
    """204 once it is kept; what follows from it comes after the answer."""
    webhooks = console_of(request).webhooks
    if not await webhooks.is_ours(request.path_params["secret"]):
        raise Refusal(404, "there is nothing at this address")
    try:
        over = await webhooks.hear(await request.body(), request.headers)
    except AnswerUnreadable as unreadable:
        raise Refusal(400, str(unreadable)) from None
    return Response(status_code=204, background=BackgroundTask(webhooks.hint) if over else None)
