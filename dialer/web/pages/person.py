"""One person: the story over all campaigns, what was said, and what may be done."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, Request
from starlette.responses import FileResponse, RedirectResponse, Response

from config.logs import mask_phones
from dialer.domain.people_filter import why_not_again
from dialer.domain.suppression import hash_of
from dialer.pipeline.act_on_people import someone_document
from dialer.pipeline.iso import iso
from dialer.pipeline.replay_call import handle_of
from dialer.pipeline.row_documents import suppression_document
from dialer.pipeline.tell_story import History, moments
from dialer.ports.people import Someone
from dialer.web.access import Asker, Operator, Rooms, Viewer
from dialer.web.filters import Id
from dialer.web.pages.parts import show
from dialer.web.pages.people_actions import said_why
from dialer.web.private import e164, masked, names_of

routes = APIRouter(include_in_schema=False)

Reason = Annotated[str, Form(max_length=500)]
SAID = {
    "": "",
    "redial": "To be called again now, as soon as hours and limits allow.",
    "suppress": "On the do-not-call list now. No campaign calls this number any more.",
    "listed": "The number was on the do-not-call list already.",
}


@routes.get("/people")
async def ask(request: Request, asker: Operator) -> Response:
    """The form to look for a number."""
    return show(request, asker, "person_search.html", problem="")


@routes.post("/people/search")
async def search(
    request: Request,
    rooms: Rooms,
    asker: Operator,
    phone: Annotated[str, Form(max_length=60)] = "",
    region: Annotated[str, Form(max_length=2)] = "",
) -> Response:
    """On to the person's page: the number stands in no address."""
    people = await rooms.ledger.people.of_number(e164(phone, region))
    if not people:
        return show(request, asker, "person_search.html", 404, problem="No list has this number.")
    return RedirectResponse(f"/people/{people[0].contact_id}", 303)


@routes.get("/people/{contact_id}")
async def person(
    contact_id: Id,
    request: Request,
    rooms: Rooms,
    asker: Viewer,
    did: Literal["", "redial", "suppress", "listed"] = "",
) -> Response:
    """The person, with a masked number."""
    return await _page(request, rooms, asker, await rooms.ledger.people.person(contact_id), said=SAID[did])


@routes.post("/people/{contact_id}/reveal")
async def reveal(contact_id: Id, request: Request, rooms: Rooms, asker: Operator, reason: Reason = "") -> Response:
    """The same with the number, which the audit keeps."""
    someone = await rooms.ledger.people.person(contact_id)
    campaign = await rooms.ledger.people.campaign(someone.campaign_id)
    await rooms.ledger.record_act("reveal", asker.by(reason), campaign.spec.handle, hash_of(someone.row.phone))
    return await _page(request, rooms, asker, someone, phone=someone.row.phone)


@routes.post("/people/{contact_id}/redial")
async def redial(contact_id: Id, request: Request, rooms: Rooms, asker: Operator, reason: Reason = "") -> Response:
    """Call again, if that may be."""
    someone = await rooms.ledger.people.person(contact_id)
    why = await rooms.acting(said_why(asker, reason)).redial_one(someone)
    if why:
        return await _page(request, rooms, asker, someone, status=409, problem=f"Not called again: {why}.")
    await rooms.ring()
    return RedirectResponse(f"/people/{contact_id}?did=redial", 303)


@routes.post("/people/{contact_id}/suppress")
async def suppress(contact_id: Id, rooms: Rooms, asker: Operator, reason: Reason = "") -> Response:
    """Never call this number again; the answer comes when it holds."""
    someone = await rooms.ledger.people.person(contact_id)
    added = await rooms.acting(said_why(asker, reason)).suppress_one(someone)
    return RedirectResponse(f"/people/{contact_id}?did={'suppress' if added else 'listed'}", 303)


@routes.get("/attempts/{attempt_id}/transcript")
async def transcript(attempt_id: Id, request: Request, rooms: Rooms, asker: Operator) -> Response:
    """What was said, fetched from the provider now."""
    text = await rooms.replay.transcript(attempt_id, asker.by())
    return show(request, asker, "transcript.html", attempt_id=attempt_id, text=text)


@routes.get("/attempts/{attempt_id}/recording")
async def recording(attempt_id: Id, rooms: Rooms, asker: Operator) -> FileResponse:
    """The recording as a file that can be sought in."""
    path, kind = await rooms.replay.recording(attempt_id, asker.by())
    return FileResponse(path, media_type=kind, content_disposition_type="inline")


async def _page(
    request: Request, rooms: Rooms, asker: Asker, someone: Someone, *, status: int = 200, **more: str
) -> Response:
    view, phone = rooms.ledger.people, someone.row.phone
    everywhere, listed = await view.of_number(phone), await view.entries_of([phone])
    campaigns = {one.campaign_id: await view.campaign(one.campaign_id) for one in everywhere}
    names = await names_of(rooms, [*campaigns, *(one.entry.campaign_id for one in listed)])
    stories = await rooms.stories.of(phone=phone)
    ids = {one.spec.handle: one.campaign_id for one in campaigns.values()}
    values: dict[str, Any] = {
        "someone": masked(someone_document(someone)),
        "campaign": campaigns[someone.campaign_id],
        "everywhere": [
            (one.contact_id, campaigns[one.campaign_id], masked(someone_document(one)))
            for one in everywhere
        ],
        "attempts": [_attempt(history, ids.get(handle_of(history.attempt), 0)) for history in reversed(stories)],
        "barred": [
            (one.entry_id, suppression_document(one.entry, names)) for one in listed
        ],
        "why_not_again": why_not_again(someone.row.status, someone.row.disposition),
        "phone": more.get("phone", ""),
        "said": more.get("said", ""),
        "problem": more.get("problem", ""),
    }  # fmt: skip
    return show(request, asker, "person.html", status, **values)


def _attempt(history: History, campaign_id: int) -> dict[str, Any]:
    attempt = history.attempt
    return {
        "id": attempt.attempt_id,
        "campaign": attempt.campaign,
        "campaign_id": campaign_id,
        "rehearsal": history.is_rehearsal,
        "number_of": attempt.number_of,
        "state": str(attempt.state),
        "disposition": str(attempt.disposition or ""),
        "dialed_at": iso(attempt.dialed_at),
        "duration_s": attempt.duration_s,
        "has_call": bool(attempt.call_id),
        "moments": [(iso(one.at), mask_phones(one.what)) for one in moments(history)],
    }
