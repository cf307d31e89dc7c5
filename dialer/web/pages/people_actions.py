"""What is done to all people of a filter: first the question, in words and numbers, then the deed."""

from typing import Annotated, Literal

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from dialer.domain.act import By
from dialer.pipeline.act_on_people import Action
from dialer.pipeline.row_documents import CONTACT_COLUMNS, contact_document
from dialer.web.access import Asker, Operator, Rooms
from dialer.web.filters import Id, Wanted
from dialer.web.pages.parts import address, show
from dialer.web.problems import Refusal
from dialer.web.rows_out import Format, download, own_columns

routes = APIRouter(prefix="/campaigns/{campaign_id}/people", include_in_schema=False)

Reason = Annotated[str, Form(max_length=500)]
WORDS = {
    "redial": ("Call again", "to be called again, now; hours, limits and lists hold"),
    "stop": ("Stop calling", "to be called no more in this campaign; this cannot be undone here"),
    "suppress": ("Never call again", "to be put on the do-not-call list; no campaign calls them any more"),
    "export": ("Export", "to go into the file, with their full numbers"),
}
"""Action -> its button, and what is said of the people."""


def said_why(asker: Asker, reason: str) -> By:
    """Who does it, and why. Raises Refusal without a reason."""
    by = asker.by(reason)
    if not by.why:
        raise Refusal(422, "no reason was given", remedy="say why: the audit keeps it")
    return by


@routes.get("/{action}")
async def ask(
    campaign_id: Id, action: Action, wanted: Wanted, request: Request, rooms: Rooms, asker: Operator
) -> Response:
    """How many, who is skipped and why, and whether to do it."""
    campaign = await rooms.ledger.people.campaign(campaign_id)
    outlook = await rooms.acting(asker.by()).look(campaign_id, wanted, action)
    button, words = WORDS[action]
    return show(
        request,
        asker,
        "people_action.html",
        campaign=campaign,
        action=action,
        button=button,
        words=words,
        wanted=wanted,
        outlook=outlook,
        post=address(f"/campaigns/{campaign_id}/people/{action}", **wanted.query),
        back=address(f"/campaigns/{campaign_id}/people", **wanted.query),
    )


@routes.post("/export")
async def export(
    campaign_id: Id,
    wanted: Wanted,
    rooms: Rooms,
    asker: Operator,
    form: Annotated[Format, Form(alias="format")] = "csv",
    reason: Reason = "",
) -> Response:
    """The file, streamed."""
    campaign = await rooms.ledger.people.campaign(campaign_id)
    acting = rooms.acting(asker.by(reason))
    await acting.note_export(campaign, "contacts" if wanted.is_everybody else f"contacts: {wanted.words}")
    own = await own_columns(contact_document(one.row) async for one in acting.rows(campaign_id, wanted))
    people = (contact_document(one.row) async for one in acting.rows(campaign_id, wanted))
    return download(people, CONTACT_COLUMNS, own, form, f"campaign-{campaign_id}")


@routes.post("/{action}")
async def act(
    campaign_id: Id,
    action: Literal["redial", "stop", "suppress"],
    wanted: Wanted,
    rooms: Rooms,
    asker: Operator,
    reason: Reason = "",
) -> Response:
    """Do it; the answer comes when it holds."""
    acting = rooms.acting(said_why(asker, reason))
    done = skipped = 0
    match action:
        case "redial":
            redialed = await acting.redial(campaign_id, wanted)
            done, skipped = redialed.people, sum(redialed.skipped.values())
            if done:
                await rooms.ring()
        case "stop":
            done = await acting.stop(campaign_id, wanted)
        case "suppress":
            done, skipped = await acting.suppress(campaign_id, wanted)
    came_to = {"did": action, "done": done, "skipped": skipped}
    return RedirectResponse(address(f"/campaigns/{campaign_id}/people", **wanted.query, **came_to), 303)
