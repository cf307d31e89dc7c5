"""How dialect B shows a call: history rows, details, transcripts (wire contract, sections 3.5 to 3.7).

The vendor documents one ``call_status`` ("User disconnected") and leaves the rest free text; the words below are
the simulator's choice. It has no voicemail status at all: a machine's pick-up is a short answered call which the
switch ``vaanivoice_voicemail`` lets show in ``call_status``, in ``call_entity``, in both or nowhere.
"""

from typing import Any

from dialer.simulator.books import Call
from dialer.simulator.call_log import Page
from dialer.simulator.checking import iso
from dialer.simulator.operations import TIME, listed, mapped, one, record
from dialer.simulator.options import Options

LIVE = {"accepted": "Initiated", "dialing": "Dialing", "ringing": "Ringing", "answered": "In progress"}
"""``call_status`` of a call that has not ended; seen only when rows appear before the end."""

NOT_YET = "Transcript is not available for this call."
MISSING: dict[str, dict[str, Any]] = {
    "stored": {
        "transcript": "Transcript not found in Azure Blob Storage",
        "status_code": 404,
        "function": "get_transcript",
    },
    "error": {"transcript": "Error retrieving transcript", "error": "404: Transcript not found"},
    "processing": {"transcript": "Processing", "status_code": 200, "function": "get_transcript"},
}
"""The ways in which the vendor was seen to say that there is no transcript (section 3.6)."""
UNPROCESSED = {
    **dict.fromkeys(("transcription", "entity", "conversation_eval", "summary"), NOT_YET),
    "call_eval_tag": None,
}
"""The details of a call that is not processed."""
ODD_MS_PER_S = 21.77
"""What the vendor's one sample makes of a second (742.269 for 34.1 s); nobody knows the unit."""


HEALTH = record(status=str, service=str)
PLACED = record(("live_captions_url",), agent_name=str, call_id=str, live_captions_url=str)
TELEPHONY = record(success=bool, message=str | None, output=one(PLACED, str, {"type": "null"}), error=str | None)
BROWSER = record(token=str, room_name=str, agent_name=str, connection_url=str, live_captions_url=str)
TRIGGERED = one(TELEPHONY, BROWSER)

_ROW: dict[str, Any] = {
    **mapped(("call_id", "call_type", "direction", "call_status", "agent_name", "agent_id"), str),
    **mapped(("client_name", "client_id", "from_number", "to_number", "post_processing_status"), str),
    **mapped(("recording_api", "call_transcription"), str),
    **mapped(("call_summary", "call_eval_tag", "callback_id", "callback_status"), str | None),
    **mapped(("End_time", "call_dialing_at", "call_ringing_at", "user_picked_up_at"), TIME | None),
    **mapped(("duration_ms", "call_cost"), float),
    **mapped(("call_entity", "call_conversation_quality", "call_metadata"), dict),
    "Start_time": TIME,
    "chat_history": list[dict[str, Any]],
    "callback_requested": bool,
}
ROW = record(**_ROW)
PAGINATION = record(
    **mapped(("page", "page_size", "total_count", "total_pages"), int), **mapped(("has_next", "has_previous"), bool)
)
HISTORY = record(data=listed(ROW), pagination=PAGINATION)

DETAILS = record(
    transcription=str,
    entity=one(dict, str),
    conversation_eval=one(dict, str),
    summary=str | None,
    call_eval_tag=str | None,
)
TRANSCRIPT = record(("status_code", "function", "error"), transcript=str, status_code=int, function=str, error=str)


def pagination(page: Page) -> dict[str, Any]:
    """The pagination object; a page past the end has nothing after it."""
    return {
        "page": page.page,
        "page_size": page.page_size,
        "total_count": page.total,
        "total_pages": page.total_pages,
        "has_next": page.page < page.total_pages,
        "has_previous": page.page > 1,
    }


def row(call: Call, now: float, options: Options, base_url: str) -> dict[str, Any]:
    """One history row as it looks at ``now``; what has not happened yet is null."""
    order = call.order
    return {
        "call_id": call.call_id,
        "call_type": "Outbound",
        "direction": "Outbound",
        "call_status": _status(call, now, options),
        "agent_name": order.agent,
        "agent_id": order.agent,
        "client_name": "simulator",
        "client_id": "client-simulator",
        "from_number": order.caller_id or "+910000000000",
        "to_number": order.to,
        **_times(call, now, options),
        **_afterwards(call, now, options),
        "recording_api": f"{base_url}/api/stream/{call.call_id}",
        "call_transcription": f"{base_url}/api/transcript/{call.call_id}",
        "call_metadata": _metadata(call, options),
        "chat_history": [],
        "callback_requested": False,
        "callback_id": None,
        "callback_status": None,
    }


def details(call: Call, now: float, options: Options) -> dict[str, Any]:
    """The body of call_details; one fixed sentence four times until the call is processed."""
    if not has_transcript(call, now, options):
        return UNPROCESSED
    return {
        "transcription": transcript(call),
        "entity": entity(call, options),
        "conversation_eval": {"clarity": "good"},
        "summary": summary(call, options),
        "call_eval_tag": "not enough data",
    }


def has_transcript(call: Call, now: float, options: Options) -> bool:
    """Whether somebody picked up and the call is processed."""
    return call.life.answered_at is not None and _processed(call, now, options)


def said(call: Call) -> str:
    """What the one who picked up said."""
    machine = call.life.outcome == "voicemail"
    return "Please leave a message after the tone." if machine else "Hello, thank you for calling."


def transcript(call: Call) -> str:
    """What was said."""
    greeting = "Hello!" if call.life.outcome == "voicemail" else f"Hello {call.order.name or 'there'}!"
    return f"AGENT: {greeting}\n\n USER: {said(call)}"


def _times(call: Call, now: float, options: Options) -> dict[str, Any]:
    life = call.life
    ended = now >= life.ended_at
    real = life.talk_s * 1000
    odd = (life.ended_at - life.accepted_at) * ODD_MS_PER_S
    duration = odd if options.vaanivoice_duration == "odd" else real
    return {
        "Start_time": iso(life.accepted_at),
        "End_time": iso(life.ended_at) if ended else None,
        "duration_ms": round(duration, 3) if ended else 0,
        "call_dialing_at": _happened(life.dialing_at, now),
        "call_ringing_at": _happened(life.ringing_at, now),
        "user_picked_up_at": _happened(life.answered_at, now),
    }


def _afterwards(call: Call, now: float, options: Options) -> dict[str, Any]:
    done = _processed(call, now, options)
    processing = "processing" if now >= call.life.ended_at else "not_processed"
    return {
        "call_cost": call.cost if now >= call.life.ended_at else 0,
        "call_summary": summary(call, options) if done else None,
        "call_entity": entity(call, options) if done else {},
        "call_eval_tag": "not enough data" if done else None,
        "call_conversation_quality": {},
        "post_processing_status": "completed" if done else processing,
    }


def _processed(call: Call, now: float, options: Options) -> bool:
    return now >= call.life.ended_at + options.log_delay_s


def _happened(at: float | None, now: float) -> str | None:
    return iso(at) if at is not None and at <= now else None


def _status(call: Call, now: float, options: Options) -> str:
    if now < call.life.ended_at:
        return LIVE[call.life.state(now)]
    if call.life.outcome == "voicemail" and options.vaanivoice_voicemail in {"both", "status"}:
        return "Voicemail detected"
    if call.life.answered_at is None:
        return call.life.outcome.capitalize().replace("_", " ")
    by_user = call.life.outcome == "answered" and call.number_of % 2 == 0
    return "User disconnected" if by_user else "Agent disconnected"


def entity(call: Call, options: Options) -> dict[str, Any]:
    """What was extracted: at most how a machine's pick-up shows."""
    if call.life.outcome == "voicemail" and options.vaanivoice_voicemail in {"both", "entity"}:
        return {"call_disposition": "voicemail"}
    return {}


def summary(call: Call, options: Options) -> str | None:
    """One sentence; None when nobody picked up."""
    if call.life.answered_at is None:
        return None
    told = call.life.outcome == "voicemail" and options.vaanivoice_voicemail != "none"
    return "A voicemail greeting was played." if told else "The agent greeted the contact, who answered."


def _metadata(call: Call, options: Options) -> dict[str, Any]:
    order = call.order
    own = dict(order.variables or {}) if options.vaanivoice_metadata else {}
    # The vendor's own keys win where the caller's have the same name (section 3.5, collision hazard).
    vendor = {"name": order.name, "phone": order.to, "agent_name": order.agent, "agent_id": order.agent}
    return {**own, **vendor, "client_id": "client-simulator"}
