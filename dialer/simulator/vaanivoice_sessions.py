"""Dialect B's browser sessions and the socket that tells their events (wire contract, section 3.11)."""

import asyncio
from typing import Any, Literal

from starlette.responses import Response
from starlette.websockets import WebSocket

from dialer.simulator import tokens
from dialer.simulator.answers import Json, transport_of
from dialer.simulator.checking import Body, Filled, zoned
from dialer.simulator.desk import Provider, Voice, provider_of
from dialer.simulator.operations import TIME, Section, answer, good, record
from dialer.simulator.sessions import Asked, Session
from dialer.simulator.sockets import Gone, accepted, stays
from dialer.simulator.switchboard import Refused

PATH = "/api/webrtc/session"
section = Section("vaanivoice", "3.11")
CREATED = record(session_token=str, session_url=str, expires_at=TIME)
CONNECTED = record(lk_url=str, lk_token=str, room_name=str)
STATUS = record(
    status=Literal["created", "agent_ready", "active", "reconnecting", "ended"],
    expires_at=TIME,
    ui_type=str,
    room_name=str,
    agent_id=str,
    client_id=str,
    metadata=dict,
    grace_period_ends_at=TIME | None,
)


class Connect(Body):
    """Who joins."""

    session_token: Filled


class Disconnect(Connect):
    """Who leaves, and whether for good."""

    explicit_end: bool | None = None


@section.post(f"{PATH}/create", **good(CREATED, 401, 402, 404, 422, more={201: answer(CREATED)}))
async def create(provider: Voice, sent: Asked) -> Response:
    """Open a session with an agent, who is called when somebody connects."""
    board = provider.board
    board.check_agent("vaanivoice", sent.agent_id)
    board.check_wallet()
    session = provider.sessions.create(sent)
    shown = {
        "session_token": session.token,
        "session_url": f"http://{board.address}/session/{session.token}",
        "expires_at": zoned(session.expires_at),
    }
    return Json(shown, board.options.session_created)


@section.post(f"{PATH}/connect", **good(CONNECTED, 401, 404, 410, 422))
async def connect(provider: Voice, sent: Connect) -> Response:
    """Join it, or come back within the grace period; the LiveKit server is not there."""
    session = _open(provider, sent.session_token)
    provider.sessions.connect(session)
    token = tokens.livekit("participant", session.room, provider.now)
    return Json({"lk_url": "wss://livekit.invalid", "lk_token": token, "room_name": session.room})


@section.get(f"{PATH}/status/{{session_token}}", **good(STATUS, 401, 404, 410))
async def status(provider: Voice, session_token: str) -> Response:
    """How it stands; that of one that is over is 410, or with the switch 200."""
    return Json(_shown(_open(provider, session_token, also_ended=provider.options.session_ended == 200)))


@section.post(f"{PATH}/disconnect", **good(STATUS, 401, 404, 410, 422))
async def disconnect(provider: Voice, sent: Disconnect) -> Response:
    """Leave it, for the grace period or for good; the answer is the status after it."""
    session = _open(provider, sent.session_token)
    provider.sessions.leave(session, explicit=bool(sent.explicit_end))
    return Json(_shown(session))


@section.websocket(f"{PATH}/ws/{{session_token}}")
async def events(socket: WebSocket, session_token: str) -> None:
    """A session's events, until it ends; on request the socket breaks in between."""
    provider, wake = provider_of(socket), asyncio.Event()
    session = _open(provider, session_token)
    async with accepted(socket) as gone:
        provider.sessions.opened(session, wake)
        try:
            await _push(socket, gone, session, wake)
        finally:
            provider.sessions.closed(session, wake)


async def _push(socket: WebSocket, gone: Gone, session: Session, wake: asyncio.Event) -> None:
    options = provider_of(socket).options
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
        if not await stays(gone, wake):
            return


def _open(provider: Provider, session_token: str, *, also_ended: bool = False) -> Session:
    session = provider.sessions.find(session_token)
    if session is None:
        raise Refused(404, "Session not found")
    if session.status == "ended" and not also_ended:
        raise Refused(410, "Session has ended or expired")
    return session


def _shown(session: Session) -> dict[str, Any]:
    ends = session.grace_ends_at
    return {
        "status": session.status,
        "expires_at": zoned(session.expires_at),
        "ui_type": session.asked.ui_type,
        "room_name": session.room,
        "agent_id": session.asked.agent_id,
        "client_id": "client-simulator",
        "metadata": session.asked.metadata or {},
        "grace_period_ends_at": None if ends is None else zoned(ends),
    }
