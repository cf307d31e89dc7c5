"""Calls through the client of api.vaanivoice.ai: what goes out, and what is read from the answers."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from dialer.adapters.providers.vaanivoice.calls import ModifyAgent, PhoneCall, WebCall
from dialer.adapters.providers.vaanivoice.models import CallRecord, Transcript, Turn
from dialer.errors import AnswerUnreadable, CallIdMissing, NotFound, TranscriptFailed, TranscriptMissing, Unsuccessful
from tests.provider_api import PHONE_CALL, every, voice_at
from tests.provider_dialects import serving
from tests.raw_server import RawServer, http_answer, raw_server

PLACED = {
    "success": True,
    "message": "Call initiated successfully",
    "output": {"agent_name": "acme_bot", "call_id": "outbound-1790000000-0a1b2c3d", "live_captions_url": "wss://x/c"},
    "error": None,
}
ROW = {
    "call_id": "outbound-1795255200-0a1b2c3d",
    "call_type": "Outbound",
    "direction": "Outbound",
    "call_status": "User disconnected",
    "to_number": "+14155550123",
    "Start_time": "2026-11-21T10:00:00.250000",
    "call_dialing_at": "2026-11-21T10:00:18.250000",
    "user_picked_up_at": "2026-11-21T10:00:30.250000",
    "End_time": "2026-11-21T10:00:34.250000",
    "duration_ms": 742.269,
    "call_cost": "1.5",
    "call_entity": '{"paid": true}',
    "call_metadata": {"ref": "k1"},
    "callback_requested": False,
    "brand_new_field": {"x": 1},
}


async def triggered(server: RawServer, call: PhoneCall) -> Any:
    async with voice_at(server.url) as api:
        return await api.calls.trigger(call)


async def test_a_phone_call_sends_what_was_given_and_nothing_else() -> None:
    async with raw_server(serving(PLACED)) as server:
        await triggered(server, PHONE_CALL)
        full = PhoneCall(
            agent_id="agent-1",
            contact_number="+14155550123",
            name="Ann",
            voice="nova",
            metadata={"plan": "gold"},
            outbound_number="+14155550199",
            sip_trunk_id="trunk-1",
            test_mode=True,
            dnd_check_skipped=False,
            modify_agent=ModifyAgent(persona={"identity": {"system_prompt": "Hi"}}),
        )
        call = await triggered(server, full)
    plain, whole = (request.json() for request in server.requests)
    assert (server.requests[0].method, server.requests[0].target) == ("POST", "/api/trigger-call/")
    assert plain == {
        "agent_id": "agent-1",
        "medium": "telephony",
        "contact_number": "+14155550123",
        "name": "Customer",
        "metadata": {},
    }
    assert whole == {
        "agent_id": "agent-1",
        "medium": "telephony",
        "contact_number": "+14155550123",
        "name": "Ann",
        "voice": "nova",
        "metadata": {"plan": "gold"},
        "outbound_number": "+14155550199",
        "sip_trunk_id": "trunk-1",
        "test_mode": True,
        "dnd_check_skipped": False,
        "modify_agent": {"persona": {"identity": {"system_prompt": "Hi"}}},
    }
    assert (call.call_id, call.agent_name, call.live_captions_url) == (
        "outbound-1790000000-0a1b2c3d",
        "acme_bot",
        "wss://x/c",
    )
    assert call.raw == PLACED


async def test_a_browser_call_sends_every_option() -> None:
    answer = {"token": "t-1", "room_name": "webrtc-1", "agent_name": "bot", "connection_url": "https://x"}
    options: dict[str, Any] = {
        "voice_gender": "male",
        "primary_language": "en",
        "secondary_language": "hi",
        "welcome_message": "Hello",
        "welcome_interruptible": False,
        "bg_noise_enabled": True,
        "bg_noise_volume": 0,
        "voice_speed": 0.6,
    }
    call = WebCall(agent_id="a", metadata={"x": [1]}, modify_agent=ModifyAgent(training={}), **options)
    async with raw_server(serving(answer)) as server, voice_at(server.url) as api:
        opened = await api.calls.open_browser_call(call)
    assert server.requests[0].json() == {
        "agent_id": "a",
        "medium": "webrtc",
        "metadata": {"x": [1]},
        "modify_agent": {"training": {}},
        **options,
    }
    assert (opened.token, opened.room_name, opened.connection_url) == ("t-1", "webrtc-1", "https://x")
    assert "t-1" not in repr(opened)


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({"success": True, "output": "Dispatched AD_x to room outbound-17-0a1b"}, "outbound-17-0a1b"),
        ({"success": True, "output": "outbound-17-0a1b"}, "outbound-17-0a1b"),
        ({"success": True, "output": None}, CallIdMissing),
        ({"success": True, "output": "Command processed"}, CallIdMissing),
        ({"success": True, "output": []}, CallIdMissing),
        ([{"call_id": "c"}], AnswerUnreadable),
        ({"success": False, "output": None, "error": "something broke: internal error"}, Unsuccessful),
        ({"success": False, "output": {"call_id": "c"}, "error": "something"}, Unsuccessful),
    ],
)
async def test_what_the_vendors_client_loses_after_the_call_was_placed(body: Any, found: Any) -> None:
    async with raw_server(serving(body)) as server:
        if isinstance(found, str):
            assert (await triggered(server, PHONE_CALL)).call_id == found
        else:
            with pytest.raises(found):
                await triggered(server, PHONE_CALL)
    assert len(server.requests) == 1


async def test_a_row_of_the_history_is_read_with_its_times_in_utc_and_its_durations_computed() -> None:
    async with (
        raw_server(serving({"data": [ROW], "pagination": {"has_next": False}})) as server,
        voice_at(server.url) as api,
    ):
        (record,) = await every(api.calls.history())
    assert server.requests[0].target == "/api/call-history?page=1&page_size=200"
    assert record.started_at == datetime(2026, 11, 21, 10, 0, 0, 250_000, UTC)
    assert (record.duration_s, record.talk_s, record.duration_ms) == (34.0, 4.0, 742.269)
    assert (record.call_cost, record.call_entity, record.metadata) == (1.5, {"paid": True}, {"ref": "k1"})
    assert (record.callback_requested, record.ringing_at) == (False, None)
    assert record.raw == ROW


def test_a_row_of_another_shape_is_read_as_far_as_it_goes() -> None:
    odd = CallRecord.read(
        {
            "call_id": 17,
            "Start_time": 5,
            "call_entity": "no",
            "chat_history": None,
            "call_cost": "?",
            "from_number": "N/A",
        }
    )
    assert (odd.call_id, odd.call_entity, odd.chat_history, odd.call_cost, odd.from_number) == ("17", {}, [], None, "")
    assert (odd.duration_s, odd.talk_s) == (None, None)
    with pytest.raises(AnswerUnreadable, match="call_id"):
        CallRecord.read({"call_id": None})


async def test_the_history_is_read_to_its_end_and_shifted_rows_come_once() -> None:
    def row(number: int) -> dict[str, Any]:
        return {**ROW, "call_id": f"c{number}"}

    paging = [{"page": page, "total_pages": 3, "has_next": page < 3} for page in (1, 2, 3)]
    # Between the pages one call came in, so the last row of a page is the first of the next.
    rows = [[row(9), row(8)], [row(8), row(7)], [row(6)]]
    bodies = [{"data": page, "pagination": info} for page, info in zip(rows, paging, strict=True)]
    async with raw_server(serving(*bodies)) as server, voice_at(server.url) as api:
        found = await every(api.calls.history(page_size=2))
    assert [record.call_id for record in found] == ["c9", "c8", "c7", "c6"]
    assert server.requests[2].target == "/api/call-history?page=3&page_size=2"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"transcript": "AGENT: Hi\n\n USER: Hello", "status_code": 200}, "AGENT: Hi\n\n USER: Hello"),
        (http_answer(404, b'{"transcript":"Transcript not found","status_code":404}'), TranscriptMissing),
        ({"transcript": "Transcript not found in Azure Blob Storage", "status_code": 404}, TranscriptMissing),
        ({"transcript": "Transcript not found in Azure Blob Storage"}, TranscriptMissing),
        ({"transcript": "Error retrieving transcript", "error": "404: no"}, TranscriptMissing),
        ({"transcript": "Processing"}, None),
        ({"transcript": ""}, None),
        (http_answer(202, b"{}"), None),
        ({"error": "database is away"}, TranscriptFailed),
    ],
)
async def test_transcripts_are_told_from_excuses(answer: Any, expected: Any) -> None:
    async with raw_server(serving(answer)) as server, voice_at(server.url) as api:
        if isinstance(expected, type):
            with pytest.raises(expected):
                await api.calls.transcript("c 1/2")
        else:
            found = await api.calls.transcript("c 1/2")
            assert (found.text, found.pending) == (expected or "", expected is None)
    assert server.requests[0].target == "/api/transcript/c%201%2F2"


def test_a_transcript_is_cut_into_turns() -> None:
    said = "AGENT: Hi\n there\n\n[00:12] USER: Yes: tomorrow\n[2026-11-21 10:00:12] AGENT: Good"
    assert Transcript(text=said).turns == (
        Turn("agent", "Hi there"),
        Turn("user", "Yes: tomorrow", "00:12"),
        Turn("agent", "Good", "2026-11-21 10:00:12"),
    )
    assert Transcript(text="nobody said who").turns == ()


async def test_details_are_told_from_excuses() -> None:
    excuse = "Transcript is not available yet"
    ready = {
        "transcription": "Hi",
        "entity": {"a": 1},
        "conversation_eval": {"score": 3},
        "summary": "Short",
        "call_eval_tag": None,
    }
    late = {"transcription": excuse, "entity": excuse, "conversation_eval": excuse, "summary": excuse}
    async with raw_server(serving(ready, late, http_answer(202, b"{}"))) as server, voice_at(server.url) as api:
        details = [await api.calls.details("c1") for _ in range(3)]
        with pytest.raises(NotFound):
            await api.calls.details("..")
    assert [one.pending for one in details] == [False, True, True]
    assert (details[0].summary, details[0].entity, details[0].evaluation, details[0].tag) == (
        "Short",
        {"a": 1},
        {"score": 3},
        "",
    )
    assert details[1].transcription == ""
    assert details[1].raw == json.loads(json.dumps(late))
