"""What the answer to a trigger says, for the dialer's own path and for the client alike: no model, no cost."""

import re

from dialer.adapters.providers.answers.proof import Json, storable
from dialer.adapters.providers.answers.values import pick, text
from dialer.adapters.providers.http.requests import Endpoint, Secret

TRIGGER_PATH = "/api/trigger-call/"
"""With the slash: without it the vendor's framework answers 307, and a followed redirect may call twice."""
HISTORY_PATH = "/api/call-history"

_CALL_ID = re.compile(r"\b(?:outbound|room)-[A-Za-z0-9-]*[A-Za-z0-9]")
_ROOM = re.compile(r"\broom(?:[ _]name)?[ :=]+[\"'`]?([A-Za-z0-9][\w.-]*\w)", re.IGNORECASE)


def find_call_id(body: Json) -> str | None:
    """The call id, at top level, in ``output``, or inside ``output``'s free text (seen in older answers)."""
    call_id = _find_call_id(body)
    return storable(call_id) if call_id else None


def _find_call_id(body: Json) -> str | None:
    output = body.get("output")
    inner = output if isinstance(output, dict) else {}
    call_id = text(pick(body, "call_id", "room_name")) or text(pick(inner, "call_id", "room_name"))
    if call_id or not isinstance(output, str):
        return call_id or None
    if output.strip() and not re.search(r"\s", output.strip()):
        return output.strip()
    match = _CALL_ID.search(output)
    if match:
        return match[0]
    match = _ROOM.search(output)
    return match[1] if match else None


def key_header(endpoint: Endpoint) -> dict[str, str]:
    """The header that says who asks."""
    return {"x-api-key": Secret(endpoint.api_key)} if endpoint.api_key else {}
