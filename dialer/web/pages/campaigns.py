"""The list of campaigns."""

from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from dialer.domain.campaign import OVER
from dialer.pipeline.iso import iso
from dialer.ports import Campaign
from dialer.web.access import Rooms, Viewer
from dialer.web.pages.parts import show
from dialer.web.pages.verbs import verbs_for

routes = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Line:
    """A campaign in the list."""

    campaign: Campaign
    total: int
    final: int
    verbs: tuple[tuple[str, str], ...]
    starts_at: str | None

    @property
    def percent(self) -> float:
        """Of its people, how many are final."""
        return 100 * self.final / self.total if self.total else 0.0


@routes.get("/")
async def campaigns(request: Request, rooms: Rooms, asker: Viewer) -> Response:
    """Every campaign: those that are not over first, each with its progress."""
    every = await rooms.ledger.campaigns()
    progress = await rooms.progress.of([one.campaign_id for one in every])
    lines = [_line(one, *progress[one.campaign_id]) for one in reversed(every)]
    parts: dict[str, list[Line]] = {"now": [], "over": []}
    for line in lines:
        parts["over" if line.campaign.status in OVER else "now"].append(line)
    values: dict[str, Any] = {"parts": parts}
    values["campaign_times"] = {one.campaign_id: iso(one.started_at) for one in every}
    return show(request, asker, "campaigns.html", **values)


def _line(campaign: Campaign, total: int, final: int) -> Line:
    starts_at = iso(campaign.spec.schedule.start) if campaign.status == "scheduled" else None
    return Line(campaign, total, final, verbs_for(campaign.status), starts_at)
