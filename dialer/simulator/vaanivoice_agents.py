"""Dialect B's agents: create, list, look at, change by section, delete (wire contract, section 3.10)."""

import re
from functools import partial
from typing import Any
from uuid import uuid5

from starlette.requests import Request
from starlette.responses import Response

from dialer.simulator import checking
from dialer.simulator.agents import Agent, is_id, merged
from dialer.simulator.answers import Json
from dialer.simulator.checking import Check, Whole, Word, iso
from dialer.simulator.desk import DIALECT, Desk
from dialer.simulator.operations import Operation, good, operation, refused, sent
from dialer.simulator.schemas import FLAG, FREE, TEXT, TIME, WHOLE, listed, one, record
from dialer.simulator.switchboard import SPACE, Refused

_operation = partial(operation, "3.10")

MAX_PAGE = 200
PAGE, SIZE, SEARCH = Whole("page", 1), Whole("page_size", 50, MAX_PAGE), Word("search")

NEW = {"agent_display_name": checking.filled, "config": checking.mapping}
SECTIONS: dict[str, dict[str, Check]] = {
    "persona": dict.fromkeys(("identity", "senses_capabilities", "actions", "memories", "metadata"), checking.mapping),
    "training": dict.fromkeys(("knowledge", "know_how"), checking.mapping),
    "experience": {"conversational_experience": checking.mapping, "settings": checking.mapping},
    "analysis": dict.fromkeys(("evaluations", "extraction"), checking.mapping),
    "deployment": {"deployment": checking.mapping},
}
CALL_MINUTES = checking.within(1, 60)

AGENT = record(
    id=TEXT, agent_name=TEXT, display_name=TEXT, agent_language=TEXT, created_at=TIME, updated_at=TIME, config=FREE
)
COUNTS = record(page=WHOLE, page_size=WHOLE, total=WHOLE, total_pages=WHOLE)
LIST = one(
    listed(AGENT),
    record(data=listed(AGENT), pagination=COUNTS),
    record(items=listed(AGENT), pagination=COUNTS),
    record(agents=listed(AGENT), pagination=COUNTS),
)
CREATED = record(agent_id=TEXT, agent_name=TEXT, message=TEXT)
UPDATED = record(("agent_id", "agent_display_name"), success=FLAG, message=TEXT, agent_id=TEXT, agent_display_name=TEXT)
GONE = record(message=TEXT)


class VaanivoiceAgents:
    """``/api/agents`` and its neighbours; which of the paths spells "agent" how is the vendor's."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def operations(self) -> list[Operation]:
        """What is served."""
        lists = {**good(LIST), **refused(401, 422)}
        query = (SEARCH, PAGE, SIZE)
        return [
            _operation("GET", "/api/agents", self.list, "Agents, newest first", lists, query=query),
            _operation(
                "GET", "/api/list-agents", self.list, "Agents, by the path of the documents", lists, query=query
            ),
            _operation(
                "GET", "/api/agents/{agent_id}", self.get, "One agent, by id or name", good(AGENT) | refused(401, 404)
            ),
            _operation(
                "DELETE",
                "/api/agents/{agent_id}",
                self.delete,
                "Delete an agent, by id or name",
                good(GONE) | refused(401, 404),
            ),
            _operation(
                "POST",
                "/api/create-agent",
                self.create,
                "Create an agent",
                good(CREATED) | refused(401, 422),
                body=sent(NEW, ("agent_display_name",)),
            ),
            *(self._section(name) for name in SECTIONS),
        ]

    async def list(self, request: Request) -> Response:
        """A page of agents; the key of the list is not documented, hence a switch."""
        self.desk.let_in(request)
        page, size, search = PAGE.of(request), SIZE.of(request), SEARCH.of(request) or ""
        found = self.desk.board.known_agents(DIALECT).newest_first(search)
        shown = [_shown(agent) for agent in found[(page - 1) * size : page * size]]
        envelope = self.desk.board.options.vaanivoice_agents
        if envelope == "array":
            return Json(shown)
        counts = {"page": page, "page_size": size, "total": len(found), "total_pages": -(-len(found) // size)}
        return Json({envelope: shown, "pagination": counts})

    async def get(self, request: Request) -> Response:
        """One agent with its whole configuration."""
        return Json(_shown(self._found(request)))

    async def delete(self, request: Request) -> Response:
        """Delete: calls through it are refused from now on."""
        agent = self._found(request)
        self.desk.board.agents[DIALECT].remove(agent)
        return Json({"message": "Agent deleted successfully"})

    async def create(self, request: Request) -> Response:
        """Create an agent; its name is a slug made from the display name."""
        self.desk.let_in(request)
        body = await checking.json_object(request)
        checking.check_body(body, NEW, ("agent_display_name",))
        board, shown_as = self.desk.board, body["agent_display_name"]
        agents = board.known_agents(DIALECT)
        slug = re.sub(r"[^a-z0-9]+", "_", shown_as.casefold()).strip("_") or "agent"
        number, name = 1, slug
        while agents.find(name) is not None or agents.is_gone(name):
            number += 1
            name = f"{slug}_{number}"
        now = board.clock.now()
        agent = Agent(str(uuid5(SPACE, name)), name, shown_as, now, now, body.get("config") or {})
        agents.add(agent)
        return Json({"agent_id": agent.agent_id, "agent_name": name, "message": "Agent created successfully"})

    # --- parts -------------------------------------------------------------------------------------------

    def _section(self, name: str) -> Operation:
        checks, required = SECTIONS[name], ("deployment",) if name == "deployment" else ()

        async def update(request: Request) -> Response:
            agent = self._found(request, adopt=True)
            body = await checking.json_object(request)
            checking.check_body(body, checks, required)
            _check_call_minutes(name, body)
            # The deployment section comes wrapped once more (section 3.10).
            new = body if name == "deployment" else {name: body}
            agent.config = merged(agent.config, new)
            agent.updated_at = self.desk.board.clock.now()
            return Json(self._updated(agent, name))

        answers = good(UPDATED) | refused(401, 404, 422)
        return _operation(
            "PATCH",
            f"/api/agent/{{agent_id}}/{name}",
            update,
            f"Change parts of an agent's {name}; what is left out stays",
            answers,
            body=sent(checks, required),
        )

    def _updated(self, agent: Agent, section: str) -> dict[str, Any]:
        told: dict[str, Any] = {"success": True, "message": f"Agent {section} updated successfully"}
        if self.desk.board.options.vaanivoice_agent_update == "both":
            told |= {"agent_id": agent.agent_id, "agent_display_name": agent.display_name}
        return told

    def _found(self, request: Request, *, adopt: bool = False) -> Agent:
        """The agent; where any agent will do, ``adopt`` lets a UUID be one that was there all the time."""
        self.desk.let_in(request)
        board, name = self.desk.board, request.path_params["agent_id"]
        agents = board.known_agents(DIALECT)
        if adopt and is_id(name) and not board.options.agents:
            agents.seed([name], board.started_at)
        agent = agents.find(name)
        if agent is None:
            raise Refused(404, "Agent not found")
        return agent


def _check_call_minutes(section: str, body: dict[str, Any]) -> None:
    """``experience.settings.call_settings.max_call_duration`` is 1 to 60 minutes."""
    settings = (body.get("settings") or {}).get("call_settings") if section == "experience" else None
    minutes = settings.get("max_call_duration") if isinstance(settings, dict) else None
    wrong = None if minutes is None else CALL_MINUTES.says(minutes)
    if wrong:
        raise checking.Invalid([checking.problem("body", "max_call_duration", wrong, "value_error")])


def _shown(agent: Agent) -> dict[str, Any]:
    language = agent.config.get("agent_language")
    return {
        "id": agent.agent_id,
        "agent_name": agent.handle,
        "display_name": agent.display_name,
        "agent_language": language if isinstance(language, str) else "en",
        "created_at": iso(agent.created_at),
        "updated_at": iso(agent.updated_at),
        "config": agent.config,
    }
