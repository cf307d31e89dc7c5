"""Dialect A's agents, as far as a dialer may touch them (wire contract, section 2.9).

The vendor documents the fields of an agent and the paths; the envelopes are ours.
"""

from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from dialer.simulator import checking
from dialer.simulator.agents import Agent
from dialer.simulator.answers import Json
from dialer.simulator.checking import iso
from dialer.simulator.operations import Operation, good, operation, refused, sent
from dialer.simulator.schemas import REAL, TEXT, TIME, WHOLE, listed, mapped, one, record
from dialer.simulator.switchboard import Refused
from dialer.simulator.vaani_desk import DIALECT, VaaniDesk

_operation = partial(operation, "2.9")
TEXTS = ("LLM_provider", "LLM_model", "STT_provider", "STT_model", "TTS_provider", "TTS_voice")
WORDS = ("system_prompt", "first_message")
FIELDS = {
    "agent_name": checking.filled,
    "phone_number": checking.number,
    **dict.fromkeys((*TEXTS, *WORDS), checking.text),
    "temperature": checking.within(0, 2),
    "max_tokens": checking.within(1, 1_000_000, whole=True),
    "max_call_duration": checking.within(1, 86_400, whole=True),
    "silence_timeout": checking.within(0, 3_600),
    "custom_functions": checking.objects,
}
DEFAULTS: dict[str, Any] = {
    **dict.fromkeys(TEXTS, "simulated"),
    **dict.fromkeys(WORDS, ""),
    "temperature": 0.7,
    "max_tokens": 250,
    "max_call_duration": 600,
    "silence_timeout": 30,
    "custom_functions": [],
}
AGENT = record(
    **mapped(("id", "agent_name", "phone_number", *TEXTS, *WORDS), TEXT),
    **mapped(("max_tokens", "max_call_duration"), WHOLE),
    **mapped(("temperature", "silence_timeout"), REAL),
    **mapped(("created_at", "updated_at"), TIME),
    custom_functions=listed({"type": "object"}),
)
LIST = one(listed(AGENT), record(agents=listed(AGENT)), record(items=listed(AGENT)), record(data=listed(AGENT)))
GONE = record(message=TEXT)


class VaaniAgents:
    """``/agents``; changes are made by a user who logged in, as the documents have it."""

    def __init__(self, desk: VaaniDesk) -> None:
        self.desk = desk

    def operations(self) -> list[Operation]:
        """What is served."""
        return [
            _operation("GET", "/agents", self.list, "Agents, newest first", good(LIST) | refused(401)),
            _operation("GET", "/agents/{agent_id}", self.get, "One agent", good(AGENT) | refused(401, 404)),
            _operation(
                "POST",
                "/agents",
                self.create,
                "Create an agent",
                good(AGENT, status=201) | refused(401, 403, 409, 422),
                body=sent(FIELDS, ("agent_name", "phone_number")),
            ),
            _operation(
                "PUT",
                "/agents/{agent_id}",
                self.update,
                "Change an agent; what is left out stays",
                good(AGENT) | refused(401, 403, 404, 409, 422),
                body=sent(FIELDS),
            ),
            _operation(
                "DELETE", "/agents/{agent_id}", self.delete, "Delete an agent", good(GONE) | refused(401, 403, 404)
            ),
        ]

    async def list(self, request: Request) -> Response:
        """Every agent; the envelope is not documented, hence a switch."""
        self.desk.let_in(request)
        shown = [_shown(agent) for agent in self.desk.board.known_agents(DIALECT).newest_first()]
        envelope = self.desk.board.options.vaani_agents
        return Json(shown if envelope == "array" else {envelope: shown})

    async def get(self, request: Request) -> Response:
        """One agent."""
        self.desk.let_in(request)
        return Json(_shown(self.desk.agent(request)))

    async def create(self, request: Request) -> Response:
        """Create an agent; its number must not be another's."""
        self.desk.let_user_in(request)
        body = await self._checked(request, ("agent_name", "phone_number"))
        board = self.desk.board
        agents, now = board.known_agents(DIALECT), board.clock.now()
        self._check_free(body["phone_number"], None)
        agent_id = agents.new_id(body["phone_number"])
        agent = Agent(agent_id, body["phone_number"], body["agent_name"], now, now)
        agents.add(agent)
        _change(agent, body)
        return Json(_shown(agent), 201)

    async def update(self, request: Request) -> Response:
        """Change what is given."""
        self.desk.let_user_in(request)
        agent = self.desk.agent(request)
        body = await self._checked(request, ())
        if body.get("phone_number") is not None:
            self._check_free(body["phone_number"], agent)
            self.desk.board.agents[DIALECT].rename(agent, body["phone_number"])
        agent.updated_at = self.desk.board.clock.now()
        _change(agent, body)
        return Json(_shown(agent))

    async def delete(self, request: Request) -> Response:
        """Delete: calls from its number are refused from now on."""
        self.desk.let_user_in(request)
        self.desk.board.agents[DIALECT].remove(self.desk.agent(request))
        return Json({"message": "Agent deleted successfully"})

    # --- parts -------------------------------------------------------------------------------------------

    async def _checked(self, request: Request, required: tuple[str, ...]) -> dict[str, Any]:
        body = await checking.json_object(request)
        checking.check_body(body, FIELDS, required)
        return body

    def _check_free(self, number: str, owner: Agent | None) -> None:
        held_by = self.desk.board.agents[DIALECT].find(number)
        if held_by is not None and held_by is not owner:
            raise Refused(409, "Phone number already registered")


def _change(agent: Agent, body: dict[str, Any]) -> None:
    agent.display_name = body.get("agent_name") or agent.display_name
    agent.config |= {name: body[name] for name in DEFAULTS if body.get(name) is not None}


def _shown(agent: Agent) -> dict[str, Any]:
    return {
        "id": agent.agent_id,
        "agent_name": agent.display_name,
        "phone_number": agent.handle,
        **DEFAULTS,
        **agent.config,
        "created_at": iso(agent.created_at),
        "updated_at": iso(agent.updated_at),
    }
