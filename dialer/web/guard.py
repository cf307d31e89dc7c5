"""Around every request: which hosts we answer to, how large a body may be, and what a browser may do with an answer."""

from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dialer.web.problems import Refusal, answer

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
SMALL_BYTES = 64 * 1024
LARGE = ("/api/v1/imports", "/api/v1/suppressions/import", "/new/list", "/suppressions/import")
"""Where lists are taken."""
PEOPLE_BYTES = 8 * 1024 * 1024
PEOPLE = "/contacts"
"""Where people are taken as JSON, a thousand at most."""
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "media-src 'self'; font-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "x-frame-options": "DENY",
}


@dataclass(frozen=True)
class Guard:
    """The outermost layer. ``hosts``: the names, without port, that the page may be called by; ``list_bytes``: the
    largest list.
    """

    app: ASGIApp
    hosts: frozenset[str]
    list_bytes: int

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if _host(headers.get("host", "")) not in self.hosts:
            remedy = "name it in DIALER_WEB_HOSTS"
            await answer(Refusal(421, "this host name is not one of ours", remedy=remedy))(scope, receive, send)
            return
        largest = self._largest(scope["path"])

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    given.setdefault(name, value)
                given.setdefault("cache-control", "no-store")
            await send(message)

        if int(headers.get("content-length") or 0) > largest:
            await answer(_too_large(largest))(scope, receive, guarded)
            return
        await self.app(scope, _counted(receive, largest), guarded)

    def _largest(self, path: str) -> int:
        if path.startswith(LARGE):
            return self.list_bytes
        return PEOPLE_BYTES if path.endswith(PEOPLE) else SMALL_BYTES


def _counted(receive: Receive, largest: int) -> Receive:
    taken = 0

    async def received() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > largest:
            raise _too_large(largest)
        return message

    return received


def _too_large(largest: int) -> Refusal:
    return Refusal(413, f"more than {largest:,} bytes")


def _host(given: str) -> str:
    """Without the port."""
    if given.startswith("["):
        return given[1:].partition("]")[0].lower()
    return given.partition(":")[0].lower()
