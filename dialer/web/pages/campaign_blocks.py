"""What stands on a campaign's screen, block by block."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from dialer.domain.campaign import CampaignStatus
from dialer.domain.waiting import KINDS, NO_KEY, READY
from dialer.errors import DialerError
from dialer.pipeline.recent_acts import RecentActs
from dialer.ports import Campaign
from dialer.web.live import Now, Sample, lines_of, per_second
from dialer.web.pages.parts import address, rendered
from dialer.web.pages.verbs import may_cancel, verbs_for

BLOCKS = ("head", "actions", "bar", "pace", "limits", "outcomes", "facts", "log")
PACE_OVER_S = 10.0
CURVE_OVER_S, POINTS_OVER = 5.0, 6
"""A point of the curve tells of so many seconds, for which so many samples before it are enough."""
LOG_ROWS = 20
UNSURE = {
    "unknown_now": "calls that may or may not have been made; the call log will say",
    "unconfirmed": "calls that left no trace in the log",
    "unexplained_calls": "calls of the account that nobody here made",
}


async def blocks_of(acts: RecentActs, one: Campaign, now: Now, *, may_operate: bool) -> Mapping[str, str]:
    """Each block of the screen as HTML, in its order; what is the same for many is made once."""
    key = (one.spec.handle, may_operate)
    if key not in now.screens:
        now.screens[key] = asyncio.ensure_future(_made(acts, one, now, may_operate=may_operate))
    try:
        return await asyncio.shield(now.screens[key])
    except DialerError:
        now.screens.pop(key, None)
        raise


async def _made(acts: RecentActs, one: Campaign, now: Now, *, may_operate: bool) -> Mapping[str, str]:
    log = await acts.of(one.spec.handle, LOG_ROWS)
    return _rendered(one.campaign_id, now, log, may_operate=may_operate)


def _rendered(campaign_id: int, now: Now, log: list[Mapping[str, Any]], *, may_operate: bool) -> dict[str, str]:
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
        "layer_links": [_people(campaign_id, waits=_held_by(layer)) for layer in document["limits"]],
        "outcomes": [(name, count) for name, count in document["dispositions"].items() if count],
        "ended": sum(document["dispositions"].values()),
        "unsure": [(document[key], words) for key, words in UNSURE.items() if document[key]],
        "acts": log,
        "may_operate": may_operate,
        "verbs": verbs_for(CampaignStatus(document["status"])),
        "may_cancel": may_cancel(CampaignStatus(document["status"])),
    }
    shown = [key for key in BLOCKS if may_operate or key != "actions"]
    return {key: rendered(f"campaign/{key}.html", **values) for key in shown}


def _held_by(layer: Mapping[str, Any]) -> str:
    """The word by which the people behind a layer are listed.

    What is about no person holds all who are ready, as does an account without a key.
    """
    name = str(layer["layer"])
    return name if name in KINDS and not layer["now"].startswith(NO_KEY) else READY


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
    """Moments (unix seconds), calls a second over the last seconds before each, lines: three columns for the chart."""
    points = range(1, len(history))
    rates = (per_second(history[max(0, last - POINTS_OVER) : last + 1], CURVE_OVER_S) for last in points)
    return [
        [round(history[last].at, 1) for last in points],
        [round(rate, 2) for rate in rates],
        [float(history[last].lines) for last in points],
    ]
