"""Browser sessions at api.vaanivoice.ai: create, connect, get, disconnect, and their events."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any, Literal

from dialer.adapters.providers.answers.proof import Json
from dialer.adapters.providers.http.client import ProviderClient, segment
from dialer.adapters.providers.http.event_socket import EventSocket
from dialer.adapters.providers.vaanivoice.models import Session, SessionCredentials, SessionEvent, SessionState
from dialer.errors import SessionExpired

UiType = Literal["fullpage", "widget"]

DEFAULT_GRACE_S = 60.0
"""How long events are waited for when nobody said how long the session itself waits."""


class Sessions:
    """``client.sessions``. Every method raises ProviderError; SessionExpired when the session is over."""

    def __init__(self, client: ProviderClient) -> None:
        self._client = client

    async def create(
        self,
        agent_id: str,
        *,
        ui_type: UiType = "fullpage",
        metadata: Mapping[str, Any] | None = None,
        grace_period: int | None = None,
        session_ttl: int | None = None,
        initial_message: str | None = None,
    ) -> Session:
        """``POST /api/webrtc/session/create``; never repeated.

        ``grace_period`` (0 to 3600 s) is how long one may come back, ``session_ttl`` (60 to 86400 s, default 30
        minutes) how long the session lives.
        """
        body = {
            "agent_id": agent_id,
            "ui_type": ui_type,
            "metadata": dict(metadata or {}),
            "grace_period": grace_period,
            "session_ttl": session_ttl,
            "initial_message": initial_message,
        }
        given = {name: value for name, value in body.items() if value is not None}
        return Session.read(await self._client.write("POST", "/api/webrtc/session/create", given))

    async def connect(self, session_token: str) -> SessionCredentials:
        """``POST /api/webrtc/session/connect``: what LiveKit is joined with. Never repeated: it calls the agent in."""
        body = {"session_token": session_token}
        return SessionCredentials.read(await self._client.write("POST", "/api/webrtc/session/connect", body))

    async def get(self, session_token: str) -> SessionState:
        """``GET /api/webrtc/session/status/{token}``."""
        path = f"/api/webrtc/session/status/{segment(session_token, 'session')}"
        return SessionState.read(await self._client.read_object(path))

    async def disconnect(self, session_token: str, *, explicit_end: bool = False) -> SessionState:
        """``POST /api/webrtc/session/disconnect``; ``explicit_end`` ends it now, without the grace period."""
        body = {"session_token": session_token, "explicit_end": explicit_end}
        return SessionState.read(await self._client.write("POST", "/api/webrtc/session/disconnect", body, again=True))

    async def events(
        self, session_token: str, *, grace_s: float = DEFAULT_GRACE_S
    ) -> AsyncGenerator[SessionEvent, None]:
        """WebSocket ``/api/webrtc/session/ws/{token}``: agent_ready, agent_timeout, session_ended.

        A lost socket is opened again for up to ``grace_s`` seconds, the session's grace period. The status
        shows what happened meanwhile, and what the server repeats is left out. A session that ended
        unheard ends with a ``session_ended`` of our own, whose reason says so.
        """
        unheard: list[str] = []

        async def goes_on() -> bool:
            try:
                state = await self.get(session_token)
            except SessionExpired as over:
                unheard.append(str(over))
                return False
            if state.is_over:
                unheard.append(f"the status is {state.status}")
            return not state.is_over

        path = f"/api/webrtc/session/ws/{segment(session_token, 'session')}"
        socket, repeats = EventSocket(self._client.http, path, grace_s, goes_on), _Repeats()
        async with aclosing(socket.messages()) as messages:
            async for message in messages:
                if repeats.has(message, socket.reconnections):
                    continue
                event = SessionEvent.read(message)
                yield event
                if event.is_last:
                    return
        for reason in unheard:
            yield SessionEvent(event="session_ended", reason=f"while the connection was lost ({reason})")


class _Repeats:
    """What was passed on already: a server may begin again with the first event when a socket is opened again."""

    def __init__(self) -> None:
        self._messages: list[Json] = []
        self._connection = self._next = 0

    def has(self, message: Json, connection: int) -> bool:
        """Whether this repeats, in its turn, what came over an earlier connection."""
        if connection != self._connection:
            self._connection, self._next = connection, 0
        if self._next < len(self._messages) and self._messages[self._next] == message:
            self._next += 1
            return True
        self._messages.append(message)
        self._next = len(self._messages)
        return False
