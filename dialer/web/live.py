"""What a campaign looks like now, read once for everybody who looks at it."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import structlog

from dialer.errors import DialerError
from dialer.ports import Clock
from dialer.web.problems import Refusal

log = structlog.get_logger()

EVERY_S = 1.0
SHARE = 10
"""A reading that takes long is made again after so many times as long: readings take a tenth of a core at most."""
HISTORY_S = 300.0
KEPT_S = 30.0
"""For so long after the last look a campaign is still read: its history is there for who comes back soon."""
STILL_S = 15.0
"""Where nothing changes a stream says so this often: connections that are gone show by it."""
MOST_STREAMS = 500


@dataclass(frozen=True, slots=True)
class Sample:
    """At a moment (unix seconds): how many calls were placed so far, and lines in use."""

    at: float
    placed: int
    lines: int


@dataclass(frozen=True, slots=True)
class Now:
    """``document`` is the report's; ``history`` that of the last five minutes, oldest first."""

    number: int
    document: Mapping[str, Any]
    history: tuple[Sample, ...]
    screens: "dict[tuple[str, bool], asyncio.Future[Mapping[str, str]]]" = field(default_factory=dict, compare=False)
    """What was made of it to be shown, for all who look at it."""


@dataclass
class _Watched:
    now: Now | None = None
    history: deque[Sample] = field(default_factory=deque)
    task: "asyncio.Task[None] | None" = None
    reading: "asyncio.Task[None] | None" = None
    looked_at: float = 0.0
    fresh_until: float = 0.0
    changed: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass
class Live:
    """Reads each campaign that somebody looks at once a second. ``read`` answers its report by handle."""

    read: Callable[[str], Awaitable[Mapping[str, Any]]]
    clock: Clock
    streams: int = 0
    ending: asyncio.Event = field(default_factory=asyncio.Event)
    _watched: dict[str, _Watched] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    async def now(self, handle: str, status: str = "") -> Now:
        """At most two seconds old, or as old as reading it takes. ``status``: what the campaign is known to have
        become; what was read before that is no answer. Raises what reading it raises.
        """
        watched = self._watch(handle)
        if watched.now is None or self.clock.monotonic() > watched.fresh_until:
            await self._look(handle, watched)
        assert watched.now is not None
        if status and watched.now.document["status"] != status:
            if watched.reading is not None:  # it may have begun before
                await asyncio.wait([watched.reading])
            await self._look(handle, watched)
        return watched.now

    async def changes(self, handle: str) -> AsyncIterator[Now | None]:
        """The present state first, then each change; None where nothing changed for a while. Ends with the program."""
        number = 0
        while not self.ending.is_set():
            watched = self._watch(handle)
            if watched.now is not None and watched.now.number != number:
                number = watched.now.number
                yield watched.now
                continue
            with suppress(TimeoutError):
                async with asyncio.timeout(STILL_S):
                    await watched.changed.wait()
                    continue
            yield None

    @contextmanager
    def stream(self) -> Iterator[None]:
        """One more stream while the block runs. Raises Refusal when there are too many."""
        if self.streams >= MOST_STREAMS:
            raise Refusal(503, "too many streams are open", headers={"Retry-After": "15"})
        self.streams += 1
        try:
            yield
        finally:
            self.streams -= 1

    async def aclose(self) -> None:
        """End every stream, and stop reading."""
        self.ending.set()
        watched = list(self._watched.values())
        tasks = [task for one in watched for task in (one.task, one.reading) if task is not None]
        for one in watched:
            one.changed.set()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _watch(self, handle: str) -> _Watched:
        watched = self._watched.setdefault(handle, _Watched())
        watched.looked_at = self.clock.monotonic()
        if watched.task is None and not self.ending.is_set():
            watched.task = asyncio.create_task(self._keep_looking(handle, watched))
        return watched

    async def _keep_looking(self, handle: str, watched: _Watched) -> None:
        failing = False
        try:
            while self.clock.monotonic() - watched.looked_at < KEPT_S:
                began = self.clock.monotonic()
                try:
                    await self._look(handle, watched)
                    failing = False
                except DialerError as failed:
                    if not failing:  # said once, however long it lasts
                        log.warning("console.not_read", error=str(failed))
                    failing = True
                await self.clock.sleep(max(EVERY_S, SHARE * (self.clock.monotonic() - began)))
        finally:
            self._watched.pop(handle, None)

    async def _look(self, handle: str, watched: _Watched) -> None:
        """Read it, or wait for who reads it."""
        if watched.reading is None:
            watched.reading = asyncio.create_task(self._read(handle, watched))
            watched.reading.add_done_callback(lambda done: _over(watched, done))
        await asyncio.shield(watched.reading)

    async def _read(self, handle: str, watched: _Watched) -> None:
        began = self.clock.monotonic()
        document, at = await self.read(handle), self.clock.now()
        took_s = self.clock.monotonic() - began
        watched.history.append(Sample(at, placed_of(document), lines_of(document)))
        while watched.history[0].at < at - HISTORY_S:
            watched.history.popleft()
        before = watched.now
        new = before is None or before.document != document or _moving(watched.history)
        number = next(self._numbers) if new or before is None else before.number
        watched.now = Now(number, document, tuple(watched.history))
        watched.fresh_until = self.clock.monotonic() + max(EVERY_S, SHARE * took_s) + took_s
        if new:
            # Those who wait now see this change; the next one gets an event of its own.
            changed, watched.changed = watched.changed, asyncio.Event()
            changed.set()


def _over(watched: _Watched, reading: "asyncio.Task[None]") -> None:
    watched.reading = None
    if not reading.cancelled():
        reading.exception()  # those who waited have it


def placed_of(document: Mapping[str, Any]) -> int:
    """Attempts that went to the provider."""
    attempts: Mapping[str, int] = document["attempts"]
    return attempts["total"] - attempts["planned"] - attempts["queued"] - attempts["cancelled"]


def lines_of(document: Mapping[str, Any]) -> int:
    """Calls that hold a line now."""
    attempts: Mapping[str, int] = document["attempts"]
    return attempts["dialing"] + attempts["placed"] + attempts["unknown"]


def _moving(history: deque[Sample]) -> bool:
    """Whether the curves of the last minutes still move although the numbers stand."""
    return history[0].placed != history[-1].placed or any(sample.lines for sample in history)


def per_second(history: tuple[Sample, ...], over_s: float) -> float:
    """Calls a second over the last ``over_s`` seconds of a history."""
    if len(history) < 2:
        return 0.0
    last = history[-1]
    first = next((one for one in history if one.at >= last.at - over_s), history[0])
    return max(0.0, (last.placed - first.placed) / (last.at - first.at)) if last.at > first.at else 0.0
