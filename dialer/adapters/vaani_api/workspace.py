"""Agents and phone numbers at api.vaani.ai, as far as they are documented."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

from dialer.adapters.provider_answers import Json
from dialer.adapters.provider_client import ProviderClient, segment
from dialer.adapters.provider_pages import pages_of
from dialer.adapters.vaani_api.models import AgentSettings, PhoneLine

WHOLE = 1_000_000
"""No page is documented for these lists: whatever comes is all."""


class Agents:
    """``client.agents``. Every method raises ProviderError; a key of role Member may only read."""

    def __init__(self, client: ProviderClient) -> None:
        self._client = client

    async def list(self) -> AsyncIterator[AgentSettings]:
        """``GET /agents``."""

        async def ask(_: int) -> Any:
            return await self._client.read("/agents")

        async for page in pages_of(ask, WHOLE, AgentSettings.read, lambda one: one.agent_id, "list of agents"):
            for agent in page.items:
                yield agent

    async def get(self, agent_id: str) -> AgentSettings:
        """``GET /agents/{id}``. Raises NotFound."""
        return AgentSettings.read(await self._client.read_object(_path(agent_id)))

    async def create(self, settings: Mapping[str, Any]) -> AgentSettings:
        """``POST /agents``; never repeated: two make two agents."""
        return AgentSettings.read({**settings, **await self._client.write("POST", "/agents", dict(settings))})

    async def update(self, agent_id: str, changes: Mapping[str, Any]) -> AgentSettings:
        """``PUT /agents/{id}``; what ``changes`` leaves out stays as it is."""
        found = await self._client.write("PUT", _path(agent_id), dict(changes), again=True)
        return AgentSettings.read({"id": agent_id, **found})

    async def delete(self, agent_id: str) -> Json:
        """``DELETE /agents/{id}``, for an Admin's login."""
        return await self._client.delete(_path(agent_id))


class Numbers:
    """``client.numbers``: the workspace's phone numbers. They need a login, not a key."""

    def __init__(self, client: ProviderClient) -> None:
        self._client = client

    async def list(self) -> AsyncIterator[PhoneLine]:
        """``GET /sip``."""

        async def ask(_: int) -> Any:
            return await self._client.read("/sip")

        pages = pages_of(ask, WHOLE, PhoneLine.read, lambda one: one.line_id or one.phone_number, "list of numbers")
        async for page in pages:
            for line in page.items:
                yield line


def _path(agent_id: str) -> str:
    return f"/agents/{segment(agent_id, 'agent')}"
