"""Dialect A's login: cookies that run out, and are renewed (wire contract, section 2.1; the bodies are ours)."""

from starlette.requests import Request
from starlette.responses import Response

from dialer.simulator import tokens
from dialer.simulator.answers import Json
from dialer.simulator.checking import Body, Filled
from dialer.simulator.desk import ACCESS, NOT_IN, REFRESH, Anybody, Provider, good_token
from dialer.simulator.operations import Section, good, record
from dialer.simulator.switchboard import Refused

section = Section("vaani", "2.1", needs_key=False)
LOGGED_IN = record(message=str, expires_in=float)


class Login(Body):
    """Any email and password, unless the switch names the one password."""

    email: Filled
    password: Filled


@section.post("/auth/login", **good(LOGGED_IN, 401, 422))
async def login(provider: Anybody, sent: Login) -> Response:
    """Log in: sets the cookies access_token and refresh_token."""
    if provider.options.vaani_password not in {None, sent.password}:
        raise Refused(401, "Invalid email or password")
    return _let_in(provider, sent.email, "Login successful")


@section.post("/auth/refresh", **good(LOGGED_IN, 401))
async def refresh(provider: Anybody, request: Request) -> Response:
    """Another access_token for the refresh_token cookie, unless the switch lets it fail."""
    claims = good_token(request, REFRESH)
    if claims is None or provider.options.vaani_refresh == "fails":
        raise Refused(401, NOT_IN)
    return _let_in(provider, claims["sub"], "Token refreshed")


@section.post("/auth/logout", **good(record(message=str)))
async def logout(provider: Anybody, request: Request) -> Response:
    """Forget both cookies: the tokens that came are good for nothing any more."""
    answer = Json({"message": "Logged out"})
    for name in (ACCESS, REFRESH):
        provider.revoked.add(request.cookies.get(name, ""))
        answer.delete_cookie(name)
    return answer


def _let_in(provider: Provider, email: str, message: str) -> Response:
    options = provider.options
    answer = Json({"message": message, "expires_in": options.vaani_token_s})
    for kind, lasts_s in ((ACCESS, options.vaani_token_s), (REFRESH, options.vaani_refresh_s)):
        provider.logins += 1
        claims = {"sub": email, "kind": kind, "exp": provider.now + lasts_s, "jti": provider.logins}
        # No Max-Age: that a token is over, the caller is to learn from the 401.
        answer.set_cookie(kind, tokens.signed(claims), httponly=True)
    return answer
