"""Live captions of a call (wire contract, section 3.9)."""

from typing import Any

from tests.simulator_support import AGENT, line
from tests.socket_client import SocketClient, opened, refusal_of


async def rest(socket: SocketClient) -> list[Any]:
    heard: list[Any] = []
    while isinstance(message := await socket.hear(), dict):
        heard.append(message)
    return [*heard, message]


async def test_captions_follow_the_call() -> None:
    async with line() as it:
        output = (await it.trigger()).json()["output"]
        async with opened(output["live_captions_url"]) as socket:
            assert await socket.hear() == {"type": "connected", "call_id": output["call_id"]}
            assert await socket.hear() == {"type": "history", "segments": []}
            it.clock.advance(5)
            assert await socket.hear() == {"type": "call_started", "call_id": output["call_id"]}
            it.clock.advance(3)
            assert [(await socket.hear())["type"] for _ in range(3)] == ["turn_started", "transcript", "turn_ended"]  # type: ignore[index]
        async with opened(output["live_captions_url"]) as socket:
            assert await socket.hear() == {"type": "connected", "call_id": output["call_id"]}
            history = await socket.hear()
            assert isinstance(history, dict)
            (segment,) = history["segments"]
            assert (segment["speaker"], segment["text"], segment["is_final"]) == ("agent", "Hello Asha!", True)
            assert segment["timestamp"] == 1_790_000_008.0
            it.clock.advance(60)
            *told, code = await rest(socket)
            assert [message["type"] for message in told] == ["turn_started", "transcript", "turn_ended", "call_ended"]
            assert code == 1000


async def test_a_call_nobody_answers_only_ends() -> None:
    async with line(outcomes={"busy": 1.0}) as it:
        url = (await it.trigger()).json()["output"]["live_captions_url"]
        it.clock.advance(60)
        async with opened(url) as socket:
            *told, _ = await rest(socket)
            assert [message["type"] for message in told] == ["connected", "history", "call_ended"]


async def test_a_browser_session_has_captions_too() -> None:
    async with line() as it:
        browser = await it.http.post("/api/trigger-call/", json={"agent_id": AGENT, "medium": "webrtc"})
        async with opened(browser.json()["live_captions_url"]) as socket:
            assert (await socket.hear(), await socket.hear()) == (
                {"type": "connected", "call_id": browser.json()["room_name"]},
                {"type": "history", "segments": []},
            )


async def test_a_call_nobody_knows_has_none() -> None:
    async with line() as it:
        assert await refusal_of(f"{it.simulator.url}/api/live-transcripts/ws/x") == 404


async def test_a_key_may_be_needed() -> None:
    async with line(captions_key=True, key="right") as it:
        it.http.headers["X-API-Key"] = "right"
        url = (await it.trigger()).json()["output"]["live_captions_url"]
        assert await refusal_of(url) == 401
        async with opened(url, x_api_key="right") as socket:
            assert await socket.hear() is not None
