"""Dialect B, api.vaanivoice.ai: calls and what is known of them (wire contract, sections 3.3 to 3.7)."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from dialer.simulator import checking, tokens, vaanivoice_rows
from dialer.simulator import vaanivoice_schemas as schemas
from dialer.simulator.answers import Json, record_of
from dialer.simulator.books import Call, Order
from dialer.simulator.call_log import cut
from dialer.simulator.checking import Whole
from dialer.simulator.courier import Courier
from dialer.simulator.desk import DIALECT, Desk
from dialer.simulator.log_faults import disturbed, note
from dialer.simulator.operations import PLACING, Operation, good, refused, sent
from dialer.simulator.placing import Words, place
from dialer.simulator.schemas import Schema
from dialer.simulator.switchboard import Refused, Switchboard

MAX_PAGE = 200
PAGE, SIZE = Whole("page", 1), Whole("page_size", 50, MAX_PAGE)
BOTH = {
    "agent_id": checking.filled,
    "medium": checking.one_of("telephony", "webrtc"),
    "metadata": checking.mapping,
    "modify_agent": checking.object_of("persona", "training", "experience", "analysis"),
}
TELEPHONY = {
    "contact_number": checking.number,
    "name": checking.text,
    "voice": checking.text,
    "outbound_number": checking.number,
    "sip_trunk_id": checking.text,
    "test_mode": checking.flag,
    "dnd_check_skipped": checking.flag,
}
WEBRTC = {
    "voice_gender": checking.one_of("male", "female"),
    "primary_language": checking.text,
    "secondary_language": checking.text,
    "welcome_message": checking.text,
    "welcome_interruptible": checking.flag,
    "bg_noise_enabled": checking.flag,
    "bg_noise_volume": checking.within(0, 100, whole=True),
    "voice_speed": checking.within(0.6, 1.4),
}


TRIGGER = BOTH | TELEPHONY | WEBRTC
BY_PHONE: Schema = {
    "properties": {
        "medium": {"enum": [None, "telephony"]},
        "contact_number": checking.number.schema,
        "name": checking.text.schema,
    },
    "required": ["contact_number", "name"],
}
BY_BROWSER: Schema = {"properties": {"medium": {"const": "webrtc"}}, "required": ["medium"]}
BROWSER = {"agent_id": checking.filled, "agent_name": checking.filled, "metadata": checking.mapping} | WEBRTC


class Vaanivoice:
    """The endpoints of dialect B that are about calls, over one switchboard."""

    def __init__(self, desk: Desk, courier: Courier) -> None:
        self.desk, self.board, self.courier = desk, desk.board, courier
        self._trials: set[str] = set()

    def operations(self) -> list[Operation]:
        """What is served, in the order it is matched: the busiest first. The wrong slash gets Starlette's 307."""
        return [
            Operation(
                method="POST",
                path="/api/trigger-call/",
                endpoint=self.trigger,
                summary="Place a call, or open a browser session; every POST is another call",
                section="3.4",
                body=sent(TRIGGER, ("agent_id",), anyOf=[BY_PHONE, BY_BROWSER]),
                answers=good(schemas.TRIGGERED) | refused(*PLACING),
            ),
            Operation(
                method="GET",
                path="/api/call-history",
                endpoint=self.history,
                summary="Calls, a page at a time; no filters",
                section="3.5",
                query=(PAGE, SIZE),
                answers=good(schemas.HISTORY) | refused(401, 422, 500),
            ),
            Operation(
                method="GET",
                path="/api/call_details/{call_id}",
                endpoint=self.details,
                summary="Transcript, entities and evaluation of one call",
                section="3.7",
                answers=good(schemas.DETAILS)
                | good(schemas.DETAILS, status=202, meaning="not processed yet")
                | refused(401, 404),
            ),
            Operation(
                method="GET",
                path="/api/transcript/{call_id}",
                endpoint=self.transcript,
                summary="What was said in one call",
                section="3.6",
                answers=good(schemas.TRANSCRIPT)
                | good(schemas.TRANSCRIPT, status=404, meaning="no transcript, or not yet")
                | refused(401),
            ),
            Operation(
                method="GET",
                path="/api/health",
                endpoint=self.health,
                summary="Whether it is up",
                section="3.3",
                answers=good(schemas.HEALTH),
                needs_key=False,
            ),
            Operation(
                method="POST",
                path="/api/webrtc/token",
                endpoint=self.browser_token,
                summary="A token for a browser session, as the vendor's client had it before 0.3",
                section="3.11",
                body=sent(BROWSER),
                answers=good(schemas.BROWSER) | refused(401, 404, 422),
            ),
        ]

    # --- endpoints ---------------------------------------------------------------------------------------

    async def health(self, request: Request) -> Response:
        """``{"status", "service"}``; whether it needs a key is not documented, so it needs none."""
        return Json({"status": "healthy", "service": "vaani-external-api"})

    async def trigger(self, request: Request) -> Response:
        """Place a call, or open a browser session for ``medium`` webrtc, which calls nobody (section 3.4)."""
        self.desk.let_in(request)
        self.board.admit()
        body = _checked(await checking.json_object(request))
        self._check_agent(body["agent_id"])
        if body.get("medium") == "webrtc":
            return Json(_browser_session(body["agent_id"], self.board))
        if body.get("test_mode"):
            return self._trial(body["agent_id"])
        self._check_number(body)
        self.board.check_wallet()
        words = Words(self._accepted_call, _declined, _denied)
        answer = await place(self.board, _order(body), record_of(request), words)
        await self.courier.before_the_answer()
        return answer

    async def history(self, request: Request) -> Response:
        """``{"data", "pagination"}``, no filters; a page past the end is empty (section 3.5)."""
        self.desk.let_in(request)
        number, size = PAGE.of(request), SIZE.of(request)
        faults = disturbed(self.board, DIALECT, number, record_of(request), "Invalid client_id format")
        now, options = self.board.clock.now(), self.board.options
        rows = self.board.logs[DIALECT].rows(now)
        page = cut(rows, number, size, newest=options.vaanivoice_order == "newest", repeat="log-repeat" in faults)
        page = note(self.board, faults, record_of(request), page)
        base = str(request.base_url).rstrip("/")
        data = [vaanivoice_rows.row(found.call, now, options, base) for found in page.rows]
        return Json({"data": data, "pagination": vaanivoice_rows.pagination(page)})

    async def details(self, request: Request) -> Response:
        """Transcript, entities and evaluation of one call; not processed yet is a 200 too (section 3.7)."""
        self.desk.let_in(request)
        call_id = request.path_params["call_id"]
        call = self.board.find(DIALECT, call_id)
        if call_id in self._trials:
            return Json(vaanivoice_rows.UNPROCESSED, self.board.options.vaanivoice_details_pending)
        if call is None:
            raise Refused(404, "Call not found")
        now, options = self.board.clock.now(), self.board.options
        pending = not vaanivoice_rows.has_transcript(call, now, options)
        status = options.vaanivoice_details_pending if pending else 200
        return Json(vaanivoice_rows.details(call, now, options), status)

    async def transcript(self, request: Request) -> Response:
        """The conversation, or one of the two ways the vendor says there is none (section 3.6)."""
        self.desk.let_in(request)
        call = self.board.find(DIALECT, request.path_params["call_id"])
        now, options = self.board.clock.now(), self.board.options
        if call is not None and vaanivoice_rows.has_transcript(call, now, options):
            text = vaanivoice_rows.transcript(call)
            return Json({"transcript": text, "status_code": 200, "function": "get_transcript"})
        return Json(vaanivoice_rows.MISSING[options.vaanivoice_missing_text], options.vaanivoice_missing_transcript)

    async def browser_token(self, request: Request) -> Response:
        """A browser session by agent id or name; one of them is needed."""
        self.desk.let_in(request)
        body = await checking.json_object(request)
        checking.check_body(body, BROWSER, () if body.get("agent_name") else ("agent_id",))
        agent = body.get("agent_id") or body["agent_name"]
        self._check_agent(agent)
        return Json(_browser_session(agent, self.board))

    # --- parts -------------------------------------------------------------------------------------------

    def _trial(self, agent: str) -> Response:
        """A call in test mode: it has an id, and nothing else; no row, no transcript, no recording."""
        call_id = f"outbound-{int(self.board.clock.now())}-{len(self._trials):08x}"
        self._trials.add(call_id)
        return self._accepted(agent, call_id)

    def _check_agent(self, agent: str) -> None:
        try:
            self.board.check_agent(DIALECT, agent)
        except Refused as refused:
            raise Refused(self.board.options.vaanivoice_unknown_agent, refused.text) from None

    def _check_number(self, body: dict[str, Any]) -> None:
        if body["contact_number"] in self.board.options.dnd and not body.get("dnd_check_skipped"):
            raise Refused(403, "Call blocked: the number is registered as DND (do not disturb)")

    def _accepted_call(self, call: Call) -> Response:
        return self._accepted(call.order.agent, call.call_id)

    def _accepted(self, agent: str, call_id: str) -> Response:
        output: Any = f"Call dispatched to room {call_id} with dispatch id AD_{call_id[-8:]}"
        if self.board.options.vaanivoice_output == "object":
            output = {"agent_name": agent, "call_id": call_id, "live_captions_url": captions_url(self.board, call_id)}
        return Json({"success": True, "message": "Call initiated successfully", "output": output, "error": None})


def _declined(text: str) -> Response:
    return _denied(text, None)


def _denied(text: str, call: Call | None) -> Response:
    output = None if call is None else {"agent_name": call.order.agent, "call_id": call.call_id}
    return Json({"success": False, "message": None, "output": output, "error": text})


def _checked(body: dict[str, Any]) -> dict[str, Any]:
    browser = body.get("medium") == "webrtc"
    required = ("agent_id",) if browser else ("agent_id", "contact_number", "name")
    checking.check_body(body, TRIGGER, required)
    return body


def _order(body: dict[str, Any]) -> Order:
    return Order(
        dialect=DIALECT,
        to=body["contact_number"],
        agent=body["agent_id"],
        name=body["name"],
        caller_id=body.get("outbound_number"),
        variables=body.get("metadata") or {},
    )


def _browser_session(agent: str, board: Switchboard) -> dict[str, str]:
    now = board.clock.now()
    room = f"webrtc-{int(now)}-{len(board.rooms):08x}"
    board.rooms.add(room)
    return {
        "token": tokens.livekit("browser", room, now),
        "room_name": room,
        "agent_name": agent,
        "connection_url": f"{board.options.vaanivoice_connection_url}://livekit.invalid",
        "live_captions_url": captions_url(board, room),
    }


def captions_url(board: Switchboard, call_id: str) -> str:
    """Where the captions of a call are read: on this simulator, not at the vendor."""
    return f"ws://{board.address}/api/live-transcripts/ws/{call_id}"
