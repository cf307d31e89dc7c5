"""Time that passes only when everybody waits: an event loop for tests of what takes seconds, over a real Redis.

The loop jumps to the next sleeper's moment as soon as nothing else is left to do. Before it jumps it asks each server
that follows it, over a connection of its own, so that no answer is still on its way: what takes time on a busy machine
takes none here, and a test comes to the same on every machine. Redis follows with its clock: the pacer's script reads
``REDIS_TIME`` in place of the server's own.
"""

import asyncio
import math
import os
import selectors
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import Context
from typing import Protocol, TypeVarTuple

SECOND_US = 1_000_000
BEGAN_S, EPOCH_S = 1_000, 1_790_000_000
CLOCK_KEYS = ("clock:s", "clock:us")
Args = TypeVarTuple("Args")
REDIS_TIME = "redis.call('MGET', '{}', '{}')".format(*CLOCK_KEYS)


class Follower(Protocol):
    """A server that keeps the loop's time."""

    def settle(self) -> None:
        """Return once whatever was sent to the server before has its answer."""
        ...


class VirtualClock:
    """A Clock on the running loop."""

    def now(self) -> float:
        return EPOCH_S + self.monotonic() - BEGAN_S

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class VirtualLoop(asyncio.SelectorEventLoop):
    """``time`` is virtual, in whole microseconds as Redis's; sockets, processes and threads are real."""

    def __init__(self) -> None:
        self.time_us = BEGAN_S * SECOND_US
        self.followers: list[Follower] = []
        super().__init__(_Selector(self))

    def time(self) -> float:
        """Seconds."""
        return self.time_us / SECOND_US

    def call_at(
        self, when: float, callback: Callable[[*Args], object], *args: *Args, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """At a whole microsecond, and later than now if ``when`` is, be it by less than one."""
        at_us = math.ceil(round(when * SECOND_US, 3))
        if when > self.time():
            at_us = max(at_us, self.time_us + 1)
        return super().call_at(at_us / SECOND_US, callback, *args, context=context)

    def skip(self, seconds: float) -> None:
        """The process stands still for so long."""
        self.time_us += round(seconds * SECOND_US)
        self.settle()

    def settle(self) -> None:
        """Let every server answer, and tell it the time."""
        for follower in self.followers:
            follower.settle()


class _Selector(selectors.DefaultSelector):
    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        self._loop.settle()
        ready = super().select(0)
        if ready or timeout is None:
            return ready or super().select(None)
        self._loop.skip(timeout)
        return super().select(0)


class RedisFollower:
    """A real Redis whose clock is the loop's, over a connection that answers before any method returns."""

    def __init__(self, loop: VirtualLoop, url: str) -> None:
        self._loop, self._path = loop, url.removeprefix("unix://")
        self._line: socket.socket | None = None
        self._still = False
        loop.followers.append(self)
        self.settle()

    def settle(self) -> None:
        """The second answer comes from a later round of the server, when all it read before is answered."""
        if not self._still:
            self._ask(self._tell_time())
            self._ask(self._tell_time())

    def flush(self) -> None:
        """Forget everything but the time."""
        self._ask(_command("FLUSHALL") + self._tell_time(), answers=2)

    @contextmanager
    def standing_still(self, pid: int) -> Iterator[None]:
        """The server is stopped for the block. When it goes on, it reads the time before what it was sent meanwhile."""
        assert self._line is not None
        self._still = True
        os.kill(pid, signal.SIGSTOP)
        self._line.sendall(self._tell_time()[:1])
        try:
            yield
        finally:
            self._line.sendall(self._tell_time()[1:])
            os.kill(pid, signal.SIGCONT)
            self._read(self._line)
            self._still = False

    def close(self) -> None:
        """Follow no longer."""
        self._loop.followers.remove(self)
        if self._line is not None:
            self._line.close()

    def _tell_time(self) -> bytes:
        seconds, fraction_us = divmod(self._loop.time_us, SECOND_US)
        of_seconds, of_fraction = CLOCK_KEYS
        return _command("MSET", of_seconds, str(EPOCH_S - BEGAN_S + seconds), of_fraction, str(fraction_us))

    def _ask(self, commands: bytes, answers: int = 1) -> None:
        """A server that is away has nothing to answer."""
        try:
            if self._line is None:
                self._line = socket.socket(socket.AF_UNIX)
                self._line.settimeout(30)
                self._line.connect(self._path)
            self._line.sendall(commands)
            for _ in range(answers):
                self._read(self._line)
        except (ConnectionError, FileNotFoundError):
            assert self._line is not None
            self._line.close()
            self._line = None

    def _read(self, line: socket.socket) -> None:
        answer = b""
        while not answer.endswith(b"\r\n"):
            got = line.recv(1)
            if not got:
                raise ConnectionResetError
            answer += got
        assert answer == b"+OK\r\n", answer


def _command(*words: str) -> bytes:
    return f"*{len(words)}\r\n".encode() + b"".join(f"${len(word)}\r\n{word}\r\n".encode() for word in words)


def running_virtual_loop() -> VirtualLoop:
    """The loop of a test that asked for it."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    return loop
