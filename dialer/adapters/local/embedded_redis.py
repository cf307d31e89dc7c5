"""A Redis-compatible server of our own, shared by every command in the same home.

A process that needs it starts it, and starts it again when it is gone: its owner ended, or it was killed.
While it lives it holds a lock on ``redis.owner`` itself, so that a home never has two of them.
"""

import json
import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

import structlog

from dialer.adapters.local.file_lock import FileLock, file_lock
from dialer.adapters.local.redis_server import RedisServer, addresses, answers, server_binary
from dialer.errors import QueueUnavailable

log = structlog.get_logger()

LOOK_S = 0.5
PATIENCE_S = 5.0
"""How long a server that was asked to end, or whose owner was killed, may take to give the lock up."""
SLOW_LOOKS = 10
"""A server of ours that takes its time is ended after so many looks, each of 2 s."""
TWO_SERVERS = (
    "another embedded Redis serves {home} and cannot be reached from here (it runs in another container, on another "
    "machine, or under another TMPDIR). Set DIALER_REDIS_URL to one Redis for all of them"
)


@contextmanager
def embedded_redis(home: Path, binary: str = "") -> Iterator[str]:
    """Yields the URL of a server whose socket lives in ``home``; it answers there as long as the block lasts.

    It dies with the process that started it, killed or not. Raises QueueUnavailable, OSError.
    """
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    keeper = _Keeper(home.resolve(), binary)
    thread = threading.Thread(target=keeper.run, name="embedded-redis", daemon=True)
    thread.start()
    try:
        yield keeper.started.result()
    finally:
        keeper.over.set()
        thread.join()


class _Keeper:
    """Sees to it that a server answers. One thread: the server dies with the thread that started it."""

    def __init__(self, home: Path, binary: str) -> None:
        self._home, self._binary = home, binary
        self._address = home
        self._server: RedisServer | None = None
        self._slow = 0
        self.started: Future[str] = Future()
        self.over = threading.Event()

    def run(self) -> None:
        """Start or find the server; then look after it until ``over`` is set, and end what is ours."""
        try:
            self._find_or_start()
        except BaseException as broken:  # noqa: BLE001 - raised where it is waited for
            self.started.set_exception(broken)
            return
        self.started.set_result(_url(self._address))
        said = ""
        while not self.over.wait(LOOK_S):
            try:
                if self._is_gone():
                    self._start_again()
                said = ""
            except (QueueUnavailable, OSError) as broken:
                if str(broken) != said:
                    log.warning("redis.not_started", error=str(broken))
                said = str(broken)
        self._end()

    def _is_gone(self) -> bool:
        if self._server is not None and not self._server.alive:
            return True
        answer = answers(self._address)
        self._slow = self._slow + 1 if answer is None else 0
        return answer is False or self._slow > SLOW_LOOKS

    def _start_again(self) -> None:
        before = self._address
        with suppress(FileNotFoundError):
            self._end()
        self._find_or_start()
        log.warning("redis.started_again", ours=self._server is not None)
        if self._address != before:
            # Connections know the old place only.
            raise QueueUnavailable("the embedded Redis is at another place now: start this command again")

    def _find_or_start(self) -> None:
        """Share the server that runs, else start one. Raises QueueUnavailable."""
        with file_lock(self._home / "redis.lock"):
            if self._find():
                return
            owner = FileLock(self._home / "redis.owner")
            try:
                end = time.monotonic() + PATIENCE_S
                while not owner.take_now():
                    if self._find():
                        return
                    if time.monotonic() > end or self.over.wait(0.05):
                        raise QueueUnavailable(TWO_SERVERS.format(home=self._home))
                self._start(owner)
            finally:
                owner.close()

    def _find(self) -> bool:
        address = _noted(self._home)
        if address is not None and answers(address):
            self._address = address
            return True
        return False

    def _start(self, owner: FileLock) -> None:
        binary, places = server_binary(self._binary), addresses(self._home)
        for address in places:
            try:
                self._server = RedisServer(self._home, binary, address, owner.fileno)
                break
            except QueueUnavailable:
                if address == places[-1]:
                    raise
        assert self._server is not None
        self._address, self._slow = self._server.address, 0
        _write_private(_note_of(self._home), json.dumps({"socket": str(self._address), "pid": self._server.pid}))

    def _end(self) -> None:
        if self._server is None:
            return
        server, self._server = self._server, None
        try:
            with file_lock(self._home / "redis.lock"):
                server.end()
                _note_of(self._home).unlink(missing_ok=True)
        except FileNotFoundError:  # the home is gone: there is nobody to agree with
            server.end()


def running_server(home: Path) -> str:
    """The URL of the server that another process keeps for this home; "" when it keeps none."""
    address = _noted(home)
    return _url(address) if address is not None and answers(address) else ""


def _noted(home: Path) -> Path | None:
    with suppress(OSError, ValueError, KeyError, TypeError):
        return Path(json.loads(_note_of(home).read_text())["socket"])
    return None


def _note_of(home: Path) -> Path:
    return home / "redis.json"


def _url(address: Path) -> str:
    return f"unix://{quote(str(address))}?db=0"


def _write_private(path: Path, text: str) -> None:
    """Replace the file in one step; it is never readable for others."""
    partial = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    partial.replace(path)
