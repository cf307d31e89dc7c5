"""A WebSocket as a caller opens it, for the tests of the simulator's sockets."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

PATIENCE_S = 10.0


class SocketClient:
    """An open socket."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    async def hear(self) -> dict[str, Any] | int | None:
        """The next message; the code when the server closes; None when the connection breaks."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                message: dict[str, Any] = json.loads(await self.connection.recv())
        except ConnectionClosed as closed:
            return None if closed.rcvd is None else closed.rcvd.code
        return message


@asynccontextmanager
async def opened(url: str, **headers: str) -> AsyncIterator[SocketClient]:
    """Open ``url``, ws or http, for the block."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    address = url.replace("http://", "ws://")
    async with connect(address, additional_headers=named, proxy=None, open_timeout=PATIENCE_S) as connection:
        yield SocketClient(connection)


async def refusal_of(url: str) -> int:
    """The status that a handshake is refused with."""
    try:
        async with opened(url):
            raise AssertionError("the socket opened")
    except InvalidStatus as refused:
        return refused.response.status_code
