"""What every endpoint of dialect B shares: the key, and how it says no (wire contract, section 3.2)."""

from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from dialer.simulator import checking
from dialer.simulator.answers import Json
from dialer.simulator.operations import Endpoint
from dialer.simulator.placing import refusal_headers
from dialer.simulator.switchboard import Refused, Switchboard

DIALECT = "vaanivoice"
PHRASES = {
    401: ("Unauthorized", "UNAUTHORIZED"),
    402: ("Payment Required", "INSUFFICIENT_BALANCE"),
    403: ("Forbidden", "FORBIDDEN"),
    404: ("Not Found", "NOT_FOUND"),
    410: ("Gone", "SESSION_EXPIRED"),
    422: ("Unprocessable Entity", "VALIDATION_ERROR"),
    429: ("Too Many Requests", "RATE_LIMITED"),
    500: ("Internal Server Error", "INTERNAL_ERROR"),
    503: ("Service Unavailable", "UNAVAILABLE"),
}


class Desk:
    """One switchboard, spoken to in dialect B."""

    def __init__(self, board: Switchboard) -> None:
        self.board = board

    def let_in(self, request: Request) -> None:
        """401 without the right key."""
        self.board.check_key(request.headers.get("x-api-key"))

    def worded(self, endpoint: Endpoint) -> Endpoint:
        """``endpoint`` with what it raises put into the vendor's words; what was due by now has happened before it."""

        async def answer(request: Request) -> Response:
            self.board.agenda.run(self.board.clock.now())
            try:
                return await endpoint(request)
            except Refused as refused:
                return self._refusal(refused)
            except checking.Invalid as invalid:
                return Json({"detail": invalid.problems}, 422)

        return answer

    def _refusal(self, refused: Refused) -> Response:
        headers = refusal_headers(refused)
        if self.board.options.vaanivoice_errors == "detail" and refused.code is None:
            return Json({"detail": refused.text}, refused.status, headers)
        return gateway(refused.status, refused.text, refused.code, headers)


def gateway(status: int, text: str, code: str | None = None, headers: dict[str, str] | None = None) -> Response:
    """The second of the two shapes of an error body; ``code`` is the phrase's own unless given."""
    plain = HTTPStatus(status).phrase
    phrase, usual = PHRASES.get(status, (plain, plain.upper().replace(" ", "_")))
    return Json({"status_code": status, "error": phrase, "message": text, "code": code or usual}, status, headers)
