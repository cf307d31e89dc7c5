"""The OpenAPI document, the page, and the routes say the same."""

import re
from typing import Any

from fastapi.routing import APIRoute
from starlette.routing import WebSocketRoute

from dialer.simulator.app import API, SECTIONS
from tests.simulator_support import line

PATHS: dict[str, Any] = API.openapi()["paths"]
ROUTES = [route for section in SECTIONS for route in section.routes]


def described() -> set[tuple[str, str]]:
    return {(method.upper(), path) for path, methods in PATHS.items() for method in methods}


def test_every_route_is_described_and_every_description_is_routed() -> None:
    routed = {
        (method, route.path)
        for route in ROUTES
        if isinstance(route, APIRoute)
        for method in (route.methods or set()) - {"HEAD"}
    }
    assert routed == described()
    assert len(routed) >= 45


async def test_every_socket_is_told() -> None:
    told = " ".join(tag["description"] for tag in API.openapi()["tags"])
    sockets = {route.path for route in ROUTES if isinstance(route, WebSocketRoute)}
    assert len(sockets) == 2
    async with line() as it:
        page = (await it.http.get("/docs")).text
    assert all(path in told and path in page for path in sockets)


def test_no_two_operations_share_an_id() -> None:
    ids = [operation["operationId"] for methods in PATHS.values() for operation in methods.values()]
    assert len(set(ids)) == len(ids)


def test_every_operation_names_its_section_and_its_refusals() -> None:
    for methods in PATHS.values():
        for operation in methods.values():
            assert re.fullmatch(r"Section [23]\.\d+ of the wire contract\.", operation["description"])
            assert ("401" in operation["responses"]) >= bool(operation.get("security"))
            assert ("422" in operation["responses"]) >= ("requestBody" in operation)


async def test_the_page_lists_what_the_document_holds() -> None:
    async with line() as it:
        answer = await it.http.get("/docs", headers={"X-API-Key": ""})
        assert answer.headers["content-type"].startswith("text/html")
        assert all(path in answer.text for _, path in described())
        assert "http://" not in answer.text.replace(it.simulator.url, "")
        served_document = (await it.http.get("/openapi.json")).json()
        assert served_document["servers"] == [{"url": it.simulator.url}]
        assert it.simulator.books.requests == []


async def test_a_sessions_link_leads_somewhere() -> None:
    async with line() as it:
        made = (await it.http.post("/api/webrtc/session/create", json={"agent_id": "bot"})).json()
        assert (await it.http.get(made["session_url"])).status_code == 200
