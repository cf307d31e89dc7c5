"""Dialect A's batch jobs, dialing on a virtual clock that stands at 14:13:20 UTC (wire contract, section 2.7)."""

from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest

from dialer.adapters.local.system_clock import SystemClock
from dialer.adapters.providers.http.requests import Endpoint
from dialer.adapters.providers.vaani.client import VaaniApi
from tests.provider_api import csv_in, every
from tests.simulator_support import AGENT_NUMBER, Line, line

CSV = b"phone_number,City\n+14155550110,Reno\n+14155550111,Boise\n5550112,Ely\n"
FORM: dict[str, Any] = {"name": "renewals", "agent_id": "ag_1", "agent_phone_number": AGENT_NUMBER}
KEYS_WRITE: dict[str, Any] = {"vaani_keys_write": True}


async def asked(it: Line, content: bytes = CSV, filename: str = "contacts.csv", **changed: Any) -> httpx.Response:
    form = {name: value for name, value in {**FORM, **changed}.items() if value is not None}
    return await it.http.post("/batch/upload", data=form, files={"file": (filename, content, "text/csv")})


async def upload(it: Line, content: bytes = CSV, **changed: Any) -> str:
    answer = await asked(it, content, **changed)
    assert answer.status_code == 201, answer.text
    return f"/batch/{answer.json()['id']}"


async def items(it: Line, batch: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await it.http.get(f"{batch}/items")).raise_for_status().json()["items"]
    return found


async def status(it: Line, batch: str) -> str:
    found: str = (await it.http.get(batch)).raise_for_status().json()["status"]
    return found


async def test_a_batch_calls_nobody_before_it_is_sent_and_everybody_once_then() -> None:
    async with line(**KEYS_WRITE) as it:
        batch = await upload(it)
        it.clock.advance(60)
        assert (await status(it, batch), it.simulator.books.calls) == ("pending", [])
        sent = (await it.http.post(f"{batch}/send")).json()
        assert (sent["status"], sent["total"], sent["calling"], sent["failed"]) == ("running", 3, 2, 1)
        again = await it.http.post(f"{batch}/send")
        assert (again.status_code, again.json()) == (409, {"detail": "Batch was sent already"})
        assert [call.order.to for call in it.simulator.books.calls] == ["+14155550110", "+14155550111"]
        first = it.simulator.books.calls[0].order
        assert (first.agent, first.variables) == (AGENT_NUMBER, {"City": "Reno"})
        it.clock.advance(20)
        assert await status(it, batch) == "completed"
        assert len(it.simulator.books.calls) == 2


async def test_an_item_leads_to_its_log() -> None:
    async with line(outcome_by_number={"11": "no_answer"}, **KEYS_WRITE) as it:
        batch = await upload(it)
        await it.http.post(f"{batch}/send")
        assert "call_log_id" not in (await items(it, batch))[0]
        it.clock.advance(60)
        talked, silent, wrong = await items(it, batch)
        assert (talked["status"], talked["dynamic_variables"]) == ("completed", {"City": "Reno"})
        assert "error" not in talked
        log = (await it.http.get(f"/calls/{talked['call_log_id']}")).json()
        assert log["called_number"] == talked["phone_number"] == "+14155550110"
        assert (silent["status"], silent["error"], "call_log_id" in silent) == ("failed", "SIP 480: no answer", False)
        assert (wrong["status"], wrong["error"]) == ("failed", "Invalid phone number format")


async def test_no_more_than_ten_are_called_at_once() -> None:
    numbers = "\n".join(f"+141555501{number}" for number in range(10, 35))
    async with line(**KEYS_WRITE) as it:
        batch = await upload(it, f"phone_number\n{numbers}\n".encode())
        await it.http.post(f"{batch}/send")
        it.clock.advance(60)
        assert await status(it, batch) == "completed"
        assert (it.simulator.books.most_live, len(it.simulator.books.calls)) == (10, 25)
        assert it.simulator.books.called_more_than_once() == {}


@pytest.mark.parametrize(
    ("scheduled_time", "timezone"),
    [("2026-09-21T10:30:00", "America/New_York"), ("2026-09-21T14:30:00", None), ("2026-09-21T16:30:00+02:00", None)],
)
async def test_a_scheduled_batch_waits_for_its_time(scheduled_time: str, timezone: str | None) -> None:
    async with line(**KEYS_WRITE) as it:
        batch = await upload(it, scheduled_time=scheduled_time, timezone=timezone)
        sent = (await it.http.post(f"{batch}/send")).json()
        assert (sent["status"], sent["scheduled_time"], sent["timezone"]) == ("scheduled", scheduled_time, timezone)
        it.clock.advance(999)
        assert await status(it, batch) == "scheduled"
        it.clock.advance(2)
        assert await status(it, batch) == "running"
        assert it.simulator.books.calls[0].life.accepted_at == 1_790_001_000


async def test_a_batch_is_deleted_before_and_after_but_not_while_it_runs() -> None:
    async with line(**KEYS_WRITE) as it:
        waiting = await upload(it, scheduled_time="2026-09-21T14:30:00")
        await it.http.post(f"{waiting}/send")
        running = await upload(it)
        await it.http.post(f"{running}/send")
        assert [f"/batch/{each['id']}" for each in (await it.http.get("/batch")).json()] == [running, waiting]
        refused = await it.http.delete(running)
        assert (refused.status_code, refused.json()) == (409, {"detail": "Batch is running"})
        assert (await it.http.delete(waiting)).status_code == 200
        it.clock.advance(2000)
        assert (await it.http.delete(running)).status_code == 200
        assert (await it.http.get(f"{waiting}/items")).json() == {"detail": "Batch not found"}
        assert ((await it.http.get("/batch")).json(), len(it.simulator.books.calls)) == ([], 2)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"name": None}, "name"),
        ({"agent_id": " "}, "agent_id"),
        ({"agent_phone_number": "415"}, "agent_phone_number"),
        ({"scheduled_time": "soon"}, "scheduled_time"),
        ({"timezone": "Mars/Base"}, "timezone"),
        ({"timezone": "America"}, "timezone"),
        ({"timezone": "../passwd"}, "timezone"),
        ({"content": b"phone\n+14155550110\n"}, "file"),
        ({"content": b"phone_number\n"}, "file"),
        ({"content": b"phone_number\n\xff"}, "file"),
        ({"filename": "contacts.xlsx"}, "file"),
    ],
)
async def test_a_wrong_batch_is_invalid(changed: dict[str, Any], field: str) -> None:
    async with line(**KEYS_WRITE) as it:
        answer = await asked(it, **changed)
        assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, ["body", field])


async def test_a_batch_needs_a_file_a_known_agent_credit_and_a_login() -> None:
    async with line(agents=(AGENT_NUMBER,), balance=0.0, **KEYS_WRITE) as it:
        assert (await it.http.post("/batch/upload", data=FORM)).status_code == 422
        assert (await asked(it)).json() == {"detail": "Agent not found"}
        (agent,) = (await it.http.get("/agents")).json()
        batch = await upload(it, agent_id=agent["id"])
        assert (await it.http.post(f"{batch}/send")).status_code == 402
    async with line() as it:
        assert {(await asked(it)).status_code, (await it.http.get("/batch")).status_code} == {401}


async def test_the_client_sends_a_batch_and_finds_every_call(tmp_path: Path) -> None:
    async with (
        line() as it,
        VaaniApi(Endpoint(base_url=it.simulator.url), SystemClock(), Random(1)) as api,
    ):
        await api.login.log_in("ann@example.test", "any")
        batch = await api.batches.upload(csv_in(tmp_path), **FORM)
        assert (await api.batches.send(batch.batch_id)).status == "running"
        it.clock.advance(60)
        assert [found.status for found in await every(api.batches.list())] == ["completed"]
        (item,) = await every(api.batches.items(batch.batch_id))
        assert (await api.calls.get(item.call_log_id)).called_number == item.phone_number
        await api.batches.delete(batch.batch_id)
        assert await every(api.batches.list()) == []
