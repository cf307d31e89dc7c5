"""People of a campaign, one person, and calling them again."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import StreamingResponse

from dialer.domain.access import Role
from dialer.domain.disposition import Disposition
from dialer.domain.people_filter import PeopleFilter
from dialer.domain.suppression import hash_of
from dialer.pipeline.act_on_people import someone_document
from dialer.pipeline.row_documents import (
    ATTEMPT_COLUMNS,
    CONTACT_COLUMNS,
    attempt_document,
    contact_document,
    suppression_document,
)
from dialer.pipeline.tell_story import history_document
from dialer.web.access import Operator, Rooms, Viewer
from dialer.web.filters import Id, Wanted
from dialer.web.names import Name
from dialer.web.private import e164, names_of, shown
from dialer.web.rows_out import Format, download, own_columns

routes = APIRouter(prefix="/api/v1", tags=["people"])

MOST = 500
Limit = Annotated[int, Query(ge=1, le=MOST)]
After = Annotated[int, Query(ge=0, le=2**62, description="`next` of the page before.")]
Outcome = Literal["answered", "voicemail", "no_answer", "busy", "rejected", "failed", "unconfirmed"]


class Redial(BaseModel):
    """Whose last call came to one of these is called again."""

    model_config = ConfigDict(extra="forbid")
    dispositions: list[Outcome] = Field(min_length=1, max_length=20)
    reason: str = Field("", max_length=500)


class Number(BaseModel):
    """A number in any spelling; ``region`` (ISO 3166) for one without a country code."""

    model_config = ConfigDict(extra="forbid")
    phone: str = Field(max_length=60)
    region: str = Field("", max_length=2)


@routes.get("/campaigns/{name:campaign}/contacts", summary="People of a campaign, by id")
async def contacts(
    name: Name, wanted: Wanted, rooms: Rooms, asker: Viewer, limit: Limit = 100, after: After = 0
) -> dict[str, Any]:
    """Each as a row of `dialer export --format jsonl`, with its id and what it waits for. A page may hold fewer than
    `limit`, or none, though `has_more`: only so many are looked at at once.
    """
    campaign = await rooms.ledger.campaign(name)
    page = await rooms.ledger.people.page(campaign.campaign_id, wanted, after, limit)
    data = [shown(someone_document(one), asker) for one in page.people]
    return {"data": data, "has_more": page.next is not None, "next": page.next}


@routes.get("/campaigns/{name:campaign}/attempts", summary="Attempts of a campaign, oldest first")
async def attempts(name: Name, rooms: Rooms, asker: Viewer, limit: Limit = 100, after: After = 0) -> dict[str, Any]:
    """Each as a row of `dialer export --attempts --format jsonl`."""
    campaign = await rooms.ledger.campaign(name)
    rows = await rooms.ledger.people.attempts(campaign.campaign_id, after, limit + 1)
    more, rows = len(rows) > limit, rows[:limit]
    data = [shown(attempt_document(row), asker) for row in rows]
    return {"data": data, "has_more": more, "next": rows[-1].attempt_id if more else None}


@routes.post("/campaigns/{name:campaign}/redial", summary="Call the people of some outcomes again")
async def redial(name: Name, wanted: Redial, rooms: Rooms, asker: Operator) -> dict[str, Any]:
    """Who is on the suppression list, was reached on another number, or whose appointment has passed is skipped; hours
    and limits hold. Asked again, it changes nothing.
    """
    outcomes = [Disposition(word) for word in dict.fromkeys(wanted.dispositions)]
    done = await rooms.control(asker.by(wanted.reason)).redial(name, outcomes)
    if done.people:
        await rooms.ring()
    words = [str(outcome) for outcome in outcomes]
    return {"campaign": name, "dispositions": words, "people": done.people, "skipped": dict(done.skipped)}


@routes.get(
    "/campaigns/{name:campaign}/export", summary="One row for each person or attempt", response_class=StreamingResponse
)
async def export(
    name: Name,
    rooms: Rooms,
    asker: Operator,
    form: Annotated[Format, Query(alias="format")] = "csv",
    rows: Literal["contacts", "attempts"] = "contacts",
) -> StreamingResponse:
    """As `dialer export`, streamed; cells that a spreadsheet would run begin with an apostrophe. The audit keeps it."""
    campaign = await rooms.ledger.campaign(name)
    acting, campaign_id = rooms.acting(asker.by()), campaign.campaign_id
    await acting.note_export(campaign, rows)
    if rows == "attempts":
        made = (attempt_document(row) async for row in rooms.ledger.attempt_rows(campaign_id))
        return download(made, ATTEMPT_COLUMNS, (), form, f"campaign-{campaign_id}-attempts")
    everybody = PeopleFilter()
    own = await own_columns(contact_document(one.row) async for one in acting.rows(campaign_id, everybody))
    people = (contact_document(one.row) async for one in acting.rows(campaign_id, everybody))
    return download(people, CONTACT_COLUMNS, own, form, f"campaign-{campaign_id}")


@routes.post("/contacts/search", summary="Everybody with a number")
async def search(wanted: Number, rooms: Rooms, asker: Operator) -> dict[str, Any]:
    """Over all campaigns, the newest first."""
    people = await rooms.ledger.people.of_number(e164(wanted.phone, wanted.region))
    return {"data": [someone_document(one) for one in people], "has_more": False, "next": None}


@routes.get("/contacts/{contact_id:int}", summary="One person, and every call to them")
async def contact(contact_id: Id, rooms: Rooms, asker: Viewer) -> dict[str, Any]:
    """`story` is as `dialer attempts --json`, over all campaigns; `suppressions` are the entries of the list that name
    the number. The audit keeps who saw the number.
    """
    view = rooms.ledger.people
    someone = await view.person(contact_id)
    campaign, phone = await view.campaign(someone.campaign_id), someone.row.phone
    everywhere, listed = await view.of_number(phone), await view.entries_of([phone])
    known = [*(one.campaign_id for one in everywhere), *(one.entry.campaign_id for one in listed)]
    names = await names_of(rooms, known)
    document = someone_document(someone) | {
        "elsewhere": [
            {"contact_id": one.contact_id, "campaign": names[one.campaign_id], "status": str(one.row.status)}
            for one in everywhere
            if one.contact_id != contact_id
        ],
        "story": [history_document(history) for history in await rooms.stories.of(phone=phone)],
        "suppressions": [{"id": one.entry_id} | suppression_document(one.entry, names) for one in listed],
    }
    if asker.may(Role.OPERATOR):
        await rooms.looks.note(asker.by(), "reveal", campaign.spec.handle, hash_of(phone))
    return shown(document | {"campaign": campaign.spec.name}, asker)
