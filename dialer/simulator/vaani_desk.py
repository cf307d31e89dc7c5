"""What every endpoint of dialect A shares: who is let in, and how it says no (wire contract, section 2.1)."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from dialer.simulator import checking, tokens
from dialer.simulator.agents import Agent
from dialer.simulator.answers import Json
from dialer.simulator.operations import Endpoint
from dialer.simulator.placing import refusal_headers
from dialer.simulator.switchboard import Refused, Switchboard

DIALECT = "vaani"
ACCESS, REFRESH = "access_token", "refresh_token"
NOT_IN = "Invalid or missing token"


class VaaniDesk:
    """One switchboard, spoken to in dialect A, and the tokens that were handed in."""

    def __init__(self, board: Switchboard) -> None:
        self.board = board
        self.revoked: set[str] = set()

    def let_in(self, request: Request, *, writing: bool = False) -> None:
        """401 without a key or a cookie that is good; 403 for a Member's key where something is changed."""
        key = request.headers.get("x-api-key")
        if key is None and self.good_token(request, ACCESS) is not None:
            return
        self.board.check_key(key or self._foreign_cookie(request))
        if writing and key in self.board.options.vaani_members:
            raise Refused(403, "Role not allowed")

    def let_user_in(self, request: Request) -> None:
        """401 without a cookie, for what the documents let no key do, unless the switch allows it."""
        if request.headers.get("x-api-key") and not self.board.options.vaani_keys_write:
            raise Refused(401, NOT_IN)
        self.let_in(request, writing=True)

    def agent(self, request: Request) -> Agent:
        """The agent that the path names, or 404."""
        agent = self.board.known_agents(DIALECT).find(request.path_params["agent_id"])
        if agent is None:
            raise Refused(404, "Agent not found")
        return agent

    def good_token(self, request: Request, kind: str) -> dict[str, Any] | None:
        """What a token of ours in that cookie says, unless it is over, revoked, or of another kind."""
        token = request.cookies.get(kind, "")
        claims = tokens.claims_of(token) if token.count(".") == 2 else None
        if claims is None or claims.get("kind") != kind or token in self.revoked:
            return None
        return claims if claims["exp"] > self.board.clock.now() else None

    def worded(self, endpoint: Endpoint) -> Endpoint:
        """``endpoint`` with what it raises put into the vendor's words; what was due by now has happened before it."""

        async def answer(request: Request) -> Response:
            self.board.agenda.run(self.board.clock.now())
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

    @staticmethod
    def _foreign_cookie(request: Request) -> str | None:
        """A cookie that the simulator did not sign counts as a key; one that it signed and is over counts for none."""
        token = request.cookies.get(ACCESS)
        ours = token is not None and token.count(".") == 2 and tokens.claims_of(token) is not None
        return None if ours else token
