"""How dialect A shows a call (wire contract, section 2.3; the item is the ancestor's, the envelope a switch).

No status exists on A: a log with a duration was answered, and what was not answered leaves no log unless the
switch ``vaani_unanswered`` has it so. A machine's pick-up is told, unless switched off, in
``conversation_analysis`` and ``disposition``; both texts are the simulator's choice.
"""

from typing import Any

from dialer.simulator.books import Call
from dialer.simulator.call_log import Page
from dialer.simulator.checking import iso
from dialer.simulator.life import PICKED_UP
from dialer.simulator.operations import TIME, listed, mapped, one, record
from dialer.simulator.options import Options
from dialer.simulator.switchboard import numbered_agent_id

COLUMNS = (
    *("call_log_id", "agent_id", "agent_name", "agent_phone_number", "called_number", "call_direction", "call_type"),
    *("start_time", "end_time", "duration", "call_end_reason", "total_cost", "platform_cost"),
    *("conversation_analysis", "disposition", "messages"),
)
"""The columns of the CSV; the vendor names none."""


PLACED = record(("call_log_id", "id"), detail=str, call_log_id=str, id=str)

_MESSAGE = record(timestamp=TIME, speaker=str, message=str, tokens=int)
_ITEM: dict[str, Any] = {
    **mapped(("call_log_id", "agent_id", "agent_name", "agent_phone_number", "called_number"), str),
    **mapped(("call_direction", "call_type", "call_end_reason", "recording_url"), str),
    **mapped(("user_id", "incoming_callerid", "llm_name", "stt_name", "tts_name"), str | None),
    **mapped(("conversation_analysis", "disposition"), str | None),
    **mapped(("start_time", "end_time"), TIME),
    **mapped(("duration", "cost_llm", "cost_stt", "cost_tts", "platform_cost", "total_cost"), float),
    **mapped(("total_tokens_llm", "total_tokens_stt", "total_tokens_tts"), int),
    "messages": listed(_MESSAGE),
    "dynamic_variables": dict,
}
ITEM = record(("recording_url", "dynamic_variables"), **_ITEM)
_COUNTS = dict.fromkeys(("total", "page", "page_size", "total_pages"), int)
LIST = one(
    listed(ITEM),
    record(data=listed(ITEM), pagination=record(**_COUNTS)),
    *(record(**{key: listed(ITEM)}, **_COUNTS) for key in ("call_logs", "items", "logs")),
)
TOKEN = one(record(identity=str, accessToken=str), record(token=str))


def item(call: Call, options: Options) -> dict[str, Any]:
    """One log. ``start_time`` is when dialing began, ``duration`` the seconds of talk."""
    life, order = call.life, call.order
    shown = {
        "call_log_id": call.call_id,
        "agent_id": numbered_agent_id(order.agent),
        "agent_name": "Simulated agent",
        "agent_phone_number": order.agent,
        "user_id": None,
        "incoming_callerid": None,
        "called_number": order.to,
        "call_direction": "outbound",
        "call_type": options.vaani_call_type,
        "start_time": iso(life.dialing_at),
        "end_time": iso(life.ended_at),
        "duration": round(life.talk_s, 3),
        "messages": _messages(call),
        **_costs(call),
        "call_end_reason": _end_reason(life.outcome),
        **_analysis(call, options),
    }
    return {**shown, "dynamic_variables": order.variables} if options.vaani_variables else shown


def _end_reason(outcome: str) -> str:
    """Only "Completed" has a source, the rest is the simulator's choice."""
    return "Completed" if outcome in PICKED_UP else outcome.capitalize().replace("_", " ")


def envelope(items: list[dict[str, Any]], page: Page, options: Options) -> Any:
    """The list as the switch ``vaani_list`` has it: under a key with counts, with ``pagination``, or bare."""
    counts = {"total": page.total, "page": page.page, "page_size": page.page_size, "total_pages": page.total_pages}
    if options.vaani_list == "array":
        return items
    if options.vaani_list == "data":
        return {"data": items, "pagination": counts}
    return {options.vaani_list: items, **counts}


def _messages(call: Call) -> list[dict[str, Any]]:
    if call.life.answered_at is None:
        return []
    said = "Please leave a message after the tone." if call.life.outcome == "voicemail" else "Hello."
    at = iso(call.life.answered_at)
    return [
        {"timestamp": at, "speaker": "agent", "message": "Hello!", "tokens": 2},
        {"timestamp": at, "speaker": "user", "message": said, "tokens": 2},
    ]


def _costs(call: Call) -> dict[str, Any]:
    parts = dict.fromkeys(("cost_llm", "cost_stt", "cost_tts"), 0.0)
    tokens = dict.fromkeys(("total_tokens_llm", "total_tokens_stt", "total_tokens_tts"), 0)
    names = {"llm_name": "simulated", "stt_name": "simulated", "tts_name": "simulated"}
    return {**names, **tokens, **parts, "platform_cost": call.cost, "total_cost": call.cost}


def _analysis(call: Call, options: Options) -> dict[str, Any]:
    if call.life.answered_at is None:
        return {"conversation_analysis": None, "disposition": None}
    if call.life.outcome == "voicemail" and options.vaani_voicemail:
        return {"conversation_analysis": "A voicemail greeting was played.", "disposition": "voicemail"}
    return {"conversation_analysis": "The agent greeted the contact, who answered.", "disposition": None}
