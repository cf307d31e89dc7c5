"""The client of api.vaani.ai: calls, logs, export, agents, numbers, and a login that runs out."""

import asyncio
import json
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest

from dialer.adapters.providers.http.requests import Endpoint
from dialer.adapters.providers.vaani.adapter import Vaani
from dialer.adapters.providers.vaani.calls import LogFilter
from dialer.domain.call import NotPlaced, Placed
from dialer.errors import KeyRefused, LoginExpired, NotFound
from tests.provider_api import every, vaani_at
from tests.provider_dialects import REQUEST, serving
from tests.raw_server import Line, Permit, RawServer, Script, StoppedClock, http_answer, raw_server

ENTRY = {
    "call_log_id": "550e8400-e29b-41d4-a716-446655440000",
    "called_number": "+14155550123",
    "start_time": "2026-02-01T10:00:00",
    "end_time": "2026-02-01T10:01:00",
    "duration": 55.5,
    "messages": [{"timestamp": "2026-02-01T10:00:01", "speaker": "agent", "message": "Hi", "tokens": 2}, None],
    "total_cost": "0.25",
    "conversation_analysis": "Short",
}


async def test_an_outbound_call_sends_what_its_page_asks_for() -> None:
    async with (
        raw_server(serving({"detail": "initiated"}, {"call_log_id": 7})) as server,
        vaani_at(server.url) as api,
    ):
        plain = await api.calls.outbound_call("+14155550100", "+14155550123")
        full = await api.calls.outbound_call("+14155550100", "+14155550123", {"customer_name": "Ann"})
    assert server.requests[0].json() == {"agent_phone_number": "+14155550100", "phone_number_to_dial": "+14155550123"}
    assert server.requests[1].json()["dynamic_variables"] == {"customer_name": "Ann"}
    assert (plain.call_log_id, plain.detail, full.call_log_id) == ("", "initiated", "7")
    for request in server.requests:
        assert (request.method, request.target) == ("POST", "/calls/outbound_call")
        assert request.headers["content-type"] == "application/json"


async def test_logs_are_asked_for_with_every_filter_and_read_to_the_end() -> None:
    pages = [{"call_logs": [{**ENTRY, "call_log_id": f"c{page}"}], "total_pages": 2} for page in (1, 2)]
    which = LogFilter(call_type="phone", agent_id="ag_1", start_date="2026-02-01", end_date=datetime(2026, 2, 2, 12))  # noqa: DTZ001
    async with raw_server(serving(*pages)) as server, vaani_at(server.url) as api:
        found = await every(api.calls.logs(which, page_size=1))
    assert [entry.call_log_id for entry in found] == ["c1", "c2"]
    assert server.requests[1].target == (
        "/calls/logs?page=2&page_size=1&call_type=phone&agent_id=ag_1"
        "&start_date=2026-02-01&end_date=2026-02-02T12%3A00%3A00"
    )


async def test_logs_are_asked_for_without_a_filter() -> None:
    async with raw_server(serving({"call_logs": [], "total": 0})) as server, vaani_at(server.url) as api:
        await every(api.calls.logs(page_size=25))
    assert server.requests[0].target == "/calls/logs?page=1&page_size=25"


async def test_one_log_is_read_with_what_was_said_and_its_times_as_they_came() -> None:
    async with raw_server(serving(ENTRY)) as server, vaani_at(server.url) as api:
        entry = await api.calls.get("a/../b")
    assert (server.requests[0].method, server.requests[0].target) == ("GET", "/calls/a%2F..%2Fb")
    assert entry.start_time is not None and entry.start_time.tzinfo is None
    assert (entry.duration, entry.duration_s, entry.total_cost) == (55.5, 60.0, 0.25)
    assert (entry.transcript, entry.said[0].tokens) == ("AGENT: Hi", 2)
    assert entry.raw == ENTRY


DAY = "2026-02-01"


async def test_the_export_is_streamed_into_a_file(tmp_path: Path) -> None:
    async with (
        raw_server(serving(http_answer(200, b"call_log_id\n1\n", "content-type: text/csv\r\n"))) as server,
        vaani_at(server.url) as api,
    ):
        for which in (LogFilter(), LogFilter(call_type="phone", agent_id="a", start_date=DAY, end_date="2026-02-11")):
            saved = await api.calls.export_csv(tmp_path / "logs.csv", which)
    assert [request.target for request in server.requests] == [
        "/calls/export-csv",
        "/calls/export-csv?call_type=phone&agent_id=a&start_date=2026-02-01&end_date=2026-02-11",
    ]
    assert (saved.path.read_bytes(), saved.content_type) == (b"call_log_id\n1\n", "text/csv")


async def test_a_recording_is_fetched_through_its_link_without_the_key(tmp_path: Path) -> None:
    async with raw_server(serving(http_answer(200, b"OggS"))) as store:
        entry = {**ENTRY, "recording_url": f"{store.url}/mv/1.ogg?sig=x"}
        async with raw_server(serving(entry, ENTRY)) as server, vaani_at(server.url) as api:
            assert (await api.calls.save_recording("c1", tmp_path / "1.ogg")).size == 4
            with pytest.raises(NotFound):
                await api.calls.save_recording("c1", tmp_path / "2.ogg")
    assert "x-api-key" not in store.requests[0].headers


async def test_a_token_for_a_browser() -> None:
    async with (
        raw_server(serving({"identity": "web_s 1", "accessToken": "t-1"})) as server,
        vaani_at(server.url) as api,
    ):
        token = await api.calls.generate_token("+16505551234", "s 1")
    (request,) = server.requests
    assert (request.method, request.target) == ("GET", "/calls/generate-token?phone=%2B16505551234&id=s+1")
    assert (token.access_token, token.identity) == ("t-1", "web_s 1")
    assert "t-1" not in repr(token)


async def test_agents_and_numbers_as_far_as_they_are_documented() -> None:
    agent = {
        "id": "ag_1",
        "agent_name": "Bot",
        "phone_number": "+14155550100",
        "LLM_model": "m",
        "max_call_duration": 600,
    }
    answers: list[Any] = [[agent], agent, agent, {}, {}, {"data": [{"id": "s1", "phone_number": "+14155550100"}]}]
    async with raw_server(serving(*answers)) as server, vaani_at(server.url) as api:
        (listed,) = await every(api.agents.list())
        assert await api.agents.get("ag_1") == listed
        assert (await api.agents.create({"agent_name": "Bot"})).agent_id == "ag_1"
        assert (await api.agents.update("ag_1", {"temperature": 0.2})).agent_id == "ag_1"
        await api.agents.delete("ag_1")
        (line,) = await every(api.numbers.list())
    assert (listed.llm_model, listed.max_call_duration, line.phone_number) == ("m", 600.0, "+14155550100")
    assert [(request.method, request.target) for request in server.requests] == [
        ("GET", "/agents"),
        ("GET", "/agents/ag_1"),
        ("POST", "/agents"),
        ("PUT", "/agents/ag_1"),
        ("DELETE", "/agents/ag_1"),
        ("GET", "/sip"),
    ]


def let_in_with(good: str, *, refresh: bytes | None, renewed: str = "") -> Script:
    """Answers 401 without the good token; ``refresh`` is the answer to a renewal."""

    async def serve(line: Line) -> None:
        while True:
            request = await line.read_request()
            if request.target == "/auth/refresh":
                assert refresh is not None
                await line.write(refresh)
            elif f"access_token={renewed or good}" in request.headers.get("cookie", ""):
                await line.answer(200, b'{"detail":"initiated"}')
            else:
                await line.answer(401, b'{"detail":"Invalid or missing token"}')

    return serve


NEW_COOKIE = http_answer(200, b"{}", "set-cookie: access_token=new-one; HttpOnly; Path=/\r\n")


async def place(server: RawServer, times: int = 1, refresh_token: str = "refresh-me") -> list[Any]:
    endpoint = Endpoint(base_url=server.url, access_token="old-one", refresh_token=refresh_token)
    provider = Vaani(endpoint, StoppedClock(), Random(1))
    permits = [Permit() for _ in range(times)]
    try:
        return list(await asyncio.gather(*(provider.place(REQUEST, permit) for permit in permits)))
    finally:
        await provider.aclose()


def paths(server: RawServer) -> list[str]:
    return [request.target for request in server.requests]


async def test_a_cookie_that_runs_out_amid_a_campaign_is_renewed_once_for_all() -> None:
    async with raw_server(let_in_with("new-one", refresh=NEW_COOKIE)) as server:
        results = await place(server, times=5)
    assert results == [Placed(None, 200)] * 5
    assert paths(server).count("/auth/refresh") == 1
    (renewal,) = [request for request in server.requests if request.target == "/auth/refresh"]
    assert renewal.headers["cookie"] == "access_token=old-one; refresh_token=refresh-me"
    assert server.requests[-1].headers["cookie"] == "access_token=new-one"


async def test_a_token_in_the_body_of_a_renewal_will_do() -> None:
    answer = http_answer(200, json.dumps({"access_token": "new-one"}).encode())
    async with raw_server(let_in_with("new-one", refresh=answer)) as server:
        assert await place(server) == [Placed(None, 200)]


@pytest.mark.parametrize(
    ("refresh", "reason"),
    [
        (http_answer(401, b'{"detail":"Refresh token expired"}'), "renewing it failed"),
        (http_answer(200, b"{}"), "no access token"),
        (http_answer(200, b"{}", "set-cookie: access_token=other\r\n"), "even after the login was renewed"),
    ],
)
async def test_a_login_that_cannot_be_renewed_halts_with_the_reason(refresh: bytes, reason: str) -> None:
    async with raw_server(let_in_with("new-one", refresh=refresh)) as server:
        (result,) = await place(server)
    assert isinstance(result, NotPlaced)
    assert reason in result.halt and result.http_status == 401
    assert "old-one" not in result.halt and "refresh-me" not in result.halt


async def test_without_a_refresh_token_a_401_halts_at_once() -> None:
    async with raw_server(let_in_with("new-one", refresh=None)) as server:
        (result,) = await place(server, refresh_token="")
    assert paths(server) == ["/calls/outbound_call"]
    assert "no refresh token" in result.halt


async def test_a_renewal_that_fails_in_passing_puts_the_call_off_and_halts_nothing() -> None:
    async with raw_server(let_in_with("new-one", refresh=http_answer(503, b"", "retry-after: 9\r\n"))) as server:
        (result,) = await place(server)
    assert isinstance(result, NotPlaced)
    assert (result.halt, result.retry_after_s) == ("", 9.0)


async def test_a_refused_key_is_not_taken_for_a_login() -> None:
    async with raw_server(serving(http_answer(401))) as server, vaani_at(server.url) as api:
        with pytest.raises(KeyRefused) as caught:
            await api.calls.get("c1")
    assert type(caught.value) is KeyRefused
    assert len(server.requests) == 1


async def test_logging_in_and_out() -> None:
    answer = http_answer(
        200, b"{}", "set-cookie: access_token=a-1; Path=/\r\nset-cookie: refresh_token=r-1; Path=/\r\n"
    )
    async with (
        raw_server(serving(answer, [], {}, http_answer(401), answer, http_answer(401))) as server,
        vaani_at(server.url, api_key="") as api,
    ):
        tokens = await api.login.log_in("ann@example.test", "secret-word")
        assert await every(api.agents.list()) == []
        await api.login.log_out()
        with pytest.raises(LoginExpired):
            await api.calls.get("c1")
    assert (tokens.access_token, tokens.refresh_token) == ("a-1", "r-1")
    assert server.requests[0].json() == {"email": "ann@example.test", "password": "secret-word"}
    assert server.requests[1].headers["cookie"] == "access_token=a-1"
    assert paths(server)[2:] == ["/auth/logout", "/calls/c1", "/auth/refresh", "/calls/c1"]
    assert "a-1" not in repr(tokens)
