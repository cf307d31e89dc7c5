"""Recordings and other large answers: whole into memory, or into a file in little memory, going on after a cut.

They may lie elsewhere, behind a link or a redirect: another host gets no key of ours (``media_places`` says which may).

Whether the vendors obey ``Range`` is not documented. Both answers are understood: 206 goes on, 200 starts again.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urljoin, urlsplit, urlunsplit

from dialer.adapters.providers.answers.proof import read_error
from dialer.adapters.providers.http.media_places import is_inside, literal, refuse_strange_media
from dialer.adapters.providers.http.requests import Headers, ProviderHttp, may_ask_again
from dialer.adapters.providers.http.stream import Stream
from dialer.errors import AnswerCut, AnswerUnreadable, ProviderError

LARGEST_IN_MEMORY = 256 * 1024 * 1024
PATIENCE = 4
"""So many requests in a row may bring nothing."""
FIRST_WAIT_S = 0.5

REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})

_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording in memory. ``content_type`` is ``audio/ogg`` or ``audio/mpeg``."""

    content_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class SavedRecording:
    """A recording in a file. ``size`` is bytes; ``requests`` how many it took."""

    path: Path
    content_type: str
    size: int
    requests: int


async def fetch_recording(http: ProviderHttp, path: str) -> Recording:
    """A whole body in memory; repeated like every GET. Raises ProviderError."""

    async def once() -> Recording:
        async with _Place(http, path) as place, place.streaming() as stream:
            await _refuse_errors(stream, http)
            parts: list[bytes] = []
            size = 0
            async for part in stream.parts():
                size += len(part)
                if size > LARGEST_IN_MEMORY:
                    raise AnswerUnreadable(f"a body over {LARGEST_IN_MEMORY} bytes: save it to a file", status=200)
                parts.append(part)
            return Recording(_content_type(stream), b"".join(parts))

    return await http.repeated(once)


async def save_recording(http: ProviderHttp, path: str, target: Path, *, fresh: bool = False) -> SavedRecording:
    """Stream a body into ``target``, by way of ``target.part``, which a later run goes on with.

    With ``fresh`` nothing of an earlier run is believed, and a cut starts again: for what changes meanwhile.

    Repeated while requests bring something, and ``PATIENCE`` times when they bring nothing. Raises ProviderError;
    OSError when the file cannot be written.
    """
    part = target.with_name(target.name + ".part")
    file = await asyncio.to_thread(_open, part, fresh)
    try:
        saved = await _Saving(http, path, file, fresh).whole()
    except BaseException:
        await asyncio.to_thread(_leave, file, part)
        raise
    await asyncio.to_thread(file.close)
    await asyncio.to_thread(part.replace, target)
    return SavedRecording(target, saved.content_type, saved.have, saved.requests)


class _Saving:
    """One file that grows until it is whole."""

    def __init__(self, http: ProviderHttp, path: str, file: BinaryIO, fresh: bool) -> None:
        self._http, self._path, self._file, self._fresh = http, path, file, fresh
        self.have = file.tell()
        self.requests = 0
        self.content_type = ""
        self._mark = ""

    async def whole(self) -> "_Saving":
        vain = 0
        while True:
            if self._fresh:
                await self._restart()
            before = self.have
            self.requests += 1
            try:
                await self._http.logged_in(self._once)
            except ProviderError as error:
                vain = 0 if self.have > before and not self._fresh else vain + 1
                if vain >= PATIENCE or not may_ask_again(error):
                    raise
                wait = self._http.random.uniform(0, FIRST_WAIT_S * 2**vain)
                await self._http.clock.sleep((error.retry_after_s or 0.0) + wait)
            else:
                return self

    async def _once(self) -> None:
        async with _Place(self._http, self._path) as place, place.streaming(self._from_here()) as stream:
            if stream.status == 416 and self.have:
                # Nothing lies behind what is there: it is whole, or not what it was.
                if _total(stream) == self.have:
                    return
                await self._restart()
                raise AnswerCut("the file here is longer than the recording")
            await _refuse_errors(stream, self._http)
            if _start(stream) != self.have:
                await self._restart()
                if stream.status == 206:
                    raise AnswerCut("the range is not the one that was asked for")
            self.content_type = _content_type(stream)
            self._mark = stream.headers.get("etag", "")
            async for part in stream.parts():
                await asyncio.to_thread(self._file.write, part)
                self.have += len(part)

    def _from_here(self) -> Headers:
        if not self.have:
            return ()
        # A weak tag promises no equal bytes.
        same = (("if-range", self._mark),) if self._mark and not self._mark.startswith("W/") else ()
        return (("range", f"bytes={self.have}-"), *same)

    async def _restart(self) -> None:
        self.have = 0
        self._mark = ""
        await asyncio.to_thread(self._file.truncate, 0)
        await asyncio.to_thread(self._file.seek, 0)


def _open(part: Path, fresh: bool) -> BinaryIO:
    part.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = part.open("wb" if fresh else "ab")
    file.seek(0, 2)
    return file


def _leave(file: BinaryIO, part: Path) -> None:
    """Keep what there is for a later run; keep no empty file."""
    empty = file.tell() == 0
    file.close()
    if empty:
        part.unlink()


async def _refuse_errors(stream: Stream, http: ProviderHttp) -> None:
    if stream.status in {200, 206}:
        return
    answer = await stream.answer()
    error = read_error(answer, http.hide)
    raise error or AnswerUnreadable(f"HTTP {stream.status} without a recording", status=stream.status)


def _content_type(stream: Stream) -> str:
    return str(stream.headers.get("content-type", "")).partition(";")[0].strip().lower() or "application/octet-stream"


def _start(stream: Stream) -> int:
    match = _RANGE.match(stream.headers.get("content-range", ""))
    return int(match[1]) if stream.status == 206 and match else 0


def _total(stream: Stream) -> int | None:
    match = re.match(r"bytes \*/(\d+)", stream.headers.get("content-range", ""))
    return int(match[1]) if match else None


async def save_elsewhere(http: ProviderHttp, url: str, target: Path) -> SavedRecording:
    """Stream what lies behind a link into a file; its host gets no key of ours. Raises ProviderError."""
    return await save_recording(http, url, target)


class _Place:
    """Where a body is: a path of the provider, or a link; redirects are followed from there."""

    def __init__(self, http: ProviderHttp, where: str) -> None:
        self._own, self._where = http, where
        self._strangers: list[ProviderHttp] = []

    async def __aenter__(self) -> "_Place":
        return self

    async def __aexit__(self, *_: object) -> None:
        for stranger in self._strangers:
            await stranger.aclose()

    @asynccontextmanager
    async def streaming(self, headers: Headers = ()) -> AsyncIterator[Stream]:
        """The answer of the last place that redirects lead to. Raises ProviderError."""
        base = self._own.endpoint.base_url.rstrip("/")
        url = self._where if "://" in self._where else base + self._where
        status = 0
        for _ in range(REDIRECTS + 1):
            http, path = self._asked(url, base)
            async with http.streaming(path, headers) as stream:
                location = stream.headers.get("location", "") if stream.status in _REDIRECTS else ""
                if not location:
                    yield stream
                    return
            url, status = urljoin(url, location), stream.status
        raise AnswerUnreadable(f"more than {REDIRECTS} redirects", status=status)

    def _asked(self, url: str, base: str) -> tuple[ProviderHttp, str]:
        if url.startswith(f"{base}/"):
            return self._own, url[len(base) :]
        own = self._own.endpoint
        refuse_strange_media(url, base, own.media_hosts)
        parts = urlsplit(url)
        # An address, and no name and password that a link may hold.
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        there = f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port else "")
        endpoint = replace(own, base_url=there, api_key="", access_token="", refresh_token="", logins=None)
        may_reach = None if is_inside(literal(urlsplit(base).hostname or "")) else _is_outside
        stranger = ProviderHttp(endpoint, {}, self._own.clock, self._own.random, may_reach)
        self._strangers.append(stranger)
        return stranger, urlunsplit(("", "", parts.path or "/", parts.query, ""))


def _is_outside(address: str) -> bool:
    return not is_inside(literal(address))
