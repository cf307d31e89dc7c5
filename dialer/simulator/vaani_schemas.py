"""What dialect A answers about calls, as JSON Schema (wire contract, sections 2.2 to 2.6)."""

from dialer.simulator.schemas import FREE, REAL, TEXT, TIME, WHOLE, Schema, listed, mapped, maybe, one, record

PLACED = record(("call_log_id", "id"), detail=TEXT, call_log_id=TEXT, id=TEXT)

_MESSAGE = record(timestamp=TIME, speaker=TEXT, message=TEXT, tokens=WHOLE)
_ITEM: dict[str, Schema] = {
    **mapped(("call_log_id", "agent_id", "agent_name", "agent_phone_number", "called_number"), TEXT),
    **mapped(("call_direction", "call_type", "call_end_reason", "recording_url"), TEXT),
    **mapped(("user_id", "incoming_callerid", "llm_name", "stt_name", "tts_name"), maybe(TEXT)),
    **mapped(("conversation_analysis", "disposition"), maybe(TEXT)),
    **mapped(("start_time", "end_time"), TIME),
    **mapped(("duration", "cost_llm", "cost_stt", "cost_tts", "platform_cost", "total_cost"), REAL),
    **mapped(("total_tokens_llm", "total_tokens_stt", "total_tokens_tts"), WHOLE),
    "messages": listed(_MESSAGE),
    "dynamic_variables": FREE,
}
ITEM = record(("recording_url", "dynamic_variables"), **_ITEM)
_COUNTS = dict.fromkeys(("total", "page", "page_size", "total_pages"), WHOLE)
LIST = one(
    listed(ITEM),
    record(data=listed(ITEM), pagination=record(**_COUNTS)),
    *(record(**{key: listed(ITEM)}, **_COUNTS) for key in ("call_logs", "items", "logs")),
)
TOKEN = one(record(identity=TEXT, accessToken=TEXT), record(token=TEXT))
