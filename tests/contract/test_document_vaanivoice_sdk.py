"""Rows of the vendor's page docs.vaanivoice.ai/sdk; docs/providers.md links each row to its test, here or elsewhere.

Its exceptions are held against our tree: every class of theirs has one of ours, and ours tell more apart.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

import dialer.errors
from dialer.adapters.providers.vaanivoice.calls import PhoneCall
from dialer.adapters.providers.vaanivoice.client import VaaniVoiceApi
from dialer.errors import AnswerLate, NotSent, ProviderError, UsageError
from tests.event_server import ACTIVE, ENDED, READY, events_from, says
from tests.provider_api import every, voice_at
from tests.provider_dialects import serving
from tests.raw_server import Line, black_hole, http_answer, raw_server, refused_url

Ask = Callable[[VaaniVoiceApi], Awaitable[Any]]

EXCEPTIONS = """
AuthenticationError      | 401 | Invalid or missing API key               | KeyRefused
ForbiddenError           | 403 | Operation not allowed for this API key   | Forbidden
NotFoundError            | 404 | Resource does not exist                  | NotFound
SessionExpiredError      | 410 | WebRTC session has ended or expired      | SessionExpired
InsufficientBalanceError | 402 | Wallet balance too low                   | NoCredit
ValidationError          | 422 | Request parameters failed validation     | RequestInvalid
RateLimitError           | 429 | Too many requests                        | Throttled
ServerError              | 5xx | Vaani server-side error                  | ServerFailed
TimeoutError             | —   | Request timed out                        | AnswerLate
ConnectionError          | —   | Could not reach the API                  | NotSent
"""
"""The page's table, and the class of our tree for each row."""

ROWS = {row[0]: row for row in ([cell.strip() for cell in line.split("|")] for line in EXCEPTIONS.strip().splitlines())}


def ours(name: str) -> type[ProviderError]:
    """Our class for one of theirs."""
    kind: type[ProviderError] = getattr(dialer.errors, ROWS[name][3])
    assert issubclass(kind, ProviderError)
    return kind


async def raised_for(name: str, ask: Ask, status: int | None = None) -> None:
    """Their row of the table, met over a socket: our class, with status, code, body and Retry-After kept."""
    code = status or int(ROWS[name][1])
    body = json.dumps({"status_code": code, "error": "x", "message": ROWS[name][2], "code": "THE_CODE"}).encode()
    async with (
        raw_server(serving(http_answer(code, body, "retry-after: 5\r\n"))) as server,
        voice_at(server.url) as api,
    ):
        with pytest.raises(ProviderError) as caught:
            await ask(api)
    error = caught.value
    assert type(error) is ours(name)
    assert (error.status, error.code, error.retry_after_s) == (code, "THE_CODE", 5.0)
    assert ROWS[name][2] in str(error) and ROWS[name][2] in error.body


async def test_client_api_key() -> None:
    async with raw_server(serving({"status": "healthy"})) as server, voice_at(server.url, api_key="k-1") as api:
        assert (await api.health()).status == "healthy"
    assert server.requests[0].headers["x-api-key"] == "k-1"


async def test_client_base_url() -> None:
    async with raw_server(serving({"status": "healthy"})) as server, voice_at(f"{server.url}/proxy/") as api:
        await api.health()
    assert server.requests[0].target == "/proxy/api/health"
    with pytest.raises(UsageError):
        voice_at("api.example.test")


async def test_client_timeout() -> None:
    async def hang(line: Line) -> None:
        await line.read_headers()
        await line.until_gone()

    async with raw_server(hang) as server, voice_at(server.url, timeout_s=0.6) as api:
        with pytest.raises(AnswerLate):
            await api.agents.create("Bot")


async def test_call_history() -> None:
    body = {"data": [{"call_id": "c1"}], "pagination": {"page": 1, "has_next": False}}
    async with raw_server(serving(body)) as server, voice_at(server.url) as api:
        assert [call.call_id for call in await every(api.calls.history())] == ["c1"]
    assert server.requests[0].target == "/api/call-history?page=1&page_size=200"


async def test_transcript() -> None:
    async with raw_server(serving({"transcript": "AGENT: Hi"})) as server, voice_at(server.url) as api:
        assert (await api.calls.transcript("c1")).text == "AGENT: Hi"
    assert server.requests[0].target == "/api/transcript/c1"


async def test_call_details() -> None:
    async with raw_server(serving({"summary": "Short", "entity": {}})) as server, voice_at(server.url) as api:
        assert (await api.calls.details("c1")).summary == "Short"
    assert server.requests[0].target == "/api/call_details/c1"


async def test_stream_audio(tmp_path: Path) -> None:
    async with (
        raw_server(serving(http_answer(200, b"OggS", "content-type: audio/ogg\r\n"))) as server,
        voice_at(server.url) as api,
    ):
        assert (await api.calls.recording("c1")).content == b"OggS"
        saved = await api.calls.save_recording("c1", tmp_path / "c1.ogg")
    assert await asyncio.to_thread(saved.path.read_bytes) == b"OggS"
    assert server.requests[0].target == "/api/stream/c1"


async def test_real_time_session_events() -> None:
    async with events_from(says(READY, {"event": "agent_timeout", "reason": "x"}, ENDED), **ACTIVE) as (api, _):
        events = await every(api.sessions.events("t"))
    assert [event.event for event in events] == ["agent_ready", "agent_timeout", "session_ended"]


async def test_create_an_agent() -> None:
    async with raw_server(serving({"agent_id": "a1", "agent_name": "bot"})) as server, voice_at(server.url) as api:
        assert (await api.agents.create("Bot", {"persona": {}})).agent_id == "a1"
    assert server.requests[0].json() == {"agent_display_name": "Bot", "config": {"persona": {}}}


async def test_list_and_inspect_agents() -> None:
    agent = {"id": "a1", "agent_name": "bot"}
    async with raw_server(serving([agent], agent)) as server, voice_at(server.url) as api:
        assert await every(api.agents.list()) == [await api.agents.get("a1")]
    assert server.requests[1].target == "/api/agents/a1"


async def test_update_agent_configuration() -> None:
    async with raw_server(serving({"success": True})) as server, voice_at(server.url) as api:
        await api.agents.update("a1", "experience", {"settings": {}})
    assert (server.requests[0].method, server.requests[0].target) == ("PATCH", "/api/agent/a1/experience")


def show_agent(api: VaaniVoiceApi) -> Awaitable[Any]:
    return api.agents.get("agent-1")


ASKED: dict[str, Ask] = {
    "SessionExpiredError": lambda api: api.sessions.get("t"),
    "ValidationError": lambda api: api.agents.create(""),
}


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if row[1].isdigit()])
async def test_each_exception_of_one_status(name: str) -> None:
    await raised_for(name, ASKED.get(name, show_agent))


@pytest.mark.parametrize("status", [500, 501, 502, 504, 599])
async def test_server_error(status: int) -> None:
    await raised_for("ServerError", show_agent, status)


async def test_timeout_error() -> None:
    """Theirs says of a connection that took too long the same as of an answer: ours tells the two apart."""

    async def hang(line: Line) -> None:
        await line.read_headers()
        await line.until_gone()

    async with raw_server(hang) as server, voice_at(server.url, read_timeout_s=0.05) as api:
        with pytest.raises(ours("TimeoutError")) as caught:
            await api.agents.create("Bot")
    assert (type(caught.value), caught.value.status) == (ours("TimeoutError"), None)
    async with black_hole() as url, voice_at(url, connect_timeout_s=0.02) as api:
        with pytest.raises(NotSent):
            await api.agents.create("Bot")


async def test_connection_error() -> None:
    async with voice_at(refused_url()) as api:
        with pytest.raises(ours("ConnectionError")) as caught:
            await api.agents.create("Bot")
    assert (type(caught.value), caught.value.status) == (ours("ConnectionError"), None)


def test_every_exception_has_a_class_of_its_own() -> None:
    assert len(ROWS) == 10
    assert len({ours(name) for name in ROWS}) == 10


@pytest.mark.parametrize(
    ("lost_by_the_vendors_client", "body", "kind"),
    [
        ("output null", b'{"success":true,"output":null}', "CallIdMissing"),
        ("a top-level list", b"[]", "AnswerUnreadable"),
        ("not JSON", b"<html>", "AnswerUnreadable"),
        ("success false", b'{"success":false,"error":"new"}', "CallRefused"),
        ("success false, broken", b'{"success":false,"error":"dispatch failed"}', "Unsuccessful"),
    ],
)
async def test_what_escapes_the_vendors_client_has_a_name_here(
    lost_by_the_vendors_client: str, body: bytes, kind: str
) -> None:
    async with raw_server(serving(http_answer(200, body))) as server, voice_at(server.url) as api:
        with pytest.raises(ProviderError) as caught:
            await api.calls.trigger(PhoneCall(agent_id="a", contact_number="+14155550123"))
    assert type(caught.value).__name__ == kind, lost_by_the_vendors_client
