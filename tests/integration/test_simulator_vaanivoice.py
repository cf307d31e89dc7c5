"""Dialect B over real sockets: what the wire contract's section 3 promises."""

import re
from typing import Any

import pytest

from tests.simulator_support import AGENT, line


async def test_health_needs_no_key() -> None:
    async with line() as it:
        answer = await it.http.get("/api/health", headers={"X-API-Key": ""})
        assert answer.json() == {"status": "healthy", "service": "vaani-external-api"}


async def test_trigger_answers_with_a_call_id_that_names_its_second() -> None:
    async with line() as it:
        body = (await it.trigger()).json()
        assert (body["success"], body["error"]) == (True, None)
        assert re.fullmatch(r"outbound-1790000000-[0-9a-f]{8}", body["output"]["call_id"])
        assert body["output"]["live_captions_url"].endswith(body["output"]["call_id"])


async def test_output_may_be_a_string_that_holds_the_room() -> None:
    async with line(vaanivoice_output="string") as it:
        output = (await it.trigger()).json()["output"]
        assert f"room {it.simulator.books.calls[0].call_id}" in output


async def test_the_wrong_slash_is_redirected_and_places_nothing() -> None:
    async with line() as it:
        answer = await it.http.post("/api/trigger-call", json={})
        assert answer.status_code == 307
        assert answer.headers["location"].endswith("/api/trigger-call/")
        assert (await it.http.get("/api/call-history/")).status_code == 307
        assert it.simulator.books.calls == []


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"agent_id": None}, "agent_id"),
        ({"agent_id": ""}, "agent_id"),
        ({"name": None}, "name"),
        ({"contact_number": None}, "contact_number"),
        ({"contact_number": "9876543210"}, "contact_number"),
        ({"contact_number": 919876543210}, "contact_number"),
        ({"metadata": "text"}, "metadata"),
        ({"medium": "fax"}, "medium"),
        ({"outbound_number": "0123"}, "outbound_number"),
        ({"test_mode": "yes"}, "test_mode"),
        ({"modify_agent": {"mood": {}}}, "modify_agent"),
        ({"medium": "webrtc", "voice_speed": 2}, "voice_speed"),
        ({"medium": "webrtc", "bg_noise_volume": 101}, "bg_noise_volume"),
        ({"medium": "webrtc", "voice_gender": "other"}, "voice_gender"),
    ],
)
async def test_what_is_invalid_is_named_and_not_placed(changed: dict[str, Any], field: str) -> None:
    async with line() as it:
        body = {"agent_id": AGENT, "contact_number": "+919876543210", "name": "Asha", **changed}
        answer = await it.http.post("/api/trigger-call/", json=body)
        assert answer.status_code == 422
        assert answer.json()["detail"][0]["loc"] == ["body", field]
        assert it.simulator.books.calls == []


@pytest.mark.parametrize("raw", ["", "{", "[]", '"text"'])
async def test_a_body_that_is_no_object_is_invalid(raw: str) -> None:
    async with line() as it:
        answer = await it.http.post("/api/trigger-call/", content=raw)
        assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, ["body"])


async def test_webrtc_answers_flat_and_calls_nobody() -> None:
    async with line() as it:
        answer = await it.http.post("/api/trigger-call/", json={"agent_id": AGENT, "medium": "webrtc"})
        assert set(answer.json()) == {"token", "room_name", "agent_name", "connection_url", "live_captions_url"}
        assert it.simulator.books.calls == []


async def test_test_mode_answers_with_an_id_and_calls_nobody() -> None:
    async with line() as it:
        call_id = (await it.trigger(test_mode=True)).json()["output"]["call_id"]
        it.clock.advance(60)
        assert call_id.startswith("outbound-")
        assert it.simulator.books.calls == []
        assert (await it.history())["data"] == []


async def test_do_not_disturb_is_refused_unless_skipped() -> None:
    async with line(dnd=("+919876543210",)) as it:
        assert (await it.trigger()).status_code == 403
        assert (await it.trigger(dnd_check_skipped=True)).status_code == 200
        assert len(it.simulator.books.calls) == 1


@pytest.mark.parametrize(
    ("options", "status", "code"),
    [
        ({"key": "another"}, 401, "UNAUTHORIZED"),
        ({"balance": 0.0}, 402, "INSUFFICIENT_BALANCE"),
        ({"agents": ("somebody",)}, 404, "NOT_FOUND"),
        ({"rate_cap": 0}, 429, "RATE_LIMITED"),
        ({"faults": {"500": 1.0}}, 500, "INTERNAL_ERROR"),
    ],
)
async def test_refusals_come_in_both_shapes(options: dict[str, Any], status: int, code: str) -> None:
    async with line(**options) as it:
        flat = await it.trigger()
        assert (flat.status_code, list(flat.json())) == (status, ["detail"])
    async with line(**options, vaanivoice_errors="gateway") as it:
        body = (await it.trigger()).json()
        assert (body["status_code"], body["code"]) == (status, code)
        assert it.simulator.books.calls == []


async def test_a_call_lives_by_the_clock_and_its_row_appears_after_the_end() -> None:
    async with line() as it:
        call_id = (await it.trigger(metadata={"ref": "k1"}, outbound_number="+919000000000")).json()["output"][
            "call_id"
        ]
        it.clock.advance(16.9)
        assert (await it.history())["data"] == []
        it.clock.advance(0.2)
        (row,) = (await it.history())["data"]
        assert row["call_id"] == call_id
        assert (row["to_number"], row["from_number"]) == ("+919876543210", "+919000000000")
        assert (row["call_type"], row["direction"]) == ("Outbound", "Outbound")
        assert row["Start_time"] == "2026-09-21T14:13:20.000000"
        assert row["call_dialing_at"] == "2026-09-21T14:13:21.000000"
        assert row["call_ringing_at"] == "2026-09-21T14:13:22.000000"
        assert row["user_picked_up_at"] == "2026-09-21T14:13:25.000000"
        assert row["End_time"] == "2026-09-21T14:13:35.000000"
        assert row["call_cost"] == 1.0
        assert row["call_status"] in {"User disconnected", "Agent disconnected"}
        assert row["post_processing_status"] == "completed"
        assert row["duration_ms"] == pytest.approx(326.55)
        assert row["call_metadata"]["ref"] == "k1"
        assert row["call_metadata"]["phone"] == "+919876543210"


async def test_switches_of_a_row() -> None:
    async with line(vaanivoice_metadata=False, vaanivoice_duration="right") as it:
        await it.trigger(metadata={"ref": "k1", "name": "mine"})
        it.clock.advance(60)
        (row,) = (await it.history())["data"]
        assert "ref" not in row["call_metadata"]
        assert row["call_metadata"]["name"] == "Asha"
        assert row["duration_ms"] == 10_000


async def test_the_vendors_own_metadata_keys_win() -> None:
    async with line() as it:
        await it.trigger(metadata={"name": "mine", "mine": 1})
        it.clock.advance(60)
        (row,) = (await it.history())["data"]
        assert (row["call_metadata"]["name"], row["call_metadata"]["mine"]) == ("Asha", 1)


@pytest.mark.parametrize(
    ("outcome", "status", "rang", "lasted"),
    [
        ("no_answer", "No answer", True, 47),
        ("busy", "Busy", False, 2),
        ("rejected", "Rejected", True, 5),
        ("failed", "Failed", False, 2),
    ],
)
async def test_an_unanswered_call_leaves_a_row_without_pick_up(
    outcome: str, status: str, rang: bool, lasted: int
) -> None:
    async with line(outcomes={outcome: 1.0}) as it:
        await it.trigger()
        it.clock.advance(60)
        (row,) = (await it.history())["data"]
        assert (row["call_status"], row["user_picked_up_at"]) == (status, None)
        assert (row["call_ringing_at"] is not None) == rang
        assert row["call_cost"] == 0
        call = it.simulator.books.calls[0]
        assert call.life.ended_at - call.life.accepted_at == lasted


@pytest.mark.parametrize(
    ("shown", "status", "entity"),
    [
        ("both", "Voicemail detected", {"call_disposition": "voicemail"}),
        ("status", "Voicemail detected", {}),
        ("entity", "Agent disconnected", {"call_disposition": "voicemail"}),
        ("none", "Agent disconnected", {}),
    ],
)
async def test_a_machine_looks_answered_and_short(shown: str, status: str, entity: dict[str, str]) -> None:
    async with line(outcomes={"voicemail": 1.0}, vaanivoice_voicemail=shown) as it:
        await it.trigger()
        it.clock.advance(60)
        (row,) = (await it.history())["data"]
        assert row["user_picked_up_at"] == "2026-09-21T14:13:25.000000"
        assert (row["call_status"], row["call_entity"]) == (status, entity)


@pytest.mark.parametrize(("when", "seen_at"), [("trigger", 0.0), ("dial", 1.0)])
async def test_a_row_may_appear_early_and_then_follows_the_call(when: str, seen_at: float) -> None:
    async with line(vaanivoice_row=when) as it:
        await it.trigger()
        it.clock.advance(seen_at)
        (row,) = (await it.history())["data"]
        assert row["End_time"] is None
        assert row["call_status"] in {"Initiated", "Dialing"}
        assert row["post_processing_status"] == "not_processed"
        it.clock.advance(6.0 - seen_at)
        assert (await it.history())["data"][0]["call_status"] == "In progress"
        it.clock.advance(10.0)
        assert (await it.history())["data"][0]["post_processing_status"] == "processing"


@pytest.mark.parametrize("order", ["newest", "oldest"])
async def test_pages_hold_every_row_once_in_order(order: str) -> None:
    async with line(vaanivoice_order=order) as it:
        for last in range(7):
            await it.trigger(f"+91987654321{last}")
            it.clock.advance(1)
        it.clock.advance(60)
        pages = [await it.history(page=number, page_size=3) for number in (1, 2, 3, 4)]
        numbers = [row["to_number"][-1] for page in pages for row in page["data"]]
        assert numbers == sorted(numbers, reverse=order == "newest")
        assert len(numbers) == 7
        assert pages[1]["pagination"] == {
            "page": 2,
            "page_size": 3,
            "total_count": 7,
            "total_pages": 3,
            "has_next": True,
            "has_previous": True,
        }
        assert (pages[3]["data"], pages[3]["pagination"]["has_next"]) == ([], False)


@pytest.mark.parametrize("query", [{"page_size": 201}, {"page_size": 0}, {"page": 0}, {"page": "x"}])
async def test_page_limits_are_invalid_beyond(query: dict[str, Any]) -> None:
    async with line() as it:
        answer = await it.http.get("/api/call-history", params=query)
        assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, ["query", *query])
        assert (await it.history(page_size=200))["pagination"]["total_pages"] == 0


async def test_transcript_and_details_wait_for_processing() -> None:
    async with line() as it:
        call_id = (await it.trigger()).json()["output"]["call_id"]
        early = await it.http.get(f"/api/transcript/{call_id}")
        assert (early.status_code, early.json()["status_code"]) == (404, 404)
        pending = (await it.http.get(f"/api/call_details/{call_id}")).json()
        assert pending["summary"] == pending["transcription"]
        assert pending["call_eval_tag"] is None
        it.clock.advance(17)
        ready = (await it.http.get(f"/api/transcript/{call_id}")).json()
        assert ready["transcript"].startswith("AGENT: Hello Asha!\n\n USER: ")
        details = (await it.http.get(f"/api/call_details/{call_id}")).json()
        assert set(details) == {"transcription", "entity", "conversation_eval", "summary", "call_eval_tag"}


async def test_a_missing_transcript_may_be_a_200() -> None:
    async with line(vaanivoice_missing_transcript=200) as it:
        answer = await it.http.get("/api/transcript/nobody")
        assert (answer.status_code, answer.json()["status_code"]) == (200, 404)
        assert (await it.http.get("/api/call_details/nobody")).status_code == 404


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("error", {"transcript": "Error retrieving transcript", "error": "404: Transcript not found"}),
        ("processing", {"transcript": "Processing", "status_code": 200, "function": "get_transcript"}),
    ],
)
async def test_a_missing_transcript_was_seen_in_other_words(kind: str, body: dict[str, Any]) -> None:
    async with line(vaanivoice_missing_transcript=200, vaanivoice_missing_text=kind) as it:
        assert (await it.http.get("/api/transcript/nobody")).json() == body


async def test_a_call_in_test_mode_has_details_that_are_never_processed() -> None:
    async with line() as it:
        call_id = (await it.trigger(test_mode=True)).json()["output"]["call_id"]
        it.clock.advance(100)
        details = (await it.http.get(f"/api/call_details/{call_id}")).json()
        assert (details["summary"], details["call_eval_tag"]) == ("Transcript is not available for this call.", None)
        assert (await it.http.get(f"/api/transcript/{call_id}")).status_code == 404


async def test_unknown_paths_and_methods_answer_in_json() -> None:
    async with line() as it:
        assert (await it.http.get("/api/nothing")).json() == {"detail": "Not Found"}
        assert (await it.http.get("/api/trigger-call/")).json() == {"detail": "Method Not Allowed"}
        assert (await it.http.patch("/agents/x")).headers["allow"] == "DELETE, GET, PUT"
