"""Dialect B's recordings, whole, in parts, and cut off on request (wire contract, section 3.8)."""

import re
from collections.abc import Iterator

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from dialer.simulator import audio, vaanivoice_rows
from dialer.simulator.answers import cut_off
from dialer.simulator.books import Call
from dialer.simulator.desk import Voice, gateway, provider_of
from dialer.simulator.operations import BINARY, GATEWAY, Section, answer, good
from dialer.simulator.options import Options

section = Section("vaanivoice", "3.8")
PATH, KINDS = "/api/stream/{call_id}", ("audio/wav", "audio/ogg", "audio/mpeg")
MORE = {
    206: answer(BINARY, "the part that was asked for with Range", KINDS),
    404: answer(GATEWAY, "no recording, or not yet"),
    416: answer(str, "the part lies beyond the end", ("text/plain",)),
}


@section.head(PATH, include_in_schema=False)
@section.get(PATH, response_class=Response, **good(BINARY, 401, kinds=KINDS, more=MORE))
async def stream(provider: Voice, call_id: str, request: Request) -> Response:
    """The recording of a call, a small WAV; whether the vendor honours Range is not documented, hence a switch."""
    call = provider.board.find("vaanivoice", call_id)
    if call is None or not vaanivoice_rows.has_transcript(call, provider.now, provider.options):
        return gateway(404, "Audio file not found")
    return audio_of(call, request)


def audio_of(call: Call, request: Request) -> Response:
    """The recording of ``call``, or the part of it that ``request`` asks for."""
    provider = provider_of(request)
    options, cuts = provider.options, provider.cuts
    total = options.recording_bytes or audio.size(call.life.talk_s)
    asked = _range(request, call, total) if options.recording_ranges else None
    if asked is not None and asked[0] >= total:
        headers = {"Content-Range": f"bytes */{total}"}
        return Response("Requested range not satisfiable", 416, headers, "text/plain")
    cut = request.method == "GET" and cuts[call.call_id] < options.recording_cuts
    cuts[call.call_id] += cut
    return _Audio(total, asked, _headers(call, options), cut=cut, head=request.method == "HEAD")


class _Audio(Response):
    """A recording or a part of it, made while it is sent; ``cut``: the connection closes half-way."""

    def __init__(
        self, total: int, asked: tuple[int, int] | None, headers: dict[str, str], *, cut: bool, head: bool
    ) -> None:
        first, last = asked or (0, total - 1)
        headers["content-length"] = str(last - first + 1)
        if asked is not None:
            headers["content-range"] = f"bytes {first}-{last}/{total}"
        super().__init__(None, 200 if asked is None else 206, headers)
        self._head, self._cut = head, cut
        self._pieces: Iterator[bytes] = audio.part(total, first, (first + last) // 2 if cut else last)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it piece by piece, no faster than it is read."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        for piece in () if self._head else self._pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        if self._cut:
            await cut_off(scope, receive)
        else:
            await send({"type": "http.response.body", "body": b""})


def _headers(call: Call, options: Options) -> dict[str, str]:
    ranges = {"accept-ranges": "bytes"} if options.recording_ranges else {}
    return {"content-type": options.recording_type, "etag": _etag(call), **ranges}


def _etag(call: Call) -> str:
    return f'"{call.call_id}"'


def _range(request: Request, call: Call, total: int) -> tuple[int, int] | None:
    """First and last byte of the one range asked for; None for the whole: no range, several, or of another file."""
    if request.headers.get("if-range", _etag(call)) != _etag(call):
        return None
    found = re.fullmatch(r"bytes=(\d{0,18})-(\d{0,18})", request.headers.get("range", ""))
    if found is None or found.groups() == ("", ""):
        return None
    first, last = found.groups()
    if not first:
        return (max(total - int(last), 0), total - 1) if int(last) else (total, total)
    return None if last and int(last) < int(first) else (int(first), min(int(last or total), total - 1))
