"""A server that does exactly what a script says with each connection, and counts what it was sent."""

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from dialer.errors import SendWithdrawn

REASONS = {200: "OK", 201: "Created", 204: "No Content"}


class Line:
    """One accepted connection."""

    def __init__(self, server: "RawServer", reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._server, self._reader, self._writer = server, reader, writer

    async def read_headers(self) -> bytes:
        """The head of a request; raises EOFError when the peer went away."""
        try:
            head = await self._reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError as error:
            self._server.bytes += len(error.partial)
            raise EOFError from error
        self._server.bytes += len(head)
        return head

    async def read_request(self) -> "Request":
        """A whole request, counted."""
        head = await self.read_headers()
        first, *fields = head.decode().strip().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in fields)}
        body = await self._reader.readexactly(int(headers.get("content-length", 0)))
        self._server.bytes += len(body)
        method, target, _ = first.split(" ")
        request = Request(method, target, headers, body)
        self._server.requests.append(request)
        self._server.came.set()
        return request

    async def write(self, data: bytes) -> None:
        """Send bytes as they are."""
        self._writer.write(data)
        await self._writer.drain()

    async def answer(self, status: int, body: bytes = b"", headers: str = "") -> None:
        """Send a complete answer."""
        await self.write(http_answer(status, body, headers))

    async def until_gone(self) -> None:
        """Wait for the peer to close."""
        while await self._reader.read(65536):
            pass

    def reset(self) -> None:
        """Close with RST."""
        self._writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()


@dataclass(frozen=True)
class Request:
    """What the server read."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body)


Script = Callable[[Line], Awaitable[None]]


@dataclass
class RawServer:
    """What came in, over all connections."""

    url: str
    script: Script
    requests: list[Request] = field(default_factory=list)
    bytes: int = 0
    connections: int = 0
    came: asyncio.Event = field(default_factory=asyncio.Event)
    hung_up: asyncio.Event = field(default_factory=asyncio.Event)

    async def next_request(self) -> None:
        """Wait until another whole request was read."""
        self.came.clear()
        await self.came.wait()


def http_answer(status: int, body: bytes = b"", headers: str = "") -> bytes:
    """A complete HTTP/1.1 answer."""
    head = f"HTTP/1.1 {status} {REASONS.get(status, 'X')}\r\n{headers}"
    if status != 204:
        head += f"content-length: {len(body)}\r\n"
    return f"{head}\r\n".encode() + body


@asynccontextmanager
async def raw_server(script: Script) -> AsyncIterator[RawServer]:
    """Serve ``script``, once per connection, until the block ends."""
    tasks: set[asyncio.Task[None]] = set()
    found = RawServer("", script)

    async def run(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        found.connections += 1
        try:
            await found.script(Line(found, reader, writer))
        except (EOFError, ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()
            found.hung_up.set()

    def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(run(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(accepted, "127.0.0.1", 0)
    found.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield found
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()


def refused_url() -> str:
    """An address where nothing listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}"


@asynccontextmanager
async def black_hole() -> AsyncIterator[str]:
    """An address that never completes a connection: its backlog is full and nobody accepts."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            for filler in fillers:
                filler.close()


class StoppedClock:
    """A clock that stands at ``at``; sleeping is noted and takes no time."""

    def __init__(self, at: float = 1_790_000_000.0) -> None:
        self.at = at
        self.slept: list[float] = []

    def now(self) -> float:
        """Unix seconds."""
        return self.at

    def monotonic(self) -> float:
        """Seconds."""
        return self.at

    async def sleep(self, seconds: float) -> None:
        """Note it and go on."""
        self.slept.append(seconds)
        await asyncio.sleep(0)


class Permit:
    """A permit that notes what it is asked; ``withdrawn_after`` requests it says no, at ``where``."""

    def __init__(self, withdrawn_after: int | None = None, where: str = "last_instant") -> None:
        self.slots: list[bool] = []
        self.instants = 0
        self._withdrawn_after, self._where = withdrawn_after, where

    async def slot(self, repeat: bool) -> None:
        """A slot, unless withdrawn."""
        if self._where == "slot" and self._withdrawn_after == len(self.slots):
            raise SendWithdrawn("paused")
        self.slots.append(repeat)

    def last_instant(self) -> None:
        """The last instant, unless withdrawn."""
        if self._where == "last_instant" and self._withdrawn_after == self.instants:
            raise SendWithdrawn("paused")
        self.instants += 1
