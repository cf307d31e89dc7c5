"""Who may: the token of a program, the session of a browser, and what a browser may be made to send by other pages."""

from collections import deque
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Annotated
from urllib.parse import quote, urlsplit

import structlog
from fastapi import Depends, Request

from dialer.adapters.providers.answers.values import storable
from dialer.console import Console
from dialer.domain.access import Role, Visitor
from dialer.domain.act import By
from dialer.errors import LedgerUnavailable
from dialer.ports import Clock
from dialer.web.problems import Refusal

log = structlog.get_logger()

COOKIE, SECURE_COOKIE = "dialer_session", "__Host-dialer_session"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
WRONG_TOKENS, WITHIN_S = 10, 60.0
ADDRESSES = 10_000
"""So many addresses with wrong tokens are remembered; the oldest is forgotten for a new one."""


class SignIn(Exception):
    """Nobody is signed in: a page asks for it."""

    def __init__(self, back: str) -> None:
        super().__init__(back)
        self.back = back


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, and from where."""

    visitor: Visitor
    address: str

    def by(self, why: str = "") -> By:
        """For the audit."""
        return By(f"{self.visitor.name} at {self.address}", storable(why.strip()))

    def may(self, role: Role) -> bool:
        """Whether this role's doings are allowed."""
        return self.visitor.role >= role


@dataclass
class Guesses:
    """Wrong tokens of the last minute, by address."""

    clock: Clock
    wrong: MutableMapping[str, deque[float]] = field(default_factory=dict)
    said_at: float | None = None

    def check(self, address: str) -> None:
        """Raises Refusal when there were too many."""
        times = self.wrong.get(_network(address))
        since = self.clock.monotonic() - WITHIN_S
        while times and times[0] <= since:
            times.popleft()
        if times and len(times) >= WRONG_TOKENS:
            wait_s = int(times[0] - since) + 1
            raise Refusal(429, "too many wrong tokens from this address", headers={"Retry-After": str(wait_s)})

    def note(self, address: str) -> None:
        """One more. Raises Refusal when others were counted while this one was looked up."""
        self.check(address)
        now, network = self.clock.monotonic(), _network(address)
        times = self.wrong.pop(network, deque(maxlen=WRONG_TOKENS))
        times.append(now)
        self.wrong[network] = times
        if len(self.wrong) > ADDRESSES:
            del self.wrong[next(iter(self.wrong))]
        if self.said_at is None or now >= self.said_at + WITHIN_S:
            self.said_at = now
            log.warning("console.wrong_token", address=address, addresses=len(self.wrong))


def _network(address: str) -> str:
    """Of IPv6, the part that one subscriber has whole."""
    try:
        read = ip_address(address)
    except ValueError:
        return address
    return read.exploded[:19] if read.version == 6 else address


def console_of(request: Request) -> Console:
    """The rooms."""
    console: Console = request.app.state.console
    return console


def guesses_of(request: Request) -> Guesses:
    """Wrong tokens."""
    guesses: Guesses = request.app.state.guesses
    return guesses


def is_secure(request: Request) -> bool:
    """Whether the browser came by https, which a believed proxy may have ended."""
    forwarded = request.headers.get("x-forwarded-proto", "") if _by_proxy(request) else ""
    return (forwarded or request.url.scheme) == "https"


def address_of(request: Request) -> str:
    """Where the request came from."""
    direct = request.client.host if request.client else "-"
    if _by_proxy(request):
        return request.headers.get("x-forwarded-for", direct).rpartition(",")[2].strip() or direct
    return direct


def _by_proxy(request: Request) -> bool:
    proxy = console_of(request).settings.web_proxy
    return bool(proxy) and request.client is not None and request.client.host == proxy


def cookie_name(request: Request) -> str:
    """Browsers take the secure one from this very host alone."""
    return SECURE_COOKIE if is_secure(request) else COOKIE


def refuse_foreign(request: Request) -> None:
    """Raises Refusal where another site's page made the browser send this."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        if site in ("same-origin", "none"):
            return
    elif urlsplit(request.headers.get("origin", "")).netloc == request.headers.get("host"):
        return
    raise Refusal(403, "the request came from another site's page")


def bearer_of(request: Request) -> str | None:
    """The token that a program sends; None where none is sent."""
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else None


def secret_of(request: Request) -> str:
    """What the one who asks is known by: a token, the name that a proxy gives, or a session; "" for none."""
    token = bearer_of(request)
    if token is not None:
        return token
    named = request.headers.get("x-forwarded-user", "") if _by_proxy(request) else ""
    return named or request.cookies.get(cookie_name(request), "")


async def known(request: Request) -> Visitor | None:
    """Whose secret that is; None for nobody's, or where it ended."""
    access, secret = console_of(request).access, secret_of(request)
    if not secret:
        return None
    if bearer_of(request) is not None:
        return await access.holder(secret)
    by_proxy = _by_proxy(request) and request.headers.get("x-forwarded-user", "")
    return await (access.named(secret) if by_proxy else access.visitor(secret))


async def _visitor(request: Request) -> Visitor | None:
    """Who asks, by token, proxy or session; None for nobody. Raises Refusal for who guesses, and for other sites."""
    if bearer_of(request) is None:
        if secret_of(request) and request.method not in SAFE:
            refuse_foreign(request)
        return await known(request)
    guesses, address = guesses_of(request), address_of(request)
    guesses.check(address)
    visitor = await known(request)
    if visitor is None:
        guesses.note(address)
    return visitor


@dataclass(frozen=True)
class Needs:
    """A dependency of a route: the least role that may use it. Every route has one, or stands in ``OPEN_ROUTES``."""

    role: Role

    async def __call__(self, request: Request) -> Asker:
        visitor = await _visitor(request)
        if visitor is None:
            if request.url.path.startswith("/api/"):
                raise Refusal(
                    401,
                    "no token, or one that is not valid",
                    remedy="send `Authorization: Bearer TOKEN`; `dialer token add` makes one",
                    headers={"WWW-Authenticate": "Bearer"},
                )
            raise SignIn(_here(request) if request.method == "GET" else "/")
        if visitor.role < self.role:
            raise Refusal(403, f"a {visitor.role.word} may not do this", remedy=f"ask for a token: {self.role.word}")
        return Asker(visitor, address_of(request))


async def still_known(request: Request) -> bool:
    """Whether who began to listen may go on: a token that was revoked, or a session that ended, opens nothing more."""
    try:
        return await known(request) is not None
    except LedgerUnavailable:
        return True


OPEN_ROUTES = frozenset({"/login", "/enter/{token}", "/livez", "/readyz", "/static", "/hooks/vaanivoice/{secret}"})

Viewer = Annotated[Asker, Depends(Needs(Role.VIEWER))]
Operator = Annotated[Asker, Depends(Needs(Role.OPERATOR))]
Admin = Annotated[Asker, Depends(Needs(Role.ADMIN))]


async def _rooms(request: Request) -> Console:
    """Asynchronous, as a plain function would be run in a thread of its own."""
    return console_of(request)


Rooms = Annotated[Console, Depends(_rooms)]


def _here(request: Request) -> str:
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


def sign_in_address(back: str) -> str:
    """The sign-in page, and where to go on from there."""
    return f"/login?back={quote(back)}" if back not in ("", "/") else "/login"
