"""Every address with every role and without one, from the table of routes itself: a new one is asked as well."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.routing import Mount

from dialer.domain.access import Role
from dialer.web.access import OPEN_ROUTES, Needs
from dialer.web.guard import SMALL_BYTES, most_bytes
from tests.house import SPEC
from tests.web.door_steps import House

VALUES = {"name": SPEC.name, "token_id": "99"}
"""What stands for a part of an address; 1 for all others."""
WORDS = ("start", "pause", "resume")
HUGE = "9" * 40
ODD = (
    HUGE, "-1", "%00", "%0a", "..%2f..%2fetc%2fpasswd", "<b>x</b>", "'%20OR%201=1--", "%E2%80%AE%F0%9F%98%80",
    "%ED%A0%80", "a" * 1_500, ".", "%2e%2e",
)  # fmt: skip


def needs_of(dependant: Dependant) -> Iterator[Needs]:
    for one in dependant.dependencies:
        if isinstance(one.call, Needs):
            yield one.call
        yield from needs_of(one)


def routes(house: House) -> list[APIRoute]:
    found = [route for route in house.page.routes if isinstance(route, APIRoute)]
    assert len(found) > 12
    return found


def addresses(route: APIRoute, value: str = "") -> list[str]:
    """The address with something for each of its parts; of verbs, each."""
    path = route.path_format
    for name in route.param_convertors:
        known = VALUES.get(name, "1")
        path = path if name == "verb" else re.sub(rf"{{{name}(:\w+)?}}", (value or known).replace("\\", "\\\\"), path)
    if "{verb}" not in path:
        return [path]
    return [path.replace("{verb}", value)] if value else [path.replace("{verb}", verb) for verb in WORDS]


def asked_of(route: APIRoute) -> list[str]:
    return sorted((route.methods or set()) - {"HEAD"})


def test_every_route_has_a_role_or_is_open(house: House) -> None:
    without = {route.path for route in routes(house) if not list(needs_of(route.dependant))}
    mounted = {route.path for route in house.page.routes if isinstance(route, Mount)}
    others = [route for route in house.page.routes if not isinstance(route, APIRoute | Mount)]

    assert without | mounted <= OPEN_ROUTES
    assert others == []


async def test_nobody_gets_in_anywhere(house: House) -> None:
    nobody = house.visitor()
    for route in routes(house):
        for method in asked_of(route):
            for address in addresses(route):
                answer = await nobody.request(method, address)
                if route.path in OPEN_ROUTES:
                    continue
                if address.startswith("/api/"):
                    assert (answer.status_code, answer.json()["code"]) == (401, "not-signed-in"), f"{method} {address}"
                    assert answer.headers["www-authenticate"] == "Bearer"
                else:
                    assert answer.status_code == 303, f"{method} {address}"
                    assert answer.headers["location"].startswith("/login"), f"{method} {address}"


@pytest.mark.parametrize("role", list(Role), ids=lambda role: role.word)
@pytest.mark.parametrize("how", ["program", "browser"])
async def test_each_role_gets_in_where_it_may(house: House, role: Role, how: str) -> None:
    client = await (house.program(role) if how == "program" else house.browser(role))
    asked = 0
    for route in routes(house):
        least = max((one.role for one in needs_of(route.dependant)), default=None)
        if least is None or route.path in ("/logout", "/api/v1/events") or route.path.endswith("/live"):
            continue  # they end the session, or do not end
        for method in asked_of(route):
            for address in addresses(route):
                answer = await client.request(method, address)
                asked += 1
                refused = answer.status_code in (401, 403) or answer.headers.get("location", "").startswith("/login")
                # A body that is missing may be said first: nothing was done either way.
                wrong_first = answer.status_code == 422
                assert refused == (role < least) or (role < least and wrong_first), f"{method} {address}: {answer}"
                assert answer.status_code < 500, f"{method} {address}: {answer.text}"
    assert asked > 10


async def test_live_streams_and_signing_out_ask_for_a_role(house: House) -> None:
    roles = {route.path: [one.role for one in needs_of(route.dependant)] for route in routes(house)}

    assert roles["/campaigns/{campaign_id}/live"] == roles["/api/v1/events"] == roles["/logout"] == [Role.VIEWER]


async def test_odd_values_in_an_address_are_refused_and_shown_inert(either_house: House) -> None:
    house = either_house
    client = await house.browser()
    for route in routes(house):
        if not route.param_convertors or route.path.endswith("/live"):
            continue
        for method in asked_of(route):
            for odd in ODD:
                for address in addresses(route, odd):
                    answer = await client.request(method, address)
                    assert answer.status_code < 500, f"{method} {address}: {answer.status_code}"
                    if not answer.headers.get("content-type", "").endswith("json"):
                        assert "<b>x" not in answer.text, f"{method} {address}"


async def test_odd_values_in_a_query_are_refused(either_house: House) -> None:
    house = either_house
    client = await house.program()
    for route in routes(house):
        if "GET" not in (route.methods or ()) or route.path.endswith("/live"):
            continue
        for field in route.dependant.query_params:
            for odd in ODD:
                answer = await client.get(f"{addresses(route)[0]}?{field.alias}={odd}")
                assert answer.status_code < 500, f"{route.path}?{field.alias}={odd}: {answer.status_code}"


ODD_JSON = (
    '"\\ud800"',
    '"\\u0000"',
    "1e400",
    "[" * 5_000,
    '{"\\ud800": 1}',
    '{"+14155550123": 1}',
    "null",
    "[]",
    '"x"',
)


def filled(route: APIRoute, odd: str) -> list[str]:
    """Bodies with something odd in each of their fields."""
    bodies = list(ODD_JSON)
    for field in route.dependant.body_params:
        model = field.field_info.annotation
        names: Any = getattr(model, "model_fields", None) or next(
            (one.model_fields for one in getattr(model, "__args__", ()) if hasattr(one, "model_fields")), {}
        )
        bodies += ["{" + f"{json.dumps(name)}: {odd}" + "}" for name in names]
    return bodies


async def test_odd_bodies_are_refused_and_no_number_is_said_again(either_house: House) -> None:
    house = either_house
    client = await house.program()
    asked = 0
    for route in routes(house):
        if not route.path.startswith("/api/") or not route.dependant.body_params:
            continue
        for method in asked_of(route):
            for odd in ODD_JSON:
                for body in filled(route, odd):
                    kind = {"Content-Type": "application/json"}
                    answer = await client.request(method, addresses(route)[0], content=body, headers=kind)
                    asked += 1
                    assert answer.status_code < 500, f"{method} {route.path} {body[:60]}: {answer.status_code}"
                    assert "4155550123" not in answer.text
    assert asked > 20


async def test_odd_forms_are_refused(either_house: House) -> None:
    house = either_house
    client = await house.browser()
    for route in routes(house):
        fields = [field for field in route.dependant.body_params if not route.path.startswith("/api/")]
        for field in fields:
            for odd in ("%00", "%ED%A0%80", "%FF", "9" * 40, "x" * 600, "%0D%0ASet-Cookie:%20a=b", "+14155550123"):
                for address in addresses(route):
                    kind = {"Content-Type": "application/x-www-form-urlencoded"}
                    answer = await client.post(address, content=f"{field.alias}={odd}", headers=kind)
                    assert answer.status_code < 500, f"{route.path} {field.alias}={odd}: {answer.status_code}"
                    assert "set-cookie" not in {name for name in answer.headers if route.path != "/login"}


async def test_a_campaign_with_markup_in_its_name_is_shown_as_text(house: House) -> None:
    name = '<img src=x onerror="alert(1)">{{7*7}}'
    ledger = house.console.ledger
    opened = await ledger.open_campaign(replace(SPEC, name=name))
    client = await house.browser()
    await client.post(f"/campaigns/{opened.campaign_id}/start")
    program = await house.program()
    moved = await program.post(
        f"/api/v1/campaigns/{name.replace('/', '%2F')}/pause", json={"reason": "<script>1\x1b[2J"}
    )
    assert moved.status_code == 200, moved.text

    for address in ("/", f"/campaigns/{opened.campaign_id}", f"/campaigns/{opened.campaign_id}/cancel"):
        text = (await client.get(address)).text
        assert "<img" not in text
        assert "<script>1" not in text
        assert "&lt;img src=x" in text
        assert "{{7*7}}" in text


def test_a_route_that_reads_much_asks_for_an_operator(house: House) -> None:
    """The door asks so before the body is taken."""
    for route in routes(house):
        if route.path in OPEN_ROUTES:
            continue
        if (route.methods or set()) & {"POST", "PUT", "PATCH"} and most_bytes(route.path, 2**30) > SMALL_BYTES:
            assert [one.role for one in needs_of(route.dependant)] == [Role.OPERATOR], route.path
