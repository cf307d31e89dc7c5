"""What both WebSockets of dialect B share: saying no before they open, and waiting while nobody speaks."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from starlette.websockets import WebSocket, WebSocketDisconnect
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

Gone = asyncio.Task[None]
"""Ends when the caller at the other end of an open socket goes."""


class SocketProtocol(WebSocketsSansIOProtocol):
    """uvicorn's own, which hands the bare connection to the app so that a switch can break it."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take over a connection."""
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}


@asynccontextmanager
async def accepted(socket: WebSocket) -> AsyncIterator[Gone]:
    """Open ``socket`` for the block, which ends when the caller goes; what the caller says is not listened to."""
    await socket.accept()
    gone = asyncio.ensure_future(_until_gone(socket))
    try:
        with suppress(WebSocketDisconnect):
            yield gone
    finally:
        gone.cancel()


async def stays(gone: Gone, wake: asyncio.Event) -> bool:
    """Wait for ``wake``; False as soon as the caller is gone."""
    waiting = asyncio.ensure_future(wake.wait())
    try:
        await asyncio.wait({gone, waiting}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
    wake.clear()
    return not gone.done()


async def _until_gone(socket: WebSocket) -> None:
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass
