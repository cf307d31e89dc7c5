"""Dialect B's browser sessions and the socket that tells their events (wire contract, section 3.11)."""

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.websockets import WebSocket

from dialer.simulator import checking, tokens
from dialer.simulator.answers import Json, transport_of
from dialer.simulator.checking import iso
from dialer.simulator.desk import DIALECT, Desk, gateway
from dialer.simulator.operations import Operation, Socket, good, operation, refused, sent
from dialer.simulator.schemas import FREE, TEXT, TIME, maybe, record, word
from dialer.simulator.sessions import Session, Sessions
from dialer.simulator.sockets import Caller, accepted
from dialer.simulator.switchboard import Refused

PATH = "/api/webrtc/session"
_operation = partial(operation, "3.11")
NEW = {
    "agent_id": checking.filled,
    "ui_type": checking.one_of("fullpage", "widget"),
    "metadata": checking.mapping,
    "grace_period": checking.within(0, 3600, whole=True),
    "session_ttl": checking.within(60, 86_400, whole=True),
    "initial_message": checking.text,
}
CONNECT = {"session_token": checking.filled}
DISCONNECT = CONNECT | {"explicit_end": checking.flag}

CREATED = record(session_token=TEXT, session_url=TEXT, expires_at=TIME)
CONNECTED = record(lk_url=TEXT, lk_token=TEXT, room_name=TEXT)
STATUS = record(
    status=word("created", "agent_ready", "active", "reconnecting", "ended"),
    expires_at=TIME,
    ui_type=TEXT,
    room_name=TEXT,
    agent_id=TEXT,
    client_id=TEXT,
    metadata=FREE,
    grace_period_ends_at=maybe(TIME),
)


class VaanivoiceSessions:
    """``/api/webrtc/session``."""

    def __init__(self, desk: Desk, sessions: Sessions) -> None:
        self.desk, self.sessions = desk, sessions

    def operations(self) -> list[Operation]:
        """What is served."""
        created = good(CREATED) | good(CREATED, status=201)
        known = good(STATUS) | refused(401, 404, 410)
        return [
            _operation(
                "POST",
                f"{PATH}/create",
                self.create,
                "Open a session with an agent",
                created | refused(401, 402, 404, 422),
                body=sent(NEW, ("agent_id",)),
            ),
            _operation(
                "POST",
                f"{PATH}/connect",
                self.connect,
                "Join it, or come back within the grace period",
                good(CONNECTED) | refused(401, 404, 410, 422),
                body=sent(CONNECT, ("session_token",)),
            ),
            _operation("GET", f"{PATH}/status/{{session_token}}", self.status, "How it stands", known),
            _operation(
                "POST",
                f"{PATH}/disconnect",
                self.disconnect,
                "Leave it, for the grace period or for good",
                known | refused(422),
                body=sent(DISCONNECT, ("session_token",)),
            ),
        ]

    def sockets(self) -> list[Socket]:
        """What is served."""
        return [Socket(f"{PATH}/ws/{{session_token}}", self.events, "A session's events", "3.11")]

    async def create(self, request: Request) -> Response:
        """Open a session; its agent is called when somebody connects."""
        self.desk.let_in(request)
        body = await checking.json_object(request)
        checking.check_body(body, NEW, ("agent_id",))
        board = self.desk.board
        board.check_agent(DIALECT, body["agent_id"])
        board.check_wallet()
        session = self.sessions.create(body)
        shown = {
            "session_token": session.token,
            "session_url": f"http://{board.address}/session/{session.token}",
            "expires_at": _zoned(session.expires_at),
        }
        return Json(shown, board.options.session_created)

    async def connect(self, request: Request) -> Response:
        """Credentials for a LiveKit server that is not there."""
        session, _ = await self._named(request, CONNECT)
        self.sessions.connect(session)
        token = tokens.livekit("participant", session.room, self.desk.board.clock.now())
        return Json({"lk_url": "wss://livekit.invalid", "lk_token": token, "room_name": session.room})

    async def status(self, request: Request) -> Response:
        """How the session stands; that of one that is over is 410, or with the switch 200."""
        self.desk.let_in(request)
        session = self.sessions.find(request.path_params["session_token"])
        if session is None:
            raise Refused(404, "Session not found")
        if session.status == "ended" and self.desk.board.options.session_ended == 410:
            raise Refused(410, "Session has ended or expired")
        return Json(_shown(session))

    async def disconnect(self, request: Request) -> Response:
        """Leave; the answer is the status after it."""
        session, body = await self._named(request, DISCONNECT)
        self.sessions.leave(session, explicit=bool(body.get("explicit_end")))
        return Json(_shown(session))

    async def events(self, socket: WebSocket) -> None:
        """Push events until the session ends; on request the socket breaks in between."""
        self.desk.board.agenda.run(self.desk.board.clock.now())
        session = self.sessions.find(socket.path_params["session_token"])
        if session is None:
            await socket.send_denial_response(gateway(404, "Session not found"))
        elif session.status == "ended":
            await socket.send_denial_response(gateway(410, "Session has ended or expired"))
        else:
            wake = asyncio.Event()
            async with accepted(socket) as caller:
                self.sessions.opened(session, wake)
                try:
                    await self._push(socket, caller, session, wake)
                finally:
                    self.sessions.closed(session, wake)

    # --- parts -------------------------------------------------------------------------------------------

    async def _push(self, socket: WebSocket, caller: Caller, session: Session, wake: asyncio.Event) -> None:
        options = self.desk.board.options
        told = 0 if options.session_replay else len(session.events)
        while True:
            while told < len(session.events):
                await socket.send_json(session.events[told])
                told += 1
                if session.drops < options.socket_drops:
                    session.drops += 1
                    transport_of(socket.scope).close()
                    return
            if session.status == "ended":
                await socket.close()
                return
            if not await caller.stays(wake):
                return

    async def _named(self, request: Request, checks: Mapping[str, Any]) -> tuple[Session, dict[str, Any]]:
        self.desk.let_in(request)
        body = await checking.json_object(request)
        checking.check_body(body, checks, ("session_token",))
        session = self.sessions.find(body["session_token"])
        if session is None:
            raise Refused(404, "Session not found")
        if session.status == "ended":
            raise Refused(410, "Session has ended or expired")
        return session, body


def _shown(session: Session) -> dict[str, Any]:
    ends = session.grace_ends_at
    return {
        "status": session.status,
        "expires_at": _zoned(session.expires_at),
        "ui_type": session.ui_type,
        "room_name": session.room,
        "agent_id": session.agent_id,
        "client_id": "client-simulator",
        "metadata": session.metadata,
        "grace_period_ends_at": None if ends is None else _zoned(ends),
    }


def _zoned(at: float) -> str:
    return f"{iso(at)}Z"
