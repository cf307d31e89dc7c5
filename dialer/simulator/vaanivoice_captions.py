"""Dialect B's live captions, over a WebSocket (wire contract, section 3.9)."""

import asyncio

from starlette.websockets import WebSocket

from dialer.simulator.captions import Message, segments, timeline
from dialer.simulator.desk import DIALECT, Desk, gateway
from dialer.simulator.operations import Socket
from dialer.simulator.sockets import Caller, accepted
from dialer.simulator.switchboard import Refused


class Captions:
    """``/api/live-transcripts/ws``: what was said so far, then what is said, until the call ends."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def sockets(self) -> list[Socket]:
        """What is served."""
        path = "/api/live-transcripts/ws/{call_id}"
        return [Socket(path, self.captions, "Live captions of a call or of a browser session", "3.9")]

    async def captions(self, socket: WebSocket) -> None:
        """Open for any call that was placed; whether a key is needed is not documented, hence a switch."""
        board, call_id = self.desk.board, socket.path_params["call_id"]
        call = board.find(DIALECT, call_id)
        if board.options.captions_key:
            try:
                board.check_key(socket.headers.get("x-api-key"))
            except Refused as refused:
                await socket.send_denial_response(gateway(refused.status, refused.text))
                return
        if call is None and call_id not in board.rooms:
            await socket.send_denial_response(gateway(404, "Call not found"))
            return
        async with accepted(socket) as caller:
            await self._follow(socket, caller, call_id, [] if call is None else timeline(call))

    async def _follow(self, socket: WebSocket, caller: Caller, call_id: str, told: list[tuple[float, Message]]) -> None:
        board, wake = self.desk.board, asyncio.Event()
        now = board.clock.now()
        await socket.send_json({"type": "connected", "call_id": call_id})
        await socket.send_json({"type": "history", "segments": segments(told, now)})
        ahead = [(at, message) for at, message in told if at > now or message["type"] == "call_ended"]
        for at, message in ahead:
            board.agenda.at(at, lambda _: wake.set())
            while board.clock.now() < at:
                if not await caller.stays(wake):
                    return
            await socket.send_json(message)
        while not told:
            if not await caller.stays(wake):
                return
        await socket.close()
