"""Recordings: real audio, whole and in parts (wire contract, section 3.8)."""

import io
import wave
from typing import Any

import httpx
import pytest

from tests.simulator_support import Line, line


async def recorded(it: Line) -> str:
    call_id: str = (await it.trigger()).json()["output"]["call_id"]
    it.clock.advance(17)
    return f"/api/stream/{call_id}"


async def test_a_recording_is_a_wav_as_long_as_the_talk() -> None:
    async with line() as it:
        answer = await it.http.get(await recorded(it))
        assert (answer.status_code, answer.headers["content-type"]) == (200, "audio/wav")
        with wave.open(io.BytesIO(answer.content)) as heard:
            assert (heard.getnchannels(), heard.getframerate(), heard.getnframes()) == (1, 8000, 80_000)
            assert len(set(heard.readframes(8000))) > 50


async def test_there_is_none_before_processing_nor_without_an_answer() -> None:
    async with line(outcome_by_number={"00": "busy"}) as it:
        call_id = (await it.trigger()).json()["output"]["call_id"]
        missing = await it.http.get(f"/api/stream/{call_id}")
        assert (missing.status_code, missing.json()["code"], missing.json()["message"]) == (
            404,
            "NOT_FOUND",
            "Audio file not found",
        )
        busy = (await it.trigger("+919876543200")).json()["output"]["call_id"]
        trial = (await it.trigger(test_mode=True)).json()["output"]["call_id"]
        it.clock.advance(60)
        assert [(await it.http.get(f"/api/stream/{each}")).status_code for each in (call_id, busy, trial)] == [
            200,
            404,
            404,
        ]


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=10-99", 10, 99),
        ("bytes=40-50", 40, 50),
        ("bytes=79000-", 79_000, 80_043),
        ("bytes=-100", 79_944, 80_043),
        ("bytes=5-999999", 5, 80_043),
    ],
)
async def test_a_part_is_that_part(asked: str, first: int, last: int) -> None:
    async with line() as it:
        path = await recorded(it)
        whole = (await it.http.get(path)).content
        part = await it.http.get(path, headers={"Range": asked})
        assert (part.status_code, part.headers["content-range"]) == (206, f"bytes {first}-{last}/80044")
        assert part.content == whole[first : last + 1]


@pytest.mark.parametrize("asked", ["bytes=80044-", "bytes=-0"])
async def test_a_part_beyond_the_end_is_refused(asked: str) -> None:
    async with line() as it:
        answer = await it.http.get(await recorded(it), headers={"Range": asked})
        assert (answer.status_code, answer.headers["content-range"]) == (416, "bytes */80044")


@pytest.mark.parametrize(
    "headers",
    [{"Range": "bytes=9-5"}, {"Range": "lines=1-2"}, {"Range": "bytes=1-2", "If-Range": '"another"'}],
)
async def test_what_is_no_part_of_this_file_is_the_whole(headers: dict[str, str]) -> None:
    async with line() as it:
        answer = await it.http.get(await recorded(it), headers=headers)
        assert (answer.status_code, len(answer.content)) == (200, 80_044)


async def test_head_tells_the_size_and_sends_nothing() -> None:
    async with line(recording_type="audio/ogg") as it:
        answer = await it.http.head(await recorded(it))
        assert (answer.status_code, answer.content) == (200, b"")
        assert (answer.headers["content-length"], answer.headers["content-type"]) == ("80044", "audio/ogg")


async def test_a_vendor_without_ranges_sends_the_whole() -> None:
    async with line(recording_ranges=False) as it:
        answer = await it.http.get(await recorded(it), headers={"Range": "bytes=10-"})
        assert (answer.status_code, len(answer.content)) == (200, 80_044)
        assert "accept-ranges" not in answer.headers


async def test_a_download_breaks_off_as_often_as_asked_and_can_be_taken_up() -> None:
    async with line(recording_cuts=2, recording_bytes=1_000_000) as it:
        path = await recorded(it)
        got = b""
        for _ in range(2):
            with pytest.raises(httpx.RemoteProtocolError):
                async with it.http.stream("GET", path, headers={"Range": f"bytes={len(got)}-"}) as answer:
                    async for piece in answer.aiter_raw():
                        got += piece
        assert len(got) == 750_000
        got += (await it.http.get(path, headers={"Range": f"bytes={len(got)}-"})).content
        assert got == (await it.http.get(path)).content


@pytest.mark.parametrize(
    "wrong",
    [
        {"recording_bytes": 99},
        {"recording_type": "audio/midi"},
        {"vaanivoice_details_pending": 204},
        {"vaanivoice_unknown_agent": 500},
    ],
)
async def test_what_cannot_be_switched_is_named(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        async with line(**wrong):
            pass


async def test_pending_details_may_be_a_202() -> None:
    async with line(vaanivoice_details_pending=202) as it:
        call_id = (await it.trigger()).json()["output"]["call_id"]
        assert (await it.http.get(f"/api/call_details/{call_id}")).status_code == 202
        it.clock.advance(17)
        assert (await it.http.get(f"/api/call_details/{call_id}")).status_code == 200
