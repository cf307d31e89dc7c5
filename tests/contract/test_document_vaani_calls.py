"""The vendor's page mvdocs.omind.ai/api-reference/calls, row by row; docs/providers.md links each row to its test."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from dialer.adapters.vaani_api.calls import LogFilter
from dialer.errors import AgentMissing, KeyRefused, NotFound, ProviderError, RequestInvalid
from tests.provider_api import every, vaani_at
from tests.provider_dialects import serving
from tests.raw_server import Request, http_answer, raw_server

AGENT, PERSON = "+16505551234", "+14155559876"
LOGS = {"call_logs": [], "total": 0}

ERRORS = """
400 | "Invalid phone number format" | Phone number missing or invalid         | RequestInvalid
401 | "Invalid or missing token"    | Authentication failed                   | KeyRefused
404 | "Call log not found"          | Call log doesn't exist in workspace     | NotFound
404 | "Agent not found"             | Agent phone number not registered       | AgentMissing
"""
"""The page's table, and the class of our tree for each row."""


def error_row(detail: str) -> tuple[int, type[ProviderError]]:
    """The status of a row of the table, and our class."""
    rows = [[cell.strip() for cell in line.split("|")] for line in ERRORS.strip().splitlines()]
    (row,) = [row for row in rows if row[1].strip('"') == detail]
    kinds = {kind.__name__: kind for kind in (RequestInvalid, KeyRefused, NotFound, AgentMissing)}
    return int(row[0]), kinds[row[3]]


async def token_request() -> Request:
    async with raw_server(serving({"accessToken": "t"})) as server, vaani_at(server.url) as api:
        await api.calls.generate_token(AGENT, "session_001")
    return server.requests[0]


async def dialed(variables: dict[str, Any] | None = None) -> Request:
    async with raw_server(serving({"detail": "initiated"})) as server, vaani_at(server.url) as api:
        await api.calls.outbound_call(AGENT, PERSON, variables)
    return server.requests[0]


async def logs_request(page_size: int = 25, **which: Any) -> list[str]:
    """The targets of two pages of logs."""
    pages = [{"call_logs": [{"call_log_id": f"c{page}"}], "total_pages": 2} for page in (1, 2)]
    async with raw_server(serving(*pages, LOGS)) as server, vaani_at(server.url) as api:
        await every(api.calls.logs(LogFilter(**which), page_size=page_size))
    return [request.target for request in server.requests]


async def error_of(detail: str, ask: Any) -> ProviderError:
    """What is raised for one row of the error table; its status, text and body are kept."""
    status, kind = error_row(detail)
    answer = http_answer(status, f'{{"detail":"{detail}"}}'.encode(), "retry-after: 3\r\n")
    async with raw_server(serving(answer)) as server, vaani_at(server.url) as api:
        with pytest.raises(kind) as caught:
            await ask(api)
    error: ProviderError = caught.value
    assert type(error) is kind
    assert (error.status, error.retry_after_s) == (status, 3.0)
    assert detail in str(error) and detail in error.body
    return error


async def test_authentication_by_jwt_cookie() -> None:
    async with raw_server(serving(LOGS)) as server, vaani_at(server.url, api_key="", access_token="YOUR") as api:
        await every(api.calls.logs())
    assert server.requests[0].headers["cookie"] == "access_token=YOUR"
    assert "x-api-key" not in server.requests[0].headers


async def test_authentication_by_api_key() -> None:
    async with raw_server(serving(LOGS)) as server, vaani_at(server.url, api_key="k-1") as api:
        await every(api.calls.logs())
    assert server.requests[0].headers["x-api-key"] == "k-1"
    assert "cookie" not in server.requests[0].headers


async def test_get_calls_generate_token() -> None:
    request = await token_request()
    assert (request.method, request.target.partition("?")[0]) == ("GET", "/calls/generate-token")


async def test_generate_token_phone() -> None:
    assert "phone=%2B16505551234" in (await token_request()).target


async def test_generate_token_id() -> None:
    assert (await token_request()).target.endswith("&id=session_001")


async def test_post_calls_outbound_call() -> None:
    request = await dialed()
    assert (request.method, request.target) == ("POST", "/calls/outbound_call")
    assert request.headers["content-type"] == "application/json"


async def test_outbound_call_agent_phone_number() -> None:
    assert (await dialed()).json()["agent_phone_number"] == AGENT


async def test_outbound_call_phone_number_to_dial() -> None:
    assert (await dialed()).json()["phone_number_to_dial"] == PERSON


async def test_outbound_call_dynamic_variables() -> None:
    variables = {"customer_name": "John Smith", "account_id": "ACC-12345"}
    assert (await dialed(variables)).json()["dynamic_variables"] == variables
    assert "dynamic_variables" not in (await dialed()).json()


async def test_get_calls_logs() -> None:
    assert (await logs_request())[0].startswith("/calls/logs?")


async def test_logs_page() -> None:
    first, second, *_ = await logs_request()
    assert (first.partition("&")[0], second.partition("&")[0]) == ("/calls/logs?page=1", "/calls/logs?page=2")


async def test_logs_page_size() -> None:
    assert "page_size=10" in (await logs_request(10))[0]


async def test_logs_call_type() -> None:
    assert "call_type=phone" in (await logs_request(call_type="phone"))[0]
    assert "call_type=web" in (await logs_request(call_type="web"))[1]
    assert "call_type" not in (await logs_request())[0]


async def test_logs_agent_id() -> None:
    assert "agent_id=ag_550e8400" in (await logs_request(agent_id="ag_550e8400"))[1]


async def test_logs_start_date() -> None:
    assert "start_date=2026-02-01" in (await logs_request(start_date="2026-02-01"))[1]


async def test_logs_end_date() -> None:
    assert "end_date=2026-02-11" in (await logs_request(end_date="2026-02-11"))[1]


async def test_get_calls_call_log_id() -> None:
    call_log_id = "550e8400-e29b-41d4-a716-446655440000"
    async with raw_server(serving({"call_log_id": call_log_id})) as server, vaani_at(server.url) as api:
        assert (await api.calls.get(call_log_id)).call_log_id == call_log_id
    assert (server.requests[0].method, server.requests[0].target) == ("GET", f"/calls/{call_log_id}")


async def test_get_calls_export_csv(tmp_path: Path) -> None:
    async with raw_server(serving(http_answer(200, b"call_log_id\n"))) as server, vaani_at(server.url) as api:
        which = LogFilter(call_type="phone", agent_id="a", start_date="2026-02-01", end_date="2026-02-11")
        saved = await api.calls.export_csv(tmp_path / "call_logs.csv", which)
    assert await asyncio.to_thread(saved.path.read_bytes) == b"call_log_id\n"
    assert server.requests[0].target == (
        "/calls/export-csv?call_type=phone&agent_id=a&start_date=2026-02-01&end_date=2026-02-11"
    )


async def test_error_400_invalid_phone_number_format() -> None:
    await error_of("Invalid phone number format", lambda api: api.calls.outbound_call(AGENT, "12"))


async def test_error_401_invalid_or_missing_token() -> None:
    await error_of("Invalid or missing token", lambda api: api.calls.get("c1"))


async def test_error_404_call_log_not_found() -> None:
    await error_of("Call log not found", lambda api: api.calls.get("c1"))


async def test_error_404_agent_not_found() -> None:
    await error_of("Agent not found", lambda api: api.calls.outbound_call("+16505550000", PERSON))
