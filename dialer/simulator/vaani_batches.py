"""Dialect A's batch jobs (wire contract, section 2.7; all bodies but that of the items are ours).

They are for a user who logged in, as the documents have it.
"""

from datetime import datetime
from typing import Any, Literal, get_args
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import Response

from dialer.simulator.answers import Json
from dialer.simulator.batches import Batch, BatchPlan, Item, State
from dialer.simulator.checking import invalid, iso, validated
from dialer.simulator.desk import Provider, User
from dialer.simulator.forms import MULTIPART, File, form_of, read_table
from dialer.simulator.operations import BINARY, TIME, Section, good, listed, mapped, record, sent
from dialer.simulator.switchboard import Refused

section = Section("vaani", "2.7")
FILE, COLUMN = "file", "phone_number"
Status = Literal["pending", "calling", "completed", "failed"]
PLAN = BatchPlan.model_json_schema()
NEW = sent(
    PLAN | {"properties": {FILE: BINARY, **PLAN["properties"]}, "required": [FILE, *PLAN["required"]]}, (MULTIPART,)
)
BATCH = record(
    **mapped(("id", "name", "agent_id", "agent_phone_number"), str),
    status=State,
    scheduled_time=str | None,
    timezone=str | None,
    created_at=TIME,
    **mapped(("total", *get_args(Status)), int),
)
ITEM = record(
    ("call_log_id", "error"),
    **mapped(("id", "phone_number", "call_log_id", "error"), str),
    status=Status,
    dynamic_variables=dict,
)


@section.post("/batch/upload", openapi_extra=NEW, **good(BATCH, 401, 403, 404, 422, status=201))
async def upload(provider: User, request: Request) -> Response:
    """Make a batch of a CSV; it calls nobody yet. A row without a number in E.164 has failed already."""
    form = await form_of(request)
    plan = validated(BatchPlan, {name: text for name, text in form.fields.items() if text})
    rows, at = _rows(form.file(FILE)), _moment(plan)
    provider.board.known_agents("vaani")
    for agent in (plan.agent_id, plan.agent_phone_number):
        provider.board.check_agent("vaani", agent)
    return Json(_shown(provider.batches.create(plan, at, rows)), 201)


@section.post("/batch/{batch_id}/send", **good(BATCH, 401, 402, 403, 404, 409))
async def send(provider: User, batch_id: str) -> Response:
    """Dial, at once or at the scheduled time."""
    batch = _found(provider, batch_id)
    provider.board.check_wallet()
    provider.batches.send(batch)
    return Json(_shown(batch))


@section.get("/batch", **good(listed(BATCH), 401, 403))
async def batches(provider: User) -> Response:
    """Batches, newest first; nothing is documented of pages."""
    return Json([_shown(batch) for batch in provider.batches.newest_first()])


@section.get("/batch/{batch_id}", **good(BATCH, 401, 403, 404))
async def batch(provider: User, batch_id: str) -> Response:
    """One batch."""
    return Json(_shown(_found(provider, batch_id)))


@section.get("/batch/{batch_id}/items", **good(record(items=listed(ITEM)), 401, 403, 404))
async def items(provider: User, batch_id: str) -> Response:
    """What became of each row, in the order of the file; this is where a call is tied to its log."""
    return Json({"items": [_shown_item(item) for item in _found(provider, batch_id).items]})


@section.delete("/batch/{batch_id}", **good(record(message=str), 401, 403, 404, 409))
async def delete(provider: User, batch_id: str) -> Response:
    """Forget a batch that does not run; calls that were placed stay in the logs."""
    provider.batches.delete(_found(provider, batch_id))
    return Json({"message": "Batch deleted successfully"})


def _found(provider: Provider, batch_id: str) -> Batch:
    batch = provider.batches.find(batch_id)
    if batch is None:
        raise Refused(404, "Batch not found")
    return batch


def _moment(plan: BatchPlan) -> float | None:
    """When it is to dial, in unix seconds; a time without a zone is in the plan's, or in UTC."""
    field = "timezone"
    try:
        zone = ZoneInfo(plan.timezone or "UTC")
        if not plan.scheduled_time:
            return None
        field = "scheduled_time"
        at = datetime.fromisoformat(plan.scheduled_time)
        return (at if at.tzinfo else at.replace(tzinfo=zone)).timestamp()
    except (ValueError, LookupError, OverflowError, OSError):
        raise invalid(field, "Input is not valid") from None


def _rows(file: File) -> list[tuple[str, dict[str, str]]]:
    columns, rows = read_table(FILE, file)
    if COLUMN not in columns:
        raise invalid(FILE, f"The file needs a row and a column {COLUMN}")
    return [(row[COLUMN].strip(), {name: row[name] for name in columns if name != COLUMN}) for row in rows]


def _shown(batch: Batch) -> dict[str, Any]:
    counts = batch.counts()
    return {
        **batch.plan.model_dump(),
        "id": batch.batch_id,
        "status": batch.state,
        "created_at": iso(batch.created_at),
        "total": len(batch.items),
        **{status: counts[status] for status in get_args(Status)},
    }


def _shown_item(item: Item) -> dict[str, Any]:
    """``call_log_id`` once the call is over, if it leaves a log."""
    shown: dict[str, Any] = {"id": item.item_id, "phone_number": item.phone_number, "status": item.status}
    shown["dynamic_variables"] = item.variables
    if item.call is not None and item.status != "calling" and item.call.visible_at is not None:
        shown["call_log_id"] = item.call.call_id
    return shown if item.error is None else shown | {"error": item.error}
