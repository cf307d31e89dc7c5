"""WebSockets (RFC 6455) for uvicorn, as much of them as the simulator speaks: texts, pings and closing.

uvicorn brings none of its own, and with the connection in hand the simulator can break it.
"""

import asyncio
import base64
import hashlib
import struct
from http import HTTPStatus
from typing import Any, NamedTuple, cast
from urllib.parse import unquote

from starlette.types import Message, Scope
from uvicorn.config import Config
from uvicorn.server import ServerState

MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
MOST_BYTES = 1_000_000
CONTINUED, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
NORMAL, PROTOCOL_ERROR, TOO_BIG, GONE = 1000, 1002, 1009, 1006


class Frame(NamedTuple):
    """One frame as a caller sent it, unmasked."""

    opcode: int
    last: bool
    payload: bytes


class Broken(Exception):
    """A caller that does not keep to the protocol; carries the code to close with."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class SocketProtocol(asyncio.Protocol):
    """One connection after ``Upgrade: websocket``, as ASGI."""

    def __init__(
        self, config: Config, server_state: ServerState, app_state: dict[str, Any], _loop: object = None
    ) -> None:
        self._app, self._tasks = config.loaded_app, server_state.tasks
        # uvicorn's set names uvicorn's own classes.
        self._connections: set[Any] = server_state.connections
        self._buffer = bytearray()
        self._parts: list[bytes] = []
        self._heard: asyncio.Queue[Message] = asyncio.Queue()
        self._scope: Scope | None = None
        self._accepted = self._over = False

    # --- what uvicorn and asyncio call --------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take over a connection."""
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is one in all but name
        self._connections.add(self)

    def data_received(self, data: bytes) -> None:
        """First the head of the request, which uvicorn repeats; then frames."""
        self._buffer += data
        if self._scope is None:
            head, _, rest = bytes(self._buffer).partition(b"\r\n\r\n")
            self._buffer = bytearray(rest)
            self._begin(head)
        try:
            while not self._over and (frame := taken_frame(self._buffer)) is not None:
                self._hear(frame)
        except Broken as broken:
            self._finish(broken.code)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the app."""
        self._connections.discard(self)
        self._over = True
        self._heard.put_nowait({"type": "websocket.disconnect", "code": GONE})

    # --- the app's side ----------------------------------------------------------------------------------

    def _begin(self, head: bytes) -> None:
        first, *lines = head.split(b"\r\n")
        target = first.split(b" ")[1]
        path, _, query = target.partition(b"?")
        pairs = [line.split(b": ", 1) for line in lines]
        self._scope = {
            "type": "websocket",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "scheme": "ws",
            "server": self.transport.get_extra_info("sockname"),
            "client": self.transport.get_extra_info("peername"),
            "root_path": "",
            "path": unquote(path.decode("ascii")),
            "raw_path": path,
            "query_string": query,
            "headers": [(name.lower(), value) for name, value in pairs],
            "subprotocols": [],
            "state": {"transport": self.transport},
            "extensions": {"websocket.http.response": {}},
        }
        self._heard.put_nowait({"type": "websocket.connect"})
        task = asyncio.get_running_loop().create_task(self._run())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self) -> None:
        await self._app(self._scope, self._heard.get, self._send)
        self._finish(NORMAL)

    async def _send(self, message: Message) -> None:
        if self._over:
            return
        match message["type"]:
            case "websocket.accept":
                self._accept()
            case "websocket.send":
                text = message.get("text")
                payload = text.encode() if text is not None else message["bytes"]
                self.transport.write(frame_of(TEXT if text is not None else BINARY, payload))
            case "websocket.close":
                self._finish(message.get("code", NORMAL))
            case "websocket.http.response.start":
                self._refuse(message)
            case "websocket.http.response.body":
                self.transport.write(message.get("body", b""))
                if not message.get("more_body"):
                    self._end()

    def _accept(self) -> None:
        assert self._scope is not None
        key = dict(self._scope["headers"]).get(b"sec-websocket-key", b"")
        answer = base64.b64encode(hashlib.sha1(key + MAGIC, usedforsecurity=False).digest())
        self._accepted = True
        self.transport.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + answer + b"\r\n\r\n"
        )

    def _refuse(self, message: Message) -> None:
        status = message["status"]
        lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}".encode(), b"Connection: close"]
        lines += [name + b": " + value for name, value in message["headers"]]
        self.transport.write(b"\r\n".join(lines) + b"\r\n\r\n")

    # --- frames ------------------------------------------------------------------------------------------

    def _hear(self, frame: Frame) -> None:
        match frame.opcode:
            case 8:
                code = struct.unpack("!H", frame.payload[:2])[0] if len(frame.payload) >= 2 else NORMAL
                self._heard.put_nowait({"type": "websocket.disconnect", "code": code})
                self._finish(code)
            case 9:
                self.transport.write(frame_of(PONG, frame.payload))
            case 0 | 1 | 2:
                self._parts.append(frame.payload)
                if frame.last:
                    whole = b"".join(self._parts)
                    self._parts.clear()
                    self._heard.put_nowait({"type": "websocket.receive", "bytes": whole})

    def _finish(self, code: int) -> None:
        """Close politely; a connection that was never accepted is told 403."""
        if self._over:
            return
        if self._accepted:
            self.transport.write(frame_of(CLOSE, struct.pack("!H", code if code != GONE else NORMAL)))
        else:
            self.transport.write(b"HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
        self._end()

    def _end(self) -> None:
        self._over = True
        self.transport.close()


def taken_frame(buffer: bytearray) -> Frame | None:
    """Take the first frame out of ``buffer``; None until it is whole. Raises ``Broken``."""
    if len(buffer) < 2:
        return None
    first, second = buffer[0], buffer[1]
    size, at = second & 127, 2
    if not second & 128 or first & 0x70:
        raise Broken(PROTOCOL_ERROR)  # callers must mask, and no extension was agreed on
    if size >= 126:
        form, more = ("!H", 2) if size == 126 else ("!Q", 8)
        if len(buffer) < at + more:
            return None
        size, at = struct.unpack_from(form, buffer, at)[0], at + more
    if size > MOST_BYTES:
        raise Broken(TOO_BIG)
    if len(buffer) < at + 4 + size:
        return None
    mask, masked = bytes(buffer[at : at + 4]), bytes(buffer[at + 4 : at + 4 + size])
    del buffer[: at + 4 + size]
    return Frame(first & 15, bool(first & 128), _unmasked(masked, mask))


def frame_of(opcode: int, payload: bytes) -> bytes:
    """A whole frame as a server sends it, unmasked."""
    size = len(payload)
    if size < 126:
        return bytes((128 | opcode, size)) + payload
    head = struct.pack("!BH", 126, size) if size < 65_536 else struct.pack("!BQ", 127, size)
    return bytes((128 | opcode,)) + head + payload


def _unmasked(masked: bytes, mask: bytes) -> bytes:
    size = len(masked)
    key = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(masked, "big") ^ int.from_bytes(key, "big")).to_bytes(size, "big")
