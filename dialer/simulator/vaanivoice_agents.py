"""Dialect B's agents: create, list, look at, change by section, delete (wire contract, section 3.10)."""

import re
from typing import Annotated, Any
from uuid import uuid5

from fastapi import Query
from pydantic import create_model
from starlette.responses import Response

from dialer.simulator.agents import Agent, is_id, merged
from dialer.simulator.answers import Json
from dialer.simulator.checking import Body, Filled, Free, PageNumber, invalid, iso, validated
from dialer.simulator.desk import Provider, Voice
from dialer.simulator.operations import TIME, Section, good, listed, mapped, one, record, sent
from dialer.simulator.switchboard import SPACE, Refused

DIALECT = "vaanivoice"
section = Section(DIALECT, "3.10")
PARTS = {
    "persona": ("identity", "senses_capabilities", "actions", "memories", "metadata"),
    "training": ("knowledge", "know_how"),
    "experience": ("conversational_experience", "settings"),
    "analysis": ("evaluations", "extraction"),
    "deployment": ("deployment",),
}
"""What is changed by itself, and what it has."""
AGENT = record(
    **mapped(("id", "agent_name", "display_name", "agent_language"), str), created_at=TIME, updated_at=TIME, config=dict
)
COUNTS = record(page=int, page_size=int, total=int, total_pages=int)
LIST = one(listed(AGENT), *(record(**{key: listed(AGENT)}, pagination=COUNTS) for key in ("data", "items", "agents")))
CREATED = record(agent_id=str, agent_name=str, message=str)
UPDATED = record(("agent_id", "agent_display_name"), success=bool, message=str, agent_id=str, agent_display_name=str)


class New(Body):
    """A new agent."""

    agent_display_name: Filled
    config: Free | None = None


@section.get("/api/agents", **good(LIST, 401, 422))
@section.get("/api/list-agents", **good(LIST, 401, 422))
async def agents(
    provider: Voice, search: str = "", page: PageNumber = 1, page_size: Annotated[int, Query(ge=1, le=200)] = 50
) -> Response:
    """Agents, newest first; the key of the list is not documented, hence a switch."""
    found = provider.board.known_agents(DIALECT).newest_first(search)
    shown = [_shown(agent) for agent in found[(page - 1) * page_size : page * page_size]]
    if provider.options.vaanivoice_agents == "array":
        return Json(shown)
    return Json({provider.options.vaanivoice_agents: shown, "pagination": counts(page, page_size, len(found))})


def counts(page: int, page_size: int, total: int) -> dict[str, int]:
    """The pagination of a list that is no list of calls."""
    return {"page": page, "page_size": page_size, "total": total, "total_pages": -(-total // page_size)}


@section.get("/api/agents/{agent_id}", **good(AGENT, 401, 404))
async def agent(provider: Voice, agent_id: str) -> Response:
    """One agent with its whole configuration, by id or name."""
    return Json(_shown(_found(provider, agent_id)))


@section.delete("/api/agents/{agent_id}", **good(record(message=str), 401, 404))
async def delete(provider: Voice, agent_id: str) -> Response:
    """Delete an agent, by id or name: calls through it are refused from now on."""
    provider.board.agents[DIALECT].remove(_found(provider, agent_id))
    return Json({"message": "Agent deleted successfully"})


@section.post("/api/create-agent", **good(CREATED, 401, 422))
async def create(provider: Voice, sent: New) -> Response:
    """Create an agent; its name is a slug made from the display name."""
    known, shown_as, now = provider.board.known_agents(DIALECT), sent.agent_display_name, provider.now
    slug = re.sub(r"[^a-z0-9]+", "_", shown_as.casefold()).strip("_") or "agent"
    name = known.free(lambda nth: f"{slug}_{nth}" if nth > 1 else slug)
    made = Agent(str(uuid5(SPACE, name)), name, shown_as, now, now, sent.config or {})
    known.add(made)
    return Json({"agent_id": made.agent_id, "agent_name": name, "message": "Agent created successfully"})


def _serve_part(name: str, fields: tuple[str, ...]) -> None:
    # The deployment comes wrapped once more (section 3.10), and is all there is to change.
    wrapped = name == "deployment"
    kind: Any = (Free, ...) if wrapped else (Free | None, None)
    checked = create_model(name, __base__=Body, **dict.fromkeys(fields, kind))

    async def update(provider: Voice, agent_id: str, sent: Free) -> Response:
        found = _found(provider, agent_id, adopt=True)
        validated(checked, sent)
        _check_call_minutes(name, sent)
        found.config = merged(found.config, sent if wrapped else {name: sent})
        found.updated_at = provider.now
        updated: dict[str, Any] = {"success": True, "message": f"Agent {name} updated successfully"}
        if provider.options.vaanivoice_agent_update == "both":
            updated |= {"agent_id": found.agent_id, "agent_display_name": found.display_name}
        return Json(updated)

    update.__doc__ = f"Change parts of an agent's {name}; what is left out stays."
    answers = good(UPDATED, 401, 404, 422)
    section.patch(f"/api/agent/{{agent_id}}/{name}", openapi_extra=sent(checked.model_json_schema()), **answers)(update)


for part, fields_of_part in PARTS.items():
    _serve_part(part, fields_of_part)


def _found(provider: Provider, agent_id: str, *, adopt: bool = False) -> Agent:
    """The agent; where any agent will do, ``adopt`` lets a UUID be one that was there all the time."""
    board = provider.board
    known = board.known_agents(DIALECT)
    if adopt and is_id(agent_id) and not board.options.agents:
        known.seed([agent_id], board.started_at)
    found = known.find(agent_id)
    if found is None:
        raise Refused(404, "Agent not found")
    return found


def _check_call_minutes(part: str, sent: Free) -> None:
    """``experience.settings.call_settings.max_call_duration`` is 1 to 60 minutes."""
    settings = (sent.get("settings") or {}).get("call_settings") if part == "experience" else None
    minutes = settings.get("max_call_duration") if isinstance(settings, dict) else None
    number = isinstance(minutes, int | float) and not isinstance(minutes, bool)
    if minutes is not None and not (number and 1 <= minutes <= 60):
        raise invalid("max_call_duration", "Input should be between 1 and 60")


def _shown(shown: Agent) -> dict[str, Any]:
    language = shown.config.get("agent_language")
    return {
        "id": shown.agent_id,
        "agent_name": shown.handle,
        "display_name": shown.display_name,
        "agent_language": language if isinstance(language, str) else "en",
        "created_at": iso(shown.created_at),
        "updated_at": iso(shown.updated_at),
        "config": shown.config,
    }
