"""httpcore's network stream straight on an asyncio transport.

httpcore's own runs on anyio, whose locks and cancel scopes are nearly half of the CPU of a small request. What
each failure raises is the same, and the transport's contract tests hold it to that.
"""

import asyncio
import select
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import zip_longest
from typing import Any, cast

import httpcore

# ruff: noqa: ASYNC109 - httpcore's interface hands the time-outs over

SocketOption = tuple[int, int, int]
Address = tuple[int, Any]

STAGGER_S = 0.25
HIGH_WATER = 256 * 1024
HELD = 64 * 1024
"""Bytes of a request that are held back at most, to leave in one write."""


class _Wire(asyncio.Protocol):
    """What arrived and was not read yet, and how the connection ended."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.buffer = bytearray()
        self.eof = False
        self.lost: Exception | None = None
        self._reader: asyncio.Future[None] | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self._paused = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports have the methods, not the base class.
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if len(self.buffer) > HIGH_WATER and not self._paused and self.transport is not None:
            self._paused = True
            self.transport.pause_reading()
        self._wake()

    def eof_received(self) -> bool:
        self.eof = True
        self._wake()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self.eof = True
        self.lost = exc
        self._writable.set()
        self._wake()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    @property
    def is_writable(self) -> bool:
        return self._writable.is_set() and self.lost is None

    async def writable(self) -> None:
        await self._writable.wait()

    async def arrival(self) -> None:
        """Wait until there is something to read, or nothing more to wait for."""
        if self.buffer or self.eof:
            return
        self._reader = asyncio.get_running_loop().create_future()
        try:
            await self._reader
        finally:
            self._reader = None

    def take(self, max_bytes: int) -> bytes:
        data = bytes(self.buffer[:max_bytes])
        del self.buffer[:max_bytes]
        if self._paused and not self.buffer and self.transport is not None:
            self._paused = False
            self.transport.resume_reading()
        return data

    def _wake(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)


class SocketStream(httpcore.AsyncNetworkStream):
    """A connected socket, perhaps inside TLS. Raises httpcore's errors only."""

    def __init__(self, transport: asyncio.Transport, wire: _Wire) -> None:
        self._transport, self._wire = transport, wire
        self._held: bytearray | None = None

    def hold(self) -> None:
        """Let head and body of the next request leave together, when it is complete: httpcore then writes nothing.

        That is so where its length was said before (h11 ends a chunked body with bytes).
        """
        self._held = bytearray()

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Up to ``max_bytes``; empty at the end. Raises ReadTimeout, ReadError."""
        wire = self._wire
        if not wire.buffer and not wire.eof:
            try:
                async with asyncio.timeout(timeout):
                    await wire.arrival()
            except TimeoutError as error:
                raise httpcore.ReadTimeout from error
        if not wire.buffer and wire.lost is not None:
            raise httpcore.ReadError(str(wire.lost)) from wire.lost
        return wire.take(max_bytes)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Hand bytes to the kernel, waiting while it takes no more. Raises WriteTimeout, WriteError."""
        wire = self._wire
        if self._transport.is_closing():
            raise httpcore.WriteError(str(wire.lost or "the connection is closed"))
        if self._held is not None:
            self._held += buffer
            if buffer and len(self._held) < HELD:
                return
            buffer, self._held = bytes(self._held), None
        if not buffer:
            return
        self._transport.write(buffer)
        if wire.is_writable:
            return
        try:
            async with asyncio.timeout(timeout):
                await wire.writable()
        except TimeoutError as error:
            raise httpcore.WriteTimeout from error
        if wire.lost is not None:
            raise httpcore.WriteError(str(wire.lost)) from wire.lost

    async def aclose(self) -> None:
        """Close at once: what was not sent yet never will be."""
        self.abort()

    def abort(self) -> None:
        """The same, without waiting."""
        self._transport.abort()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> "SocketStream":
        """Shake hands. Raises ConnectError, ConnectTimeout; the connection is then closed."""
        loop = asyncio.get_running_loop()
        try:
            with _connect_errors():
                async with asyncio.timeout(timeout):
                    inside = await loop.start_tls(
                        self._transport, self._wire, ssl_context, server_hostname=server_hostname
                    )
        except BaseException:
            self._transport.abort()
            raise
        if inside is None:
            raise httpcore.ConnectError("the connection ended during the TLS handshake")
        self._wire.transport = inside
        return SocketStream(inside, self._wire)

    def get_extra_info(self, info: str) -> Any:
        """``is_readable``, or what asyncio gives under that name."""
        if info == "is_readable":
            return bool(self._wire.buffer) or self._wire.eof or self._readable()
        return self._transport.get_extra_info(info)

    def _readable(self) -> bool:
        """Ask the kernel too: the loop may not have come round to what lies there."""
        own_socket = self._transport.get_extra_info("socket")
        number = -1 if own_socket is None else own_socket.fileno()
        if number < 0:
            return True
        poll = select.poll()
        poll.register(number, select.POLLIN)
        return bool(poll.poll(0))


async def connect(
    host: str, port: int, timeout_s: float | None, options: Sequence[SocketOption], *may: Callable[[str], bool]
) -> SocketStream:
    """Connect to an address that each of ``may`` allows. Raises ConnectError (refused, no such name, no route) and
    ConnectTimeout.
    """
    loop = asyncio.get_running_loop()
    with _connect_errors():
        async with asyncio.timeout(timeout_s):
            infos = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            addresses: list[Address] = [
                (info[0], info[4]) for info in infos if all(one(str(info[4][0])) for one in may)
            ]
            if infos and not addresses:
                raise OSError("an address of this machine or its link, where nothing is fetched from")
            connected = await _first_to_connect(addresses, options)
            try:
                transport, wire = await loop.create_connection(_Wire, sock=connected)
            except BaseException:
                connected.close()
                raise
    return SocketStream(transport, wire)


def interleaved(addresses: Sequence[Address]) -> list[Address]:
    """The same addresses, the two families in turn (RFC 8305, 4): one dead family must not cost the whole time."""
    families: dict[int, list[Address]] = {}
    for address in addresses:
        families.setdefault(address[0], []).append(address)
    turns = zip_longest(*families.values())
    return [address for turn in turns for address in turn if address is not None]


async def _first_to_connect(addresses: list[Address], options: Sequence[SocketOption]) -> socket.socket:
    """Try every address, each a moment after the one before: one dead route must not cost the whole time."""
    waiting = list(reversed(interleaved(addresses)))
    trying: set[asyncio.Task[socket.socket]] = set()
    problem: BaseException = OSError("the name has no address")
    try:
        while waiting or trying:
            if waiting:
                trying.add(asyncio.ensure_future(_dial(*waiting.pop(), options)))
            done, trying = await asyncio.wait(
                trying, timeout=STAGGER_S if waiting else None, return_when=asyncio.FIRST_COMPLETED
            )
            connected = [task.result() for task in done if task.exception() is None]
            for spare in connected[1:]:
                spare.close()
            if connected:
                return connected[0]
            problem = next((error for task in done if (error := task.exception())), problem)
        raise problem
    finally:
        for task in trying:
            task.cancel()


async def _dial(family: int, address: Any, options: Sequence[SocketOption]) -> socket.socket:
    opened = socket.socket(family, socket.SOCK_STREAM)
    try:
        opened.setblocking(False)
        for option in options:
            opened.setsockopt(*option)
        await asyncio.get_running_loop().sock_connect(opened, address)
    except BaseException:
        opened.close()
        raise
    return opened


@contextmanager
def _connect_errors() -> Iterator[None]:
    try:
        yield
    except TimeoutError as error:
        # asyncio's own deadline is bare; the kernel's ETIMEDOUT carries an errno. Neither sent anything.
        raise httpcore.ConnectTimeout(str(error)) from error
    except (OSError, UnicodeError) as error:
        raise httpcore.ConnectError(str(error)) from error
