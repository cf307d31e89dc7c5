"""Dialect B, api.vaanivoice.ai: everything under ``/api/`` (wire contract, section 3)."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dialer.simulator import checking, vaanivoice_rows
from dialer.simulator.answers import Json, record_of
from dialer.simulator.books import Call, Order
from dialer.simulator.call_log import cut
from dialer.simulator.log_faults import disturbed, note
from dialer.simulator.placing import Words, place, refusal_headers
from dialer.simulator.switchboard import Refused, Switchboard

DIALECT = "vaanivoice"
MAX_PAGE = 200
PHRASES = {
    401: ("Unauthorized", "UNAUTHORIZED"),
    402: ("Payment Required", "INSUFFICIENT_BALANCE"),
    403: ("Forbidden", "FORBIDDEN"),
    404: ("Not Found", "NOT_FOUND"),
    429: ("Too Many Requests", "RATE_LIMITED"),
    500: ("Internal Server Error", "INTERNAL_ERROR"),
    503: ("Service Unavailable", "UNAVAILABLE"),
}
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
    "bg_noise_volume": checking.within(0, 100),
    "voice_speed": checking.within(0.6, 1.4),
}

Endpoint = Callable[[Request], Awaitable[Response]]


class Vaanivoice:
    """The endpoints of dialect B over one switchboard."""

    def __init__(self, board: Switchboard) -> None:
        self.board = board

    def routes(self) -> list[Route]:
        """What is served, in the order it is matched; the wrong slash gets Starlette's 307."""
        return [
            Route("/api/health", self._worded(self.health)),
            Route("/api/trigger-call/", self._worded(self.trigger), methods=["POST"]),
            Route("/api/call-history", self._worded(self.history)),
            Route("/api/call_details/{call_id}", self._worded(self.details)),
            Route("/api/transcript/{call_id}", self._worded(self.transcript)),
        ]

    # --- endpoints ---------------------------------------------------------------------------------------

    async def health(self, request: Request) -> Response:
        """``{"status", "service"}``; whether it needs a key is not documented, so it needs none."""
        return Json({"status": "healthy", "service": "vaani-external-api"})

    async def trigger(self, request: Request) -> Response:
        """Place a call, or open a browser session for ``medium`` webrtc, which calls nobody (section 3.4)."""
        self._let_in(request)
        self.board.admit()
        body = _checked(await checking.json_object(request))
        self.board.check_agent(body["agent_id"])
        if body.get("medium") == "webrtc":
            return Json(_browser_session(body["agent_id"], self.board))
        if body.get("test_mode"):
            return self._accepted(body["agent_id"], f"outbound-{int(self.board.clock.now())}-0000test")
        self._check_number(body)
        self.board.check_wallet()
        return await place(self.board, _order(body), record_of(request), Words(self._accepted_call, _declined, _denied))

    async def history(self, request: Request) -> Response:
        """``{"data", "pagination"}``, no filters; a page past the end is empty (section 3.5)."""
        self._let_in(request)
        number = checking.whole_number(request, "page", 1, None)
        size = checking.whole_number(request, "page_size", 50, MAX_PAGE)
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
        self._let_in(request)
        call = self.board.find(DIALECT, request.path_params["call_id"])
        if call is None:
            raise Refused(404, "Call not found")
        return Json(vaanivoice_rows.details(call, self.board.clock.now(), self.board.options))

    async def transcript(self, request: Request) -> Response:
        """The conversation, or one of the two ways the vendor says there is none (section 3.6)."""
        self._let_in(request)
        call = self.board.find(DIALECT, request.path_params["call_id"])
        now, options = self.board.clock.now(), self.board.options
        if call is not None and vaanivoice_rows.has_transcript(call, now, options):
            text = vaanivoice_rows.transcript(call)
            return Json({"transcript": text, "status_code": 200, "function": "get_transcript"})
        missing = "Transcript not found in Azure Blob Storage"
        body = {"transcript": missing, "status_code": 404, "function": "get_transcript"}
        return Json(body, options.vaanivoice_missing_transcript)

    # --- parts -------------------------------------------------------------------------------------------

    def _worded(self, endpoint: Endpoint) -> Endpoint:
        async def answer(request: Request) -> Response:
            try:
                return await endpoint(request)
            except Refused as refused:
                return self._refusal(refused)
            except checking.Invalid as invalid:
                return Json({"detail": invalid.problems}, 422)

        return answer

    def _refusal(self, refused: Refused) -> Response:
        headers = refusal_headers(refused)
        if self.board.options.vaanivoice_errors == "detail":
            return Json({"detail": refused.text}, refused.status, headers)
        plain = HTTPStatus(refused.status).phrase
        phrase, code = PHRASES.get(refused.status, (plain, plain.upper().replace(" ", "_")))
        body = {"status_code": refused.status, "error": phrase, "message": refused.text, "code": code}
        return Json(body, refused.status, headers)

    def _let_in(self, request: Request) -> None:
        self.board.check_key(request.headers.get("x-api-key"))

    def _check_number(self, body: dict[str, Any]) -> None:
        if body["contact_number"] in self.board.options.dnd and not body.get("dnd_check_skipped"):
            raise Refused(403, "Call blocked: the number is registered as DND (do not disturb)")

    def _accepted_call(self, call: Call) -> Response:
        return self._accepted(call.order.agent, call.call_id)

    def _accepted(self, agent: str, call_id: str) -> Response:
        output: Any = f"Call dispatched to room {call_id} with dispatch id AD_{call_id[-8:]}"
        if self.board.options.vaanivoice_output == "object":
            captions = f"wss://api.vaanivoice.ai/api/live-transcripts/ws/{call_id}"
            output = {"agent_name": agent, "call_id": call_id, "live_captions_url": captions}
        return Json({"success": True, "message": "Call initiated successfully", "output": output, "error": None})


def _declined(text: str) -> Response:
    return _denied(text, None)


def _denied(text: str, call: Call | None) -> Response:
    output = None if call is None else {"agent_name": call.order.agent, "call_id": call.call_id}
    return Json({"success": False, "message": None, "output": output, "error": text})


def _checked(body: dict[str, Any]) -> dict[str, Any]:
    browser = body.get("medium") == "webrtc"
    required = ("agent_id",) if browser else ("agent_id", "contact_number", "name")
    checking.check_body(body, BOTH | (WEBRTC if browser else TELEPHONY), required)
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
    room = f"webrtc-{int(board.clock.now())}-{len(board.books.requests):08x}"
    return {
        "token": f"simulated.{room}.token",
        "room_name": room,
        "agent_name": agent,
        "connection_url": "wss://api.vaanivoice.ai/livekit",
        "live_captions_url": f"wss://api.vaanivoice.ai/api/live-transcripts/ws/{room}",
    }
