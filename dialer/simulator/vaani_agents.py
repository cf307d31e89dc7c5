"""Dialect A's agents, as far as a dialer may touch them (wire contract, section 2.9).

The vendor documents the fields of an agent and the paths; the envelopes are ours. Changes are made by a user who
logged in, as the documents have it.
"""

from typing import Annotated, Any

from pydantic import Field
from starlette.responses import Response

from dialer.simulator.agents import Agent
from dialer.simulator.answers import Json
from dialer.simulator.checking import Body, Filled, Free, Phone, iso
from dialer.simulator.desk import Provider, Reader, User, known_agent
from dialer.simulator.operations import TIME, Section, good, listed, mapped, one, record
from dialer.simulator.switchboard import Refused, numbered_agent_id

section = Section("vaani", "2.9")


class Changed(Body):
    """What is changed of an agent; what is left out stays, or is as below for a new one."""

    agent_name: Filled | None = None
    phone_number: Phone | None = None
    LLM_provider: str | None = "simulated"
    LLM_model: str | None = "simulated"
    STT_provider: str | None = "simulated"
    STT_model: str | None = "simulated"
    TTS_provider: str | None = "simulated"
    TTS_voice: str | None = "simulated"
    system_prompt: str | None = ""
    first_message: str | None = ""
    temperature: Annotated[float, Field(ge=0, le=2)] | None = 0.7
    max_tokens: Annotated[int, Field(ge=1, le=1_000_000)] | None = 250
    max_call_duration: Annotated[int, Field(ge=1, le=86_400)] | None = 600
    silence_timeout: Annotated[float, Field(ge=0, le=3_600)] | None = 30
    custom_functions: list[Free] | None = Field(default=[])


class New(Changed):
    """A new agent."""

    agent_name: Filled
    phone_number: Phone


NAMES = {"agent_name", "phone_number"}
AGENT = record(
    id=str,
    **{name: str for name, field in Changed.model_fields.items() if isinstance(field.default, str | None)},
    **mapped(("max_tokens", "max_call_duration"), int),
    **mapped(("temperature", "silence_timeout"), float),
    **mapped(("created_at", "updated_at"), TIME),
    custom_functions=listed({"type": "object"}),
)
LIST = one(listed(AGENT), *(record(**{key: listed(AGENT)}) for key in ("agents", "items", "data")))


@section.get("/agents", **good(LIST, 401))
async def agents(provider: Reader) -> Response:
    """Agents, newest first; the envelope is not documented, hence a switch."""
    shown = [_shown(agent) for agent in provider.board.known_agents("vaani").newest_first()]
    envelope = provider.options.vaani_agents
    return Json(shown if envelope == "array" else {envelope: shown})


@section.get("/agents/{agent_id}", **good(AGENT, 401, 404))
async def agent(provider: Reader, agent_id: str) -> Response:
    """One agent."""
    return Json(_shown(known_agent(provider, agent_id)))


@section.post("/agents", **good(AGENT, 401, 403, 409, 422, status=201))
async def create(provider: User, sent: New) -> Response:
    """Create an agent; its number must not be another's."""
    agents, now = provider.board.known_agents("vaani"), provider.now
    _check_free(provider, sent.phone_number, None)
    agent_id = agents.free(lambda nth: numbered_agent_id(sent.phone_number + (f" {nth}" if nth > 1 else "")))
    made = Agent(agent_id, sent.phone_number, sent.agent_name, now, now)
    agents.add(made)
    made.config = sent.model_dump(exclude_unset=True, exclude=NAMES)
    return Json(_shown(made), 201)


@section.put("/agents/{agent_id}", **good(AGENT, 401, 403, 404, 409, 422))
async def update(provider: User, agent_id: str, sent: Changed) -> Response:
    """Change an agent; what is left out stays."""
    found = known_agent(provider, agent_id)
    if sent.phone_number is not None:
        _check_free(provider, sent.phone_number, found)
        provider.board.agents["vaani"].rename(found, sent.phone_number)
    found.updated_at = provider.now
    found.display_name = sent.agent_name or found.display_name
    found.config |= sent.model_dump(exclude_unset=True, exclude=NAMES)
    return Json(_shown(found))


@section.delete("/agents/{agent_id}", **good(record(message=str), 401, 403, 404))
async def delete(provider: User, agent_id: str) -> Response:
    """Delete an agent: calls from its number are refused from now on."""
    provider.board.agents["vaani"].remove(known_agent(provider, agent_id))
    return Json({"message": "Agent deleted successfully"})


def _check_free(provider: Provider, number: str, owner: Agent | None) -> None:
    if provider.board.agents["vaani"].find(number) not in (None, owner):
        raise Refused(409, "Phone number already registered")


def _shown(shown: Agent) -> dict[str, Any]:
    return {
        **Changed().model_dump(),
        **shown.config,
        "id": shown.agent_id,
        "agent_name": shown.display_name,
        "phone_number": shown.handle,
        "created_at": iso(shown.created_at),
        "updated_at": iso(shown.updated_at),
    }
