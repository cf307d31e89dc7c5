"""Dialect B's live captions, over a WebSocket: what is told of a call, and when (wire contract, section 3.9)."""

import asyncio
from typing import Any

from starlette.websockets import WebSocket

from dialer.simulator.books import Call
from dialer.simulator.desk import provider_of
from dialer.simulator.operations import Section
from dialer.simulator.sockets import Gone, accepted, stays
from dialer.simulator.switchboard import Refused
from dialer.simulator.vaanivoice_rows import said

section = Section("vaanivoice", "3.9")
Message = dict[str, Any]


@section.websocket("/api/live-transcripts/ws/{call_id}")
async def captions(socket: WebSocket, call_id: str) -> None:
    """Live captions of a call or of a browser session; whether a key is needed is not documented, hence a switch."""
    board = provider_of(socket).board
    call = board.find("vaanivoice", call_id)
    if board.options.captions_key:
        board.check_key(socket.headers.get("x-api-key"))
    if call is None and call_id not in board.rooms:
        raise Refused(404, "Call not found")
    async with accepted(socket) as gone:
        await _follow(socket, gone, call_id, [] if call is None else timeline(call))


async def _follow(socket: WebSocket, gone: Gone, call_id: str, told: list[tuple[float, Message]]) -> None:
    """What was said so far, then what is said, until the call ends."""
    board, wake = provider_of(socket).board, asyncio.Event()
    now = board.clock.now()
    segments = [message["segment"] for at, message in told if at <= now and message["type"] == "transcript"]
    await socket.send_json({"type": "connected", "call_id": call_id})
    await socket.send_json({"type": "history", "segments": segments})
    ahead = [(at, message) for at, message in told if at > now or message["type"] == "call_ended"]
    for at, message in ahead:
        board.agenda.at(at, lambda _: wake.set())
        while board.clock.now() < at:
            if not await stays(gone, wake):
                return
        await socket.send_json(message)
    while not told:
        if not await stays(gone, wake):
            return
    await socket.close()


def timeline(call: Call) -> list[tuple[float, Message]]:
    """Every message of the call with its moment, in unix seconds, in order."""
    life = call.life
    ended: tuple[float, Message] = (life.ended_at, {"type": "call_ended", "call_id": call.call_id})
    if life.answered_at is None:
        return [ended]
    turns = [("agent", f"Hello {call.order.name or 'there'}!"), ("user", said(call))]
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
