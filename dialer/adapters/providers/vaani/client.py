"""The API of api.vaani.ai, asynchronous.

``client.calls``, ``.batches``, ``.agents``, ``.files``, ``.numbers``, ``.login``.
"""

from random import Random
from typing import Self

from dialer.adapters.providers.http.client import ProviderClient
from dialer.adapters.providers.http.requests import Endpoint
from dialer.adapters.providers.vaani.batches import Batches
from dialer.adapters.providers.vaani.calls import Calls
from dialer.adapters.providers.vaani.files import Files
from dialer.adapters.providers.vaani.login import open_http
from dialer.adapters.providers.vaani.workspace import Agents, Numbers
from dialer.ports import Clock

BASE_URL = "https://api.vaani.ai"


class VaaniApi:
    """One account at api.vaani.ai. Use it as a context manager, or close it with ``aclose``.

    It asks with a key, or with a login: the endpoint's tokens, or ``await client.login.log_in(email, password)``.
    A login that runs out is renewed once; LoginExpired when that does not help.
    """

    def __init__(self, endpoint: Endpoint, clock: Clock, random: Random) -> None:
        self.http, self.login = open_http(endpoint, clock, random)
        self._client = ProviderClient(self.http)
        self.calls = Calls(self._client)
        self.batches = Batches(self._client)
        self.agents = Agents(self._client)
        self.files = Files(self._client)
        self.numbers = Numbers(self._client)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close every connection."""
        await self.http.aclose()
