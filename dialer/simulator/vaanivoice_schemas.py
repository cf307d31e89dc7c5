"""What dialect B answers about calls, as JSON Schema (wire contract, sections 3.3 to 3.7)."""

from dialer.simulator.schemas import FLAG, FREE, REAL, TEXT, TIME, WHOLE, Schema, listed, mapped, maybe, one, record

HEALTH = record(status=TEXT, service=TEXT)

PLACED = record(("live_captions_url",), agent_name=TEXT, call_id=TEXT, live_captions_url=TEXT)
TELEPHONY = record(
    success=FLAG,
    message=maybe(TEXT),
    output=one(PLACED, TEXT, {"type": "null"}),
    error=maybe(TEXT),
)
BROWSER = record(token=TEXT, room_name=TEXT, agent_name=TEXT, connection_url=TEXT, live_captions_url=TEXT)
TRIGGERED = one(TELEPHONY, BROWSER)

_ROW: dict[str, Schema] = {
    **mapped(("call_id", "call_type", "direction", "call_status", "agent_name", "agent_id"), TEXT),
    **mapped(("client_name", "client_id", "from_number", "to_number", "post_processing_status"), TEXT),
    **mapped(("recording_api", "call_transcription"), TEXT),
    **mapped(("call_summary", "call_eval_tag", "callback_id", "callback_status"), maybe(TEXT)),
    **mapped(("End_time", "call_dialing_at", "call_ringing_at", "user_picked_up_at"), maybe(TIME)),
    **mapped(("duration_ms", "call_cost"), REAL),
    **mapped(("call_entity", "call_conversation_quality", "call_metadata"), FREE),
    "Start_time": TIME,
    "chat_history": listed(FREE),
    "callback_requested": FLAG,
}
ROW = record(**_ROW)
PAGINATION = record(
    **mapped(("page", "page_size", "total_count", "total_pages"), WHOLE), **mapped(("has_next", "has_previous"), FLAG)
)
HISTORY = record(data=listed(ROW), pagination=PAGINATION)

DETAILS = record(
    transcription=TEXT,
    entity=one(FREE, TEXT),
    conversation_eval=one(FREE, TEXT),
    summary=maybe(TEXT),
    call_eval_tag=maybe(TEXT),
)
TRANSCRIPT = record(("status_code", "function", "error"), transcript=TEXT, status_code=WHOLE, function=TEXT, error=TEXT)
