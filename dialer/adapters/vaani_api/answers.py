"""What the answer to an outbound call says, for the dialer's own path and for the client alike."""

from dialer.adapters.provider_answers import Json
from dialer.adapters.provider_values import pick, text

PLACE_PATH = "/calls/outbound_call"
LOGS_PATH = "/calls/logs"


def find_call_id(body: Json) -> str | None:
    """An id, should the answer carry one under any name that has been seen."""
    return text(pick(body, "call_log_id", "call_id", "id", "room_name")) or None
