"""serve and token: the page, the API, and who may use them."""

import asyncio
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, closing, contextmanager
from ipaddress import ip_address
from typing import TYPE_CHECKING

import structlog
import uvicorn
import uvloop

from config import Settings
from dialer.adapters.ledger import SqlLedger
from dialer.adapters.local.private_home import make_private
from dialer.adapters.local.simulator_process import local_simulator
from dialer.adapters.queue.cancelling import cancelled
from dialer.bootstrap import App, open_app, open_redis, reach_redis
from dialer.cli.opening import settings as load
from dialer.cli.opening import tell_if_new, with_ledger
from dialer.cli.printing import local, print_json, print_table, put, say
from dialer.cli.running import QUICK_CALLS
from dialer.cli.stopping import Stop, end_within
from dialer.console import open_access, open_console
from dialer.control_room import open_ledger, operator
from dialer.domain.access import Token
from dialer.errors import CannotServe, UsageError
from dialer.pipeline.keep_access import token_document
from dialer.web.app import Application
from dialer.web.connections import Protocol, allow_connections
from jobs.health import forget_the_gone, heartbeat_file
from jobs.worker import DRAIN_S, serve, unwell

if TYPE_CHECKING:
    from dialer.watching import Watch

log = structlog.get_logger()

GRACE_S = 5
"""Requests that are being answered are waited for so long."""
IDLE_S = 75
"""A connection is kept open so long without a request: longer than balancers keep theirs, so that they close it."""
LEAVING_S = 1.0
"""For so long it says that it is not ready, and serves: who sends it requests has time to look elsewhere."""
STOP_WITHIN_S = 18.0
CLOSE_WITHIN_S = 8.0


class _Server(uvicorn.Server):
    """Signals are the command's, and it tells when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listens = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listens.set()


def serve_console(host: str, port: int, *, worker: bool) -> int:
    """Serve the page and the API until SIGTERM; with ``worker`` dial as well. Answers the exit code."""
    settings = load()
    make_private(settings.home)

    async def work() -> None:
        stop = Stop(STOP_WITHIN_S + (DRAIN_S if worker else 0))
        stop.cuts = asyncio.current_task()
        try:
            async with AsyncExitStack() as stack:
                listener = stack.enter_context(closing(listen_at(host, port)))
                watch = _watch(settings)
                dialing = await _worker(settings, stack, watch) if worker else None
                await _serve(settings, host, listener, stop, dialing, watch)
                end_within(CLOSE_WITHIN_S)
        except asyncio.CancelledError:
            if not stop.asked.is_set():
                raise

    uvloop.run(work())
    return 0


def _watch(settings: Settings) -> "Watch | None":
    """What counts, where somebody is to ask for it."""
    if not settings.metrics_port:
        return None
    from dialer.watching import Watch

    return Watch(settings)


async def _worker(settings: Settings, stack: AsyncExitStack, watch: "Watch | None") -> App:
    redis_url = stack.enter_context(open_redis(settings))
    await reach_redis(redis_url, wait=True)
    simulator = stack.enter_context(local_simulator(QUICK_CALLS))
    if watch is None:
        return await stack.enter_async_context(open_app(settings, redis_url, simulator))
    app = await stack.enter_async_context(open_app(settings, redis_url, simulator, watch.meter))
    watch.name_accounts(app.providers)
    watch.ask("worker", lambda: unwell(app))
    return app


def listen_at(host: str, port: int) -> socket.socket:
    """A socket bound to the address, which nothing answers yet. Raises CannotServe."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as wrong:
        raise CannotServe(f"{host} is no address of this machine: {wrong.strerror}") from None
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as wrong:
        listener.close()
        raise CannotServe(f"cannot listen on {host}, port {port}: {os.strerror(wrong.errno or 0)}") from None
    return listener


async def _serve(
    settings: Settings, host: str, listener: socket.socket, stop: Stop, dialing: App | None, watch: "Watch | None"
) -> None:
    simulator_url = dialing.simulator_url if dialing is not None else ""
    seen = watch.requests_seen() if watch is not None else None
    page = Application(settings, lambda: open_console(settings, simulator_url), host, seen)
    config = uvicorn.Config(
        page, http=Protocol, ws="none", log_config=None, access_log=False, server_header=False, proxy_headers=False,
        timeout_graceful_shutdown=GRACE_S, timeout_keep_alive=IDLE_S, lifespan="on",
    )  # fmt: skip
    server = _Server(config)
    allow_connections()
    async with open_ledger(settings) as ledger:
        tell_if_new(ledger)
        link = await _link(settings, ledger, host)
    stop.cuts = None
    working = [asyncio.create_task(_until_asked(server, page, stop))]
    if dialing is not None:
        forget_the_gone(settings.home)
        working.append(asyncio.create_task(serve(dialing, stop.asked, heartbeat_file(settings.home))))
    async with AsyncExitStack() as stack:
        if watch is not None and seen is not None:
            seen.count_streams(lambda: page.streams)
            watch.ask("page", page.not_ready)
            await stack.enter_async_context(watch.answering())
            working.append(asyncio.create_task(_until_stopped(watch, stop)))
        await _until_over(server, listener, working, stop, lambda port: _tell(host, port, link))


async def _until_stopped(watch: "Watch", stop: Stop) -> None:
    keeping, asked = asyncio.create_task(watch.keep_stock()), asyncio.create_task(stop.asked.wait())
    await asyncio.wait([keeping, asked], return_when=asyncio.FIRST_COMPLETED)
    await cancelled([asked])
    if keeping.done():
        keeping.result()
    await cancelled([keeping])


async def _until_over(
    server: _Server,
    listener: socket.socket,
    working: list["asyncio.Task[None]"],
    stop: Stop,
    tell: Callable[[int], None],
) -> None:
    serving = asyncio.create_task(server.serve([listener]))
    listens = asyncio.create_task(server.listens.wait())
    await asyncio.wait([serving, listens, *working], return_when=asyncio.FIRST_COMPLETED)
    if server.listens.is_set():
        tell(listener.getsockname()[1])
    await asyncio.wait([serving, *working], return_when=asyncio.FIRST_COMPLETED)
    stop.asked.set()
    await asyncio.gather(serving, *working)


async def _until_asked(server: _Server, page: Application, stop: Stop) -> None:
    await stop.asked.wait()
    await page.end_streams()
    await asyncio.sleep(LEAVING_S)
    server.should_exit = True


async def _link(settings: Settings, ledger: SqlLedger, host: str) -> str:
    """The path that signs in the person who started the program, where nobody has a token. Raises UsageError."""
    access = open_access(settings, ledger)
    if await access.anybody():
        return "/"
    if not _is_loopback(host):
        raise UsageError(
            f"on {host} others could reach the page: set DIALER_WEB_TOKEN, or make a token with `dialer token add NAME "
            "--role admin`"
        )
    return f"/enter/{await access.link(operator())}"


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _tell(host: str, port: int, link: str) -> None:
    shown = f"[{host}]" if ":" in host else host
    once = " (opens once, within 15 minutes)" if link != "/" else ""
    say(f"the console listens on http://{shown}:{port}{link}{once}")


def add_token(name: str, role: str, expires: str, *, as_json: bool) -> None:
    """Make a token, and show it this once."""

    async def use(settings: Settings, ledger: SqlLedger) -> tuple[int, str]:
        return await open_access(settings, ledger).add(name, role, expires, operator())

    token_id, token = with_ledger(use)
    if as_json:
        print_json({"token_id": token_id, "name": name, "role": role, "token": token})
    else:
        put(token)
        say(f"this is the token of {name} ({role}): it is not shown again")


def list_tokens(*, as_json: bool) -> None:
    """Every token that was made, without its secret."""

    async def use(settings: Settings, ledger: SqlLedger) -> list[Token]:
        return await open_access(settings, ledger).tokens()

    tokens = with_ledger(use)
    if as_json:
        print_json([token_document(one) for one in tokens])
        return
    columns = ("id", "name", "role", "begins", "made by", "made", "ends", "last used", "revoked")
    print_table(
        columns,
        [
            (one.token_id, one.name, one.role.word, f"{one.shown}…", one.made_by, local(one.made_at),
             local(one.ends_at), local(one.used_at), local(one.revoked_at))
            for one in tokens
        ],
    )  # fmt: skip


def revoke_token(which: str, reason: str, *, as_json: bool) -> None:
    """End a token and its sessions."""

    async def use(settings: Settings, ledger: SqlLedger) -> Token:
        return await open_access(settings, ledger).revoke(which, operator(reason))

    revoked = with_ledger(use)
    if as_json:
        print_json({"token_id": revoked.token_id, "name": revoked.name, "revoked": True})
    else:
        put(f"{revoked.name}: revoked")
