"""What the answer to an outbound call says, for the dialer's own path and for the client alike."""

import re

from dialer.adapters.providers.answers.proof import Json, storable
from dialer.adapters.providers.answers.values import pick, text

PLACE_PATH = "/calls/outbound_call"
LOGS_PATH = "/calls/logs"


def find_call_id(body: Json) -> str | None:
    """An id, should the answer carry one under any name that has been seen."""
    return storable(text(pick(body, "call_log_id", "call_id", "id", "room_name"))) or None


_ACCEPTED = re.compile(
    r"\b(call|dispatch)\w*\b.{0,80}\b(initiated|placed|started|queued|accepted|dispatched|triggered|scheduled|success)"
    r"|^\W*(ok|success|successful|accepted|queued|initiated|dispatched)\W*$",
    re.IGNORECASE,
)
_FAILED = re.compile(
    r"\b(not|no|never|cannot|can't|fail\w*|error\w*|denied|refused|rejected|unable|limit|exceed\w*)\b", re.IGNORECASE
)


def accepts(body: Json) -> bool:
    """Whether an answer without an id says that the call goes out ("Outgoing call to ... initiated successfully.")."""
    if body.get("error"):
        return False
    said = [text(body.get(key)) for key in ("detail", "message", "status") if isinstance(body.get(key), str)]
    return any(map(_ACCEPTED.search, said)) and not any(map(_FAILED.search, said))
