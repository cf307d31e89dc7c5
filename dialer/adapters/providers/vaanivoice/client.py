"""The whole API of api.vaanivoice.ai, asynchronous: ``client.calls``, ``.agents``, ``.sessions``, ``.campaigns``."""

from random import Random
from typing import Self

from dialer.adapters.providers.http.client import ProviderClient
from dialer.adapters.providers.http.requests import Endpoint, ProviderHttp
from dialer.adapters.providers.vaanivoice.agents import Agents
from dialer.adapters.providers.vaanivoice.answers import key_header
from dialer.adapters.providers.vaanivoice.calls import Calls
from dialer.adapters.providers.vaanivoice.campaigns import Campaigns
from dialer.adapters.providers.vaanivoice.models import Health
from dialer.adapters.providers.vaanivoice.sessions import Sessions
from dialer.ports import Clock

BASE_URL = "https://api.vaanivoice.ai"


class VaaniVoiceApi:
    """One account at api.vaanivoice.ai. Use it as a context manager, or close it with ``aclose``.

    Reading is repeated on 429, 5xx and transport errors; what is not the same when it is done twice never is.
    Whatever goes wrong is a ProviderError with ``status``, ``code``, ``body`` and ``retry_after_s``.
    """

    def __init__(self, endpoint: Endpoint, clock: Clock, random: Random) -> None:
        self.http = ProviderHttp(endpoint, key_header(endpoint), clock, random)
        client = ProviderClient(self.http)
        self._client = client
        self.calls = Calls(client)
        self.agents = Agents(client)
        self.sessions = Sessions(client)
        self.campaigns = Campaigns(client)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def health(self) -> Health:
        """``GET /api/health``. Raises ProviderError."""
        return Health.read(await self._client.read_object("/api/health"))

    async def aclose(self) -> None:
        """Close every connection."""
        await self.http.aclose()
