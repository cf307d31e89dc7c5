"""Browser conversations with an agent: their life, and what is pushed while they live (wire contract, section 3.11).

created -> (connect) -> agent_ready -> active -> ended. Who leaves is ``reconnecting`` until the grace period is over;
leaving is a disconnect that is not explicit, or the last event socket gone.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal
from uuid import uuid5

from pydantic import Field

from dialer.simulator import tokens
from dialer.simulator.checking import Body, Filled, Free
from dialer.simulator.switchboard import SPACE, Switchboard


class Asked(Body):
    """A session that is asked for."""

    agent_id: Filled
    ui_type: Literal["fullpage", "widget"] | None = "fullpage"
    metadata: Free | None = None
    grace_period: Annotated[int, Field(ge=0, le=3600)] | None = None
    session_ttl: Annotated[int, Field(ge=60, le=86_400)] | None = 1800
    initial_message: str | None = None


@dataclass(slots=True)
class Session:
    """One session; times in unix seconds. ``events`` is all that was pushed, ``drops`` how many sockets broke."""

    token: str
    room: str
    asked: Asked
    grace_s: float
    expires_at: float
    status: str = "created"
    called: bool = False
    grace_ends_at: float | None = None
    ended_because: str | None = None
    events: list[dict[str, Any]] = field(default_factory=list)
    sockets: set[asyncio.Event] = field(default_factory=set)
    drops: int = 0

    def push(self, event: dict[str, Any]) -> None:
        """Add an event and wake every socket."""
        self.events.append(event)
        for socket in self.sockets:
            socket.set()


class Sessions:
    """Every session of the account, on the simulator's clock."""

    def __init__(self, board: Switchboard) -> None:
        self.board = board
        self._by_token: dict[str, Session] = {}

    def find(self, token: str) -> Session | None:
        """The session of that token, over or not."""
        return self._by_token.get(token)

    def create(self, asked: Asked) -> Session:
        """Open a session as asked for."""
        now, options = self.board.clock.now(), self.board.options
        expires_at = now + (asked.session_ttl or 0)
        name = uuid5(SPACE, f"session {len(self._by_token)}")
        session = Session(
            token=tokens.signed({"sid": str(name), "exp": int(expires_at)}),
            room=f"room_{asked.agent_id.replace('-', '_')}_{name.hex[:8]}",
            asked=asked,
            grace_s=options.session_grace_s if asked.grace_period is None else asked.grace_period,
            expires_at=expires_at,
        )
        self._by_token[session.token] = session
        self.board.agenda.at(expires_at, lambda _: self.end(session, "expired"))
        return session

    def connect(self, session: Session) -> None:
        """The participant joins, or comes back; the agent is called for the first time only."""
        if session.status == "reconnecting":
            self._back(session)
        if not session.called:
            session.called = True
            self._call_agent(session)

    def leave(self, session: Session, *, explicit: bool) -> None:
        """The participant is gone: for good, or for as long as the grace period."""
        now = self.board.clock.now()
        if explicit or not session.grace_s:
            self.end(session, "participant_left")
        elif session.status != "reconnecting":
            session.status, session.grace_ends_at = "reconnecting", now + session.grace_s
            self.board.agenda.at(session.grace_ends_at, lambda when: self._grace_over(session, when))

    def opened(self, session: Session, socket: asyncio.Event) -> None:
        """A socket listens; who was missed is back."""
        session.sockets.add(socket)
        if session.status == "reconnecting":
            self._back(session)

    def closed(self, session: Session, socket: asyncio.Event) -> None:
        """A socket is gone; with the last one the participant is missed."""
        session.sockets.discard(socket)
        if not session.sockets and session.status in {"agent_ready", "active"}:
            self.leave(session, explicit=False)

    def end(self, session: Session, reason: str) -> None:
        """Over, and told; once."""
        if session.status != "ended":
            session.status, session.grace_ends_at, session.ended_because = "ended", None, reason
            session.push({"event": "session_ended", "reason": reason})

    # --- parts -------------------------------------------------------------------------------------------

    def _call_agent(self, session: Session) -> None:
        now, options, agenda = self.board.clock.now(), self.board.options, self.board.agenda
        if options.session_agent == "timeout":
            agenda.at(now + options.session_agent_wait_s, lambda _: self._agent_missing(session))
        else:
            agenda.at(now + options.start_delay_s[0], lambda when: self._agent_ready(session, when))

    def _agent_ready(self, session: Session, when: float) -> None:
        if session.status == "ended":
            return
        session.push({"event": "agent_ready"})
        if session.status == "created":
            session.status = "agent_ready"
        options, agenda = self.board.options, self.board.agenda
        agenda.at(when + options.dial_s[0], lambda _: self._active(session))
        if options.session_talk_s is not None:
            agenda.at(when + options.session_talk_s, lambda _: self.end(session, "agent_ended"))

    def _agent_missing(self, session: Session) -> None:
        if session.status != "ended":
            session.status, session.ended_because = "ended", "agent_timeout"
            session.push({"event": "agent_timeout", "reason": "Agent did not join in time"})

    def _active(self, session: Session) -> None:
        if session.status == "agent_ready":
            session.status = "active"

    def _back(self, session: Session) -> None:
        session.status, session.grace_ends_at = "active", None

    def _grace_over(self, session: Session, when: float) -> None:
        if session.status == "reconnecting" and session.grace_ends_at == when:
            self.end(session, "grace_period_expired")
