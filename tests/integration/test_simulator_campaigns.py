"""The vendor's own campaigns, dialing on a virtual clock that stands at 14:13:20 UTC (wire contract, section 3.12)."""

import csv
import io
from typing import Any

import httpx
import pytest

from tests.simulator_support import AGENT, Line, line
from tests.webhook_receiver import receiver

CSV = b"name,phone_number,City\nAsha,+919876543210,Pune\nBina,09876543211,Delhi\nChitra,98765 43212,Agra\n"
HOUR, DAY = 3600.0, 86_400.0
FORM = {
    "campaign_name": "renewals",
    "agent_id": AGENT,
    "concurrency": "2",
    "from_date": "2026-09-21",
    "to_date": "2026-09-30",
    "start_time": "03:30",
    "end_time": "14:29",
    "days_of_week": "Monday,tuesday",
    "retry_delay_mins": "5",
}


async def asked(it: Line, content: bytes = CSV, filename: str = "contacts.csv", **changed: Any) -> httpx.Response:
    files = {"csv_file": (filename, content, "text/csv")}
    form = {name: value for name, value in {**FORM, **changed}.items() if value is not None}
    return await it.http.post("/api/campaigns/create", data=form, files=files)


async def create(it: Line, content: bytes = CSV, **changed: Any) -> str:
    answer = await asked(it, content, **changed)
    assert answer.status_code == 201, answer.text
    made: str = answer.json()["id"]
    return made


async def turn(it: Line, campaign_id: str, verb: str) -> str:
    answer = await it.http.post(f"/api/campaigns/{campaign_id}/{verb}", json={})
    status: str = answer.raise_for_status().json()["campaign_status"]
    return status


async def status(it: Line, campaign_id: str) -> dict[str, Any]:
    answer: dict[str, Any] = (await it.http.get(f"/api/campaigns/{campaign_id}/status")).raise_for_status().json()
    return answer


async def results(it: Line, campaign_id: str) -> list[dict[str, str]]:
    link = (await it.http.get(f"/api/campaigns/{campaign_id}/results")).raise_for_status().json()
    return list(csv.DictReader(io.StringIO((await it.http.get(link["results_url"])).text)))


async def test_what_was_asked_comes_back_under_the_vendors_names() -> None:
    async with line() as it:
        body = (await asked(it, notification_emails="a@example.com, b@example.com")).json()
        assert (body["campaign_name"], body["agent_id"], body["campaign_status"]) == ("renewals", AGENT, "active")
        assert (body["call_concurrency"], body["max_retries"], body["retry_after_mins"]) == (2, 3, 5)
        assert (body["time_range_from"], body["time_range_to"]) == ("03:30:00Z", "14:29:00Z")
        assert (body["start_date"], body["end_date"]) == ("2026-09-21", "2026-09-30")
        assert body["days_of_week"] == ["monday", "tuesday"]
        assert body["notification_emails"] == ["a@example.com", "b@example.com"]
        assert (await it.http.get(body["excel_blob_url"])).content == CSV


async def test_it_dials_no_more_at_once_than_asked_and_ends() -> None:
    async with line() as it:
        campaign_id = await create(it)
        assert [call.order.to for call in it.simulator.books.calls] == ["+919876543210", "+919876543211"]
        assert it.simulator.books.calls[0].order.variables == {"City": "Pune"}
        running = await status(it, campaign_id)
        assert running["stats"] == {"total_calls": 3, "completed": 0, "pending": 1, "in_progress": 2, "failed": 0}
        early = await it.http.get(f"/api/campaigns/{campaign_id}/results")
        assert (early.status_code, early.json()["code"]) == (404, "RESULTS_NOT_READY")
        it.clock.advance(60)
        ended = await status(it, campaign_id)
        assert (ended["campaign_status"], ended["completed_calls"], ended["pending_calls"]) == ("completed", 3, 0)
        assert it.simulator.books.most_live == 2
        third = it.simulator.books.calls[2]
        assert (third.order.to, third.life.accepted_at) == ("+919876543212", 1_790_000_015.0)
        rows = await results(it, campaign_id)
        assert [(row["name"], row["call_status"], row["attempts"], row["call_duration"]) for row in rows] == [
            ("Asha", "completed", "1", "10.0"),
            ("Bina", "completed", "1", "10.0"),
            ("Chitra", "completed", "1", "10.0"),
        ]
        assert rows[0]["call_transcript"].startswith("AGENT: Hello Asha!")


async def test_who_is_not_reached_is_tried_again_as_often_as_asked() -> None:
    forced = {"10": "no_answer", "11": "busy", "12": "rejected"}
    async with line(outcome_by_number=forced) as it:
        campaign_id = await create(it, max_retries="2", start_time="14:00")
        it.clock.advance(100)
        assert (await status(it, campaign_id))["stats"]["pending"] == 3
        it.clock.advance(HOUR)
        rows = await results(it, campaign_id)
        assert len(it.simulator.books.calls) == 6
        assert [(row["call_status"], row["attempts"]) for row in rows] == [
            ("no_answer", "2"),
            ("busy", "2"),
            ("failed", "2"),
        ]
        first, again = (call.life for call in it.simulator.books.calls if call.order.to.endswith("10"))
        assert again.accepted_at == first.ended_at + 300


async def test_it_waits_for_its_window() -> None:
    async with line() as it:
        late = await create(it, end_time="14:10")
        assert (await status(it, late))["campaign_status"] == "scheduled"
        later = await create(it, from_date="2026-09-22", days_of_week="friday")
        it.clock.advance(DAY)
        assert (await status(it, late))["campaign_status"] == "completed"
        (first, *_) = it.simulator.books.calls
        assert first.life.accepted_at == 1_790_000_000 - (14 * 3600 + 13 * 60 + 20) + DAY + 3.5 * HOUR
        assert (await status(it, later))["campaign_status"] == "scheduled"
        it.clock.advance(3 * DAY)
        assert (await status(it, later))["campaign_status"] == "completed"


async def test_what_was_begun_and_is_out_of_its_hours_says_so() -> None:
    async with line(outcomes={"busy": 1.0}) as it:
        campaign_id = await create(it, retry_delay_mins="60")
        it.clock.advance(HOUR)
        assert (await status(it, campaign_id))["campaign_status"] == "paused_out_of_range"
        assert len(it.simulator.books.calls) == 3
        it.clock.advance(30 * DAY)
        assert (await status(it, campaign_id))["campaign_status"] == "completed"


async def test_pause_resume_and_cancel() -> None:
    async with line() as it:
        campaign_id = await create(it, concurrency="1")
        assert await turn(it, campaign_id, "pause") == "paused"
        it.clock.advance(60)
        stats = (await status(it, campaign_id))["stats"]
        assert (stats["completed"], stats["pending"], stats["in_progress"]) == (1, 2, 0)
        assert await turn(it, campaign_id, "resume") == "active"
        assert await turn(it, campaign_id, "cancel") == "cancelled"
        it.clock.advance(60)
        assert [row["call_status"] for row in await results(it, campaign_id)] == [
            "completed",
            "completed",
            "cancelled",
        ]
        refused = await it.http.post(f"/api/campaigns/{campaign_id}/resume")
        assert (refused.status_code, refused.json()["code"]) == (409, "CAMPAIGN_OVER")


async def test_a_stopped_one_works_off_todays_window() -> None:
    async with line(outcomes={"busy": 1.0}) as it:
        campaign_id = await create(it, max_retries="10")
        assert await turn(it, campaign_id, "stop") == "completed"
        it.clock.advance(DAY)
        assert {row["attempts"] for row in await results(it, campaign_id)} == {"4"}
        assert len(it.simulator.books.calls) == 12  # 14:13, 14:18, 14:23 and 14:28
        assert await turn(it, campaign_id, "stop") == "completed"


@pytest.mark.parametrize("how", ["form", "multipart", "json"])
async def test_an_edit_pauses_until_it_is_resumed(how: str) -> None:
    async with line(outcomes={"busy": 1.0}) as it:
        campaign_id = await create(it)
        fields = {"concurrency": "1", "campaign_name": "another", "days_of_week": "monday"}
        sent: dict[str, Any] = {"data": fields}
        if how == "multipart":
            sent["files"] = {"nothing": ("n.txt", b"", "text/plain")}
        if how == "json":
            sent = {"json": {**fields, "concurrency": 1, "days_of_week": ["monday"]}}
        answer = await it.http.put(f"/api/campaigns/{campaign_id}", **sent)
        body = answer.raise_for_status().json()
        assert (body["campaign_status"], body["campaign_name"], body["call_concurrency"]) == ("paused", "another", 1)
        it.clock.advance(400)
        assert len(it.simulator.books.calls) == 2
        assert await turn(it, campaign_id, "start") == "active"
        assert len(it.simulator.books.calls) == 3


async def test_the_list_has_pages_and_a_status() -> None:
    async with line() as it:
        ids = [await create(it) for _ in range(3)]
        await turn(it, ids[1], "pause")
        page = (await it.http.get("/api/campaigns/", params={"page_size": 2})).json()
        assert [row["id"] for row in page["campaigns"]] == [ids[2], ids[1]]
        assert page["pagination"] == {"page": 1, "page_size": 2, "total": 3, "total_pages": 2}
        paused = (await it.http.get("/api/campaigns/", params={"status": "paused"})).json()
        assert [(row["id"], row["total_leads"]) for row in paused["campaigns"]] == [(ids[1], 3)]
        assert (await it.http.get("/api/campaigns/", params={"status": "asleep"})).status_code == 422
        await it.http.post("/_sim/options", json={"vaanivoice_campaigns": "data"})
        assert len((await it.http.get("/api/campaigns/")).json()["data"]) == 3


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"start_time": "02:29"}, "INVALID_TIME_WINDOW"),
        ({"end_time": "14:30"}, "INVALID_TIME_WINDOW"),
        ({"start_time": "10:00", "end_time": "10:00"}, "INVALID_TIME_WINDOW"),
        ({"concurrency": "0"}, "CONCURRENCY_EXCEEDED"),
        ({"concurrency": "51"}, "CONCURRENCY_EXCEEDED"),
        ({"to_date": "2026-09-20"}, "INVALID_DATE_RANGE"),
        ({"from_date": "2026-10-01"}, "INVALID_DATE_RANGE"),
        ({"days_of_week": "someday"}, "NO_DAYS_SELECTED"),
        ({"days_of_week": ","}, "NO_DAYS_SELECTED"),
        ({"max_retries": "0"}, "INVALID_RETRY_CONFIG"),
        ({"max_retries": "11"}, "INVALID_RETRY_CONFIG"),
        ({"retry_delay_mins": "1441"}, "INVALID_RETRY_CONFIG"),
        ({"notification_emails": "a,b,c,d,e,f"}, "TOO_MANY_EMAILS"),
    ],
)
async def test_every_documented_code(changed: dict[str, Any], code: str) -> None:
    async with line(campaign_refusal=400) as it:
        answer = await asked(it, **changed)
        assert (answer.status_code, answer.json()["status_code"], answer.json()["code"]) == (400, 400, code)
        assert it.simulator.books.calls == []


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"campaign_name": ""}, "campaign_name"),
        ({"campaign_name": "x" * 256}, "campaign_name"),
        ({"agent_id": ""}, "agent_id"),
        ({"concurrency": "two"}, "concurrency"),
        ({"from_date": "21.9.2026"}, "from_date"),
        ({"start_time": "3:30"}, "start_time"),
        ({"days_of_week": ""}, "days_of_week"),
        ({"perform_dnd_check": "perhaps"}, "perform_dnd_check"),
        ({"per_call_webhook_url": "ftp://x"}, "per_call_webhook_url"),
    ],
)
async def test_an_unreadable_field_is_named(changed: dict[str, Any], field: str) -> None:
    async with line() as it:
        answer = await asked(it, **changed)
        assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, ["body", field])


@pytest.mark.parametrize(
    ("content", "filename"),
    [
        (b"", "a.csv"),
        (b"name,phone\n", "a.csv"),
        (b"name,city\na,b\n", "a.csv"),
        (b"\xff\xfe", "a.csv"),
        (CSV, "a.xlsx"),
        (b"phone\n" + b"9876543210\n" * 10_001, "a.csv"),
    ],
)
async def test_a_file_that_is_no_list_is_refused(content: bytes, filename: str) -> None:
    async with line() as it:
        answer = await asked(it, content, filename)
        assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, ["body", "csv_file"])
        missing = await it.http.post("/api/campaigns/create", data=FORM)
        assert missing.json()["detail"][0]["loc"] == ["body", "csv_file"]


async def test_numbers_are_indian_and_a_wrong_one_has_failed() -> None:
    content = b"full_name,mobile\nA,919876543210\nB,+14155550123\nC,12\n"
    async with line(dnd=("+919876543210",)) as it:
        campaign_id = await create(it, content, perform_dnd_check="true")
        assert it.simulator.books.calls == []
        assert (await status(it, campaign_id))["campaign_status"] == "completed"
        assert [(row["name"], row["call_status"], row["attempts"]) for row in await results(it, campaign_id)] == [
            ("A", "failed", "0"),
            ("B", "failed", "0"),
            ("C", "failed", "0"),
        ]


async def test_any_hours_on_request_and_an_unknown_agent_never() -> None:
    async with line(campaign_hours="any", agents=(AGENT,)) as it:
        assert (await asked(it, start_time="00:00", end_time="23:59")).status_code == 201
        assert (await asked(it, agent_id="nobody")).status_code == 404
        assert (await it.http.get("/api/campaigns/x/status")).status_code == 404


async def test_it_tells_of_itself_and_of_every_call() -> None:
    async with receiver() as of_campaign, receiver() as of_calls, line(webhook_secret="s") as it:
        urls: dict[str, Any] = {"campaign_webhook_url": of_campaign.url, "per_call_webhook_url": of_calls.url}
        campaign_id = await create(it, concurrency="3", **urls)
        it.clock.advance(60)
        calls = await of_calls.until(3)
        assert [one.body["event"] for one in calls] == ["call.completed"] * 3
        body = calls[0].body
        assert (body["campaign_id"], body["call_status"], body["call_duration_seconds"]) == (
            campaign_id,
            "completed",
            10.0,
        )
        assert body["contact"]["phone"].startswith("+9198765432")
        assert set(calls[0].headers) >= {"x-vaani-signature", "x-vaani-timestamp"}
        changed, over = await of_campaign.until(2)
        assert (changed.body["event"], changed.body["old_status"], changed.body["new_status"]) == (
            "campaign.status_changed",
            "active",
            "completed",
        )
        assert (over.body["event"], over.body["stats"]["completed"]) == ("campaign.completed", 3)
