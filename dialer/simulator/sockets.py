"""What both WebSockets of dialect B share: saying no before they open, and waiting while nobody speaks."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from starlette.responses import Response
from starlette.websockets import WebSocket, WebSocketDisconnect


async def deny(socket: WebSocket, answer: Response) -> None:
    """Answer the handshake with an error instead of opening."""
    await socket.send_denial_response(answer)


class Caller:
    """Who listens at the other end of an open socket."""

    def __init__(self, gone: "asyncio.Task[None]") -> None:
        self._gone = gone

    async def stays(self, wake: asyncio.Event) -> bool:
        """Wait for ``wake``; False as soon as the caller is gone."""
        waiting = asyncio.ensure_future(wake.wait())
        try:
            await asyncio.wait({self._gone, waiting}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
        wake.clear()
        return not self._gone.done()


@asynccontextmanager
async def accepted(socket: WebSocket) -> AsyncIterator[Caller]:
    """Open ``socket`` for the block; what the caller says is not listened to."""
    await socket.accept()
    gone = asyncio.ensure_future(_until_gone(socket))
    try:
        yield Caller(gone)
    finally:
        gone.cancel()


async def _until_gone(socket: WebSocket) -> None:
    with suppress(WebSocketDisconnect):
        while True:
            await socket.receive_bytes()
