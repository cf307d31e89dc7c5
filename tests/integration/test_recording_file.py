"""Recordings into files: 50 MB in little memory, and on from where a cut connection stopped."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from dialer.errors import AnswerCut, AnswerUnreadable, NotFound, ServerFailed
from tests.provider_api import voice_at
from tests.raw_server import Line, Request, Script, http_answer, raw_server

BODY = bytes(range(256)) * 1024
MIB = 1024 * 1024


def ranged(body: bytes, *cuts: int, etag: str = '"v1"', obeys: bool = True) -> Script:
    """Serves ``body``; the n-th answer is cut after ``cuts[n]`` bytes."""
    served = 0

    async def serve(line: Line) -> None:
        nonlocal served
        while True:
            request = await line.read_request()
            start = first_byte(request) if obeys else 0
            head = f"content-type: audio/ogg; x=1\r\netag: {etag}\r\ncontent-length: {len(body) - start}\r\n"
            if start >= len(body):
                await line.answer(416, b"", f"content-range: bytes */{len(body)}\r\n")
                continue
            if start:
                head += f"content-range: bytes {start}-{len(body) - 1}/{len(body)}\r\n"
            end = start + cuts[served] if served < len(cuts) else len(body)
            served += 1
            await line.write(f"HTTP/1.1 {206 if start else 200} OK\r\n{head}\r\n".encode() + body[start:end])
            if end < len(body):
                return

    return serve


def names_in(folder: Path) -> list[str]:
    """What a folder holds."""
    return [path.name for path in folder.iterdir()]


def first_byte(request: Request) -> int:
    """Where a ranged request begins."""
    return int(request.headers.get("range", "bytes=0-")[6:-1])


async def test_a_recording_is_whole_in_memory_too() -> None:
    async with raw_server(ranged(BODY)) as server, voice_at(server.url) as api:
        recording = await api.calls.recording("c 1")
    assert (recording.content_type, recording.content) == ("audio/ogg", BODY)
    assert server.requests[0].target == "/api/stream/c%201"


async def test_a_cut_recording_is_continued_from_where_it_was_cut(tmp_path: Path) -> None:
    async with raw_server(ranged(BODY, 1000, 0, 200_000)) as server, voice_at(server.url) as api:
        saved = await api.calls.save_recording("c1", tmp_path / "deep" / "c1.ogg")
    assert saved.path.read_bytes() == BODY
    assert (saved.size, saved.requests, saved.content_type) == (len(BODY), 4, "audio/ogg")
    assert [first_byte(request) for request in server.requests] == [0, 1000, 1000, 201_000]
    assert server.requests[1].headers["if-range"] == '"v1"'
    assert names_in(saved.path.parent) == ["c1.ogg"]


async def test_a_later_run_goes_on_with_what_an_earlier_one_left(tmp_path: Path) -> None:
    target = tmp_path / "c1.ogg"
    async with raw_server(ranged(BODY, 5000, 0, 0, 0, 0)) as server, voice_at(server.url) as api:
        with pytest.raises(AnswerCut):
            await api.calls.save_recording("c1", target)
    assert not target.exists() and (tmp_path / "c1.ogg.part").stat().st_size == 5000
    async with raw_server(ranged(BODY)) as server, voice_at(server.url) as api:
        await api.calls.save_recording("c1", target)
    assert target.read_bytes() == BODY
    assert [first_byte(request) for request in server.requests] == [5000]


async def test_what_is_already_whole_is_not_fetched_again(tmp_path: Path) -> None:
    (tmp_path / "c1.ogg.part").write_bytes(BODY)
    async with raw_server(ranged(BODY)) as server, voice_at(server.url) as api:
        saved = await api.calls.save_recording("c1", tmp_path / "c1.ogg")
    assert (saved.path.read_bytes(), saved.requests) == (BODY, 1)


async def test_what_is_longer_than_the_recording_is_thrown_away(tmp_path: Path) -> None:
    (tmp_path / "c1.ogg.part").write_bytes(BODY + b"more")
    async with raw_server(ranged(BODY)) as server, voice_at(server.url) as api:
        saved = await api.calls.save_recording("c1", tmp_path / "c1.ogg")
    assert (saved.path.read_bytes(), [first_byte(one) for one in server.requests]) == (BODY, [len(BODY) + 4, 0])


async def test_a_server_that_knows_no_ranges_starts_again(tmp_path: Path) -> None:
    async with raw_server(ranged(BODY, 1000, obeys=False)) as server, voice_at(server.url) as api:
        saved = await api.calls.save_recording("c1", tmp_path / "c1.ogg")
    assert (saved.path.read_bytes(), saved.size) == (BODY, len(BODY))


async def test_a_range_that_was_not_asked_for_is_not_put_into_the_file(tmp_path: Path) -> None:
    async def serve(line: Line) -> None:
        while True:
            request = await line.read_request()
            if first_byte(request):
                await line.answer(206, b"zzz", "content-range: bytes 5-7/8\r\n")
            else:
                await line.answer(200, b"12345678")

    (tmp_path / "c1.ogg.part").write_bytes(b"12")
    async with raw_server(serve) as server, voice_at(server.url) as api:
        saved = await api.calls.save_recording("c1", tmp_path / "c1.ogg")
    assert saved.path.read_bytes() == b"12345678"


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (http_answer(404, b'{"status_code":404,"message":"Audio file not found","code":"NOT_FOUND"}'), NotFound),
        (http_answer(500), ServerFailed),
        (http_answer(204), AnswerUnreadable),
    ],
)
async def test_no_file_is_left_where_there_is_no_recording(
    answer: bytes, kind: type[Exception], tmp_path: Path
) -> None:
    async def serve(line: Line) -> None:
        while True:
            await line.read_request()
            await line.write(answer)

    async with raw_server(serve) as server, voice_at(server.url) as api:
        with pytest.raises(kind):
            await api.calls.save_recording("c1", tmp_path / "c1.ogg")
    assert names_in(tmp_path) == []


PEAK = """
import asyncio, resource, sys
from pathlib import Path
from tests.provider_api import voice_at

async def main():
    async with voice_at(sys.argv[1]) as api:
        await api.calls.save_recording("warm-up", Path(sys.argv[2]))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        saved = await api.calls.save_recording("c1", Path(sys.argv[3]))
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, saved.size, saved.requests)

asyncio.run(main())
"""


async def test_fifty_megabytes_pass_through_less_than_thirty(tmp_path: Path) -> None:
    block = os.urandom(MIB)
    size, cut = 50 * MIB, 20 * MIB + 7

    async def serve(line: Line) -> None:
        while True:
            request = await line.read_request()
            if request.target.endswith("warm-up"):
                await line.answer(200, block)
                continue
            start = first_byte(request)
            head = f"content-length: {size - start}\r\n"
            if start:
                head += f"content-range: bytes {start}-{size - 1}/{size}\r\n"
            await line.write(f"HTTP/1.1 {206 if start else 200} OK\r\n{head}\r\n".encode())
            end = size if start else cut
            for offset in range(start, end, MIB):
                await line.write((block + block)[offset % MIB :][: min(MIB, end - offset)])
            if end < size:
                return

    target = tmp_path / "c1.ogg"
    async with raw_server(serve) as server:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", PEAK, server.url, str(tmp_path / "w"), str(target), stdout=asyncio.subprocess.PIPE
        )
        said, _ = await process.communicate()
    kilobytes, saved, requests = map(int, said.split())
    assert (saved, requests) == (size, 2)
    assert kilobytes < 30 * 1024
    with target.open("rb") as file:
        assert all(file.read(MIB) == block for _ in range(50))
