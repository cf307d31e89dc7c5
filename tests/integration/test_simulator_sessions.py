"""Browser sessions and their events (wire contract, section 3.11)."""

from datetime import datetime
from typing import Any

import pytest

from tests.simulator_support import AGENT, Line, line
from tests.socket_client import opened, refusal_of

SESSION = "/api/webrtc/session"
READY = {"event": "agent_ready"}


async def create(it: Line, **more: Any) -> str:
    answer = await it.http.post(f"{SESSION}/create", json={"agent_id": AGENT, **more})
    token: str = answer.raise_for_status().json()["session_token"]
    return token


async def join(it: Line, token: str) -> dict[str, Any]:
    answer = await it.http.post(f"{SESSION}/connect", json={"session_token": token})
    joined: dict[str, Any] = answer.raise_for_status().json()
    return joined


async def leave(it: Line, token: str, **more: Any) -> dict[str, Any]:
    answer = await it.http.post(f"{SESSION}/disconnect", json={"session_token": token, **more})
    left: dict[str, Any] = answer.raise_for_status().json()
    return left


async def status(it: Line, token: str) -> dict[str, Any]:
    told: dict[str, Any] = (await it.http.get(f"{SESSION}/status/{token}")).raise_for_status().json()
    return told


def socket_of(it: Line, token: str) -> str:
    return f"{it.simulator.url}{SESSION}/ws/{token}"


async def test_a_session_is_created_joined_and_active() -> None:
    async with line(session_created=201) as it:
        answer = await it.http.post(f"{SESSION}/create", json={"agent_id": AGENT, "metadata": {"user": "u1"}})
        assert (answer.status_code, set(answer.json())) == (201, {"session_token", "session_url", "expires_at"})
        token = answer.json()["session_token"]
        assert datetime.fromisoformat(answer.json()["expires_at"]).timestamp() == it.clock.now() + 1800
        first = await status(it, token)
        assert (first["status"], first["metadata"], first["ui_type"]) == ("created", {"user": "u1"}, "fullpage")
        joined = await join(it, token)
        assert joined["room_name"] == first["room_name"]
        assert joined["lk_token"].count(".") == 2
        it.clock.advance(1)
        assert (await status(it, token))["status"] == "agent_ready"
        it.clock.advance(1)
        assert (await status(it, token))["status"] == "active"


async def test_who_leaves_can_come_back_within_the_grace_period() -> None:
    async with line() as it:
        token = await create(it, grace_period=60)
        await join(it, token)
        it.clock.advance(5)
        left = await leave(it, token)
        assert (left["status"], datetime.fromisoformat(left["grace_period_ends_at"]).timestamp()) == (
            "reconnecting",
            it.clock.now() + 60,
        )
        it.clock.advance(59)
        await join(it, token)
        it.clock.advance(2)
        back = await status(it, token)
        assert (back["status"], back["grace_period_ends_at"]) == ("active", None)
        await leave(it, token)
        it.clock.advance(60)
        assert (await it.http.get(f"{SESSION}/status/{token}")).status_code == 410


@pytest.mark.parametrize(("more", "explicit"), [({}, True), ({"grace_period": 0}, False)])
async def test_who_leaves_for_good_is_gone(more: dict[str, Any], explicit: bool) -> None:
    async with line(session_ended=200) as it:
        token = await create(it, **more)
        await join(it, token)
        assert (await leave(it, token, explicit_end=explicit))["status"] == "ended"
        assert (await status(it, token))["status"] == "ended"
        for path in ("connect", "disconnect"):
            answer = await it.http.post(f"{SESSION}/{path}", json={"session_token": token})
            assert (answer.status_code, answer.json()) == (410, {"detail": "Session has ended or expired"})


async def test_a_session_expires() -> None:
    async with line() as it:
        token = await create(it, session_ttl=60)
        it.clock.advance(60)
        assert (await it.http.get(f"{SESSION}/status/{token}")).status_code == 410
        assert await refusal_of(socket_of(it, token)) == 410


async def test_its_events_are_pushed_as_they_happen() -> None:
    async with line(session_talk_s=30.0) as it:
        token = await create(it)
        async with opened(socket_of(it, token)) as socket:
            await join(it, token)
            it.clock.advance(1)
            assert await socket.hear() == READY
            it.clock.advance(30)
            assert await socket.hear() == {"event": "session_ended", "reason": "agent_ended"}
            assert await socket.hear() == 1000
        assert [(r.method, r.status) for r in it.simulator.books.requests if r.method == "WS"] == [("WS", 101)]


async def test_an_agent_may_not_come() -> None:
    async with line(session_agent="timeout") as it:
        token = await create(it)
        await join(it, token)
        async with opened(socket_of(it, token)) as socket:
            it.clock.advance(20)
            assert await socket.hear() == {"event": "agent_timeout", "reason": "Agent did not join in time"}
            assert await socket.hear() == 1000


async def test_events_survive_three_dropped_sockets() -> None:
    async with line(socket_drops=3) as it:
        token = await create(it)
        await join(it, token)
        it.clock.advance(2)
        for _ in range(3):
            async with opened(socket_of(it, token)) as socket:
                assert [await socket.hear(), await socket.hear()] == [READY, None]
        async with opened(socket_of(it, token)) as socket:
            assert await socket.hear() == READY
            assert (await status(it, token))["status"] == "active"
            await leave(it, token, explicit_end=True)
            assert await socket.hear() == {"event": "session_ended", "reason": "participant_left"}


async def test_a_lost_socket_is_missed_until_the_grace_period_is_over() -> None:
    async with line(session_grace_s=10.0, session_replay=False) as it:
        token = await create(it)
        await join(it, token)
        async with opened(socket_of(it, token)) as socket:
            it.clock.advance(2)
            assert await socket.hear() == READY
            await socket.connection.close()
        while (await status(it, token))["status"] != "reconnecting":
            pass
        async with opened(socket_of(it, token)) as socket:
            it.clock.advance(60)
            assert (await status(it, token))["status"] == "active"
        while (await status(it, token))["status"] != "reconnecting":
            pass
        it.clock.advance(10)
        assert (await it.http.get(f"{SESSION}/status/{token}")).status_code == 410


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "agent_id"),
        ({"agent_id": AGENT, "ui_type": "popup"}, "ui_type"),
        ({"agent_id": AGENT, "grace_period": 3601}, "grace_period"),
        ({"agent_id": AGENT, "grace_period": -1}, "grace_period"),
        ({"agent_id": AGENT, "session_ttl": 59}, "session_ttl"),
        ({"agent_id": AGENT, "session_ttl": 86_401}, "session_ttl"),
        ({"agent_id": AGENT, "session_ttl": 60.5}, "session_ttl"),
        ({"agent_id": AGENT, "initial_message": 1}, "initial_message"),
        ({"agent_id": AGENT, "metadata": []}, "metadata"),
    ],
)
async def test_what_is_invalid_is_named(body: dict[str, Any], field: str) -> None:
    async with line() as it:
        answer = await it.http.post(f"{SESSION}/create", json=body)
        assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, ["body", field])


async def test_a_token_that_nobody_gave_out_is_unknown() -> None:
    async with line() as it:
        assert (await it.http.get(f"{SESSION}/status/x")).status_code == 404
        assert (await it.http.post(f"{SESSION}/connect", json={"session_token": "x"})).status_code == 404
        assert await refusal_of(socket_of(it, "x")) == 404


async def test_a_token_for_a_browser_by_agent_id_or_name() -> None:
    async with line(vaanivoice_connection_url="https") as it:
        for body in ({"agent_id": AGENT}, {"agent_name": "bot"}):
            answer = (await it.http.post("/api/webrtc/token", json=body)).json()
            assert answer["agent_name"] == next(iter(body.values()))
            assert answer["connection_url"].startswith("https://")
        assert (await it.http.post("/api/webrtc/token", json={})).status_code == 422


async def test_what_a_caller_says_is_let_pass_up_to_a_megabyte() -> None:
    async with line() as it:
        token = await create(it)
        async with opened(socket_of(it, token)) as socket:
            await socket.connection.send("x" * 70_000)
            await socket.connection.send([b"x" * 70_000, b"x" * 200])
            await (await socket.connection.ping())
            await socket.connection.send(b"x" * 1_000_001)
            assert await socket.hear() == 1009
