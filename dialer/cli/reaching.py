"""How a command reaches a provider: which one, with which key."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from config import Settings
from dialer.cli.opening import settings as load
from dialer.cli.stopping import run
from dialer.domain.campaign import SIMULATOR
from dialer.errors import UsageError
from dialer.provider_access import has_key, require_key
from dialer.reaching import ANSWERING, NO_KEY, Reached, reach

T = TypeVar("T")


def chosen(settings: Settings, provider: str | None) -> str:
    """The provider that was named, else the only one with a key (vaanivoice before vaani). Raises UsageError."""
    if provider is not None:
        if provider not in ANSWERING:
            raise UsageError(f'--provider "{provider}" must be one of {", ".join(ANSWERING)}')
        require_key(settings, provider)
        return provider
    keyed = [name for name in ANSWERING if name != SIMULATOR and has_key(settings, name)]
    if not keyed:
        raise UsageError(NO_KEY)
    return keyed[0]


def ask(provider: str | None, use: Callable[[Reached], Awaitable[T]]) -> T:
    """Ask a provider something."""
    settings = load()
    name = chosen(settings, provider)

    async def body() -> T:
        async with reach(settings, name) as reached:
            return await use(reached)

    return run(body)
