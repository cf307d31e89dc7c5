"""What live captions tell of a call, and when (wire contract, section 3.9)."""

from typing import Any

from dialer.simulator.books import Call

Message = dict[str, Any]

MACHINE = "Please leave a message after the tone."
PERSON = "Hello, thank you for calling."


def timeline(call: Call) -> list[tuple[float, Message]]:
    """Every message of the call with its moment, in unix seconds, in order."""
    life = call.life
    ended: tuple[float, Message] = (life.ended_at, {"type": "call_ended", "call_id": call.call_id})
    if life.answered_at is None:
        return [ended]
    said = MACHINE if life.outcome == "voicemail" else PERSON
    turns = [("agent", f"Hello {call.order.name or 'there'}!"), ("user", said)]
    told: list[tuple[float, Message]] = [(life.answered_at, {"type": "call_started", "call_id": call.call_id})]
    for index, (speaker, text) in enumerate(turns):
        begins = life.answered_at + life.talk_s * (0.1 + 0.4 * index)
        speaks = begins + life.talk_s * 0.2
        segment = _segment(call, index, speaker, text, speaks)
        told += [
            (begins, {"type": "turn_started", "speaker": speaker}),
            (speaks, {"type": "transcript", "segment": segment}),
            (speaks, {"type": "turn_ended", "speaker": speaker}),
        ]
    return [*told, ended]


def segments(told: list[tuple[float, Message]], now: float) -> list[Message]:
    """What was said by ``now``, for the ``history`` message."""
    return [message["segment"] for at, message in told if at <= now and message["type"] == "transcript"]


def _segment(call: Call, index: int, speaker: str, text: str, at: float) -> Message:
    return {
        "id": f"{call.call_id}-{index}",
        "call_id": call.call_id,
        "event_type": "transcript",
        "speaker": speaker,
        "text": text,
        "timestamp": at,
        "is_final": True,
        "segment_index": index,
        "was_interrupted": False,
        "confidence": 0.98,
    }
