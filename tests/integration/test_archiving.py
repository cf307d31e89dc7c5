"""What was said in a campaign's calls, as files: paced, resumable, nothing fetched twice."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from dialer.adapters.providers.vaanivoice.archive import VaaniVoiceArchive
from dialer.adapters.providers.vaanivoice.client import VaaniVoiceApi
from dialer.cli.archiving import Files, Pace, file_name
from dialer.errors import KeyRefused
from tests.event_server import SleptClock
from tests.provider_api import voice_at
from tests.provider_dialects import serving
from tests.raw_server import http_answer, raw_server
from tests.simulator_support import line


async def ids(*found: str) -> AsyncIterator[str]:
    for one in found:
        yield one


def names_in(folder: Path) -> list[str]:
    """What a folder holds."""
    return sorted(path.name for path in folder.iterdir())


def files_of(api: VaaniVoiceApi, folder: Path, per_second: float = 0.0) -> Files:
    return Files(VaaniVoiceArchive(api), folder, Pace(per_second, SleptClock()), transcripts=True, recordings=True)


async def test_what_is_there_is_not_fetched_again(tmp_path: Path) -> None:
    async with line(recording_bytes=5000, recording_cuts=1) as at, voice_at(at.simulator.url) as api:
        calls = [(await at.trigger(f"+9198765432{n}0")).json()["output"]["call_id"] for n in range(3)]
        at.clock.advance(60)
        first = files_of(api, tmp_path / "said")
        await first.fetch(ids(*calls[:2], "outbound-0-00000000"))
        second = files_of(api, tmp_path / "said")
        await second.fetch(ids(*calls))
    assert (first.fetched, first.there, first.missing, first.failed) == (4, 0, 2, 0)
    assert (second.fetched, second.there) == (2, 4)
    assert names_in(tmp_path / "said") == sorted([f"{call}.txt" for call in calls] + [f"{call}.wav" for call in calls])
    assert (tmp_path / "said" / f"{calls[0]}.txt").read_text().startswith("AGENT: ")
    assert (tmp_path / "said" / f"{calls[0]}.wav").stat().st_size == 5000


async def test_files_are_asked_for_at_the_pace_of_the_campaign(tmp_path: Path) -> None:
    async with raw_server(serving({"transcript": "AGENT: Hi"})) as server, voice_at(server.url) as api:
        files = files_of(api, tmp_path, per_second=2.0)
        files.recordings = False
        await files.fetch(ids(*(f"c{n}" for n in range(9))))
        assert isinstance(files.pace.clock, SleptClock)
        assert sum(files.pace.clock.slept) >= 4.0
    assert files.fetched == 9


async def test_failures_are_counted_and_told_and_what_is_not_ready_comes_later(tmp_path: Path) -> None:
    async with raw_server(serving(http_answer(500))) as server, voice_at(server.url) as api:
        failing = files_of(api, tmp_path)
        await failing.fetch(ids("c1"))
    assert failing.failed == 2 and "HTTP 500" in failing.summary()
    async with raw_server(serving({"transcript": "Processing"})) as server, voice_at(server.url) as api:
        waiting = files_of(api, tmp_path)
        waiting.recordings = False
        await waiting.fetch(ids("c1"))
    assert waiting.pending == 1 and "still being made" in waiting.summary()
    assert names_in(tmp_path) == []


async def test_a_refused_key_ends_it_at_once(tmp_path: Path) -> None:
    async with raw_server(serving(http_answer(401))) as server, voice_at(server.url) as api:
        with pytest.raises(KeyRefused):
            await files_of(api, tmp_path).fetch(ids(*(f"c{n}" for n in range(100))))
    assert len(server.requests) <= 16


@pytest.mark.parametrize("odd", ["../../etc/passwd", "a/b", "..", ".hidden", "", "x" * 300, "c:1"])
def test_no_id_of_a_call_leads_out_of_the_folder(odd: str) -> None:
    name = file_name(odd)
    assert "/" not in name and not name.startswith(".") and 0 < len(name) < 120
    assert name != file_name(odd + "!")
