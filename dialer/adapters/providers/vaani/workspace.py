"""Agents and phone numbers at api.vaani.ai, as far as they are documented."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

from dialer.adapters.providers.answers.proof import Json
from dialer.adapters.providers.http.client import ProviderClient, Query, segment
from dialer.adapters.providers.vaani.lists import whole_list
from dialer.adapters.providers.vaani.models import AgentSettings, PhoneLine


class Agents:
    """``client.agents``. Every method raises ProviderError; a key of role Member may only read."""

    def __init__(self, client: ProviderClient) -> None:
        self._client = client

    def list(self) -> AsyncIterator[AgentSettings]:
        """``GET /agents``."""
        return whole_list(self._client, "/agents", AgentSettings.read, lambda one: one.agent_id, "list of agents")

    async def get(self, agent_id: str) -> AgentSettings:
        """``GET /agents/{id}``. Raises NotFound."""
        return AgentSettings.read(await self._client.read_object(_path(agent_id)))

    async def create(self, settings: Mapping[str, Any]) -> AgentSettings:
        """``POST /agents``; never repeated: two make two agents."""
        return AgentSettings.read({**settings, **await self._client.write("POST", "/agents", dict(settings))})

    async def update(self, agent_id: str, changes: Mapping[str, Any]) -> AgentSettings:
        """``PUT /agents/{id}``; what ``changes`` leaves out stays as it is."""
        answer = await self._client.write("PUT", _path(agent_id), dict(changes), again=True)
        return AgentSettings.read({"id": agent_id, **answer})

    async def delete(self, agent_id: str) -> Json:
        """``DELETE /agents/{id}``, for an Admin's login."""
        return await self._client.delete(_path(agent_id))


class Numbers:
    """``client.numbers`` (mvdocs.omind.ai/api-reference/phone-numbers): the workspace's phone numbers.

    They need a login, not a key. The paths are documented, no body is: what is given is sent as it is. Numbers are
    E.164. Every method raises ProviderError.
    """

    def __init__(self, client: ProviderClient) -> None:
        self._client = client

    def list(self) -> AsyncIterator[PhoneLine]:
        """``GET /sip``."""
        return self._lines("/sip", "list of numbers")

    def search(self, query: Query | None = None) -> AsyncIterator[PhoneLine]:
        """``GET /sip/search-numbers``: numbers that can be bought; they have no ``line_id`` yet."""
        return self._lines("/sip/search-numbers", "list of numbers for sale", query)

    async def purchase(self, phone_number: str, settings: Mapping[str, Any] | None = None) -> PhoneLine:
        """``POST /sip/purchase-number``: costs money. One request, never repeated."""
        return await self._add("/sip/purchase-number", phone_number, settings)

    async def register(self, phone_number: str, settings: Mapping[str, Any] | None = None) -> PhoneLine:
        """``POST /sip/register``: a number that is yours already; never repeated."""
        return await self._add("/sip/register", phone_number, settings)

    async def update(self, line_id: str, changes: Mapping[str, Any]) -> PhoneLine:
        """``PUT /sip/{id}``. Raises NotFound."""
        answer = await self._client.write("PUT", _line(line_id), dict(changes), again=True)
        return PhoneLine.read({"id": line_id, **answer})

    async def delete(self, line_id: str) -> Json:
        """``DELETE /sip/{id}``. Raises NotFound."""
        return await self._client.delete(_line(line_id))

    def _lines(self, path: str, what: str, query: Query | None = None) -> AsyncIterator[PhoneLine]:
        def id_of(line: PhoneLine) -> str:
            return line.line_id or line.phone_number

        return whole_list(self._client, path, PhoneLine.read, id_of, what, query=query, bare="phone_number")

    async def _add(self, path: str, phone_number: str, settings: Mapping[str, Any] | None) -> PhoneLine:
        body = {**(settings or {}), "phone_number": phone_number}
        return PhoneLine.read({"phone_number": phone_number, **await self._client.write("POST", path, body)})


def _path(agent_id: str) -> str:
    return f"/agents/{segment(agent_id, 'agent')}"


def _line(line_id: str) -> str:
    return f"/sip/{segment(line_id, 'number')}"
