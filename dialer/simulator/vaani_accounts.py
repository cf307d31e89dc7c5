"""Dialect A's login: cookies that run out, and are renewed (wire contract, section 2.1; the bodies are ours)."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from dialer.simulator import checking, tokens
from dialer.simulator.answers import Json
from dialer.simulator.operations import Operation, good, refused, sent
from dialer.simulator.schemas import REAL, TEXT, record
from dialer.simulator.switchboard import Refused
from dialer.simulator.vaani_desk import ACCESS, NOT_IN, REFRESH, VaaniDesk

LOGIN = {"email": checking.filled, "password": checking.filled}
LOGGED_IN = record(message=TEXT, expires_in=REAL)
LOGGED_OUT = record(message=TEXT)


class VaaniAccounts:
    """``/auth``: any email and password, unless the switch names the one password."""

    def __init__(self, desk: VaaniDesk) -> None:
        self.desk = desk
        self._given = 0

    def operations(self) -> list[Operation]:
        """What is served."""
        return [
            Operation(
                method="POST",
                path="/auth/login",
                endpoint=self.login,
                summary="Log in: sets the cookies access_token and refresh_token",
                section="2.1",
                body=sent(LOGIN, ("email", "password")),
                answers=good(LOGGED_IN) | refused(401, 422),
                needs_key=False,
            ),
            Operation(
                method="POST",
                path="/auth/refresh",
                endpoint=self.refresh,
                summary="Another access_token for the refresh_token cookie",
                section="2.1",
                answers=good(LOGGED_IN) | refused(401),
                needs_key=False,
            ),
            Operation(
                method="POST",
                path="/auth/logout",
                endpoint=self.logout,
                summary="Forget both cookies",
                section="2.1",
                answers=good(LOGGED_OUT),
                needs_key=False,
            ),
        ]

    async def login(self, request: Request) -> Response:
        """401 for the wrong password, when there is a right one."""
        body = await checking.json_object(request)
        checking.check_body(body, LOGIN, ("email", "password"))
        wanted = self.desk.board.options.vaani_password
        if wanted is not None and body["password"] != wanted:
            raise Refused(401, "Invalid email or password")
        return self._let_in(body["email"], "Login successful")

    async def refresh(self, request: Request) -> Response:
        """401 without a good refresh token, or when the switch lets refreshing fail."""
        claims = self.desk.good_token(request, REFRESH)
        if claims is None or self.desk.board.options.vaani_refresh == "fails":
            raise Refused(401, NOT_IN)
        return self._let_in(claims["sub"], "Token refreshed")

    async def logout(self, request: Request) -> Response:
        """The tokens that came are good for nothing any more."""
        answer = Json({"message": "Logged out"})
        for name in (ACCESS, REFRESH):
            self.desk.revoked.add(request.cookies.get(name, ""))
            answer.delete_cookie(name)
        return answer

    def _let_in(self, email: str, message: str) -> Response:
        options = self.desk.board.options
        answer = Json({"message": message, "expires_in": options.vaani_token_s})
        for kind, lasts_s in ((ACCESS, options.vaani_token_s), (REFRESH, options.vaani_refresh_s)):
            # No Max-Age: that a token is over, the caller is to learn from the 401.
            answer.set_cookie(kind, tokens.signed(self._claims(email, kind, lasts_s)), httponly=True)
        return answer

    def _claims(self, email: str, kind: str, lasts_s: float) -> dict[str, Any]:
        self._given += 1
        return {"sub": email, "kind": kind, "exp": self.desk.board.clock.now() + lasts_s, "jti": self._given}
