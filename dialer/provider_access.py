"""How each provider is reached: its address, its key and its limits, read from the options that bear its name.

A provider called ``x`` has the options ``x_base_url``, ``x_api_key``, ``x_calls_per_second`` and
``x_concurrent_calls``, and may have ``x_access_token`` and ``x_refresh_token``.
"""

from collections.abc import Mapping
from random import SystemRandom
from typing import TYPE_CHECKING

import structlog
from pydantic import SecretStr

from config import Settings
from dialer.adapters.local.system_clock import SystemClock
from dialer.adapters.providers.registry import installed, is_ours, make_provider
from dialer.domain.campaign import SIMULATOR
from dialer.errors import UsageError
from dialer.ports import CallProvider, Clock, Limits, LoginStore

if TYPE_CHECKING:
    from dialer.adapters.providers.http.requests import Endpoint

log = structlog.get_logger()

REHEARSAL_KEY = "rehearsal"


def open_providers(
    settings: Settings, clock: Clock, simulator_url: str, logins: LoginStore | None = None
) -> dict[str, CallProvider]:
    """Every provider whose key is set; the simulator when it has an address. ``logins`` keeps what is renewed.

    One of another package that cannot be used is left out, and a line in the log says so.
    """
    providers = {}
    for name, entry in installed().items():
        if not (simulator_url if name == SIMULATOR else has_key(settings, name)):
            continue
        try:
            providers[name] = open_provider(settings, name, clock, simulator_url, logins)
        except UsageError as unusable:
            if is_ours(entry):
                raise
            log.error("provider.unusable", account=name, reason=str(unusable))
    return providers


def open_provider(
    settings: Settings, provider: str, clock: Clock, simulator_url: str = "", logins: LoginStore | None = None
) -> CallProvider:
    """A provider that is installed. Raises UsageError when it cannot be used."""
    return make_provider(provider, endpoint_of(settings, provider, simulator_url, logins), clock, SystemRandom())


def endpoint_of(
    settings: Settings, provider: str, simulator_url: str = "", logins: LoginStore | None = None
) -> "Endpoint":
    """Where a provider is and how patiently it is asked. Raises UsageError when that is not set."""
    from dialer.adapters.providers.http.requests import Endpoint

    rehearsal = provider == SIMULATOR
    base_url = simulator_url if rehearsal else _option(settings, provider, "base_url")
    if not base_url:
        raise UsageError(f"the provider {provider} needs its address: set DIALER_{provider.upper()}_BASE_URL")
    return Endpoint(
        base_url=base_url,
        api_key=REHEARSAL_KEY if rehearsal else _option(settings, provider, "api_key"),
        access_token=_option(settings, provider, "access_token"),
        refresh_token=_option(settings, provider, "refresh_token"),
        account=provider,
        timeout_s=settings.provider_timeout_s,
        read_timeout_s=settings.provider_timeout_s,
        retry_5xx=settings.retry_5xx,
        max_connections=settings.worker_max_calls,
        media_hosts=tuple(settings.media_hosts.replace(",", " ").split()),
        plain_http=settings.plain_http,
        logins=logins,
    )


def account_limits(settings: Settings) -> Mapping[str, Limits]:
    """Each account's limits over all campaigns; 0 is none."""
    return {
        name: Limits(
            getattr(settings, f"{name}_calls_per_second", 0.0), getattr(settings, f"{name}_concurrent_calls", 0)
        )
        for name in installed()
    }


def has_key(settings: Settings, provider: str) -> bool:
    """Whether a provider's key, or a login, is set."""
    return any(_option(settings, provider, name) for name in ("api_key", "access_token"))


def has_login(settings: Settings, provider: str) -> bool:
    """Whether a provider goes by a login that may be renewed, and not by a key."""
    return not _option(settings, provider, "api_key") and bool(_option(settings, provider, "refresh_token"))


def require_key(settings: Settings, provider: str) -> None:
    """Raises UsageError when a provider's key is not set, or its package cannot be used."""
    if provider == SIMULATOR:
        return
    if not has_key(settings, provider):
        options = [name for name in ("api_key", "access_token") if hasattr(settings, f"{provider}_{name}")]
        names = " or ".join(f"DIALER_{provider.upper()}_{name.upper()}" for name in options or ["api_key"])
        raise UsageError(f"the provider {provider} needs a key: set {names}, or use --provider simulator")
    if not is_ours(installed()[provider]):
        open_provider(settings, provider, SystemClock())


def _option(settings: Settings, provider: str, name: str) -> str:
    option = getattr(settings, f"{provider}_{name}", "")
    return option.get_secret_value() if isinstance(option, SecretStr) else str(option)
