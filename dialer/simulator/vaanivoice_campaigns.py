"""Dialect B's own campaigns (wire contract, section 3.12)."""

import csv
import io
from collections.abc import Callable
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from dialer.simulator import campaign_plan, forms, vaanivoice_rows
from dialer.simulator.answers import Json
from dialer.simulator.campaign_plan import Lead
from dialer.simulator.campaigns import Campaign, Campaigns
from dialer.simulator.checking import Invalid, Whole, Word, iso, problem
from dialer.simulator.desk import DIALECT, Desk
from dialer.simulator.operations import Answer, Body, Endpoint, Operation, good, operation, refused
from dialer.simulator.schemas import (
    DETAIL,
    ERROR,
    FLAG,
    TEXT,
    TIME,
    WHOLE,
    Schema,
    listed,
    mapped,
    maybe,
    one,
    record,
    word,
)
from dialer.simulator.storage import LINK_S, Storage
from dialer.simulator.switchboard import Refused

PATH = "/api/campaigns"
_operation = partial(operation, "3.12")
STATES = ("scheduled", "active", "paused", "paused_out_of_range", "completed", "cancelled")
PAGE, SIZE, STATUS = Whole("page", 1), Whole("page_size", 20, 100), Word("status", STATES)

_FIELDS: dict[str, Schema] = {
    "campaign_name": {"type": "string", "minLength": 1, "maxLength": 255},
    "name": TEXT,
    **mapped(("agent_id", "days_of_week"), {"type": "string", "minLength": 1}),
    "notification_emails": TEXT,
    "concurrency": {"type": "integer", "minimum": 1},
    **mapped(("from_date", "to_date"), {"type": "string", "format": "date"}),
    **mapped(("start_time", "end_time"), {"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"}),
    "perform_dnd_check": FLAG,
    "max_retries": {"type": "integer", "minimum": 1, "maximum": campaign_plan.MOST_TRIES},
    "retry_delay_mins": {"type": "integer", "minimum": 0, "maximum": campaign_plan.MOST_DELAY_MINS},
    **mapped(("campaign_webhook_url", "per_call_webhook_url"), {"type": "string", "format": "uri"}),
}
_FILE: Schema = {"type": "string", "format": "binary"}
NEW = Body(
    {
        "type": "object",
        "properties": {"csv_file": _FILE, **_FIELDS},
        "required": ["csv_file", *campaign_plan.REQUIRED, "days_of_week"],
    },
    (forms.MULTIPART,),
)
CHANGED = Body({"type": "object", "properties": _FIELDS}, (forms.ENCODED, forms.MULTIPART, "application/json"))

STATS = record(**mapped(("total_calls", "completed", "pending", "in_progress", "failed"), WHOLE))
_SETTINGS: dict[str, Schema] = {
    **mapped(("id", "client_id", "agent_id", "campaign_name", "excel_blob_url", "contact_source_type"), TEXT),
    **mapped(("time_range_from", "time_range_to", "start_date", "end_date"), TEXT),
    **mapped(("max_retries", "retry_after_mins", "call_concurrency"), WHOLE),
    **mapped(("created_at", "updated_at"), TIME),
    "campaign_status": word(*STATES),
    "days_of_week": listed(TEXT),
    "notification_emails": listed(TEXT),
    "webhook_url": maybe(TEXT),
    "perform_dnd_check": FLAG,
}
CAMPAIGN = record(**_SETTINGS)
DETAILED = record(
    **_SETTINGS,
    agent=record(id=TEXT, name=TEXT),
    stats=STATS,
    **mapped(("total_leads", "completed_calls", "pending_calls", "failed_calls"), WHOLE),
)
_ROW = record(
    **mapped(("id", "campaign_name", "agent_id"), TEXT),
    campaign_status=word(*STATES),
    **mapped(("call_concurrency", "total_leads", "completed_calls"), WHOLE),
    **mapped(("created_at", "updated_at"), TIME),
)
_COUNTS = record(**mapped(("page", "page_size", "total", "total_pages"), WHOLE))
LIST = one(*(record(**{key: listed(_ROW)}, pagination=_COUNTS) for key in ("campaigns", "data", "items")))
RESULTS = record(
    campaign_id=TEXT,
    results_url=TEXT,
    generated_at=TIME,
    expires_at=TIME,
    post_processing_status=word("not_processed", "processing", "completed", "failed"),
)
COLUMNS = (
    *("name", "phone_number", "call_status", "call_duration", "call_transcript", "call_summary", "call_tags"),
    *("attempts", "last_attempt_at"),
)


class VaanivoiceCampaigns:
    """``/api/campaigns``."""

    def __init__(self, desk: Desk, campaigns: Campaigns, storage: Storage) -> None:
        self.desk, self.campaigns, self.storage = desk, campaigns, storage

    def operations(self) -> list[Operation]:
        """What is served."""
        refusals = {status: Answer("fields failed validation", one(DETAIL, ERROR)) for status in (400, 422)}
        created = good(CAMPAIGN, status=201) | refused(401, 402, 404) | refusals
        changed = good(CAMPAIGN) | refused(401, 404, 409) | refusals
        known = refused(401, 404)
        verbs: dict[str, tuple[Callable[[Campaign], None], str]] = {
            "start": (self.campaigns.resume, "Dial; only the vendor's client knows it"),
            "pause": (self.campaigns.pause, "No new calls for now"),
            "resume": (self.campaigns.resume, "Dial on"),
            "stop": (self.campaigns.stop, "Work off today's window and end"),
            "cancel": (self.campaigns.cancel, "No new calls, ever"),
        }
        return [
            _operation(
                "POST",
                f"{PATH}/create",
                self.create,
                "Create a campaign from a CSV; it dials at once",
                created,
                body=NEW,
            ),
            _operation(
                "GET",
                f"{PATH}/",
                self.list,
                "Campaigns, newest first",
                good(LIST) | refused(401, 422),
                query=(PAGE, SIZE, STATUS),
            ),
            _operation("GET", f"{PATH}/{{campaign_id}}/status", self.status, "How it stands", good(DETAILED) | known),
            _operation(
                "GET", f"{PATH}/{{campaign_id}}/results", self.results, "A link to the results", good(RESULTS) | known
            ),
            _operation(
                "PUT", f"{PATH}/{{campaign_id}}", self.update, "Change settings, which pauses it", changed, body=CHANGED
            ),
            *(
                _operation(
                    "POST",
                    f"{PATH}/{{campaign_id}}/{verb}",
                    self._turning(turn),
                    summary,
                    good(CAMPAIGN) | refused(401, 404, 409),
                )
                for verb, (turn, summary) in verbs.items()
            ),
        ]

    async def create(self, request: Request) -> Response:
        """Create it, and dial as soon as its window is open."""
        self.desk.let_in(request)
        form, board = await forms.read(request), self.desk.board
        file = form.files.get("csv_file")
        if file is None:
            raise Invalid([problem("body", "csv_file", "Field required", "missing")])
        plan = campaign_plan.new_plan(form.fields, board.options, board.clock.now())
        leads = campaign_plan.leads_of(file)
        board.check_agent(DIALECT, plan.agent_id)
        board.check_wallet()
        campaign = self.campaigns.create(plan, leads)
        return Json(self._shown(campaign) | {"excel_blob_url": self._source(campaign, file.content)}, 201)

    async def list(self, request: Request) -> Response:
        """A page of them; the documents and the vendor's client differ about the key, hence a switch."""
        self.desk.let_in(request)
        page, size = PAGE.of(request), SIZE.of(request)
        found = self.campaigns.newest_first(STATUS.of(request))
        rows = [self._row(campaign) for campaign in found[(page - 1) * size : page * size]]
        counts = {"page": page, "page_size": size, "total": len(found), "total_pages": -(-len(found) // size)}
        return Json({self.desk.board.options.vaanivoice_campaigns: rows, "pagination": counts})

    async def status(self, request: Request) -> Response:
        """Settings and counters; the counters are all that is told of single contacts before the results."""
        campaign = self._found(request)
        stats = campaign.counts()
        agent = self.desk.board.known_agents(DIALECT).find(campaign.plan.agent_id)
        more = {
            "agent": {"id": campaign.plan.agent_id, "name": agent.handle if agent else campaign.plan.agent_id},
            "stats": stats,
            "total_leads": stats["total_calls"],
            "completed_calls": stats["completed"],
            "pending_calls": stats["pending"],
            "failed_calls": stats["failed"],
        }
        return Json(self._shown(campaign) | more)

    async def results(self, request: Request) -> Response:
        """404 until the campaign is over and every call has ended."""
        campaign, board = self._found(request), self.desk.board
        now, over_at = board.clock.now(), campaign.over_at
        if over_at is None:
            raise Refused(404, "Results are not ready", code="RESULTS_NOT_READY")
        name = f"campaigns/{campaign.campaign_id}/results.csv"
        done = now >= over_at + board.options.log_delay_s
        return Json(
            {
                "campaign_id": campaign.campaign_id,
                "results_url": self.storage.link(board.address, name, lambda _: self._results_file(campaign), now),
                "generated_at": _zoned(now),
                "expires_at": _zoned(int(now) + LINK_S),
                "post_processing_status": "completed" if done else "processing",
            }
        )

    async def update(self, request: Request) -> Response:
        """Change what is given; it has to be resumed afterwards."""
        campaign, board = self._found(request), self.desk.board
        form = await forms.read(request)
        plan = campaign_plan.changed_plan(campaign.plan, form.fields, board.options, board.clock.now())
        self.campaigns.edit(campaign, plan)
        return Json(self._shown(campaign))

    # --- parts -------------------------------------------------------------------------------------------

    def _turning(self, turn: Callable[[Campaign], None]) -> Endpoint:
        async def turned(request: Request) -> Response:
            campaign = self._found(request)
            turn(campaign)
            return Json(self._shown(campaign))

        return turned

    def _found(self, request: Request) -> Campaign:
        self.desk.let_in(request)
        campaign = self.campaigns.find(request.path_params["campaign_id"])
        if campaign is None:
            raise Refused(404, "Campaign not found", code="NOT_FOUND")
        return campaign

    def _row(self, campaign: Campaign) -> dict[str, Any]:
        stats = campaign.counts()
        names = ("id", "campaign_name", "campaign_status", "agent_id", "call_concurrency", "created_at", "updated_at")
        shown = self._shown(campaign)
        more = {"total_leads": stats["total_calls"], "completed_calls": stats["completed"]}
        return {name: shown[name] for name in names} | more

    def _shown(self, campaign: Campaign) -> dict[str, Any]:
        plan = campaign.plan
        return {
            "id": campaign.campaign_id,
            "client_id": "client-simulator",
            "agent_id": plan.agent_id,
            "campaign_name": plan.campaign_name,
            "excel_blob_url": f"http://{self.desk.board.address}/storage/campaigns/{campaign.campaign_id}/contacts.csv",
            "campaign_status": campaign.status(self.desk.board.clock.now()),
            "contact_source_type": "csv",
            "days_of_week": list(plan.days),
            "time_range_from": f"{plan.start_time:%H:%M:%S}Z",
            "time_range_to": f"{plan.end_time:%H:%M:%S}Z",
            "max_retries": plan.tries,
            "retry_after_mins": plan.retry_delay_mins,
            "call_concurrency": plan.concurrency,
            "start_date": plan.from_date.isoformat(),
            "end_date": plan.to_date.isoformat(),
            "notification_emails": list(plan.emails),
            "webhook_url": plan.campaign_webhook_url,
            "perform_dnd_check": plan.perform_dnd_check,
            "created_at": _zoned(campaign.created_at),
            "updated_at": _zoned(campaign.updated_at),
        }

    def _source(self, campaign: Campaign, content: bytes) -> str:
        name = f"campaigns/{campaign.campaign_id}/contacts.csv"
        board = self.desk.board
        return self.storage.link(board.address, name, lambda _: _csv_answer(content), board.clock.now())

    def _results_file(self, campaign: Campaign) -> Response:
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(COLUMNS)
        writer.writerows(self._result(lead) for lead in campaign.leads)
        return _csv_answer(text.getvalue().encode())

    def _result(self, lead: Lead) -> tuple[Any, ...]:
        options = self.desk.board.options
        last = _zoned(lead.last_attempt_at) if lead.last_attempt_at is not None else ""
        tries = (lead.attempts, last)
        call = lead.calls[-1] if lead.calls else None
        if call is None or call.life.answered_at is None:
            return lead.name, lead.phone, lead.status, 0, "", "", "", *tries
        said, summary = vaanivoice_rows.transcript(call), vaanivoice_rows.summary(call, options)
        return lead.name, lead.phone, lead.status, round(call.life.talk_s, 3), said, summary, "", *tries


def _csv_answer(content: bytes) -> Response:
    return Response(content, media_type="text/csv")


def _zoned(at: float) -> str:
    return f"{iso(at)}Z"
