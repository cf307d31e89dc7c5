"""A provider that answers questions about its agents and calls, for commands and pages."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from random import SystemRandom

from config import Settings
from dialer.adapters.local.simulator_process import local_simulator
from dialer.adapters.local.system_clock import SystemClock
from dialer.adapters.providers.vaani.archive import VaaniArchive
from dialer.adapters.providers.vaani.client import VaaniApi
from dialer.adapters.providers.vaanivoice.archive import VaaniVoiceArchive
from dialer.adapters.providers.vaanivoice.client import VaaniVoiceApi
from dialer.control_room import open_ledger
from dialer.domain.campaign import SIMULATOR
from dialer.errors import UsageError
from dialer.ports import CallArchive
from dialer.provider_access import endpoint_of, has_login

ANSWERING = ("vaanivoice", "vaani", SIMULATOR)
"""The providers that have a client: those of other packages place calls and tell their log, and no more."""

NO_KEY = (
    "no provider's key is set. Set DIALER_VAANIVOICE_API_KEY or DIALER_VAANI_API_KEY; or try everything without one: "
    "run `dialer simulator --port 8089` and set DIALER_VAANIVOICE_BASE_URL=http://127.0.0.1:8089 with any key"
)


@dataclass(frozen=True, slots=True)
class Reached:
    """A provider that answers questions: one of the two clients, and the archive over it."""

    name: str
    archive: CallArchive
    voice: VaaniVoiceApi | None = None
    vaani: VaaniApi | None = None

    @property
    def either(self) -> VaaniVoiceApi | VaaniApi:
        """Whichever it is."""
        api = self.voice or self.vaani
        assert api is not None
        return api

    def only_voice(self, what: str) -> VaaniVoiceApi:
        """The client of vaanivoice. Raises UsageError when ``what`` is asked of another provider."""
        if self.voice is None:
            raise UsageError(f"{self.name} has no {what}: only vaanivoice has")
        return self.voice


@asynccontextmanager
async def reach(settings: Settings, provider: str, simulator_url: str = "") -> AsyncIterator[Reached]:
    """A client of a provider; for the simulator the one at this address, or one of its own. Raises UsageError."""
    if provider not in ANSWERING:
        raise UsageError(f"the provider {provider} can be dialed, and not asked: only {', '.join(ANSWERING)} can")
    if provider == SIMULATOR and not simulator_url:
        with local_simulator() as url:
            async with _reach_at(settings, provider, url) as reached:
                yield reached
        return
    async with _reach_at(settings, provider, simulator_url) as reached:
        yield reached


@asynccontextmanager
async def _reach_at(settings: Settings, provider: str, url: str) -> AsyncIterator[Reached]:
    clock, chance = SystemClock(), SystemRandom()
    async with AsyncExitStack() as stack:
        # What a worker renewed is known here too: the tokens of the environment may be used up.
        logins = await stack.enter_async_context(open_ledger(settings)) if has_login(settings, provider) else None
        endpoint = endpoint_of(settings, provider, url, logins)
        if provider == "vaani":
            vaani = await stack.enter_async_context(VaaniApi(endpoint, clock, chance))
            yield Reached(provider, VaaniArchive(vaani), vaani=vaani)
            return
        voice = await stack.enter_async_context(VaaniVoiceApi(endpoint, clock, chance))
        yield Reached(provider, VaaniVoiceArchive(voice), voice=voice)
