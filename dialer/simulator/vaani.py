"""Dialect A, api.vaani.ai: calls and what is known of them (wire contract, sections 2.2 to 2.6)."""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any

from fastapi import Query
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, BeforeValidator, Field, WithJsonSchema
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from dialer.simulator import tokens, vaani_rows
from dialer.simulator.answers import Json, record_of
from dialer.simulator.books import Call, Order
from dialer.simulator.call_log import Page, Row, between, cut
from dialer.simulator.checking import BAD_NUMBER, Body, Free, Phone, read
from dialer.simulator.desk import Provider, Reader, writer
from dialer.simulator.operations import PLACING, Section, answer, good, sent
from dialer.simulator.placing import Words, place
from dialer.simulator.switchboard import Refused, numbered_agent_id
from dialer.simulator.vaanivoice_recordings import audio_of

DIALECT = "vaani"
CSV_ROWS = 200
placing, logs, export, browser, one = (Section(DIALECT, f"2.{number}") for number in (2, 3, 5, 6, 4))
sections = (placing, logs, export, browser, one)
"""In the order they are matched: fixed names before ``{call_log_id}`` (section 2.4)."""


class Dial(Body):
    """A call that is asked for."""

    agent_phone_number: Phone
    phone_number_to_dial: Phone
    dynamic_variables: Free | None = None


def _seconds(text: str, *, day_s: float = 0.0) -> float:
    """ISO 8601 as unix seconds; without a zone it is UTC, and to a bare date ``day_s`` is added."""
    try:
        at = datetime.fromisoformat(text)
        seconds = (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    except OverflowError:
        raise ValueError(text) from None
    return seconds + day_s if len(text) == len("2026-11-21") else seconds


_MOMENT = WithJsonSchema({"anyOf": [{"type": "string", "format": each} for each in ("date", "date-time")]})
Start = Annotated[float, BeforeValidator(_seconds), _MOMENT]
End = Annotated[float, BeforeValidator(partial(_seconds, day_s=86_400 - 1e-6)), _MOMENT]


class Filters(BaseModel):
    """Which calls, and which page of them; a bare date is a whole day in UTC, both ends included (section 2.3)."""

    page: Annotated[int, Field(ge=1)] = 1
    page_size: Annotated[int, Field(ge=1, le=100)] = 25
    call_type: str | None = None
    agent_id: str | None = None
    start_date: Start | None = None
    end_date: End | None = None
    call_direction: str | None = None


Filtered = Annotated[Filters, Query()]


@placing.post(
    "/calls/outbound_call",
    openapi_extra=sent(Dial.model_json_schema()),
    **good(vaani_rows.PLACED, 400, *PLACING, more={201: answer(vaani_rows.PLACED)}),
)
async def outbound_call(request: Request) -> Response:
    """Place a call; every POST is another call. The answer carries no id, as the vendor documents none."""
    provider = await writer(request)
    provider.board.admit()
    order = await _order(request)
    provider.board.check_agent(DIALECT, order.agent)
    provider.board.check_wallet()
    return await place(
        provider.board, order, record_of(request), Words(partial(_accepted, provider), _declined, _denied)
    )


@logs.get("/calls/logs", **good(vaani_rows.LIST, 401, 422, 500))
async def call_logs(provider: Reader, asked: Filtered, request: Request) -> Response:
    """Calls, a page at a time, filtered."""
    cut_page = partial(_page, provider, asked)
    page = provider.board.log_page(DIALECT, asked.page, record_of(request), "Internal server error", cut_page)
    items = [_item(provider, row.call) for row in page.rows]
    return Json(vaani_rows.envelope(items, page, provider.options))


@export.get("/calls/export-csv", response_class=Response, **good(str, 401, 422, kinds=("text/csv",)))
async def export_csv(provider: Reader, asked: Filtered) -> Response:
    """The same as CSV, streamed; whether pages hold here is not documented, hence a switch."""
    paged = {} if provider.options.vaani_export_paged else {"page": 1, "page_size": 2**62}
    rows = _page(provider, asked.model_copy(update=paged), False).rows
    headers = {"Content-Disposition": 'attachment; filename="call_logs.csv"'}
    return StreamingResponse(_csv(provider, rows), media_type="text/csv", headers=headers)


@browser.get("/calls/generate-token", **good(vaani_rows.TOKEN, 400, 401, 404))
async def generate_token(provider: Reader, phone: str = "", id: str = "") -> Response:
    """A LiveKit token for a browser session with an agent; the session id is no reference for phone calls."""
    if not phone or not id:
        raise Refused(400, "Missing required query parameters")
    provider.board.check_agent(DIALECT, phone)
    token = tokens.livekit(f"web_{id}", f"web-{id}", provider.now)
    if provider.options.vaani_web_body == "token":
        return Json({"token": token})
    return Json({"identity": f"web_{id}", "accessToken": token})


@one.get("/calls/{call_log_id}", **good(vaani_rows.ITEM, 401, 404))
async def call_log(provider: Reader, call_log_id: str) -> Response:
    """One log, the same shape as in the list; 404 until it is visible there."""
    call = provider.board.find(DIALECT, call_log_id)
    if call is None or call.visible_at is None or call.visible_at > provider.now:
        raise Refused(404, "Call log not found")
    return Json(_item(provider, call))


async def _order(request: Request) -> Order:
    try:
        asked = await read(Dial, request)
    except RequestValidationError as error:
        if {each["loc"][1:2] for each in error.errors()} <= {("agent_phone_number",), ("phone_number_to_dial",)}:
            raise Refused(400, BAD_NUMBER) from None
        raise
    return Order(DIALECT, asked.phone_number_to_dial, asked.agent_phone_number, variables=asked.dynamic_variables or {})


def _item(provider: Provider, call: Call) -> dict[str, Any]:
    shown = vaani_rows.item(call, provider.options)
    if not provider.options.vaani_recording_url or call.life.answered_at is None:
        return shown
    name = f"mv/{shown['start_time'][:10].replace('-', '/')}/{call.call_id}.ogg"
    link = provider.storage.link(provider.board.address, name, partial(audio_of, call), provider.now)
    return {**shown, "recording_url": link}


def _csv(provider: Provider, rows: Sequence[Row]) -> Iterator[str]:
    """The head even when there is no row."""
    text = io.StringIO()
    writer = csv.DictWriter(text, vaani_rows.COLUMNS, extrasaction="ignore")
    writer.writeheader()
    for start in range(0, len(rows) or 1, CSV_ROWS):
        for row in rows[start : start + CSV_ROWS]:
            shown = vaani_rows.item(row.call, provider.options)
            writer.writerow(shown | {"messages": json.dumps(shown["messages"], ensure_ascii=False)})
        yield text.getvalue()
        text.seek(0)
        text.truncate()


def _page(provider: Provider, asked: Filters, repeat: bool) -> Page:
    rows = _rows(provider, asked)
    newest, span = provider.options.vaani_order == "newest", between(rows, asked.start_date, asked.end_date)
    return cut(rows, asked.page, asked.page_size, newest=newest, repeat=repeat, span=span)


def _rows(provider: Provider, asked: Filters) -> Sequence[Row]:
    now, log = provider.now, provider.board.logs[DIALECT]
    if asked.call_type not in {None, "phone", "sip"} or asked.call_direction not in {None, "outbound"}:
        return []
    if asked.agent_id is None:
        return log.rows(now)
    agents = {numbered_agent_id(agent): agent for agent in log.agents(now)}
    return log.rows(now, agents[asked.agent_id]) if asked.agent_id in agents else []


def _accepted(provider: Provider, call: Call) -> Response:
    body = {"detail": f"Outgoing call to {call.order.to} initiated successfully."}
    kind = provider.options.vaani_answer
    if kind in {"call_log_id", "id"}:
        body[kind] = call.call_id
    return Json(body, 201 if kind == "created" else 200)


def _declined(text: str) -> Response:
    return Json({"detail": text}, 403)


def _denied(text: str, call: Call | None) -> Response:
    named = {} if call is None else {"call_log_id": call.call_id}
    return Json({"success": False, "detail": text, **named})
