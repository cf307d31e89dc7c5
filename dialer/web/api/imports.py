"""Lists: send one, look at it, mend what is taken from which column, and bring it into its campaign."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Body, Header, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse, StreamingResponse

from dialer.errors import UnknownName
from dialer.list_access import first_settings
from dialer.web.access import Operator, Rooms
from dialer.web.api.lists_in import file_name, import_document, name_in, patched, refuse_source
from dialer.web.problems import Refusal

routes = APIRouter(prefix="/api/v1/imports", tags=["imports"])
BINARY: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
LIST_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "text/csv": BINARY,
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": BINARY,
        },
    }
}


class ImportChange(BaseModel):
    """What is to be otherwise about a list."""

    model_config = ConfigDict(extra="forbid")
    columns: dict[str, str] = Field(
        {}, description="As [contacts] of the campaign file: phone, name, timezone, region, key, ... -> a column."
    )
    region: str | None = Field(None, max_length=300, description="A column with the country, or the country of all.")
    settings: dict[str, Any] = Field(
        {}, description="In the shape of the campaign file; merged into what is there, null takes a key out."
    )


class Commit(BaseModel):
    """How a list goes into its campaign."""

    model_config = ConfigDict(extra="forbid")
    start: bool = Field(True, description="false: a campaign that never ran waits for its start.")
    reason: str = Field("", max_length=500, description="Why; it is kept in the audit.")


@routes.post("", status_code=201, summary="Send a list", openapi_extra=LIST_BODY)
async def send(
    request: Request,
    rooms: Rooms,
    asker: Operator,
    campaign: Annotated[str, Query(max_length=300, description="The name of its campaign, which need not exist.")],
    name: Annotated[str, Query(max_length=300, description="The file's name; else Content-Disposition says it.")] = "",
    encoding: Annotated[str, Query(max_length=40, description="Of a CSV that is not UTF-8, e.g. cp1252.")] = "",
    content_length: Annotated[int | None, Header(include_in_schema=False)] = None,
) -> JSONResponse:
    """The body is the file itself. Nobody is called: the answer is what would become of the list, with its first 20
    rows, and the columns as they were guessed. Of a long list, `counts` are those of its beginning, and `whole` is
    false; GET counts all of it.
    """
    if content_length is None:
        raise Refusal(411, "Content-Length is missing")
    given = name or name_in(request.headers.get("content-disposition", ""))
    called = file_name(given, request.headers.get("content-type", ""))
    try:
        settings, _, _ = await rooms.drafts.settings(campaign)
    except UnknownName:
        settings = first_settings(rooms.settings, called) | {"name": campaign}
    import_id = await rooms.lists.take(called, request.stream(), settings, asker.by(), encoding)
    document = import_document(await rooms.lists.prepared(import_id, whole=False))
    return JSONResponse(document, 201, {"Location": f"/api/v1/imports/{import_id}"})


@routes.get("/{import_id:int}", summary="A list that was sent")
async def look(import_id: int, rooms: Rooms, asker: Operator) -> dict[str, Any]:
    """What an import would bring, as of `seen_at`; once it is in its campaign, `report` says what it brought."""
    return import_document(await rooms.lists.prepared(import_id))


@routes.patch("/{import_id:int}", summary="Choose other columns, or other settings")
async def change(import_id: int, asked: ImportChange, rooms: Rooms, asker: Operator) -> dict[str, Any]:
    """The counts in the answer follow."""
    contacts: dict[str, Any] = {**asked.columns, **({} if asked.region is None else {"region": asked.region})}

    def edit(before: dict[str, Any]) -> dict[str, Any]:
        after = patched(patched(before, asked.settings), {"contacts": contacts} if contacts else {})
        refuse_source(asker, before, after)
        return after

    await rooms.lists.change(import_id, edit)
    return import_document(await rooms.lists.prepared(import_id, afresh=True))


@routes.post("/{import_id:int}/commit", summary="Bring it into its campaign")
async def commit(
    import_id: int, rooms: Rooms, asker: Operator, asked: Annotated[Commit | None, Body()] = None
) -> dict[str, Any]:
    """As `dialer enqueue`: the campaign is made if there is none, and runs. Asked again, it answers the same report."""
    asked = asked or Commit(start=True, reason="")
    report = await rooms.lists.commit(import_id, asker.by(asked.reason), start=asked.start)
    await rooms.ring()
    return {"import_id": import_id, **report}


@routes.get("/{import_id:int}/rejects", summary="The rejected rows", response_class=StreamingResponse)
async def rejects(import_id: int, rooms: Rooms, asker: Operator) -> StreamingResponse:
    """A CSV with the list's own columns, and for each row its line, the reason and the remedy. Mend it and send it
    again.
    """
    await rooms.lists.prepared(import_id)
    await rooms.looks.note(asker.by(), "export", "", f"rejects of list {import_id}")
    return csv_of(rooms.lists.rejects(import_id), f"rejects-{import_id}.csv")


def csv_of(content: AsyncIterator[bytes], name: str) -> StreamingResponse:
    """A CSV to be saved under a name, which holds nothing but letters, digits, "-" and "."."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(content, media_type="text/csv; charset=utf-8", headers=headers)
