"""Every provider that calls can be placed through, by the name that a campaign file uses."""

from collections.abc import Callable, Mapping
from random import Random

from dialer.adapters.provider_http import Endpoint
from dialer.adapters.vaani import Vaani
from dialer.adapters.vaanivoice import VaaniVoice
from dialer.ports import CallProvider, Clock

PROVIDERS: Mapping[str, Callable[[Endpoint, Clock, Random], CallProvider]] = {
    "vaanivoice": VaaniVoice,
    "vaani": Vaani,
    "simulator": VaaniVoice,
}
