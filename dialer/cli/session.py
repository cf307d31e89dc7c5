"""dialer session: a test conversation with an agent, in a browser."""

import asyncio
import sys
import uuid
from contextlib import suppress
from typing import Any

from dialer.adapters.providers.vaanivoice.models import Session, SessionEvent
from dialer.cli.printing import print_json, put, say
from dialer.cli.reaching import ask
from dialer.errors import ProviderError, SessionExpired
from dialer.reaching import Reached


def open_session(
    provider: str | None,
    agent: str,
    message: str | None,
    grace_s: int,
    ttl_s: int | None,
    *,
    connect: bool,
    follow: bool,
    as_json: bool,
) -> None:
    """Open it, say where, and follow its events until it ends; Ctrl-C ends it.

    ``connect`` calls the agent in at once, as the page does when it is opened.
    """

    async def use(reached: Reached) -> dict[str, Any]:
        if reached.vaani is not None:
            return await _token(reached, agent)
        api = reached.only_voice("sessions").sessions
        session = await api.create(agent, grace_period=grace_s, session_ttl=ttl_s, initial_message=message)
        opened = _opened(session)
        events: list[dict[str, str]] = []
        if connect:
            joined = await api.connect(session.session_token)
            opened |= {"lk_url": joined.lk_url, "lk_token": joined.lk_token, "room_name": joined.room_name}
        if not follow:
            return opened | {"events": events}
        # With --json the URL is wanted before the document is whole.
        say(f"open in a browser: {session.session_url}")
        try:
            async for event in api.events(session.session_token, grace_s=float(grace_s)):
                events.append({"event": event.event, "reason": event.reason})
                if not as_json:
                    put(_line(event))
                    sys.stdout.flush()
        except SessionExpired as over:
            events.append({"event": "session_ended", "reason": str(over)})
        except asyncio.CancelledError:
            with suppress(ProviderError):
                await asyncio.shield(api.disconnect(session.session_token, explicit_end=True))
            raise
        return opened | {"events": events}

    opened = ask(provider, use)
    if as_json:
        print_json(opened)
    elif not follow or "access_token" in opened:
        _print_opened(opened)


def _opened(session: Session) -> dict[str, Any]:
    return {
        "session_url": session.session_url,
        "session_token": session.session_token,
        "expires_at": session.expires_at.isoformat() if session.expires_at else None,
    }


def _print_opened(opened: dict[str, Any]) -> None:
    for name, value in opened.items():
        if value:
            put(f"{name}: {value}")


async def _token(reached: Reached, agent: str) -> dict[str, Any]:
    """vaani opens no page: what it gives is the token that a LiveKit client joins the room with."""
    assert reached.vaani is not None
    token = await reached.vaani.calls.generate_token(agent, uuid.uuid4().hex)
    return {"identity": token.identity, "access_token": token.access_token, "events": []}


def _line(event: SessionEvent) -> str:
    return f"{event.event}: {event.reason}" if event.reason else event.event
