"""Dialect A, api.vaani.ai: calls and what is known of them (wire contract, sections 2.2 to 2.6)."""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from dialer.simulator import checking, tokens, vaani_rows
from dialer.simulator import vaani_schemas as schemas
from dialer.simulator.answers import Json, record_of
from dialer.simulator.books import Call, Order
from dialer.simulator.call_log import Page, Row, between, cut
from dialer.simulator.checking import Moment, Whole, Word
from dialer.simulator.log_faults import disturbed, note
from dialer.simulator.operations import PLACING, Answer, Operation, good, refused, sent
from dialer.simulator.placing import Words, place
from dialer.simulator.schemas import TEXT
from dialer.simulator.storage import Storage
from dialer.simulator.switchboard import Refused, numbered_agent_id
from dialer.simulator.vaani_desk import DIALECT, VaaniDesk
from dialer.simulator.vaanivoice_recordings import Recordings

MAX_PAGE, CSV_ROWS = 100, 200
PAGE, SIZE = Whole("page", 1), Whole("page_size", 25, MAX_PAGE)
START, END = Moment("start_date"), Moment("end_date", end_of_day=True)
TYPE, AGENT, DIRECTION = Word("call_type"), Word("agent_id"), Word("call_direction")
FILTERS = (PAGE, SIZE, TYPE, AGENT, START, END, DIRECTION)
PHONE, SESSION = Word("phone", required=True), Word("id", required=True)
CALL = {
    "agent_phone_number": checking.number,
    "phone_number_to_dial": checking.number,
    "dynamic_variables": checking.mapping,
}


class Vaani:
    """The endpoints of dialect A that are about calls, over one switchboard."""

    def __init__(self, desk: VaaniDesk, storage: Storage, recordings: Recordings) -> None:
        self.desk, self.board = desk, desk.board
        self.storage, self.recordings = storage, recordings

    def operations(self) -> list[Operation]:
        """What is served, in the order it is matched: fixed names before ``{call_log_id}`` (section 2.4)."""
        return [
            Operation(
                method="POST",
                path="/calls/outbound_call",
                endpoint=self.outbound_call,
                summary="Place a call; every POST is another call",
                section="2.2",
                body=sent(CALL, ("agent_phone_number", "phone_number_to_dial")),
                answers=good(schemas.PLACED) | good(schemas.PLACED, status=201) | refused(400, *PLACING),
            ),
            Operation(
                method="GET",
                path="/calls/logs",
                endpoint=self.logs,
                summary="Calls, a page at a time, filtered",
                section="2.3",
                query=FILTERS,
                answers=good(schemas.LIST) | refused(401, 422, 500),
            ),
            Operation(
                method="GET",
                path="/calls/export-csv",
                endpoint=self.export_csv,
                summary="The same as CSV, streamed",
                section="2.5",
                query=FILTERS,
                answers={200: Answer("one row for each log", TEXT, ("text/csv",)), **refused(401, 422)},
            ),
            Operation(
                method="GET",
                path="/calls/generate-token",
                endpoint=self.generate_token,
                summary="A LiveKit token for a browser session with an agent",
                section="2.6",
                query=(PHONE, SESSION),
                answers=good(schemas.TOKEN) | refused(400, 401, 404),
            ),
            Operation(
                method="GET",
                path="/calls/{call_log_id}",
                endpoint=self.log,
                summary="One log",
                section="2.4",
                answers=good(schemas.ITEM) | refused(401, 404),
            ),
        ]

    # --- endpoints ---------------------------------------------------------------------------------------

    async def outbound_call(self, request: Request) -> Response:
        """Place a call; the default answer carries no id, as the vendor documents none (section 2.2)."""
        self.desk.let_in(request, writing=True)
        self.board.admit()
        order = _order(await checking.json_object(request))
        self.board.check_agent(DIALECT, order.agent)
        self.board.check_wallet()
        return await place(self.board, order, record_of(request), Words(self._accepted, _declined, _denied))

    async def logs(self, request: Request) -> Response:
        """The list with its filters; a bare date is a whole day in UTC, both ends included (section 2.3)."""
        self.desk.let_in(request)
        number, size = PAGE.of(request), SIZE.of(request)
        span = START.of(request), END.of(request)
        faults = disturbed(self.board, DIALECT, number, record_of(request), "Internal server error")
        page = self._page(request, number, size, span, repeat="log-repeat" in faults)
        page = note(self.board, faults, record_of(request), page)
        items = [self._item(found.call) for found in page.rows]
        return Json(vaani_rows.envelope(items, page, self.board.options))

    async def log(self, request: Request) -> Response:
        """One log, the same shape as in the list; 404 until it is visible there (section 2.4)."""
        self.desk.let_in(request)
        call = self.board.find(DIALECT, request.path_params["call_log_id"])
        if call is None or call.visible_at is None or call.visible_at > self.board.clock.now():
            raise Refused(404, "Call log not found")
        return Json(self._item(call))

    async def export_csv(self, request: Request) -> Response:
        """Every log that fits the filters; whether pages hold here is not documented, hence a switch."""
        self.desk.let_in(request)
        number, size = PAGE.of(request), SIZE.of(request)
        span = START.of(request), END.of(request)
        if not self.board.options.vaani_export_paged:
            number, size = 1, 2**62
        rows = self._page(request, number, size, span, repeat=False).rows
        headers = {"Content-Disposition": 'attachment; filename="call_logs.csv"'}
        return StreamingResponse(self._csv(rows), media_type="text/csv", headers=headers)

    async def generate_token(self, request: Request) -> Response:
        """The session id is the caller's, and no reference for phone calls."""
        self.desk.let_in(request)
        phone, session = PHONE.of(request), SESSION.of(request)
        if not phone or not session:
            raise Refused(400, "Missing required query parameters")
        self.board.check_agent(DIALECT, phone)
        identity = f"web_{session}"
        token = tokens.livekit(identity, f"web-{session}", self.board.clock.now())
        bare = self.board.options.vaani_web_body != "accessToken"
        return Json({"token": token} if bare else {"identity": identity, "accessToken": token})

    # --- parts -------------------------------------------------------------------------------------------

    def _item(self, call: Call) -> dict[str, Any]:
        shown = vaani_rows.item(call, self.board.options)
        if not self.board.options.vaani_recording_url or call.life.answered_at is None:
            return shown
        name = f"mv/{shown['start_time'][:10].replace('-', '/')}/{call.call_id}.ogg"
        now, address = self.board.clock.now(), self.board.address
        link = self.storage.link(address, name, lambda request: self.recordings.audio_of(call, request), now)
        return {**shown, "recording_url": link}

    def _csv(self, rows: Sequence[Row]) -> Iterator[str]:
        """The head even when there is no row."""
        text = io.StringIO()
        writer = csv.DictWriter(text, vaani_rows.COLUMNS, extrasaction="ignore")
        writer.writeheader()
        for start in range(0, len(rows) or 1, CSV_ROWS):
            for row in rows[start : start + CSV_ROWS]:
                shown = vaani_rows.item(row.call, self.board.options)
                writer.writerow(shown | {"messages": json.dumps(shown["messages"], ensure_ascii=False)})
            yield text.getvalue()
            text.seek(0)
            text.truncate()

    def _page(
        self, request: Request, number: int, size: int, span: tuple[float | None, float | None], *, repeat: bool
    ) -> Page:
        rows = self._rows(request)
        newest = self.board.options.vaani_order == "newest"
        return cut(rows, number, size, newest=newest, repeat=repeat, span=between(rows, *span))

    def _rows(self, request: Request) -> Sequence[Row]:
        now, log = self.board.clock.now(), self.board.logs[DIALECT]
        if TYPE.of(request) not in {None, "phone", "sip"} or DIRECTION.of(request) not in {None, "outbound"}:
            return []
        agent_id = AGENT.of(request)
        if agent_id is None:
            return log.rows(now)
        agents = {numbered_agent_id(agent): agent for agent in log.agents(now)}
        return log.rows(now, agents[agent_id]) if agent_id in agents else []

    def _accepted(self, call: Call) -> Response:
        body: dict[str, Any] = {"detail": f"Outgoing call to {call.order.to} initiated successfully."}
        kind = self.board.options.vaani_answer
        if kind in {"call_log_id", "id"}:
            body[kind] = call.call_id
        return Json(body, 201 if kind == "created" else 200)


def _declined(text: str) -> Response:
    return Json({"detail": text}, 403)


def _denied(text: str, call: Call | None) -> Response:
    named = {} if call is None else {"call_log_id": call.call_id}
    return Json({"success": False, "detail": text, **named})


def _order(body: dict[str, Any]) -> Order:
    checking.check_body(body, {"dynamic_variables": CALL["dynamic_variables"]}, ())
    for field in ("agent_phone_number", "phone_number_to_dial"):
        if CALL[field].says(body.get(field)):
            raise Refused(400, "Invalid phone number format")
    variables = body.get("dynamic_variables") or {}
    return Order(DIALECT, body["phone_number_to_dial"], body["agent_phone_number"], variables=variables)
