"""A call as a row of either log, in whatever spelling the provider is in the habit of."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from tests.hostile.books import ANSWERED, BUSY, FAILED, NO_ANSWER, Call
from tests.hostile.habits import Habits

INDIA = timezone(timedelta(hours=5, minutes=30))
PLAIN = {ANSWERED: "User disconnected", NO_ANSWER: "no_answer", BUSY: "busy", FAILED: "failed"}
ODD = {ANSWERED: "Hangup by customer side", NO_ANSWER: "RNR", BUSY: "Busy", FAILED: "FAILED"}


def row(call: Call, habits: Habits, now: float) -> dict[str, Any]:
    """What the log shows of a call at ``now``."""
    over = call.shown_at <= now
    return (_voice if habits.dialect == "vaanivoice" else _vaani)(call, habits, over)


def moment(at: float | None, habits: Habits) -> Any:
    """A time as this provider writes it."""
    if at is None:
        return None
    if habits.times == "epoch":
        return at
    if habits.times == "epoch ms":
        return int(at * 1000)
    zone = INDIA if habits.times == "india" else UTC
    told = datetime.fromtimestamp(at, zone)
    if habits.times == "z":
        return told.isoformat().replace("+00:00", "Z")
    return told.isoformat() if habits.times == "india" else told.replace(tzinfo=None).isoformat()


def number(e164: str, habits: Habits) -> str:
    """A number as this provider writes it."""
    match habits.numbers:
        case "digits":
            return e164.removeprefix("+")
        case "spaced":
            return f"{e164[:3]} {e164[3:8]}-{e164[8:]}"
        case "zeros":
            return "00" + e164.removeprefix("+")
        case "national":
            return "0" + e164[3:]
        case _:
            return e164


def _word(call: Call, habits: Habits, over: bool) -> str | None:
    if not over:
        return None
    return {"plain": PLAIN[call.outcome], "odd": ODD[call.outcome], "ancestor": "Completed"}.get(habits.words)


def _voice(call: Call, habits: Habits, over: bool) -> dict[str, Any]:
    echoed = call.given if habits.echoes else {}
    return {
        "call_id": call.log_id,
        "call_type": "Outbound",
        "direction": "Outbound",
        "call_status": _word(call, habits, over),
        "agent_name": "acme_bot",
        "agent_id": call.agent,
        "from_number": "+918000000000",
        "to_number": number(call.to, habits),
        "Start_time": moment(call.placed_at, habits),
        "End_time": moment(call.ended_at, habits) if over else None,
        "duration_ms": 742.269,
        "call_cost": 1.5 if over else None,
        "call_summary": None,
        "call_entity": {},
        "post_processing_status": "completed" if over else "not_processed",
        "user_picked_up_at": moment(call.picked_at, habits) if over else None,
        "call_metadata": {**echoed, "name": "Customer", "phone": number(call.to, habits), "agent_id": call.agent},
        "chat_history": [],
    }


def _vaani(call: Call, habits: Habits, over: bool) -> dict[str, Any]:
    talked = call.ended_at - call.picked_at if call.picked_at is not None else 0.0
    found: dict[str, Any] = {
        "call_log_id": call.log_id,
        "agent_id": "ag_550e8400",
        "agent_name": "Acme",
        "agent_phone_number": call.agent,
        "incoming_callerid": None,
        "called_number": number(call.to, habits),
        "call_direction": "outbound",
        "call_type": "sip",
        "start_time": moment(call.placed_at, habits),
        "end_time": moment(call.ended_at, habits) if over else None,
        "duration": round(talked, 3) if over else None,
        "messages": [],
        "total_cost": 0.02,
        "conversation_analysis": None,
        "call_end_reason": _word(call, habits, over),
    }
    if habits.row_ids != "documented":
        found[habits.row_ids] = found.pop("call_log_id")
    if habits.echoes:
        found["dynamic_variables"] = call.given
    return found
