"""A WebSocket as a caller opens it, byte by byte, for the tests of the simulator's sockets."""

import asyncio
import base64
import json
import os
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

PATIENCE_S = 10.0


class SocketClient:
    """An open socket. ``status`` is what the handshake was answered with; above 101 nothing is open."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, status: int) -> None:
        self.reader, self.writer, self.status = reader, writer, status

    async def hear(self) -> dict[str, Any] | int | None:
        """The next message; the code when the server closes; None when the connection breaks."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                opcode, payload = await self._frame()
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        if opcode == 8:
            code: int = struct.unpack("!H", payload[:2])[0]
            return code
        message: dict[str, Any] = json.loads(payload) if opcode == 1 else {"opcode": opcode, "payload": payload}
        return message

    async def say(self, opcode: int, payload: bytes, *, masked: bool = True, last: bool = True) -> None:
        """Send one frame."""
        size = len(payload)
        length = (
            bytes((size,))
            if size < 126
            else struct.pack("!BH" if size < 65_536 else "!BQ", 126 + (size > 65_535), size)
        )
        mask = os.urandom(4) if masked else b""
        body = bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload)) if masked else payload
        head = bytes((opcode | (128 if last else 0), length[0] | (128 if masked else 0))) + length[1:]
        self.writer.write(head + mask + body)
        await self.writer.drain()

    async def _frame(self) -> tuple[int, bytes]:
        first, size = await self.reader.readexactly(2)
        if size == 126:
            (size,) = struct.unpack("!H", await self.reader.readexactly(2))
        return first & 15, await self.reader.readexactly(size)


@asynccontextmanager
async def opened(url: str, **headers: str) -> AsyncIterator[SocketClient]:
    """Open ``url``, ws or http, for the block."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    key = base64.b64encode(os.urandom(16)).decode()
    lines = [f"GET {parts.path} HTTP/1.1", f"Host: {parts.netloc}", "Connection: Upgrade", "Upgrade: websocket"]
    lines += [f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
    try:
        async with asyncio.timeout(PATIENCE_S):
            head = await reader.readuntil(b"\r\n\r\n")
        yield SocketClient(reader, writer, int(head.split()[1]))
    finally:
        writer.close()
