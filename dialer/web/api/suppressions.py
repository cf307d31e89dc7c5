"""The suppression list: numbers that must not be called."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Query, Request
from pydantic import BaseModel, ConfigDict, Field, model_validator
from starlette.responses import FileResponse

from dialer.domain.suppression import read_hash
from dialer.pipeline.row_documents import suppression_document
from dialer.ports import Suppression
from dialer.web.access import Asker, Operator, Rooms
from dialer.web.api.campaigns import Reason
from dialer.web.api.people import After, Limit
from dialer.web.files_in import taken
from dialer.web.filters import Id
from dialer.web.private import e164, names_of

routes = APIRouter(prefix="/api/v1/suppressions", tags=["suppressions"])

DO_NOT_CALL = "do not call"
SOURCE = "api"
MOST_NUMBERS = 1_000


class Numbers(BaseModel):
    """Numbers in any spelling, or hashes ("sha256:" and 64 hexadecimal digits); one as ``phone``, or many."""

    model_config = ConfigDict(extra="forbid")
    phone: str = Field("", max_length=100)
    phones: list[Annotated[str, Field(max_length=100)]] = Field(default_factory=list, max_length=MOST_NUMBERS)
    region: str = Field("", max_length=2, description="ISO 3166, for numbers without a country code.")
    campaign: str = Field("", max_length=300, description="Its name; empty: over all campaigns.")
    reason: str = Field(DO_NOT_CALL, max_length=500)

    @model_validator(mode="after")
    def _has_some(self) -> "Numbers":
        if not self.phone and not self.phones:
            raise ValueError("give phone, or phones")
        return self

    @property
    def all(self) -> list[str]:
        """Both."""
        return [*([self.phone] if self.phone else []), *self.phones]


@routes.get("", summary="The list, the newest first")
async def entries(rooms: Rooms, asker: Operator, limit: Limit = 100, after: After = 0) -> dict[str, Any]:
    """Each as a row of `dialer suppress list --format jsonl`, with its id."""
    page = await rooms.ledger.people.suppressions(after or 2**62, limit + 1)
    more, page = len(page) > limit, page[:limit]
    names = await names_of(rooms, [one.entry.campaign_id for one in page])
    data = [{"id": one.entry_id} | suppression_document(one.entry, names) for one in page]
    return {"data": data, "has_more": more, "next": page[-1].entry_id if more else None}


@routes.post("", summary="Add numbers")
async def add(wanted: Numbers, rooms: Rooms, asker: Operator) -> dict[str, Any]:
    """Answers when it holds: no request leaves for them any more. `data` are the entries, new and old."""
    campaign_id = (await rooms.ledger.campaign(wanted.campaign)).campaign_id if wanted.campaign else None
    phones = list(dict.fromkeys(read_hash(text) or e164(text, wanted.region) for text in wanted.all))
    reason = wanted.reason.strip() or DO_NOT_CALL
    entries = [Suppression(phone, reason, SOURCE, campaign_id) for phone in phones]
    added = await rooms.control(asker.by(reason)).suppress(entries)
    names = await names_of(rooms, [campaign_id])
    listed = [
        {"id": one.entry_id} | suppression_document(one.entry, names)
        for one in await rooms.ledger.people.entries_of(phones)
        if one.entry.campaign_id == campaign_id
    ]
    return {"added": sum(added), "already_listed": len(added) - sum(added), "data": listed}


@routes.delete("/{entry_id:int}", summary="Take an entry off the list")
async def remove(
    entry_id: Id, rooms: Rooms, asker: Operator, reason: Annotated[Reason | None, Body()] = None
) -> dict[str, Any]:
    """From then on the number may be called again; who waits no more is not called by that alone."""
    await take_off(rooms, asker, entry_id, reason.reason if reason else "")
    return {"id": entry_id, "removed": True}


async def take_off(rooms: Rooms, asker: Asker, entry_id: int, reason: str) -> None:
    """Raises UnknownName."""
    entry = (await rooms.ledger.people.suppression(entry_id)).entry
    await rooms.ledger.unsuppress([entry.phone], entry.campaign_id, asker.by(reason))


@routes.post("/import", summary="Add every number of a CSV file")
async def import_list(
    request: Request,
    rooms: Rooms,
    asker: Operator,
    region: Annotated[str, Query(max_length=2)] = "",
    name: Annotated[str, Query(max_length=80, description="The file's name: the source of its entries.")] = "api.csv",
) -> dict[str, Any]:
    """The body is the file. Answers when it holds, as `dialer suppress import --json`: people in rows that could not be
    read can still be called. `rejects` is where these rows can be fetched.
    """
    async with taken(request.stream(), name, rooms.settings.home, rooms.ledger.clock.now()) as file:
        barred = await rooms.import_suppressions(file.path, region, asker.by(), file.digest)
    rejects = f"/api/v1/suppressions/rejects/{file.digest}" if barred.rejects else ""
    return barred.document | {"rejects": rejects}


@routes.get("/rejects/{digest}", summary="The rows of an import that could not be read", response_class=FileResponse)
async def rejects(digest: str, rooms: Rooms, asker: Operator) -> FileResponse:
    """Each row with its reason and remedy, to correct and import again."""
    path = await rooms.suppression_rejects(digest, asker.by())
    return FileResponse(path, media_type="text/csv", filename="rejects.csv")
