"""Dialect A's batch jobs (wire contract, section 2.7; all bodies but that of the items are ours)."""

from datetime import datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import Response

from dialer.simulator import checking, forms
from dialer.simulator.answers import Json
from dialer.simulator.batches import STATES, Batch, Batches, BatchPlan, Item
from dialer.simulator.checking import Invalid, iso, problem
from dialer.simulator.csv_file import bad_file, read_table
from dialer.simulator.forms import File, Form
from dialer.simulator.operations import Body, Operation, good, operation, refused
from dialer.simulator.schemas import FREE, TEXT, TIME, WHOLE, listed, mapped, maybe, record, word
from dialer.simulator.switchboard import Refused
from dialer.simulator.vaani_desk import DIALECT, VaaniDesk

_operation = partial(operation, "2.7")
FILE, COLUMN = "file", "phone_number"
REQUIRED = ("name", "agent_id", "agent_phone_number")
STATUSES = ("pending", "calling", "completed", "failed")
NEW = Body(
    {
        "type": "object",
        "properties": {
            FILE: {"type": "string", "format": "binary"},
            **mapped(("name", "agent_id"), checking.filled.schema),
            "agent_phone_number": checking.number.schema,
            "scheduled_time": {"type": "string", "format": "date-time"},
            "timezone": TEXT,
        },
        "required": [FILE, *REQUIRED],
    },
    (forms.MULTIPART,),
)
BATCH = record(
    **mapped(("id", "name", "agent_id", "agent_phone_number"), TEXT),
    status=word(*STATES),
    scheduled_time=maybe(TEXT),
    timezone=maybe(TEXT),
    created_at=TIME,
    **mapped(("total", *STATUSES), WHOLE),
)
ITEM = record(
    ("call_log_id", "error"),
    **mapped(("id", "phone_number", "call_log_id", "error"), TEXT),
    status=word(*STATUSES),
    dynamic_variables=FREE,
)


class VaaniBatches:
    """``/batch``, for a user who logged in, as the documents have it."""

    def __init__(self, desk: VaaniDesk, batches: Batches) -> None:
        self.desk, self.batches = desk, batches

    def operations(self) -> list[Operation]:
        """What is served."""
        let_in, known = refused(401, 403), refused(401, 403, 404)
        return [
            _operation(
                "POST",
                "/batch/upload",
                self.upload,
                "Make a batch of a CSV; it calls nobody yet",
                good(BATCH, status=201) | known | refused(422),
                body=NEW,
            ),
            _operation(
                "POST", "/batch/{batch_id}/send", self.send, "Start it", good(BATCH) | known | refused(402, 409)
            ),
            _operation("GET", "/batch", self.list, "Batches, newest first", good(listed(BATCH)) | let_in),
            _operation("GET", "/batch/{batch_id}", self.get, "One batch", good(BATCH) | known),
            _operation(
                "GET",
                "/batch/{batch_id}/items",
                self.items,
                "What became of each row",
                good(record(items=listed(ITEM))) | known,
            ),
            _operation(
                "DELETE",
                "/batch/{batch_id}",
                self.delete,
                "Forget a batch that does not run",
                good(record(message=TEXT)) | known | refused(409),
            ),
        ]

    async def upload(self, request: Request) -> Response:
        """Keep it; a row without a number in E.164 has failed already."""
        self.desk.let_user_in(request)
        form = await forms.read(request)
        plan, file = _plan(form)
        rows = _rows(file)
        self.desk.board.known_agents(DIALECT)
        for agent in (plan.agent_id, plan.agent_phone_number):
            self.desk.board.check_agent(DIALECT, agent)
        return Json(_shown(self.batches.create(plan, rows)), 201)

    async def send(self, request: Request) -> Response:
        """Dial, at once or at the scheduled time."""
        batch = self._found(request)
        self.desk.board.check_wallet()
        self.batches.send(batch)
        return Json(_shown(batch))

    async def list(self, request: Request) -> Response:
        """All of them; nothing is documented of pages."""
        self.desk.let_user_in(request)
        return Json([_shown(batch) for batch in self.batches.newest_first()])

    async def get(self, request: Request) -> Response:
        """One batch."""
        return Json(_shown(self._found(request)))

    async def items(self, request: Request) -> Response:
        """In the order of the file; this is where a call is tied to its log."""
        return Json({"items": [_shown_item(item) for item in self._found(request).items]})

    async def delete(self, request: Request) -> Response:
        """Forget it; calls that were placed stay in the logs."""
        self.batches.delete(self._found(request))
        return Json({"message": "Batch deleted successfully"})

    def _found(self, request: Request) -> Batch:
        self.desk.let_user_in(request)
        batch = self.batches.find(request.path_params["batch_id"])
        if batch is None:
            raise Refused(404, "Batch not found")
        return batch


def _plan(form: Form) -> tuple[BatchPlan, File]:
    fields, file = form.fields, form.files.get(FILE)
    absent = [name for name in REQUIRED if not fields.get(name, "").strip()]
    if file is None or absent:
        missing = [*absent, *([FILE] if file is None else [])]
        raise Invalid([problem("body", name, "Field required", "missing") for name in missing])
    checking.check_body(dict(fields), {"agent_phone_number": checking.number}, ())
    when, timezone = fields.get("scheduled_time") or None, fields.get("timezone") or None
    plan = BatchPlan(
        **{name: fields[name] for name in REQUIRED},
        scheduled_time=when,
        scheduled_at=_moment(when, timezone),
        timezone=timezone,
    )
    return plan, file


def _moment(text: str | None, timezone: str | None) -> float | None:
    """Unix seconds; a time without a zone is in ``timezone``, or UTC."""
    name = "timezone"
    try:
        zone = ZoneInfo(timezone or "UTC")
        if not text:
            return None
        name = "scheduled_time"
        at = datetime.fromisoformat(text)
        return (at if at.tzinfo else at.replace(tzinfo=zone)).timestamp()
    except (ValueError, LookupError, OverflowError, OSError):
        raise Invalid([problem("body", name, "Input is not valid", "value_error")]) from None


def _rows(file: File) -> list[tuple[str, dict[str, str]]]:
    columns, rows = read_table(FILE, file)
    if COLUMN not in columns:
        raise bad_file(FILE, f"The file needs a row and a column {COLUMN}")
    others = [name for name in columns if name != COLUMN]
    return [(row[COLUMN].strip(), {name: row[name] for name in others}) for row in rows]


def _shown(batch: Batch) -> dict[str, Any]:
    plan, counts = batch.plan, batch.counts()
    return {
        "id": batch.batch_id,
        "name": plan.name,
        "agent_id": plan.agent_id,
        "agent_phone_number": plan.agent_phone_number,
        "status": batch.state,
        "scheduled_time": plan.scheduled_time,
        "timezone": plan.timezone,
        "created_at": iso(batch.created_at),
        "total": len(batch.items),
        **{status: counts[status] for status in STATUSES},
    }


def _shown_item(item: Item) -> dict[str, Any]:
    """``call_log_id`` once the call is over, if it leaves a log."""
    shown: dict[str, Any] = {"id": item.item_id, "phone_number": item.phone_number, "status": item.status}
    shown["dynamic_variables"] = item.variables
    if item.call is not None and item.status != "calling" and item.call.visible_at is not None:
        shown["call_log_id"] = item.call.call_id
    return shown if item.error is None else shown | {"error": item.error}
