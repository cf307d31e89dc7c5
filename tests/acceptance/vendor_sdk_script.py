"""Run by the Python of a separate environment that has vaani-sdk and nothing of ours.

``vendor_sdk_script.py URL calls`` prints what the vendor's client makes of the good answers, as one JSON object;
``vendor_sdk_script.py URL error NUMBER`` places one call and prints the class and status of what is raised;
``vendor_sdk_script.py URL missing`` asks for what is not there and prints the classes raised.
"""

import asyncio
import json
import sys
from collections.abc import Callable
from typing import Any

from vaani_sdk import AsyncVaaniClient, VaaniClient  # type: ignore[import-not-found]


def calls(url: str) -> dict[str, Any]:
    """Health, trigger, history, transcript, details, test mode and a browser session, through both clients."""
    with VaaniClient(api_key="any", base_url=url) as client:
        placed = client.trigger_call(
            agent_id="agent-1", contact_number="+919876543210", name="Asha", metadata={"ref": "k1"}
        )
        history = client.get_call_history(page=1, page_size=1)
        browser = client.trigger_call(agent_id="agent-1", medium="webrtc", primary_language="en")
        trial = client.trigger_call(agent_id="agent-1", contact_number="+919876543211", name="B", test_mode=True)
        namespaced = client.calls.trigger("agent-1", "+919876543212", dnd_check_skipped=True)
        return {
            "health": client.health().status,
            "placed": placed.call_id,
            "history": [record.call_id for record in history.data],
            "metadata": history.data[0].raw["call_metadata"],
            "total": history.pagination.total,
            "pages": history.pagination.total_pages,
            "transcript": client.get_transcript(placed.call_id).transcript,
            "details": client.get_call_details(placed.call_id).raw,
            "browser": [browser.call_id, browser.connection_url],
            "trial": trial.call_id,
            "namespaced": namespaced.call_id,
            "later": asyncio.run(_async_history(url)),
        }


async def _async_history(url: str) -> list[str]:
    async with AsyncVaaniClient(api_key="any", base_url=url) as client:
        return [record.call_id for record in (await client.get_call_history()).data]


def error(url: str, number: str) -> dict[str, Any]:
    """What escapes the vendor's client, its own error or another's."""
    with VaaniClient(api_key="any", base_url=url, timeout=1.0) as client:
        try:
            client.trigger_call(agent_id="agent-1", contact_number=number, name="Asha")
        except Exception as raised:  # noqa: BLE001 - whatever escapes is the finding
            kind = type(raised)
            return {
                "raised": f"{kind.__module__.partition('.')[0]}.{kind.__name__}",
                "status": getattr(raised, "status_code", None),
            }
        return {"raised": None}


def missing(url: str) -> list[str]:
    """Transcript and details of a call that is not there."""
    names = []
    with VaaniClient(api_key="any", base_url=url) as client:
        for ask in (client.get_transcript, client.get_call_details):
            try:
                ask("outbound-0-00000000")
            except Exception as raised:  # noqa: BLE001 - whatever escapes is the finding
                names.append(type(raised).__name__)
    return names


if __name__ == "__main__":
    commands: dict[str, Callable[..., Any]] = {"calls": calls, "error": error, "missing": missing}
    command = commands[sys.argv[2]]
    print(json.dumps(command(sys.argv[1], *sys.argv[3:])))
