"""A server that takes webhooks and keeps them, for the tests of the simulator."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

PATIENCE_S = 10.0


@dataclass(slots=True)
class Taken:
    """One request, as it came."""

    headers: dict[str, str]
    raw: bytes

    @property
    def body(self) -> dict[str, Any]:
        """The JSON."""
        body: dict[str, Any] = json.loads(self.raw)
        return body


@dataclass
class Receiver:
    """Answers with ``statuses`` one after the other, then always with 200."""

    statuses: list[int]
    url: str = ""
    taken: list[Taken] = field(default_factory=list)
    more: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def events(self) -> list[str]:
        """The kinds of event taken so far."""
        return [one.body["event"] for one in self.taken]

    async def until(self, count: int) -> list[Taken]:
        """Wait for so many, and hand them out."""
        async with asyncio.timeout(PATIENCE_S):
            while len(self.taken) < count:
                self.more.clear()
                await self.more.wait()
        return self.taken

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        while head := await reader.readuntil(b"\r\n\r\n"):
            lines = head.decode().split("\r\n")[1:-2]
            headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
            self.taken.append(Taken(headers, await reader.readexactly(int(headers["content-length"]))))
            status = self.statuses.pop(0) if self.statuses else 200
            writer.write(f"HTTP/1.1 {status} Whatever\r\nContent-Length: 0\r\n\r\n".encode())
            self.more.set()


@asynccontextmanager
async def receiver(statuses: Iterable[int] = ()) -> AsyncIterator[Receiver]:
    """A receiver for the block."""
    made = Receiver(list(statuses))
    connections: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        connections.add(task)
        try:
            await made.take(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hooks"
    try:
        yield made
    finally:
        server.close()
        for task in connections:
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)
