"""Run by the Python of a separate environment that has vaani-sdk and nothing of ours.

``vendor_sdk_script.py URL calls`` prints what the vendor's client makes of the good answers, as one JSON object;
``vendor_sdk_script.py URL error NUMBER`` places one call and prints the class and status of what is raised;
``vendor_sdk_script.py URL missing`` asks for what is not there and prints the classes raised;
``vendor_sdk_script.py URL every sync|async`` calls every public method once and prints what came back, and which
methods were not called.
"""

import asyncio
import inspect
import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from vaani_sdk import AsyncVaaniClient, VaaniClient  # type: ignore[import-not-found]
from vaani_sdk.models import ModifyAgentConfig  # type: ignore[import-not-found]


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


class Watched:
    """A client or one of its namespaces that remembers which of its methods were called."""

    def __init__(self, inner: Any, called: set[str], prefix: str = "") -> None:
        self._inner, self._called, self._prefix = inner, called, prefix

    def __getattr__(self, name: str) -> Any:
        """A namespace is watched too."""
        if name in SPACES:
            return Watched(getattr(self._inner, name), self._called, f"{name}.")
        self._called.add(self._prefix + name)
        return getattr(self._inner, name)

    def missed(self) -> list[str]:
        """Public methods that nobody called."""
        names = {name for name in dir(self._inner) if not name.startswith("_")} - set(SPACES)
        for space in SPACES:
            names |= {f"{space}.{name}" for name in dir(getattr(self._inner, space)) if not name.startswith("_")}
        return sorted(names - self._called)


async def settled(value: Any) -> Any:
    """What a method of either client comes to."""
    if inspect.isawaitable(value):
        return await value
    if hasattr(value, "__aiter__"):
        return [each async for each in value]
    return list(value) if inspect.isgenerator(value) else value


def every(url: str, kind: str) -> dict[str, Any]:
    """Every public method of one of the two clients."""
    return asyncio.run(_every(url, (VaaniClient if kind == "sync" else AsyncVaaniClient)(api_key="any", base_url=url)))


async def _every(url: str, inner: Any) -> dict[str, Any]:
    client = Watched(inner, set())
    seen = {
        "base_url": client.base_url == url,
        "health": (await settled(client.health())).status,
        **await _agents(client),
        **await _calls(client),
        **await _sessions(client),
        **await _campaigns(client),
    }
    await settled(client.close() if hasattr(inner, "close") else client.aclose())
    return {**seen, "missed": client.missed()}


async def _agents(client: Any) -> dict[str, Any]:
    config = {"persona": {"identity": {"system_prompt": "Be kind."}}}
    made = await settled(client.create_agent("Every method", config))
    updates = {
        "persona": client.update_agent_persona(made.agent_id, {"identity": {"tone": "calm"}}),
        "training": client.update_agent_training(made.agent_id, {"knowledge": {"use_rag": False}}),
        "experience": client.update_agent_experience(
            made.agent_id, {"settings": {"call_settings": {"max_call_duration": 30}}}
        ),
        "analysis": client.update_agent_analysis(made.agent_id, {"evaluations": {"dispositions": {"enabled": True}}}),
        "deployment": client.update_agent_deployment(
            made.agent_id, {"deployment": {"phone": {"call_type": {"Outbound": ["+919000000000"]}}}}
        ),
    }
    updated = [(await settled(update)).agent_id for update in updates.values()]
    shown = await settled(client.agents.get(made.agent_name))
    found = await settled(client.agents.list(search="every", page=1, page_size=10))
    listed = await settled(client.list_agents(search="EVERY METHOD"))
    gone = await settled(client.delete_agent(made.agent_id))
    other = await settled(client.create_agent("Another"))
    also_gone = await settled(client.agents.delete(other.agent_name))
    return {
        "updated": set(updated) == {made.agent_id},
        "config": shown.model_dump()["config"],
        "found": [agent.id for agent in found] == [made.agent_id] == [agent.id for agent in listed],
        "gone": [gone["message"], also_gone["message"]],
    }


async def _calls(client: Any) -> dict[str, Any]:
    over = ModifyAgentConfig(persona={"identity": {"tone": "brisk"}})
    placed = await settled(client.trigger_call("bot", contact_number="+919876543210", name="Asha", modify_agent=over))
    spaced = await settled(
        client.calls.trigger("bot", "+919876543211", sip_trunk_id="t1", outbound_number="+919000000000")
    )
    browser = await settled(
        client.calls.trigger("bot", "+919876543211", medium="webrtc", voice_speed=1.2, bg_noise_volume=40)
    )
    history = await settled(client.get_call_history(page=1, page_size=2))
    again = await settled(client.calls.get_history(page=1, page_size=2))
    texts = [
        (await settled(ask(placed.call_id))).transcript
        for ask in (client.get_transcript, client.get_call_transcript, client.calls.get_transcript)
    ]
    details = [
        (await settled(ask(placed.call_id))).raw["summary"]
        for ask in (client.get_call_details, client.calls.get_details)
    ]
    audio = await settled(client.stream_audio(placed.call_id))
    pieces = await settled(client.stream_audio_iter(placed.call_id))
    return {
        "history": [record.call_id for record in history.data] == [spaced.call_id, placed.call_id],
        "pages": [history.pagination.total_count, again.pagination.total_pages],
        "token": browser.token.count("."),
        "texts": len(set(texts)),
        "details": len(set(details)),
        "audio": [audio.content_type, audio.content[:4].decode(), b"".join(pieces) == audio.content],
    }


async def _sessions(client: Any) -> dict[str, Any]:
    made = await settled(
        client.sessions.create("bot", ui_type="widget", grace_period=60, session_ttl=600, initial_message="hi")
    )
    token = made.session_token
    joined = await settled(client.sessions.connect(token))
    left = await settled(client.sessions.disconnect(token))
    back = (await settled(client.sessions.connect(token))).room_name == joined.room_name
    stands = await settled(client.sessions.get(token))
    ended = await settled(client.sessions.disconnect(token, explicit_end=True))
    try:
        await settled(client.sessions.get(token))
        after = None
    except Exception as raised:  # noqa: BLE001 - whatever escapes is the finding
        after = type(raised).__name__
    return {
        "left": [left.status, left.grace_period_ends_at is not None, back, stands.status, ended.status, after],
        "ws_url": client.sessions.ws_url(token),
    }


async def _campaigns(client: Any) -> dict[str, Any]:
    today = datetime.now(UTC).date()  # noqa: TID251 - the simulator's process runs on the machine's clock too
    waits = {"from_date": str(today + timedelta(days=2)), "to_date": str(today + timedelta(days=9))}
    config = {**CAMPAIGN, **waits}
    made = await settled(client.campaigns.create("waits", "bot", CSV, "contacts.csv", config))
    verbs = [(await settled(turn(made.id))).status for turn in (client.campaigns.pause, client.campaigns.resume)]
    changed = await settled(client.campaigns.update(made.id, {"campaign_name": "changed", "concurrency": 3}))
    verbs += [(await settled(turn(made.id))).status for turn in (client.campaigns.start, client.campaigns.stop)]
    other = await settled(client.campaigns.create("cancelled", "bot", CSV, config=config))
    verbs.append((await settled(client.campaigns.cancel(other.id))).status)
    runs = {**CAMPAIGN, "from_date": str(today), "to_date": str(today + timedelta(days=1))}
    ran = await settled(client.campaigns.create("runs", "bot", CSV, config=runs))
    status = await settled(client.campaigns.get_status(ran.id))
    results = await settled(client.campaigns.get_results(ran.id))
    listed = await settled(client.campaigns.list(page=1, page_size=2))
    return {
        "verbs": verbs,
        "changed": [changed.name, changed.status, changed.raw["call_concurrency"]],
        "ran": [status.name, status.status, status.raw["stats"]["completed"], list(results)],
        "listed": [len(listed.data), listed.pagination.page_size],
    }


SPACES = ("sessions", "calls", "agents", "campaigns")
CSV = b"name,phone_number,city\nAsha,+919876543210,Pune\nBina,9876543211,Agra\n"
CAMPAIGN = {
    "concurrency": 2,
    "start_time": "00:00",
    "end_time": "23:59",
    "days_of_week": "monday,tuesday,wednesday,thursday,friday,saturday,sunday",
}

if __name__ == "__main__":
    commands: dict[str, Callable[..., Any]] = {"calls": calls, "error": error, "missing": missing, "every": every}
    command = commands[sys.argv[2]]
    print(json.dumps(command(sys.argv[1], *sys.argv[3:])))
