"""The suppression list: look for a number, add, remove, import."""

from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, Query, Request, UploadFile
from starlette.responses import FileResponse, RedirectResponse, Response

from dialer.domain.phone_number import mask
from dialer.domain.suppression import read_hash
from dialer.pipeline.row_documents import suppression_document
from dialer.ports import Suppression
from dialer.ports.people import Listed
from dialer.web.access import Asker, Operator, Rooms
from dialer.web.api.suppressions import DO_NOT_CALL, take_off
from dialer.web.files_in import taken
from dialer.web.filters import Id
from dialer.web.pages.parts import show
from dialer.web.pages.people_actions import said_why
from dialer.web.private import e164, names_of

routes = APIRouter(prefix="/suppressions", include_in_schema=False)

PAGE = 100
CHUNK = 256 * 1024
SHOWN_REJECTS = 100
SOURCE = "console"
Phone = Annotated[str, Form(max_length=100)]
Region = Annotated[str, Form(max_length=2)]
Reason = Annotated[str, Form(max_length=500)]
SAID = {
    "": "",
    "add": "Added. No request leaves for this number any more.",
    "listed": "This number was on the list already.",
    "remove": "Removed. The number may be called again.",
}


@routes.get("")
async def entries(
    request: Request,
    rooms: Rooms,
    asker: Operator,
    before: Annotated[int, Query(ge=0, le=2**62)] = 0,
    did: Literal["", "add", "listed", "remove"] = "",
) -> Response:
    """The newest entries, or those before one."""
    page = await rooms.ledger.people.suppressions(before or 2**62, PAGE + 1)
    more, page = len(page) > PAGE, page[:PAGE]
    older = f"/suppressions?before={page[-1].entry_id}" if more else ""
    return await _page(request, rooms, asker, page, older=older, newer=bool(before), said=SAID[did])


@routes.post("/search")
async def search(request: Request, rooms: Rooms, asker: Operator, phone: Phone = "", region: Region = "") -> Response:
    """The entries that name a number, or its hash."""
    listed = await rooms.ledger.people.entries_of([read_hash(phone) or e164(phone, region)])
    said = "" if listed else "This number is not on the list."
    return await _page(request, rooms, asker, listed, said=said, newer=True, searched=True)


@routes.post("/add")
async def add(rooms: Rooms, asker: Operator, phone: Phone = "", region: Region = "", reason: Reason = "") -> Response:
    """Over all campaigns; the answer comes when it holds."""
    by = asker.by(reason)
    entry = Suppression(read_hash(phone) or e164(phone, region), by.why or DO_NOT_CALL, SOURCE)
    added = await rooms.control(by).suppress([entry])
    return RedirectResponse(f"/suppressions?did={'add' if added[0] else 'listed'}", 303)


@routes.get("/{entry_id}/remove")
async def ask_remove(entry_id: Id, request: Request, rooms: Rooms, asker: Operator) -> Response:
    """Whether the number may really be called again."""
    listed = await rooms.ledger.people.suppression(entry_id)
    names = await names_of(rooms, [listed.entry.campaign_id])
    return show(request, asker, "suppression_remove.html", entry_id=entry_id, entry=_shown(listed, names))


@routes.post("/{entry_id}/remove")
async def remove(entry_id: Id, rooms: Rooms, asker: Operator, reason: Reason = "") -> Response:
    """Take an entry off the list."""
    await take_off(rooms, asker, entry_id, said_why(asker, reason).why)
    return RedirectResponse("/suppressions?did=remove", 303)


@routes.post("/import")
async def import_list(
    request: Request, rooms: Rooms, asker: Operator, list_file: UploadFile, region: Region = "", reason: Reason = ""
) -> Response:
    """Every number of a CSV file, and what could not be read of it; the answer comes when it holds."""
    async with taken(
        _chunks(list_file), list_file.filename or "", rooms.settings.home, rooms.ledger.clock.now()
    ) as file:
        barred = await rooms.import_suppressions(file.path, region, asker.by(reason), file.digest)
    rejects = f"/suppressions/rejects/{file.digest}" if barred.rejects else ""
    shown = barred.unread[:SHOWN_REJECTS]
    return show(request, asker, "suppressions_imported.html", barred=barred, shown=shown, rejects=rejects)


@routes.get("/rejects/{digest}")
async def rejects(digest: str, rooms: Rooms, asker: Operator) -> FileResponse:
    """The rows of an import that could not be read, to correct and import again."""
    path = await rooms.suppression_rejects(digest, asker.by())
    return FileResponse(path, media_type="text/csv", filename="rejects.csv")


async def _chunks(sent: UploadFile) -> AsyncIterator[bytes]:
    while chunk := await sent.read(CHUNK):
        yield chunk


async def _page(request: Request, rooms: Rooms, asker: Asker, page: list[Listed], **more: Any) -> Response:
    names = await names_of(rooms, [one.entry.campaign_id for one in page])
    values: dict[str, Any] = {"older": "", "newer": False, "said": "", "searched": False} | more
    values["entries"] = [(one.entry_id, _shown(one, names)) for one in page]
    return show(request, asker, "suppressions.html", **values)


def _shown(listed: Listed, names: dict[int, str]) -> dict[str, Any]:
    document = suppression_document(listed.entry, names)
    hashed = read_hash(listed.entry.phone)
    return document | {"phone": f"{hashed[:15]}…" if hashed else mask(listed.entry.phone)}
