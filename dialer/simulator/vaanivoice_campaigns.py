"""Dialect B's own campaigns (wire contract, section 3.12)."""

import csv
import io
from functools import partial
from typing import Annotated, Any, Literal

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from dialer.simulator import campaign_plan, vaanivoice_rows
from dialer.simulator.answers import Json
from dialer.simulator.campaign_plan import Lead, Plan
from dialer.simulator.campaigns import Campaign
from dialer.simulator.checking import PageNumber, zoned
from dialer.simulator.desk import Provider, Voice
from dialer.simulator.forms import ENCODED, MULTIPART, form_of
from dialer.simulator.operations import BINARY, JSON, TIME, Section, good, listed, mapped, one, record, sent
from dialer.simulator.storage import LINK_S
from dialer.simulator.switchboard import Refused
from dialer.simulator.vaanivoice_agents import COUNTS, counts

PATH = "/api/campaigns"
section = Section("vaanivoice", "3.12")
Status = Literal["scheduled", "active", "paused", "paused_out_of_range", "completed", "cancelled"]
PLAN = Plan.model_json_schema()
CHANGED = record(name=str, **PLAN["properties"]) | {"required": []}
NEW = record(csv_file=BINARY, **CHANGED["properties"]) | {"required": ["csv_file", *PLAN["required"]]}

STATS = record(**mapped(("total_calls", "completed", "pending", "in_progress", "failed"), int))
_SETTINGS: dict[str, Any] = {
    **mapped(("id", "client_id", "agent_id", "campaign_name", "excel_blob_url", "contact_source_type"), str),
    **mapped(("time_range_from", "time_range_to", "start_date", "end_date"), str),
    **mapped(("max_retries", "retry_after_mins", "call_concurrency"), int),
    **mapped(("created_at", "updated_at"), TIME),
    "campaign_status": Status,
    "days_of_week": list[str],
    "notification_emails": list[str],
    "webhook_url": str | None,
    "perform_dnd_check": bool,
}
CAMPAIGN = record(**_SETTINGS)
SAME = _SETTINGS.keys() & Plan.model_fields.keys()
"""What comes back under the name it was sent under."""
DETAILED = record(
    **_SETTINGS,
    agent=record(id=str, name=str),
    stats=STATS,
    **mapped(("total_leads", "completed_calls", "pending_calls", "failed_calls"), int),
)
LISTED = ("id", "campaign_name", "campaign_status", "agent_id", "call_concurrency", "created_at", "updated_at")
_ROW = record(**{name: _SETTINGS[name] for name in LISTED}, total_leads=int, completed_calls=int)
LIST = one(*(record(**{key: listed(_ROW)}, pagination=COUNTS) for key in ("campaigns", "data", "items")))
RESULTS = record(
    campaign_id=str,
    results_url=str,
    generated_at=TIME,
    expires_at=TIME,
    post_processing_status=Literal["not_processed", "processing", "completed", "failed"],
)
COLUMNS = (
    *("name", "phone_number", "call_status", "call_duration", "call_transcript", "call_summary", "call_tags"),
    *("attempts", "last_attempt_at"),
)


@section.post(
    f"{PATH}/create", openapi_extra=sent(NEW, (MULTIPART,)), **good(CAMPAIGN, 400, 401, 402, 404, 422, status=201)
)
async def create(provider: Voice, request: Request) -> Response:
    """Create a campaign from a CSV; it dials as soon as its window is open."""
    form, board = await form_of(request), provider.board
    file = form.file(campaign_plan.FILE)
    plan = campaign_plan.new_plan(form.fields, provider.options, provider.now)
    leads = campaign_plan.leads_of(file)
    board.check_agent("vaanivoice", plan.agent_id)
    board.check_wallet()
    campaign = provider.campaigns.create(plan, leads)
    name, csv_file = f"campaigns/{campaign.campaign_id}/contacts.csv", _csv_answer(file.content)
    link = provider.storage.link(board.address, name, lambda _: csv_file, provider.now)
    return Json(_shown(provider, campaign) | {"excel_blob_url": link}, 201)


@section.get(f"{PATH}/", **good(LIST, 401, 422))
async def campaigns(
    provider: Voice,
    page: PageNumber = 1,
    page_size: Annotated[int, Query(ge=1, le=100)] = 20,
    status: Status | None = None,
) -> Response:
    """Campaigns, newest first; the documents and the vendor's client differ about the key, hence a switch."""
    found = provider.campaigns.newest_first(status)
    rows = [_row(provider, campaign) for campaign in found[(page - 1) * page_size : page * page_size]]
    return Json({provider.options.vaanivoice_campaigns: rows, "pagination": counts(page, page_size, len(found))})


@section.get(f"{PATH}/{{campaign_id}}/status", **good(DETAILED, 401, 404))
async def campaign_status(provider: Voice, campaign_id: str) -> Response:
    """How it stands; the counters are all that is told of single contacts before the results."""
    campaign = _found(provider, campaign_id)
    stats, agent_id = campaign.counts(), campaign.plan.agent_id
    agent = provider.board.known_agents("vaanivoice").find(agent_id)
    more = {
        "agent": {"id": agent_id, "name": agent.handle if agent else agent_id},
        "stats": stats,
        "total_leads": stats["total_calls"],
        **{f"{name}_calls": stats[name] for name in ("completed", "pending", "failed")},
    }
    return Json(_shown(provider, campaign) | more)


@section.get(f"{PATH}/{{campaign_id}}/results", **good(RESULTS, 401, 404))
async def results(provider: Voice, campaign_id: str) -> Response:
    """A link to the results; 404 until the campaign is over and every call has ended."""
    campaign, now = _found(provider, campaign_id), provider.now
    if campaign.over_at is None:
        raise Refused(404, "Results are not ready", code="RESULTS_NOT_READY")
    name, file = f"campaigns/{campaign.campaign_id}/results.csv", partial(_results_file, provider, campaign)
    done = now >= campaign.over_at + provider.options.log_delay_s
    return Json(
        {
            "campaign_id": campaign.campaign_id,
            "results_url": provider.storage.link(provider.board.address, name, file, now),
            "generated_at": zoned(now),
            "expires_at": zoned(int(now) + LINK_S),
            "post_processing_status": "completed" if done else "processing",
        }
    )


@section.put(
    f"{PATH}/{{campaign_id}}",
    openapi_extra=sent(CHANGED, (ENCODED, MULTIPART, *JSON)),
    **good(CAMPAIGN, 400, 401, 404, 409, 422),
)
async def update(provider: Voice, campaign_id: str, request: Request) -> Response:
    """Change settings, which pauses it: it has to be resumed afterwards."""
    campaign, form = _found(provider, campaign_id), await form_of(request)
    plan = campaign_plan.changed_plan(campaign.plan, form.fields, provider.options, provider.now)
    provider.campaigns.turn(campaign, "paused", plan)
    return Json(_shown(provider, campaign))


def _serve_verb(verb: str, state: str, summary: str) -> None:
    async def turned(provider: Voice, campaign_id: str) -> Response:
        campaign = _found(provider, campaign_id)
        if state == "stopping":
            provider.campaigns.stop(campaign)
        else:
            provider.campaigns.turn(campaign, state)
        return Json(_shown(provider, campaign))

    turned.__doc__ = summary
    section.post(f"{PATH}/{{campaign_id}}/{verb}", **good(CAMPAIGN, 401, 404, 409))(turned)


_serve_verb("start", "active", "Dial; only the vendor's client knows it")
_serve_verb("pause", "paused", "No new calls for now")
_serve_verb("resume", "active", "Dial on")
_serve_verb("stop", "stopping", "Work off today's window and end")
_serve_verb("cancel", "cancelled", "No new calls, ever")


def _found(provider: Provider, campaign_id: str) -> Campaign:
    campaign = provider.campaigns.find(campaign_id)
    if campaign is None:
        raise Refused(404, "Campaign not found", code="NOT_FOUND")
    return campaign


def _row(provider: Provider, campaign: Campaign) -> dict[str, Any]:
    stats = campaign.counts()
    shown = _shown(provider, campaign)
    more = {"total_leads": stats["total_calls"], "completed_calls": stats["completed"]}
    return {name: shown[name] for name in LISTED} | more


def _shown(provider: Provider, campaign: Campaign) -> dict[str, Any]:
    plan = campaign.plan
    return {
        "id": campaign.campaign_id,
        "client_id": "client-simulator",
        **plan.model_dump(include=SAME),
        "excel_blob_url": f"http://{provider.board.address}/storage/campaigns/{campaign.campaign_id}/contacts.csv",
        "campaign_status": campaign.status(provider.now),
        "contact_source_type": "csv",
        "time_range_from": f"{plan.start_time:%H:%M:%S}Z",
        "time_range_to": f"{plan.end_time:%H:%M:%S}Z",
        "retry_after_mins": plan.retry_delay_mins,
        "call_concurrency": plan.concurrency,
        "start_date": plan.from_date.isoformat(),
        "end_date": plan.to_date.isoformat(),
        "webhook_url": plan.campaign_webhook_url,
        "created_at": zoned(campaign.created_at),
        "updated_at": zoned(campaign.updated_at),
    }


def _results_file(provider: Provider, campaign: Campaign, _: Request) -> Response:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows(_result(provider, lead) for lead in campaign.leads)
    return _csv_answer(text.getvalue().encode())


def _result(provider: Provider, lead: Lead) -> tuple[Any, ...]:
    last = zoned(lead.last_attempt_at) if lead.last_attempt_at is not None else ""
    tries = (lead.attempts, last)
    call = lead.calls[-1] if lead.calls else None
    if call is None or call.life.answered_at is None:
        return lead.name, lead.phone, lead.status, 0, "", "", "", *tries
    said, summary = vaanivoice_rows.transcript(call), vaanivoice_rows.summary(call, provider.options)
    return lead.name, lead.phone, lead.status, round(call.life.talk_s, 3), said, summary, "", *tries


def _csv_answer(content: bytes) -> Response:
    return Response(content, media_type="text/csv")
