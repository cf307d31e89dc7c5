"""What every CallProvider must do, whatever its dialect: place once, tell what became of it."""

from dataclasses import replace
from random import Random
from typing import Any

import pytest

from dialer.adapters.providers.http.requests import Endpoint
from dialer.adapters.providers.vaani.adapter import Vaani
from dialer.adapters.providers.vaanivoice.adapter import VaaniVoice
from dialer.domain.call import CallRequest, Placed
from dialer.errors import UsageError
from dialer.ports import CallProvider
from tests.provider_dialects import (
    REQUEST,
    VAANI,
    VAANIVOICE,
    Dialect,
    each_dialect,
    provider_at,
    serving,
)
from tests.raw_server import Permit, StoppedClock, http_answer, raw_server


async def test_both_dialects_are_call_providers() -> None:
    endpoint = Endpoint(base_url="http://127.0.0.1:1")
    providers: list[CallProvider] = [make(endpoint, StoppedClock(), Random(1)) for make in (VaaniVoice, Vaani)]
    assert [(one.account, one.silent_when_unanswered) for one in providers] == [("vaanivoice", False), ("vaani", True)]
    named = VaaniVoice(replace(endpoint, account="second"), StoppedClock(), Random(1))
    assert named.account == "second"
    for one in (*providers, named):
        await one.aclose()


@each_dialect
async def test_placing_sends_one_request_with_the_token_and_the_key(dialect: Dialect) -> None:
    async with raw_server(serving(http_answer(200, dialect.accepted))) as server:
        provider = provider_at(dialect, server)
        permit = Permit()
        assert isinstance(await provider.place(REQUEST, permit), Placed)
        await provider.aclose()
    (request,) = server.requests
    assert dialect.token_of(request.json()) == "token-1"
    assert request.headers["x-api-key"] == "not-a-real-key"
    assert request.headers["content-type"] == "application/json"
    assert (permit.slots, permit.instants) == ([False], 1)


async def placed_body(dialect: Dialect, request: CallRequest) -> tuple[str, Any]:
    async with raw_server(serving(http_answer(200, dialect.accepted))) as server:
        provider = provider_at(dialect, server)
        await provider.place(request, Permit())
        await provider.aclose()
    return server.requests[0].target, server.requests[0].json()


async def test_vaanivoice_sends_what_its_page_asks_for() -> None:
    target, body = await placed_body(VAANIVOICE, REQUEST)
    assert target == "/api/trigger-call/"
    assert body == {
        "agent_id": "+14155550100",
        "medium": "telephony",
        "contact_number": "+14155550123",
        "name": "Ann",
        "outbound_number": "+14155550199",
        "metadata": {
            "plan": "gold",
            "contact_name": "Ann B.",
            "contact_agent_id": "7",
            "dialer_attempt_token": "token-1",
        },
    }
    _, body = await placed_body(
        VAANIVOICE, CallRequest("t", "a", "+14155550123", "", variables={"dialer_attempt_token": "x"})
    )
    assert (body["name"], body["metadata"]) == ("Customer", {"dialer_attempt_token": "t"})
    assert "outbound_number" not in body


async def test_vaani_sends_what_its_page_asks_for() -> None:
    target, body = await placed_body(VAANI, REQUEST)
    assert target == "/calls/outbound_call"
    assert body == {
        "agent_phone_number": "+14155550100",
        "phone_number_to_dial": "+14155550123",
        "dynamic_variables": {
            "plan": "gold",
            "name": "Ann B.",
            "agent_id": "7",
            "dialer_attempt_token": "token-1",
        },
    }


async def test_options_go_out_with_every_call_and_unknown_ones_are_refused() -> None:
    async with raw_server(serving(http_answer(200, VAANIVOICE.accepted))) as server:
        provider = VaaniVoice(Endpoint(base_url=server.url), StoppedClock(), Random(1), {"test_mode": True})
        await provider.place(REQUEST, Permit())
        await provider.aclose()
    assert server.requests[0].json()["test_mode"] is True
    with pytest.raises(UsageError, match="colour"):
        VaaniVoice(Endpoint(base_url="http://x"), StoppedClock(), Random(1), {"colour": "red"})


async def test_vaani_takes_an_access_token_as_a_cookie_and_keeps_no_other() -> None:
    answer = http_answer(200, b"{}", "set-cookie: access_token=other; Path=/\r\n")
    async with raw_server(serving(answer)) as server:
        provider = Vaani(Endpoint(base_url=server.url, access_token="not-a-token"), StoppedClock(), Random(1))
        for _ in range(2):
            await provider.place(REQUEST, Permit())
        await provider.aclose()
    assert [request.headers["cookie"] for request in server.requests] == ["access_token=not-a-token"] * 2


@pytest.mark.parametrize(
    ("dialect", "body", "call_id"),
    [
        (VAANIVOICE, {"success": True, "output": {"call_id": "c-1"}}, "c-1"),
        (VAANIVOICE, {"success": True, "call_id": "c-1", "output": None}, "c-1"),
        (VAANIVOICE, {"success": True, "output": "c-1"}, "c-1"),
        (VAANIVOICE, {"success": True, "output": "Dispatched AD_x to room outbound-17-0a1b"}, "outbound-17-0a1b"),
        (VAANIVOICE, {"success": True, "output": "room: 'abc_1.2' dispatch AD_x"}, "abc_1.2"),
        (VAANIVOICE, {"call_id": "c-1"}, "c-1"),
        (VAANIVOICE, {"success": True, "output": None}, None),
        (VAANI, {"detail": "initiated"}, None),
        (VAANI, {"detail": "initiated", "call_log_id": "c-1", "id": 5}, "c-1"),
        (VAANI, {"id": 5}, "5"),
        (VAANI, {"success": True, "room_name": "call-1"}, "call-1"),
    ],
)
async def test_the_call_id_is_found_wherever_it_stands(dialect: Dialect, body: Any, call_id: str | None) -> None:
    async with raw_server(serving(body)) as server:
        provider = provider_at(dialect, server)
        assert await provider.place(REQUEST, Permit()) == Placed(call_id, 200)
        await provider.aclose()


@pytest.mark.parametrize("changes", [{"base_url": "api.example.com"}, {"base_url": "http://x", "api_key": "a\nb"}])
def test_an_endpoint_that_cannot_work_is_refused_without_showing_the_key(changes: dict[str, str]) -> None:
    with pytest.raises(UsageError) as caught:
        Endpoint(**changes)  # type: ignore[arg-type]
    assert "a\nb" not in str(caught.value)
