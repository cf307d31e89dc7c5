"""Agents at api.vaanivoice.ai: list, show, create, update section by section, delete."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

from dialer.adapters.providers.answers.pages import items_of, pages_of
from dialer.adapters.providers.http.client import ProviderClient, segment
from dialer.adapters.providers.vaanivoice.models import Agent, AgentUpdated, CreatedAgent
from dialer.errors import UsageError

SECTIONS = ("persona", "training", "experience", "analysis", "deployment")
"""The parts of an agent's configuration that can be updated one by one."""
PAGE_SIZE = 100


class Agents:
    """``client.agents``. An agent goes by its id or by its name. Every method raises ProviderError."""

    def __init__(self, client: ProviderClient) -> None:
        self._client = client

    def list(self, search: str = "", *, page_size: int = PAGE_SIZE) -> AsyncIterator[Agent]:
        """``GET /api/agents``, every page; ``search`` looks in names and display names."""

        async def ask(page: int) -> Any:
            query = {"search": search or None, "page": page, "page_size": page_size}
            return await self._client.read("/api/agents", query)

        pages = pages_of(ask, page_size, Agent.read, lambda agent: agent.agent_id, "list of agents")
        return items_of(pages, lambda agent: agent.agent_id)

    async def get(self, agent: str) -> Agent:
        """``GET /api/agents/{id}``. Raises NotFound."""
        return Agent.read(await self._client.read_object(f"/api/agents/{segment(agent, 'agent')}"))

    async def create(self, display_name: str, config: Mapping[str, Any] | None = None) -> CreatedAgent:
        """``POST /api/create-agent``; never repeated: two make two agents."""
        body = {"agent_display_name": display_name, "config": dict(config or {})}
        return CreatedAgent.read(await self._client.write("POST", "/api/create-agent", body))

    async def update(self, agent: str, section: str, changes: Mapping[str, Any]) -> AgentUpdated:
        """``PATCH /api/agent/{id}/{section}``, one of SECTIONS; what ``changes`` leaves out stays as it is."""
        if section not in SECTIONS:
            raise UsageError(f"an agent has no section {section!r}; known are {', '.join(SECTIONS)}")
        # The vendor wraps this section, and only this one, once more.
        body = {"deployment": dict(changes)} if section == "deployment" else dict(changes)
        path = f"/api/agent/{segment(agent, 'agent')}/{section}"
        return AgentUpdated.read(await self._client.write("PATCH", path, body, again=True))

    async def delete(self, agent: str) -> str:
        """``DELETE /api/agents/{id}``; answers the vendor's message. Raises NotFound."""
        answer = await self._client.delete(f"/api/agents/{segment(agent, 'agent')}")
        return str(answer.get("message") or "")
