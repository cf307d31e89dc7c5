"""Dialect A, api.vaani.ai: everything under ``/calls`` (wire contract, section 2)."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dialer.simulator import checking, vaani_rows
from dialer.simulator.answers import Json, record_of
from dialer.simulator.books import Call, Order
from dialer.simulator.call_log import Page, Row, between, cut
from dialer.simulator.checking import Moment, Whole
from dialer.simulator.log_faults import disturbed, note
from dialer.simulator.placing import Words, place, refusal_headers
from dialer.simulator.switchboard import Refused, Switchboard, numbered_agent_id

DIALECT = "vaani"
MAX_PAGE = 100
PAGE, SIZE = Whole("page", 1), Whole("page_size", 25, MAX_PAGE)
START, END = Moment("start_date"), Moment("end_date", end_of_day=True)

Endpoint = Callable[[Request], Awaitable[Response]]


class Vaani:
    """The endpoints of dialect A over one switchboard."""

    def __init__(self, board: Switchboard) -> None:
        self.board = board

    def routes(self) -> list[Route]:
        """What is served, in the order it is matched: fixed names before ``{call_log_id}`` (section 2.4)."""
        return [
            Route("/calls/outbound_call", self._worded(self.outbound_call), methods=["POST"]),
            Route("/calls/logs", self._worded(self.logs)),
            Route("/calls/export-csv", self._worded(self.not_yet)),
            Route("/calls/generate-token", self._worded(self.not_yet)),
            Route("/calls/{call_log_id}", self._worded(self.log)),
        ]

    # --- endpoints ---------------------------------------------------------------------------------------

    async def outbound_call(self, request: Request) -> Response:
        """Place a call; the default answer carries no id, as the vendor documents none (section 2.2)."""
        self._let_in(request)
        self.board.admit()
        order = _order(await checking.json_object(request))
        self.board.check_agent(DIALECT, order.agent)
        self.board.check_wallet()
        return await place(self.board, order, record_of(request), Words(self._accepted, _declined, _denied))

    async def logs(self, request: Request) -> Response:
        """The list with its filters; a bare date is a whole day in UTC, both ends included (section 2.3)."""
        self._let_in(request)
        number, size = PAGE.of(request), SIZE.of(request)
        span = START.of(request), END.of(request)
        faults = disturbed(self.board, DIALECT, number, record_of(request), "Internal server error")
        page = self._page(request, number, size, span, repeat="log-repeat" in faults)
        page = note(self.board, faults, record_of(request), page)
        items = [vaani_rows.item(found.call, self.board.options) for found in page.rows]
        return Json(vaani_rows.envelope(items, page, self.board.options))

    async def log(self, request: Request) -> Response:
        """One log, the same shape as in the list; 404 until it is visible there (section 2.4)."""
        self._let_in(request)
        call = self.board.find(DIALECT, request.path_params["call_log_id"])
        if call is None or call.visible_at is None or call.visible_at > self.board.clock.now():
            raise Refused(404, "Call log not found")
        return Json(vaani_rows.item(call, self.board.options))

    async def not_yet(self, request: Request) -> Response:
        """Documented, and not simulated."""
        self._let_in(request)
        raise Refused(501, "The simulator does not serve this yet")

    # --- parts -------------------------------------------------------------------------------------------

    def _worded(self, endpoint: Endpoint) -> Endpoint:
        async def answer(request: Request) -> Response:
            try:
                return await endpoint(request)
            except Refused as refused:
                return Json({"detail": refused.text}, refused.status, refusal_headers(refused))
            except checking.Invalid as invalid:
                return Json({"detail": self._problems(invalid)}, 422)

        return answer

    def _problems(self, invalid: checking.Invalid) -> Any:
        if self.board.options.vaani_422 == "list":
            return invalid.problems
        return "; ".join(f"{found['loc'][-1]}: {found['msg']}" for found in invalid.problems)

    def _let_in(self, request: Request) -> None:
        self.board.check_key(request.headers.get("x-api-key") or request.cookies.get("access_token"))

    def _page(
        self, request: Request, number: int, size: int, span: tuple[float | None, float | None], *, repeat: bool
    ) -> Page:
        rows = self._rows(request)
        newest = self.board.options.vaani_order == "newest"
        return cut(rows, number, size, newest=newest, repeat=repeat, span=between(rows, *span))

    def _rows(self, request: Request) -> Sequence[Row]:
        now, log = self.board.clock.now(), self.board.logs[DIALECT]
        if request.query_params.get("call_type", "phone") not in {"phone", "sip"}:
            return []
        agent_id = request.query_params.get("agent_id")
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
    checking.check_body(body, {"dynamic_variables": checking.mapping}, ())
    for field in ("agent_phone_number", "phone_number_to_dial"):
        if checking.number.says(body.get(field)):
            raise Refused(400, "Invalid phone number format")
    variables = body.get("dynamic_variables") or {}
    return Order(DIALECT, body["phone_number_to_dial"], body["agent_phone_number"], variables=variables)
