"""People and settings that come into a campaign."""

import json
from collections import Counter
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse, Response

from dialer.adapters.campaign_file import parse_settings, write_settings
from dialer.errors import CampaignFileError, UnknownName
from dialer.ports.uploads import GivenPerson
from dialer.web.access import Operator, Rooms, Viewer
from dialer.web.api.lists_in import refuse_source
from dialer.web.names import Name
from dialer.web.problems import Refusal

routes = APIRouter(prefix="/api/v1/campaigns", tags=["campaigns"])

MOST = 1_000
TOML = "application/toml"
FILE_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"type": "object"}},
            TOML: {"schema": {"type": "string"}},
        },
    }
}
Text = Annotated[str, Field(max_length=32_767)]


class Person(BaseModel):
    """One person; numbers are taken as text."""

    model_config = ConfigDict(extra="forbid", coerce_numbers_to_str=True)
    phone: Text = Field(description="With its country code, or with `region`.")
    name: Text = ""
    key: Text = Field("", description="A person's own id, where several campaigns or numbers mean the same person.")
    timezone: Text = Field("", description="IANA, e.g. Asia/Kolkata.")
    region: Text = Field("", description="ISO 3166 code of the country, for numbers in national format.")
    event: Text = Field("", description="When the appointment is, in a campaign of reminders.")
    variables: dict[str, Text] = Field({}, description="What the agent is given.")


class People(BaseModel):
    """People to add."""

    model_config = ConfigDict(extra="forbid")
    contacts: list[Person] = Field(min_length=1, max_length=MOST)
    reason: str = Field("", max_length=500, description="Why; it is kept in the audit.")


@routes.post("/{name:campaign}/contacts", summary="Add people, one to a thousand")
async def add_people(name: Name, asked: People, rooms: Rooms, asker: Operator) -> dict[str, Any]:
    """Each is checked as the row of a list is, and answered in order: `queued`, `duplicate`, `suppressed`, `deferred`
    or `invalid`, with the reason and the remedy. Good ones are taken though others are not. A campaign that runs calls
    them at once.
    """
    people = [GivenPerson(**one.model_dump()) for one in asked.contacts]
    added = await rooms.adding.run(name, people, "API", asker.by(asked.reason))
    await rooms.ring()
    counts = Counter(one.result for one in added)
    words = ("queued", "duplicate", "suppressed", "invalid", "deferred")
    report = {"rows": len(added), **{word: counts[word] for word in words}}
    return {"campaign": name, "report": report, "contacts": [asdict(one) for one in added]}


@routes.get("/{name:campaign}/settings", summary="A campaign in the shape of its file")
async def settings(name: Name, request: Request, rooms: Rooms, asker: Viewer) -> Response:
    """As JSON, or as the file itself for `Accept: application/toml`. The ETag goes into `If-Match` of a change."""
    said, notes, mark = await rooms.drafts.settings(name)
    headers = {"ETag": f'"{mark}"', "Vary": "Accept"}
    if TOML in request.headers.get("accept", ""):
        return Response(write_settings(said, notes), media_type=TOML, headers=headers)
    return JSONResponse(said, headers=headers)


@routes.put(
    "/{name:campaign}",
    summary="Make a campaign, or give it other settings",
    openapi_extra=FILE_BODY,
    responses={201: {"description": "It was made, and waits for its start."}},
)
async def put(
    name: Name,
    request: Request,
    rooms: Rooms,
    asker: Operator,
    if_match: Annotated[str, Header(description="The ETag that was read: 412 if it is another by now.")] = "",
    if_none_match: Annotated[str, Header(description="`*`: 412 if there is such a campaign.")] = "",
) -> JSONResponse:
    """The whole of the campaign file: a key that is not said has its default. Its people stay."""
    said = _settings(await request.body(), request.headers.get("content-type", ""))
    try:
        before, _, _ = await rooms.drafts.settings(name)
    except UnknownName:
        before = {}
    refuse_source(asker, before, said)
    seen = if_match.strip().removeprefix("W/").strip('"')
    is_new = if_none_match.strip() == "*"
    campaign, mark = await rooms.drafts.put(name, said, asker.by(), seen=seen, is_new=is_new)
    await rooms.ring()
    document = {"campaign": campaign.spec.name, "status": str(campaign.status), "campaign_id": campaign.campaign_id}
    return JSONResponse(document, 201 if campaign.is_new else 200, {"ETag": f'"{mark}"'})


def _settings(body: bytes, kind: str) -> dict[str, Any]:
    """Raises CampaignFileError, Refusal."""
    if kind.partition(";")[0].strip().lower() == TOML:
        return parse_settings(body, "body")
    if kind and "json" not in kind:
        raise Refusal(415, "a campaign is sent as application/json or application/toml")
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        raise CampaignFileError("body: not readable as JSON") from None
    if not isinstance(said, dict):
        raise CampaignFileError("body: must be an object, in the shape of the campaign file")
    return said
