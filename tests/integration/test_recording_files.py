"""Recordings are kept for a while as private files, and make room for newer ones."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from dialer.adapters.local.recordings import RecordingFiles
from dialer.errors import NotFound
from tests.fakes.clock import START, ManualClock

Fetch = Callable[[Path], Awaitable[tuple[str, int]]]


class Archive:
    """A provider that counts how often it was asked."""

    def __init__(self, size: int = 100, kind: str = "audio/mpeg") -> None:
        self.asked, self.content, self.kind = 0, b"x" * size, kind
        self.was_asked, self.may_answer = asyncio.Event(), asyncio.Event()
        self.may_answer.set()

    async def fetch(self, path: Path) -> tuple[str, int]:
        self.asked += 1
        self.was_asked.set()
        await self.may_answer.wait()
        await asyncio.to_thread(path.write_bytes, self.content)
        os.utime(path, (START, START))
        return self.kind, len(self.content)


def files(folder: Path, clock: ManualClock, **more: float) -> RecordingFiles:
    return RecordingFiles(folder / "recordings", clock, **more)  # type: ignore[arg-type]


async def test_it_is_fetched_once_for_all_who_ask(tmp_path: Path, clock: ManualClock) -> None:
    kept, archive = files(tmp_path, clock), Archive()
    archive.may_answer.clear()
    asked = [asyncio.create_task(kept.get("call-1", archive.fetch)) for _ in range(3)]
    await archive.was_asked.wait()
    archive.may_answer.set()
    answers = await asyncio.gather(*asked)
    assert (archive.asked, {kind for _, kind in answers}) == (1, {"audio/mpeg"})
    (path,) = {path for path, _ in answers}
    assert path.read_bytes() == archive.content
    assert "call-1" not in path.name
    assert path.parent.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("kind", "ending", "said"),
    [("audio/x-wav", ".wav", "audio/wav"), ("audio/ogg; codecs=opus", ".ogg", "audio/ogg"), ("", ".ogg", "audio/ogg")],
)
async def test_its_kind_is_kept(tmp_path: Path, clock: ManualClock, kind: str, ending: str, said: str) -> None:
    path, answered = await files(tmp_path, clock).get("call-1", Archive(kind=kind).fetch)
    assert (path.suffix, answered) == (ending, said)


async def test_an_old_one_is_fetched_again(tmp_path: Path, clock: ManualClock) -> None:
    kept, archive = files(tmp_path, clock, kept_s=60.0), Archive()
    await kept.get("call-1", archive.fetch)
    clock.skip(60)
    await kept.get("call-1", archive.fetch)
    assert archive.asked == 1
    clock.skip(1)
    await kept.get("call-1", archive.fetch)
    assert archive.asked == 2


async def test_the_oldest_make_room_but_not_the_newest(tmp_path: Path, clock: ManualClock) -> None:
    kept, archive = files(tmp_path, clock, most_bytes=250), Archive(100)
    paths = []
    for n in range(3):
        path, _ = await kept.get(f"call-{n}", archive.fetch)
        os.utime(path, (START + n, START + n))
        paths.append(path)
    assert [path.exists() for path in paths] == [False, True, True]
    large, _ = await kept.get("call-9", Archive(1000).fetch)
    assert [path.exists() for path in (*paths, large)] == [False, False, False, True]


async def test_what_cannot_be_fetched_leaves_nothing_and_is_asked_for_again(tmp_path: Path, clock: ManualClock) -> None:
    kept, archive = files(tmp_path, clock), Archive()

    async def missing(path: Path) -> tuple[str, int]:
        raise NotFound("no recording")

    with pytest.raises(NotFound):
        await kept.get("call-1", missing)
    assert list((tmp_path / "recordings").iterdir()) == []
    assert (await kept.get("call-1", archive.fetch))[0].exists()


async def test_half_a_recording_of_a_process_that_is_gone_is_taken_away(tmp_path: Path, clock: ManualClock) -> None:
    kept = files(tmp_path, clock)
    (tmp_path / "recordings").mkdir(mode=0o700)
    half = tmp_path / "recordings" / "abc.99.part"
    half.write_bytes(b"x")
    os.utime(half, (START - 7200, START - 7200))
    await kept.get("call-1", Archive().fetch)
    assert not half.exists()
