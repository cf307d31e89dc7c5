"""Dialect B's agents: what the wire contract's section 3.10 promises, with state."""

from typing import Any

import pytest

from tests.simulator_support import AGENT, Line, line


async def create(it: Line, name: str = "Support Bot", config: dict[str, Any] | None = None) -> dict[str, Any]:
    body = {"agent_display_name": name, "config": config or {}}
    answer = await it.http.post("/api/create-agent", json=body)
    made: dict[str, Any] = answer.raise_for_status().json()
    return made


async def test_a_created_agent_is_found_by_id_and_by_name() -> None:
    async with line() as it:
        made = await create(it, config={"persona": {"identity": {"system_prompt": "Be kind."}}})
        by_id = (await it.http.get(f"/api/agents/{made['agent_id']}")).json()
        assert by_id == (await it.http.get(f"/api/agents/{made['agent_name']}")).json()
        assert (by_id["id"], by_id["agent_name"], by_id["display_name"]) == (
            made["agent_id"],
            "support_bot",
            "Support Bot",
        )
        assert by_id["config"]["persona"]["identity"]["system_prompt"] == "Be kind."
        assert (await create(it))["agent_name"] == "support_bot_2"


async def test_the_list_searches_and_has_pages() -> None:
    async with line() as it:
        for name in ("Sales", "Sales north", "Support"):
            await create(it, name)
        found = (await it.http.get("/api/agents", params={"search": "SALES"})).json()
        assert [agent["display_name"] for agent in found["data"]] == ["Sales north", "Sales"]
        second = (await it.http.get("/api/agents", params={"page": 2, "page_size": 3})).json()
        assert [agent["agent_name"] for agent in second["data"]] == ["simulated_agent"]
        assert second["pagination"] == {"page": 2, "page_size": 3, "total": 4, "total_pages": 2}
        assert (await it.http.get("/api/list-agents")).json() == (await it.http.get("/api/agents")).json()
        assert (await it.http.get("/api/agents", params={"page_size": 201})).status_code == 422


@pytest.mark.parametrize("envelope", ["data", "items", "agents", "array"])
async def test_the_lists_envelope_is_a_switch(envelope: str) -> None:
    async with line(vaanivoice_agents=envelope, agents=(AGENT, "named_bot", "+16505550100")) as it:
        body = (await it.http.get("/api/agents")).json()
        names = [agent["agent_name"] for agent in (body if envelope == "array" else body[envelope])]
        assert names == ["named_bot", "agent_8cf3373e"]
        assert (await it.http.get(f"/api/agents/{AGENT}")).json()["id"] == AGENT


@pytest.mark.parametrize("section", ["persona", "training", "experience", "analysis"])
async def test_a_section_is_laid_over_what_is_there(section: str) -> None:
    field = {"persona": "identity", "training": "know_how", "experience": "settings", "analysis": "extraction"}[section]
    async with line() as it:
        made = await create(it, config={section: {field: {"old": 1, "kept": {"deep": True}}}})
        path = f"/api/agent/{made['agent_id']}/{section}"
        answer = (await it.http.patch(path, json={field: {"old": 2}})).json()
        assert (answer["success"], answer["agent_id"], answer["agent_display_name"]) == (
            True,
            made["agent_id"],
            "Support Bot",
        )
        config = (await it.http.get(f"/api/agents/{made['agent_id']}")).json()["config"]
        assert config == {section: {field: {"old": 2, "kept": {"deep": True}}}}
        assert (await it.http.patch(path, json={field: "text"})).status_code == 422


async def test_the_deployment_section_is_wrapped_once_more() -> None:
    async with line(vaanivoice_agent_update="message") as it:
        made = await create(it)
        path = f"/api/agent/{made['agent_name']}/deployment"
        phone = {"phone": {"call_type": {"Outbound": ["+919000000000"]}}}
        answer = await it.http.patch(path, json={"deployment": phone})
        assert set(answer.json()) == {"success", "message"}
        assert (await it.http.get(f"/api/agents/{made['agent_id']}")).json()["config"] == {"deployment": phone}
        assert (await it.http.patch(path, json=phone)).status_code == 422


@pytest.mark.parametrize(("minutes", "status"), [(0, 422), (1, 200), (60, 200), (61, 422), ("x", 422)])
async def test_a_call_may_last_one_to_sixty_minutes(minutes: object, status: int) -> None:
    async with line() as it:
        path = f"/api/agent/{(await create(it))['agent_id']}/experience"
        body = {"settings": {"call_settings": {"max_call_duration": minutes}}}
        assert (await it.http.patch(path, json=body)).status_code == status


async def test_a_deleted_agent_takes_no_call() -> None:
    async with line() as it:
        name = (await create(it))["agent_name"]
        assert (await it.trigger(agent_id=name)).status_code == 200
        gone = await it.http.delete(f"/api/agents/{name}")
        assert gone.json() == {"message": "Agent deleted successfully"}
        assert (await it.trigger(agent_id=name)).status_code == 404
        assert (await it.http.get(f"/api/agents/{name}")).json() == {"detail": "Agent not found"}
        assert (await it.http.delete(f"/api/agents/{name}")).status_code == 404


async def test_where_agents_are_named_a_new_one_counts_too() -> None:
    async with line(agents=("somebody",), vaanivoice_unknown_agent=422) as it:
        assert (await it.trigger()).status_code == 422
        made = await create(it)
        assert (await it.trigger(agent_id=made["agent_id"])).status_code == 200


@pytest.mark.parametrize(
    "body",
    [{}, {"agent_display_name": " "}, {"agent_display_name": 1}, {"agent_display_name": "a", "config": []}],
)
async def test_an_agent_needs_a_name(body: dict[str, Any]) -> None:
    async with line() as it:
        assert (await it.http.post("/api/create-agent", json=body)).status_code == 422


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/agents"),
        ("GET", "/api/agents/x"),
        ("DELETE", "/api/agents/x"),
        ("POST", "/api/create-agent"),
        ("PATCH", "/api/agent/x/persona"),
        ("GET", "/api/stream/x"),
    ],
)
async def test_every_one_needs_a_key(method: str, path: str) -> None:
    async with line(key="another") as it:
        assert (await it.http.request(method, path)).status_code == 401
