"""The client of api.vaani.ai: batch jobs, the files of agents, and phone numbers."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from dialer.adapters.providers.vaani.models import Batch
from dialer.errors import AnswerUnreadable, CallRefused, InputFileError, NotFound, OutcomeUnknown, UsageError
from tests.provider_api import BATCH, csv_in, every, vaani_at
from tests.provider_dialects import serving
from tests.raw_server import RawServer, http_answer, raw_server

NAIVE = datetime(2026, 11, 23, 9, 30)  # noqa: DTZ001


def asked(server: RawServer) -> list[tuple[str, str]]:
    return [(request.method, request.target) for request in server.requests]


async def test_a_batch_is_uploaded_from_a_file_with_every_field_of_its_page(tmp_path: Path) -> None:
    async with raw_server(serving({"id": "b1"})) as server, vaani_at(server.url) as api:
        await api.batches.upload(csv_in(tmp_path), **BATCH)
        await api.batches.upload(csv_in(tmp_path), **BATCH, scheduled_time=NAIVE, timezone="America/New_York")
        await api.batches.upload(csv_in(tmp_path), **BATCH, scheduled_time=NAIVE.replace(tzinfo=UTC))
    assert asked(server) == [("POST", "/batch/upload")] * 3
    plain, local, zoned = (request.body.decode() for request in server.requests)
    assert 'name="file"; filename="contacts.csv"\r\nContent-Type: text/csv\r\n\r\nphone_number\n+14155550123\n' in plain
    for name, value in BATCH.items():
        assert f'name="{name}"\r\n\r\n{value}\r\n' in plain
    assert "scheduled_time" not in plain and "timezone" not in plain
    assert 'name="scheduled_time"\r\n\r\n2026-11-23T09:30:00\r\n' in local
    assert 'name="timezone"\r\n\r\nAmerica/New_York\r\n' in local
    assert 'name="scheduled_time"\r\n\r\n2026-11-23T09:30:00+00:00\r\n' in zoned


async def test_no_zone_is_guessed_and_no_file_either(tmp_path: Path) -> None:
    async with vaani_at("http://127.0.0.1:1") as api:
        with pytest.raises(UsageError, match="zone"):
            await api.batches.upload(csv_in(tmp_path), **BATCH, scheduled_time=NAIVE)
        with pytest.raises(InputFileError, match="No such file"):
            await api.batches.upload(tmp_path / "missing.csv", **BATCH)


@pytest.mark.parametrize(
    "body",
    [
        {"id": "b1", "status": "pending"},
        {"batch_id": 17, "status": "pending"},
        {"message": "uploaded", "batch": {"id": "b1", "status": "pending"}},
        {"data": {"_id": "b1", "status": "pending"}},
    ],
)
async def test_a_batch_is_read_in_whatever_shape_it_comes(body: dict[str, Any], tmp_path: Path) -> None:
    async with raw_server(serving(body)) as server, vaani_at(server.url) as api:
        batch = await api.batches.upload(csv_in(tmp_path), **BATCH)
    assert (batch.batch_id, batch.status, batch.raw) == ("17" if "batch_id" in body else "b1", "pending", body)


async def test_a_batch_is_sent_watched_and_deleted() -> None:
    batch = {"id": "b/1", "name": "October", "scheduled_time": "2026-11-23T09:30:00", "created_at": 5}
    items = [
        {"id": "i1", "phone_number": "+1 415 555 0123", "status": "completed", "call_log_id": "c1"},
        {"id": "i2", "phone_number": "+14155550124", "status": "failed", "error": "SIP 480", "dynamic_variables": None},
    ]
    answers: list[Any] = [{"task_id": "t1"}, batch, {"batches": [batch]}, {"items": items}, {"message": "deleted"}]
    async with raw_server(serving(*answers)) as server, vaani_at(server.url) as api:
        sent = await api.batches.send("b/1")
        found = await api.batches.get("b/1")
        (listed,) = await every(api.batches.list())
        talked, silent = await every(api.batches.items("b/1"))
        assert await api.batches.delete("b/1") == {"message": "deleted"}
    assert (sent.batch_id, sent.raw, found) == ("b/1", {"task_id": "t1"}, listed)
    assert found.scheduled_time == NAIVE
    assert (talked.phone_number, talked.status, talked.call_log_id) == ("+14155550123", "completed", "c1")
    assert (silent.status, silent.error, silent.call_log_id, silent.dynamic_variables) == ("failed", "SIP 480", "", {})
    assert asked(server) == [
        ("POST", "/batch/b%2F1/send"),
        ("GET", "/batch/b%2F1"),
        ("GET", "/batch"),
        ("GET", "/batch/b%2F1/items"),
        ("DELETE", "/batch/b%2F1"),
    ]


async def test_further_pages_of_items_are_asked_for_when_the_list_promises_them() -> None:
    rows = [{"id": "i1"}, {"id": "i2"}, {"id": "i3"}]
    pages = [{"items": part, "page_size": 2, "total_pages": 2} for part in (rows[:2], rows[2:])]
    async with raw_server(serving(*pages)) as server, vaani_at(server.url) as api:
        assert [item.item_id for item in await every(api.batches.items("b1"))] == ["i1", "i2", "i3"]
    assert [target for _, target in asked(server)] == ["/batch/b1/items", "/batch/b1/items?page=2"]


async def test_a_batch_that_runs_is_not_deleted_and_a_lost_send_is_unknown() -> None:
    refusal = http_answer(409, b'{"detail":"Batch is running"}')
    async with raw_server(serving(refusal, http_answer(500))) as server, vaani_at(server.url) as api:
        with pytest.raises(CallRefused, match="Batch is running"):
            await api.batches.delete("b1")
        with pytest.raises(OutcomeUnknown):
            await api.batches.send("b1")
        for nothing in ("", ".."):
            with pytest.raises(NotFound):
                await api.batches.send(nothing)
    assert len(server.requests) == 2


def test_a_batch_without_an_id_is_not_readable() -> None:
    with pytest.raises(AnswerUnreadable, match="Batch"):
        Batch.read({"name": "October"})


@pytest.mark.parametrize("rows", [["hours.pdf"], [{"name": "hours.pdf"}], [{"filename": "hours.pdf", "size": 5}]])
@pytest.mark.parametrize("envelope", ["", "files", "data"])
async def test_files_are_listed_in_whatever_shape_they_come(rows: list[Any], envelope: str) -> None:
    body = {envelope: rows} if envelope else rows
    async with raw_server(serving(body)) as server, vaani_at(server.url) as api:
        assert [file.name for file in await every(api.files.list("ag_1"))] == ["hours.pdf"]
    assert asked(server) == [("GET", "/agents/ag_1/files")]


async def test_an_agents_files_are_uploaded_asked_and_deleted(tmp_path: Path) -> None:
    found = {"results": [{"text": "from nine"}], "took": 2}
    answers: list[Any] = [{"message": "ok"}, found, {"response": "from nine"}, {}, http_answer(200)]
    async with raw_server(serving(*answers)) as server, vaani_at(server.url) as api:
        assert (await api.files.upload("ag_1", csv_in(tmp_path))).name == "contacts.csv"
        passages = await api.files.query("ag_1", "When are you open?")
        assert (await api.files.query("ag_1", "Open?")).answer == "from nine"
        assert await api.files.delete("ag_1", "my file.pdf") == {}
        with pytest.raises(AnswerUnreadable):
            await api.files.query("ag_1", "Open?")
        with pytest.raises(InputFileError):
            await api.files.upload("ag_1", tmp_path)
    assert (passages.results, passages.answer, passages.raw) == ([{"text": "from nine"}], "", found)
    assert 'name="file"; filename="contacts.csv"' in server.requests[0].body.decode()
    assert server.requests[1].json() == {"query": "When are you open?"}
    assert asked(server)[:4] == [
        ("POST", "/agents/ag_1/upload"),
        ("POST", "/agents/ag_1/query"),
        ("POST", "/agents/ag_1/query"),
        ("DELETE", "/agents/ag_1/files/my%20file.pdf"),
    ]


async def test_numbers_are_searched_bought_registered_changed_and_given_back() -> None:
    line = {"id": "s1", "phone_number": "+14155550100", "agent_id": "ag_1"}
    answers: list[Any] = [["+14155550100"], line, {"message": "registered"}, {}, {}]
    async with raw_server(serving(*answers)) as server, vaani_at(server.url) as api:
        (offered,) = await every(api.numbers.search({"area_code": 415}))
        bought = await api.numbers.purchase(offered.phone_number, {"agent_id": "ag_1"})
        registered = await api.numbers.register("+14155550101", {"username": "u"})
        changed = await api.numbers.update(bought.line_id, {"agent_id": "ag_2"})
        await api.numbers.delete(bought.line_id)
    assert (offered.line_id, bought.line_id, bought.agent_id) == ("", "s1", "ag_1")
    assert (registered.line_id, registered.phone_number, changed.line_id) == ("", "+14155550101", "s1")
    assert [request.json() for request in server.requests[1:4]] == [
        {"agent_id": "ag_1", "phone_number": "+14155550100"},
        {"username": "u", "phone_number": "+14155550101"},
        {"agent_id": "ag_2"},
    ]
    assert asked(server) == [
        ("GET", "/sip/search-numbers?area_code=415"),
        ("POST", "/sip/purchase-number"),
        ("POST", "/sip/register"),
        ("PUT", "/sip/s1"),
        ("DELETE", "/sip/s1"),
    ]
