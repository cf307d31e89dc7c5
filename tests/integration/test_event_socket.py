"""Events over WebSockets that drop: nothing is lost that the server still tells, and the end is always known."""

import asyncio
import json
from http import HTTPStatus
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from dialer.errors import ConnectionLost, KeyRefused, NotFound, ServerFailed, SessionExpired
from tests.event_server import ACTIVE, ENDED, READY, events_from, says
from tests.provider_api import every, voice_at


async def test_events_survive_three_dropped_sockets() -> None:
    dropped = [says(READY), says({"event": "custom", "x": 1}), says("not JSON", b"\x00", "[]")]
    async with events_from(*dropped, says(ENDED), **ACTIVE) as (api, server):
        found = await every(api.sessions.events("tok/1"))
    assert [event.event for event in found] == ["agent_ready", "custom", "session_ended"]
    assert (found[1].raw["x"], found[2].reason) == (1, "agent left")
    assert server.served == 4
    assert [path for path in server.paths if "/ws/" in path] == ["/api/webrtc/session/ws/tok%2F1"] * 4
    assert set(server.keys) == {"not-a-real-key"}


async def test_a_server_that_begins_again_is_heard_once() -> None:
    custom = {"event": "custom"}
    scripts = [says(READY), says(READY, custom), says(READY, custom, custom), says(READY, custom, custom, ENDED)]
    async with events_from(*scripts, **ACTIVE) as (api, server):
        found = await every(api.sessions.events("t"))
    assert [event.event for event in found] == ["agent_ready", "custom", "custom", "session_ended"]
    assert server.served == 4


async def test_a_session_that_ended_unheard_ends_with_a_word_of_our_own() -> None:
    over = {"__api__webrtc__session__status": (200, {"status": "ended"})}
    async with events_from(says(READY), **over) as (api, _):
        found = await every(api.sessions.events("t"))
    assert [event.event for event in found] == ["agent_ready", "session_ended"]
    assert "while the connection was lost" in found[1].reason
    gone = {"__api__webrtc__session__status": (410, {"detail": "expired"})}
    async with events_from(says(READY, close=1001), **gone) as (api, _):
        assert (await every(api.sessions.events("t")))[-1].is_last


async def test_a_server_that_closes_for_good_is_believed() -> None:
    async with events_from(says(READY, close=1000), **ACTIVE) as (api, server):
        assert [event.event for event in await every(api.sessions.events("t"))] == ["agent_ready"]
    assert server.served == 1


async def test_a_socket_that_never_comes_back_is_given_up_when_the_grace_is_over() -> None:
    async with events_from(says(READY), says(), **ACTIVE) as (api, server):
        with pytest.raises(ConnectionLost, match="did not come back"):
            await every(api.sessions.events("t", grace_s=20.0))
    assert 4 < server.served < 40


async def test_a_server_that_went_away_altogether_is_given_up_too() -> None:
    async with events_from(says(READY)) as (api, server):
        events = api.sessions.events("t", grace_s=5.0)
        assert (await anext(events)).event == "agent_ready"
        server.answers = {"/": (503, {})}
        with pytest.raises(ConnectionLost):
            await anext(events)


@pytest.mark.parametrize(
    ("status", "kind"), [(401, KeyRefused), (404, NotFound), (410, SessionExpired), (500, ServerFailed)]
)
async def test_a_refused_handshake_is_an_error_of_the_tree(status: int, kind: type[Exception]) -> None:
    async with events_from(says(), __api=(status, {"detail": "no"})) as (api, _):
        with pytest.raises(kind):
            await every(api.sessions.events("t"))


async def test_no_redirect_takes_the_key_elsewhere() -> None:
    def redirect(connection: ServerConnection, _: Request) -> Response:
        response = connection.respond(HTTPStatus.TEMPORARY_REDIRECT, "")
        response.headers["location"] = elsewhere.url.replace("http", "ws") + "/api"
        return response

    async with (
        events_from(says(ENDED)) as (_, elsewhere),
        serve(elsewhere.run, "127.0.0.1", 0, process_request=redirect) as listening,
    ):
        port = next(iter(listening.sockets)).getsockname()[1]
        async with voice_at(f"http://127.0.0.1:{port}") as api:
            with pytest.raises(Exception, match="307"):
                await every(api.sessions.events("t"))
    assert elsewhere.served == 0


def segment(number: int, text: str, final: bool = True) -> dict[str, Any]:
    return {"id": f"s{number}", "speaker": "agent", "text": text, "timestamp": 1.5, "is_final": final}


async def test_captions_tell_nothing_twice_after_a_drop() -> None:
    first = [
        {"type": "connected"},
        {"type": "history", "segments": [segment(1, "Hi")]},
        {"type": "transcript", "segment": segment(2, "How", False)},
    ]
    second = [
        {"type": "history", "segments": [segment(1, "Hi"), segment(2, "How are you")]},
        {"type": "transcript", "segment": segment(2, "How are you")},
        {"type": "turn_ended"},
        {"type": "call_ended"},
        {"type": "transcript", "segment": segment(3, "never heard")},
    ]
    async with events_from(says(*first), says(*second)) as (api, server):
        found = [event async for event in api.calls.captions("c 1")]
    assert [(event.type, [one.text for one in event.segments]) for event in found] == [
        ("connected", []),
        ("history", ["Hi"]),
        ("transcript", ["How"]),
        ("history", ["How are you"]),
        ("turn_ended", []),
        ("call_ended", []),
    ]
    assert server.paths == ["/api/live-transcripts/ws/c%201"] * 2


async def test_leaving_the_events_closes_the_socket() -> None:
    closed = asyncio.Event()

    async def wait_for_the_end(connection: ServerConnection) -> None:
        await connection.send(json.dumps(READY))
        await connection.wait_closed()
        closed.set()

    async with events_from(wait_for_the_end, **ACTIVE) as (api, _):
        events = api.sessions.events("t")
        await anext(events)
        await events.aclose()
        await asyncio.wait_for(closed.wait(), 5)
