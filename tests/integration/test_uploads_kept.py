"""Lists that were sent, in the ledger: on both engines, for every process that has it open."""

import asyncio
import multiprocessing
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from config import Settings, load_settings
from dialer.adapters.ledger import SqlLedger
from dialer.adapters.local.private_files import private_file
from dialer.domain.act import By
from dialer.errors import CampaignFileError, InputFileError, UnknownName
from dialer.list_access import open_lists
from dialer.pipeline.prepare_list import KEPT_S, PART_BYTES, PrepareList
from tests.fakes.clock import ManualClock

BY = By("tests")
LIST = b"name,phone\n" + b"Asha,+919000000001\n"


@pytest_asyncio.fixture
async def ledgers(ledger_url: str, clock: ManualClock) -> AsyncIterator[tuple[SqlLedger, SqlLedger]]:
    """The same ledger, opened twice."""
    first, second = await SqlLedger.open(ledger_url, clock), await SqlLedger.open(ledger_url, clock)
    yield first, second
    await first.aclose()
    await second.aclose()


@pytest.fixture
def lists(ledgers: tuple[SqlLedger, SqlLedger], tmp_path: Path) -> PrepareList:
    return open_lists(at(tmp_path), ledgers[0])


def at(home: Path) -> Settings:
    """The options with that home."""
    return load_settings().model_copy(update={"home": home})


async def pieces(*content: bytes) -> AsyncIterator[bytes]:
    for one in content:
        yield one


async def breaks_off() -> AsyncIterator[bytes]:
    yield b"x" * (3 * PART_BYTES)
    raise ConnectionResetError


async def test_a_list_is_kept_in_parts_and_read_by_another(
    ledgers: tuple[SqlLedger, SqlLedger], lists: PrepareList
) -> None:
    rows = b"".join(b"Asha,+91900%07d\n" % number for number in range(40_000))
    content = b"name,phone\n" + rows
    chunks = [content[at : at + 70_001] for at in range(0, len(content), 70_001)]

    upload_id = await lists.take("people.csv", pieces(*chunks), {"name": "may"}, BY)

    other = ledgers[1].uploads
    parts = [await other.part(upload_id, number) for number in range(4)]
    assert [len(part or b"") for part in parts] == [PART_BYTES, PART_BYTES, len(content) - 2 * PART_BYTES, 0]
    assert b"".join(part or b"" for part in parts) == content
    assert (await other.upload(upload_id)).size == len(content)
    acts = [act async for act in ledgers[1].acts()]
    assert [(act.who, act.act, act.subject) for act in acts] == [("tests", "upload", f"list {upload_id}")]


async def test_nothing_stays_of_a_list_that_breaks_off(
    ledgers: tuple[SqlLedger, SqlLedger], lists: PrepareList, clock: ManualClock
) -> None:
    with pytest.raises(ConnectionResetError):
        await lists.take("people.csv", breaks_off(), {}, BY)
    with pytest.raises(InputFileError):
        await lists.take("people.csv", pieces(), {}, BY)
    with pytest.raises(CampaignFileError):
        await lists.take("people.csv", pieces(LIST), {"pace": {"speed": 1}}, BY)

    assert await ledgers[0].uploads.older(clock.now() + 1, 10) == []
    assert await ledgers[0].uploads.part(1, 0) is None


async def test_a_list_is_forgotten_after_a_week(
    ledgers: tuple[SqlLedger, SqlLedger], lists: PrepareList, clock: ManualClock
) -> None:
    old = await lists.take("people.csv", pieces(LIST), {}, BY)
    await clock.advance(KEPT_S - 1)
    kept = await lists.take("people.csv", pieces(LIST), {}, BY)
    await clock.advance(2)
    await lists.take("people.csv", pieces(LIST), {}, BY)

    with pytest.raises(UnknownName):
        await ledgers[1].uploads.upload(old)
    assert await ledgers[1].uploads.part(old, 0) is None
    assert (await ledgers[1].uploads.upload(kept)).upload_id == kept


async def test_two_who_change_different_things_both_do(
    ledgers: tuple[SqlLedger, SqlLedger], lists: PrepareList, tmp_path: Path
) -> None:
    upload_id = await lists.take("people.csv", pieces(LIST), {"name": "may"}, BY)
    others = open_lists(at(tmp_path), ledgers[1])
    await asyncio.gather(
        *(lists.change(upload_id, lambda one: one | {"pace": {"weight": 3}}) for _ in range(2)),
        *(others.change(upload_id, lambda one: one | {"budget": {"max_cost": 5}}) for _ in range(3)),
    )
    settings = (await others.prepared(upload_id)).settings
    assert settings["budget"] == {"max_cost": 5}
    assert settings["pace"]["weight"] == 3


async def test_a_list_that_two_bring_in_at_once_is_in_once(
    ledgers: tuple[SqlLedger, SqlLedger], lists: PrepareList, tmp_path: Path
) -> None:
    rehearsal = {"name": "may", "provider": "simulator", "agent": "x"}
    upload_id = await lists.take("people.csv", pieces(LIST), rehearsal, BY)
    others = open_lists(at(tmp_path / "other"), ledgers[1])

    reports = await asyncio.gather(lists.commit(upload_id, BY), others.commit(upload_id, BY))

    assert {report["campaign_id"] for report in reports} == {1}
    assert sum((await ledgers[0].report(1)).contacts.values()) == 1
    assert (await ledgers[0].report(1)).imported.queued == 1


async def test_no_copy_of_a_list_is_left_on_the_disk(lists: PrepareList, tmp_path: Path) -> None:
    upload_id = await lists.take("people.csv", pieces(LIST), {}, BY)
    assert (await lists.prepared(upload_id)).seen["counts"]["rows"] == 1
    assert list((tmp_path / "uploads").iterdir()) == []


def test_what_a_killed_process_left_is_taken_away_and_what_is_in_use_is_not(tmp_path: Path) -> None:
    killed = multiprocessing.get_context("spawn").Process(target=_leave, args=(tmp_path,))
    killed.start()
    killed.join()
    left = [path.name for path in tmp_path.glob("*/people.csv")]
    assert left == ["people.csv"]

    with private_file(tmp_path, "a.csv") as first, private_file(tmp_path, "b.csv") as second:
        first.write_bytes(b"1")
        second.write_bytes(b"2")
        assert first.parent.stat().st_mode & 0o777 == 0o700
        assert sorted(path.name for path in tmp_path.glob("*/*")) == ["a.csv", "b.csv"]
    assert list(tmp_path.iterdir()) == []


def _leave(folder: Path) -> None:
    """End as if killed, in the middle."""
    with private_file(folder, "people.csv") as path:
        path.write_bytes(LIST)
        os._exit(9)
