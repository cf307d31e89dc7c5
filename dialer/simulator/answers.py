"""What goes back over the wire, good and bad."""

import asyncio
import socket
import struct
from typing import Any

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from dialer.simulator.books import Received

SWOLLEN_BYTES = 5_000_000


class Json(JSONResponse):
    """A JSON body, compact."""

    def __init__(self, content: Any, status: int = 200, headers: dict[str, str] | None = None) -> None:
        super().__init__(content, status_code=status, headers=headers)

    def render(self, content: Any) -> bytes:
        """The bytes of the body."""
        return to_json(content, inf_nan_mode="null")


class HungUp(Response):
    """No answer: the connection closes, at once or after ``wait_s``; ``reset`` sends RST instead of FIN."""

    def __init__(self, *, reset: bool = False, wait_s: float = 0.0) -> None:
        super().__init__()
        self._reset, self._wait_s = reset, wait_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Close the connection under the server's feet."""
        transport = transport_of(scope)
        if self._wait_s:
            await _gone(receive, self._wait_s)
        if self._reset:
            _reset(transport)
        transport.close()
        await _gone(receive, None)


class HalfAnswer(Response):
    """The head of ``whole`` with its full Content-Length, half of its body, then the connection closes."""

    def __init__(self, whole: Response) -> None:
        super().__init__()
        self._whole = whole

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send half and close."""
        whole, body = self._whole, bytes(self._whole.body)
        await send({"type": "http.response.start", "status": whole.status_code, "headers": whole.raw_headers})
        await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
        await cut_off(scope, receive)


async def cut_off(scope: Scope, receive: Receive) -> None:
    """Close the connection in the middle of an answer; what was sent before still arrives."""
    transport_of(scope).close()
    await _gone(receive, None)


class Dripping(Response):
    """``whole``, its body byte by byte over ``over_s`` seconds, as long as the caller listens."""

    def __init__(self, whole: Response, over_s: float) -> None:
        super().__init__()
        self._whole, self._over_s = whole, over_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it slowly."""
        whole, body = self._whole, bytes(self._whole.body)
        await send({"type": "http.response.start", "status": whole.status_code, "headers": whole.raw_headers})
        for at in range(len(body)):
            await asyncio.sleep(self._over_s / len(body))
            if transport_of(scope).is_closing():
                await _gone(receive, None)
                return
            await send({"type": "http.response.body", "body": body[at : at + 1], "more_body": at + 1 < len(body)})


def swollen(whole: Response) -> Response:
    """``whole``, a JSON object, with a field of 5 MB more."""
    padding = b',"padding":"' + b"x" * SWOLLEN_BYTES + b'"}'
    return Response(bytes(whole.body)[:-1] + padding, whole.status_code, media_type="application/json")


def transport_of(scope: Scope) -> asyncio.Transport:
    """The connection itself, put into the scope by the server's protocol class."""
    transport: asyncio.Transport = scope["state"]["transport"]
    return transport


def record_of(request: Request) -> Received:
    """This request's line in the books."""
    record: Received = request.scope["state"]["record"]
    return record


def _reset(transport: asyncio.Transport) -> None:
    if transport.is_closing():
        return  # the caller was quicker
    # Closing with a linger of zero is what makes the kernel send RST.
    sock: socket.socket = transport.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


async def _gone(receive: Receive, at_most_s: float | None) -> None:
    """Wait until the caller is gone, so that the server does not answer in our stead."""

    async def until_disconnect() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    try:
        await asyncio.wait_for(until_disconnect(), at_most_s)
    except TimeoutError:
        return
