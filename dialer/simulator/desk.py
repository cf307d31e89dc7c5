"""What stands behind the endpoints of both dialects: who is let in, and how each says no."""

from collections import Counter
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Depends
from fastapi.exceptions import RequestValidationError
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.websockets import WebSocket

from dialer.simulator import tokens
from dialer.simulator.agents import Agent
from dialer.simulator.answers import Json
from dialer.simulator.batches import Batches
from dialer.simulator.campaigns import Campaigns
from dialer.simulator.courier import Courier
from dialer.simulator.forms import File
from dialer.simulator.options import Options
from dialer.simulator.sessions import Sessions
from dialer.simulator.storage import Storage
from dialer.simulator.switchboard import Refused, Switchboard

ACCESS, REFRESH = "access_token", "refresh_token"
NOT_IN = "Invalid or missing token"
CODES = {
    402: "INSUFFICIENT_BALANCE",
    410: "SESSION_EXPIRED",
    422: "VALIDATION_ERROR",
    429: "RATE_LIMITED",
    500: "INTERNAL_ERROR",
    503: "UNAVAILABLE",
}
"""Where a code of the vendor's is not the status's own name."""


class Provider:
    """One simulated provider, and what its two dialects keep."""

    def __init__(self, board: Switchboard, courier: Courier, unplug: Callable[[float], Awaitable[None]]) -> None:
        self.board, self.courier = board, courier
        self.unplug = unplug
        """Takes it off the network for so many seconds."""
        self.storage, self.sessions = Storage(), Sessions(board)
        self.campaigns, self.batches = Campaigns(board, courier), Batches(board)
        self.numbers: dict[str, str | None] = {}
        """Phone numbers that were bought or registered, with the id of the agent they were given to."""
        self.files: dict[str, dict[str, tuple[File, float]]] = {}
        """The files of an agent, by agent id and name, with the time they came."""
        self.trials: set[str] = set()
        self.cuts: Counter[str] = Counter()
        self.revoked: set[str] = set()
        self.logins = 0

    @property
    def options(self) -> Options:
        """How it behaves now."""
        return self.board.options

    @property
    def now(self) -> float:
        """Unix seconds on its clock."""
        return self.board.clock.now()


# --- who is let in ---------------------------------------------------------------------------------------


def provider_of(connection: HTTPConnection) -> Provider:
    """The provider that was connected to."""
    provider: Provider = connection.scope["state"]["provider"]
    return provider


async def anybody(request: Request) -> Provider:
    """For what needs no key."""
    return provider_of(request)


async def voice_key(request: Request) -> Provider:
    """Dialect B: 401 without the right key."""
    provider = provider_of(request)
    provider.board.check_key(request.headers.get("x-api-key"))
    return provider


async def reader(request: Request) -> Provider:
    """Dialect A: 401 without a key or a cookie that is good."""
    provider, key = provider_of(request), request.headers.get("x-api-key")
    if key is not None or good_token(request, ACCESS) is None:
        provider.board.check_key(key or _foreign_cookie(request))
    return provider


async def writer(request: Request) -> Provider:
    """The same; 403 for a Member's key, which may change nothing."""
    provider = await reader(request)
    if request.headers.get("x-api-key") in provider.options.vaani_members:
        raise Refused(403, "Role not allowed")
    return provider


async def user(request: Request) -> Provider:
    """401 without a cookie, for what the documents let no key do, unless the switch allows it."""
    if request.headers.get("x-api-key") and not provider_of(request).options.vaani_keys_write:
        raise Refused(401, NOT_IN)
    return await writer(request)


Anybody = Annotated[Provider, Depends(anybody)]
Voice = Annotated[Provider, Depends(voice_key)]
Reader = Annotated[Provider, Depends(reader)]
User = Annotated[Provider, Depends(user)]


def good_token(request: Request, kind: str) -> dict[str, Any] | None:
    """What a token of ours in that cookie says, unless it is over, revoked, or of another kind."""
    provider, token = provider_of(request), request.cookies.get(kind, "")
    claims = tokens.claims_of(token)
    if claims is None or claims.get("kind") != kind or token in provider.revoked:
        return None
    return claims if claims["exp"] > provider.now else None


def _foreign_cookie(request: Request) -> str | None:
    """A cookie that the simulator did not sign counts as a key; one that it signed and is over counts for none."""
    token = request.cookies.get(ACCESS)
    return None if token is not None and tokens.claims_of(token) is not None else token


def known_agent(provider: Provider, agent_id: str) -> Agent:
    """Dialect A's agent of that id, or 404."""
    agent = provider.board.known_agents("vaani").find(agent_id)
    if agent is None:
        raise Refused(404, "Agent not found")
    return agent


# --- how it says no --------------------------------------------------------------------------------------


async def refusal(request: HTTPConnection, refused: Exception) -> Response | None:
    """``Refused`` in the words of the dialect that was spoken; a socket is not opened."""
    assert isinstance(refused, Refused)
    if isinstance(request, WebSocket):
        await request.send_denial_response(gateway(refused.status, refused.text))
        return None
    headers = {} if refused.retry_after is None else {"Retry-After": str(refused.retry_after)}
    flat = provider_of(request).options.vaanivoice_errors == "detail" and refused.code is None
    if flat or not _is_voice(request):
        return Json({"detail": refused.text}, refused.status, headers)
    return gateway(refused.status, refused.text, refused.code, headers)


async def problems(request: Request, error: Exception) -> Response:
    """Everything that is wrong with what was asked for, each named by its field, as FastAPI has it or as a text."""
    assert isinstance(error, RequestValidationError)
    found = [{"type": each["type"], "loc": each["loc"][:2], "msg": each["msg"]} for each in error.errors()]
    if _is_voice(request) or provider_of(request).options.vaani_422 == "list":
        return Json({"detail": found}, 422)
    return Json({"detail": "; ".join(f"{each['loc'][-1]}: {each['msg']}" for each in found)}, 422)


def gateway(status: int, text: str, code: str | None = None, headers: dict[str, str] | None = None) -> Response:
    """The second of the two shapes of an error body; ``code`` is the status's own unless given."""
    named = HTTPStatus(status)
    phrase, usual = "Unprocessable Entity" if status == 422 else named.phrase, CODES.get(status, named.name)
    return Json({"status_code": status, "error": phrase, "message": text, "code": code or usual}, status, headers)


def _is_voice(request: HTTPConnection) -> bool:
    path: str = request.scope["path"]
    return path.startswith("/api/")
