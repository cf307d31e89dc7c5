"""Every provider that calls can be placed through, by the name that a campaign file uses."""

from collections.abc import Callable, Mapping
from random import Random

from dialer.adapters.providers.http.requests import Endpoint
from dialer.adapters.providers.vaani.adapter import Vaani
from dialer.adapters.providers.vaanivoice.adapter import VaaniVoice
from dialer.ports import CallProvider, Clock

PROVIDERS: Mapping[str, Callable[[Endpoint, Clock, Random], CallProvider]] = {
    "vaanivoice": VaaniVoice,
    "vaani": Vaani,
    "simulator": VaaniVoice,
}
