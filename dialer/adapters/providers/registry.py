"""The providers that are installed, by the names that a campaign file uses.

Each is an entry point of the group ``dialer.providers``, those of this package as well as those of others, and is
imported only when it is used: see docs/providers.md.
"""

from collections.abc import Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from random import Random
from typing import TYPE_CHECKING

from dialer.domain.campaign import SIMULATOR
from dialer.errors import DialerError, UsageError
from dialer.ports import CallProvider, Clock

if TYPE_CHECKING:
    from dialer.adapters.providers.http.requests import Endpoint

GROUP = "dialer.providers"


@cache
def installed() -> Mapping[str, EntryPoint]:
    """Read once for a process, which looks into every installed package. Raises UsageError when ours are missing."""
    by_name: dict[str, EntryPoint] = {}
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: (not is_ours(entry), entry.name)):
        by_name.setdefault(entry.name, entry)  # nobody else's package takes a name of ours
    if SIMULATOR not in by_name:
        raise UsageError("the installed package dialer is older than its code: install it again (`make` does it)")
    return by_name


def make_provider(name: str, endpoint: "Endpoint", clock: Clock, random: Random) -> CallProvider:
    """A provider that is installed.

    Raises UsageError that names the package whose provider cannot be imported or is none.
    """
    entry = installed()[name]
    try:
        provider = entry.load()(endpoint, clock, random)
    except DialerError:
        raise
    except Exception as error:
        if is_ours(entry):
            raise
        raise _unusable(entry, f"{type(error).__name__}: {error}") from error
    if not isinstance(provider, CallProvider) or provider.account != endpoint.account:
        raise _unusable(entry, f"{entry.value} makes no CallProvider for the account {endpoint.account}")
    return provider


def _unusable(entry: EntryPoint, cause: str) -> UsageError:
    package = entry.dist.name if entry.dist else entry.module
    return UsageError(
        f"the provider {entry.name} of the package {package} cannot be used ({' '.join(cause.split())}): "
        f"install a version of {package} that fits, or remove it with `pip uninstall {package}`"
    )


def is_ours(entry: EntryPoint) -> bool:
    """Whether a provider is of this package."""
    return entry.value.startswith("dialer.")
