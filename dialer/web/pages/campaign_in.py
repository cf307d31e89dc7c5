"""What goes into a campaign that is there, and comes out of it as a file: one person, its settings, its rejects."""

from collections.abc import AsyncIterator

from fastapi import APIRouter, Request
from starlette.responses import FileResponse, Response

from dialer.adapters.campaign_file import write_settings
from dialer.errors import UnknownName, UsageError
from dialer.ports.uploads import GivenPerson
from dialer.web.access import Operator, Rooms, Viewer
from dialer.web.api.imports import csv_of
from dialer.web.pages.new_campaign import toml_of
from dialer.web.pages.new_campaign_steps import entered
from dialer.web.pages.parts import show

routes = APIRouter(prefix="/campaigns/{campaign_id}", include_in_schema=False)
LONGEST = 500


@routes.get("/add")
async def ask_person(campaign_id: int, request: Request, rooms: Rooms, asker: Operator) -> Response:
    """The form for one person."""
    one = await rooms.ledger.people.campaign(campaign_id)
    return show(request, asker, "new/person.html", campaign=one, given={}, added=None, wrong="")


@routes.post("/add")
async def add_person(campaign_id: int, request: Request, rooms: Rooms, asker: Operator) -> Response:
    """Add one person; who is there already stays as they are."""
    one = await rooms.ledger.people.campaign(campaign_id)
    given = await entered(request)
    said = {name: given.get(name, "")[:LONGEST] for name in ("phone", "name", "key", "timezone", "region", "event")}
    person = GivenPerson(**said, variables=_variables(given.get("variables", "")))
    added, wrong = None, ""
    try:
        added = (await rooms.adding.run(one.spec.handle, [person], "by hand", asker.by()))[0]
        await rooms.ring()
    except UsageError as refused:
        wrong = str(refused)
    failed = wrong or (added is not None and added.result == "invalid")
    values = {"campaign": one, "given": given if failed else {}, "added": added, "wrong": wrong}
    return show(request, asker, "new/person.html", 422 if failed else 200, **values)


@routes.get("/file")
async def campaign_file(campaign_id: int, rooms: Rooms, asker: Viewer) -> Response:
    """Its campaign file."""
    one = await rooms.ledger.people.campaign(campaign_id)
    settings, notes, _ = await rooms.drafts.settings(one.spec.handle)
    return toml_of(write_settings(settings, notes), one.spec.name)


@routes.get("/rejects")
async def rejects(campaign_id: int, rooms: Rooms, asker: Operator) -> Response:
    """The rows of its last list that cannot be called, each with its reason and remedy, as CSV."""
    one = await rooms.ledger.people.campaign(campaign_id)
    sent, own = rooms.lists.last_rejects(one.spec.handle), rooms.rejects_of(one.spec.name)
    first = await anext(sent, None)
    if first is None and not own:
        raise UnknownName("no rows were rejected, or they were kept on another machine")
    await rooms.ledger.record_act("export", asker.by(), one.spec.handle, "rejects")
    if own:
        return FileResponse(own, media_type="text/csv; charset=utf-8", filename=f"rejects-{campaign_id}.csv")
    return csv_of(_joined(first or b"", sent), f"rejects-{campaign_id}.csv")


async def _joined(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for content in rest:
        yield content


def _variables(text: str) -> dict[str, str]:
    """From lines of ``name = value``."""
    pairs = (line.partition("=") for line in text.splitlines() if line.strip())
    return {name.strip(): value.strip() for name, _, value in pairs}
