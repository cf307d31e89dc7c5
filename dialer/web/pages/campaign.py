"""One campaign on one screen, in blocks that are sent again when they change."""

import json
from collections.abc import Awaitable, Callable, Mapping
from itertools import pairwise
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response, StreamingResponse

from dialer.domain.access import Role
from dialer.domain.campaign import CampaignStatus
from dialer.ports import Campaign
from dialer.web.access import Asker, Operator, Rooms, Viewer
from dialer.web.api.events import event, streamed
from dialer.web.live import Live, Now, Sample, lines_of, per_second
from dialer.web.pages.parts import address, rendered, show
from dialer.web.pages.verbs import may_cancel, verbs_for

routes = APIRouter(prefix="/campaigns/{campaign_id}", include_in_schema=False)

BLOCKS = ("head", "bar", "pace", "limits", "outcomes", "facts", "log")
PACE_OVER_S = 10.0
LOG_ROWS = 20
PEOPLE_OF = {
    "window": "window", "people": "people", "number busy": "number busy", "trial": "trial", "key": "key",
    "later": "later",
}  # fmt: skip
"""Layer -> the word by which the people behind it are listed."""
UNSURE = {
    "unknown_now": "calls that may or may not have been made; the call log will say",
    "unconfirmed": "calls that left no trace in the log",
    "unexplained_calls": "calls of the account that nobody here made",
}


@routes.get("")
async def campaign(campaign_id: int, request: Request, rooms: Rooms, asker: Viewer) -> Response:
    """The screen."""
    one = await rooms.ledger.people.campaign(campaign_id)
    live: Live = request.app.state.live
    now = await live.now(one.spec.handle)
    log = await rooms.recent_acts.of(one.spec.handle, LOG_ROWS)
    blocks = [{"key": key, "html": html} for key, html in blocks_of(campaign_id, now, log).items()]
    return show(
        request,
        asker,
        "campaign.html",
        name=one.spec.name,
        campaign_id=campaign_id,
        blocks=blocks,
        actions=_actions(campaign_id, now.document["status"]),
    )


@routes.get("/live")
async def live(campaign_id: int, request: Request, rooms: Rooms, asker: Viewer) -> StreamingResponse:
    """The blocks of the screen as they change: all of them first."""
    one = await rooms.ledger.people.campaign(campaign_id)
    return streamed(request.app.state.live, one.spec.handle, _changes(rooms, asker, one))


def _changes(rooms: Rooms, asker: Asker, one: Campaign) -> Callable[[Now], Awaitable[str]]:
    shown: dict[str, str] = {}

    async def changed(now: Now) -> str:
        log = await rooms.recent_acts.of(one.spec.handle, LOG_ROWS)
        blocks = blocks_of(one.campaign_id, now, log)
        if asker.may(Role.OPERATOR):
            blocks["actions"] = _actions(one.campaign_id, now.document["status"])
        news = {key: html for key, html in blocks.items() if shown.get(key) != html}
        shown.update(news)
        return event("blocks", news)

    return changed


@routes.get("/cancel")
async def ask_cancel(campaign_id: int, request: Request, rooms: Rooms, asker: Operator) -> Response:
    """The question whether it is to end for good."""
    one = await rooms.ledger.people.campaign(campaign_id)
    return show(request, asker, "cancel.html", campaign=one, wrong=False)


@routes.post("/cancel")
async def cancel(
    campaign_id: int,
    request: Request,
    rooms: Rooms,
    asker: Operator,
    typed: Annotated[str, Form(max_length=300)] = "",
    reason: Annotated[str, Form(max_length=500)] = "",
) -> Response:
    """End it for good, if its name was typed."""
    one = await rooms.ledger.people.campaign(campaign_id)
    if typed.strip() != one.spec.name:
        return show(request, asker, "cancel.html", 422, campaign=one, wrong=True)
    await rooms.control(asker.by(reason)).move(one.spec.handle, "cancel")
    return RedirectResponse(f"/campaigns/{campaign_id}", 303)


@routes.post("/{verb}")
async def move(
    campaign_id: int, verb: Literal["start", "pause", "resume"], request: Request, rooms: Rooms, asker: Operator
) -> Response:
    """Start, pause or resume: the answer comes when it holds."""
    one = await rooms.ledger.people.campaign(campaign_id)
    await rooms.control(asker.by()).move(one.spec.handle, verb)
    return RedirectResponse(f"/campaigns/{campaign_id}", 303)


def blocks_of(campaign_id: int, now: Now, log: list[Mapping[str, Any]]) -> dict[str, str]:
    """Each block of the screen as HTML."""
    document = now.document
    segments = _segments(campaign_id, document)
    values: dict[str, Any] = {
        "campaign_id": campaign_id,
        "now": document,
        "talking": lines_of(document),
        "segments": [(name, count, kind) for name, count, kind, _ in segments],
        "legend": segments,
        "lines": lines_of(document),
        "per_second": per_second(now.history, PACE_OVER_S),
        "chart": json.dumps(_curves(now.history), separators=(",", ":")),
        "layer_links": {
            layer: _people(campaign_id, waits=PEOPLE_OF[layer]) if layer in PEOPLE_OF else ""
            for layer in (one["layer"] for one in document["limits"])
        },
        "outcomes": [(name, count) for name, count in document["dispositions"].items() if count],
        "ended": sum(document["dispositions"].values()),
        "unsure": [(document[key], words) for key, words in UNSURE.items() if document[key]],
        "acts": log,
    }
    return {key: rendered(f"campaign/{key}.html", **values) for key in BLOCKS}


def _actions(campaign_id: int, status: str) -> str:
    known = CampaignStatus(status)
    return rendered(
        "campaign/actions.html", campaign_id=campaign_id, verbs=verbs_for(known), may_cancel=may_cancel(known)
    )


def _people(campaign_id: int, **query: str) -> str:
    return address(f"/campaigns/{campaign_id}/people", **query)


def _segments(campaign_id: int, document: Mapping[str, Any]) -> list[tuple[str, int, str, str]]:
    """(what, how many people, its colour, their list), in the order in which people move through them."""
    contacts, talking = document["contacts"], lines_of(document)
    ready = sum(count for why, count in document["waiting"].items() if why in ("waiting for its turn", "being dialed"))
    ready = max(0, min(ready, contacts["pending"] + contacts["active"]) - document["attempts"]["dialing"])
    waits = max(0, contacts["pending"] + contacts["active"] - talking - ready)
    never = [(name, contacts[name]) for name in ("suppressed", "invalid", "expired", "cancelled")]
    return [
        ("reached", contacts["reached"], "reached", _people(campaign_id, status="reached")),
        ("not reached, given up", contacts["exhausted"], "other", _people(campaign_id, status="exhausted")),
        ("in a call", talking, "talking", _people(campaign_id, waits="call")),
        ("ready now", ready, "ready", _people(campaign_id, waits="ready")),
        ("wait for later", waits, "waits", _people(campaign_id, waits="any")),
        *((f"{name}", count, "never", _people(campaign_id, status=name)) for name, count in never),
    ]


def _curves(history: tuple[Sample, ...]) -> list[list[float]]:
    """Moments (unix seconds), calls a second between each and the one before, lines: three columns for the chart."""
    steps = list(pairwise(history))
    return [
        [round(after.at, 1) for _, after in steps],
        [round(max(0, after.placed - before.placed) / max(0.1, after.at - before.at), 2) for before, after in steps],
        [float(after.lines) for _, after in steps],
    ]
