"""The simulator as a running server: on its own (``serve``) or inside an event loop (``run_simulator``)."""

import asyncio
import json
import logging
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from email.utils import formatdate
from pathlib import Path
from typing import TextIO

import uvicorn
import uvloop
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from dialer.simulator.app import application
from dialer.simulator.books import Books
from dialer.simulator.clock import Clock, RealClock
from dialer.simulator.courier import Courier
from dialer.simulator.desk import Provider
from dialer.simulator.options import Options
from dialer.simulator.sockets import SocketProtocol
from dialer.simulator.summary import as_table, summarise
from dialer.simulator.switchboard import Switchboard

HOST = "127.0.0.1"
TICK_S = 0.02
LARGEST_MESSAGE_BYTES = 1_000_000


class _Protocol(HttpToolsProtocol):
    """uvicorn's own, which hands the bare connection to the app so that a fault can break it, and tells the time."""

    def __init__(self, config: uvicorn.Config, state: ServerState, clock: Clock) -> None:
        super().__init__(config, state, {})
        self._clock = clock

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["state"]["transport"] = self.transport
        date = formatdate(self._clock.now(), usegmt=True)
        self.server_state.default_headers = [(b"date", date.encode())]


class Simulator:
    """One simulated provider: ``board`` is its inside, ``app`` its ASGI face, ``url`` where it listens."""

    def __init__(self, options: Options, clock: Clock | None = None) -> None:
        self.board = Switchboard(options, clock or RealClock())
        self.courier = Courier(self.board)
        self.app: ASGIApp = application(Provider(self.board, self.courier, self.unplug))
        self.url = ""
        self._plug: _Plug | None = None

    @property
    def books(self) -> Books:
        """What it saw."""
        return self.board.books

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Listen on ``options.port`` of this machine while the block runs; open connections are cut at its end."""
        # A short keep-alive would close connections nobody asked a fault for.
        # uvicorn's Server would take over the signals of a process it shares; its protocol needs none of it.
        logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
        config = uvicorn.Config(
            self.app,
            http=_Protocol,
            ws=SocketProtocol,
            ws_max_size=LARGEST_MESSAGE_BYTES,
            ws_ping_interval=None,
            lifespan="off",
            access_log=False,
            log_config=None,
            timeout_keep_alive=75,
        )
        config.load()
        state = ServerState()
        self._plug = _Plug(lambda: _Protocol(config, state, self.board.clock), state)
        self.board.address = f"{HOST}:{await self._plug.put_in(self.board.options.port)}"
        self.url = f"http://{self.board.address}"
        keeper = asyncio.get_running_loop().create_task(self._keep_time())
        try:
            yield
        finally:
            keeper.cancel()
            self._plug.pull()
            await _cut_off(state)
            await self.courier.close()

    async def _keep_time(self) -> None:
        """Let happen what is due though nobody asks for anything."""
        agenda = self.board.agenda
        while True:
            await agenda.filled.wait()
            agenda.run(self.board.clock.now())
            # A virtual clock may jump at any moment, so that sleeping until the next date would be too long.
            await asyncio.sleep(TICK_S)

    async def unplug(self, seconds: float) -> None:
        """Cut every connection and refuse new ones for so long."""
        assert self._plug is not None
        port = self._plug.pull()
        await asyncio.sleep(seconds)
        await self._plug.put_in(port)


class _Plug:
    """The listening socket, which can be closed and opened again on its port."""

    def __init__(self, protocol: Callable[[], asyncio.Protocol], state: ServerState) -> None:
        self._protocol, self._state = protocol, state
        self._server: asyncio.Server | None = None

    async def put_in(self, port: int) -> int:
        """Listen; the port, for 0 takes a free one."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._protocol, HOST, port, backlog=2048)
        found: int = self._server.sockets[0].getsockname()[1]
        return found

    def pull(self) -> int:
        """Listen no more and close every connection; the port it was."""
        assert self._server is not None
        found: int = self._server.sockets[0].getsockname()[1] if self._server.sockets else 0
        self._server.close()
        for connection in list(self._state.connections):
            connection.transport.close()
        return found


@asynccontextmanager
async def run_simulator(options: Options | None = None, clock: Clock | None = None) -> AsyncIterator[Simulator]:
    """Run a simulator in this event loop; the real clock unless one is given."""
    simulator = Simulator(options or Options(), clock)
    async with simulator.listening():
        yield simulator


def serve(options: Options, books_file: Path | None = None, *, as_json: bool = False) -> int:
    """Serve until SIGINT or SIGTERM, then print what was seen and write ``books_file``; returns the exit code."""
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            simulator = runner.run(_until_asked_to_end(options, as_json))
    except OSError as error:
        _say(f"simulator cannot listen on port {options.port}: {error.strerror}", sys.stderr)
        return 1
    seen = summarise(simulator.books)
    _say(json.dumps(seen, indent=2) if as_json else as_table(seen), sys.stdout)
    if books_file is not None:
        books_file.write_text(json.dumps(simulator.books.export(simulator.board.clock.now())), encoding="utf-8")
    return 0


async def _until_asked_to_end(options: Options, as_json: bool) -> Simulator:
    simulator = Simulator(options)
    asked_to_end = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, asked_to_end.set)
    async with simulator.listening():
        # With --json the summary is the one document on stdout.
        _say(f"simulator listening on {simulator.url}", sys.stderr if as_json else sys.stdout)
        await asked_to_end.wait()
    return simulator


async def _cut_off(state: ServerState) -> None:
    """Close every connection, let the handlers notice, and cancel those that do not."""
    tasks = list(state.tasks)
    if tasks:
        await asyncio.wait(tasks, timeout=1.0)
    for task in tasks:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def _say(text: str, where: TextIO) -> None:
    where.write(text + "\n")
    where.flush()
