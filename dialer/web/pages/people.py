"""The people of a campaign, by filter."""

from typing import Annotated, Any, Literal, get_args

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import RedirectResponse, Response

from dialer.domain.people_filter import WAIT_WORDS, PeopleFilter
from dialer.pipeline.act_on_people import Action, someone_document
from dialer.web.access import Operator, Rooms, Viewer
from dialer.web.filters import Id, Outcome, Status, Waits, Wanted
from dialer.web.pages.parts import address, show
from dialer.web.private import masked

routes = APIRouter(prefix="/campaigns/{campaign_id}", include_in_schema=False)

PAGE = 100
MOST_COUNTED = 10_000
DONE = {
    "redial": "{people} to be called again now, {skipped} skipped.",
    "stop": "{people} to be called no more. Calls that are on go on to their end.",
    "suppress": "{people} put on the do-not-call list, {skipped} were there already. No request leaves for them.",
}


def _said(
    did: Literal["", "redial", "stop", "suppress"] = "",
    done: Annotated[int, Query(ge=0, le=2**40)] = 0,
    skipped: Annotated[int, Query(ge=0, le=2**40)] = 0,
) -> str:
    """What was done just now."""
    return DONE[did].format(people=f"{done:,}", skipped=f"{skipped:,}") if did else ""


@routes.get("/people")
async def people(
    campaign_id: Id,
    wanted: Wanted,
    request: Request,
    rooms: Rooms,
    asker: Viewer,
    said: Annotated[str, Depends(_said)],
    after: Annotated[int, Query(ge=0, le=2**62)] = 0,
) -> Response:
    """A page of those whom the filter means; their numbers are masked."""
    view = rooms.ledger.people
    campaign = await view.campaign(campaign_id)
    page = await view.page(campaign_id, wanted, after, PAGE)
    here = f"/campaigns/{campaign_id}/people"
    values: dict[str, Any] = {
        "campaign": campaign,
        "wanted": wanted,
        "counted": await _count(rooms, campaign_id, wanted),
        "people": [masked(someone_document(one)) for one in page.people],
        "next": address(here, **wanted.query, after=page.next) if page.next is not None else "",
        "first": address(here, **wanted.query) if after else "",
        "actions": {action: address(f"{here}/{action}", **wanted.query) for action in get_args(Action)},
        "choices": choices(),
        "said": said,
    }  # fmt: skip
    return show(request, asker, "people.html", **values)


@routes.get("/export")
async def export_all(campaign_id: Id, asker: Operator) -> Response:
    """Everybody is a filter too."""
    return RedirectResponse(f"/campaigns/{campaign_id}/people/export", 303)


async def _count(rooms: Rooms, campaign_id: int, wanted: PeopleFilter) -> str:
    """How many the filter means, where that is quickly counted."""
    if not wanted.only_status:
        return "People"
    count = await rooms.ledger.people.count(campaign_id, wanted.status, MOST_COUNTED + 1)
    if count > MOST_COUNTED:
        return f"More than {MOST_COUNTED:,} people"
    return f"{count:,} {'person' if count == 1 else 'people'}"


def choices() -> dict[str, list[tuple[str, str]]]:
    """Of each condition every value, and the words for it."""
    words = {"": "any"}
    return {
        "status": [(value, words.get(value, "")) for value in get_args(Status)],
        "outcome": [(value, words.get(value, "")) for value in get_args(Outcome)],
        "waits": [(value, words.get(value) or WAIT_WORDS[value]) for value in get_args(Waits)],
    }
