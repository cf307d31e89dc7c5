"""Every method of both clients: how it is called, and an answer it is content with."""

import inspect
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

from dialer.adapters.providers.http.requests import Endpoint
from dialer.adapters.providers.vaani.client import VaaniApi
from dialer.adapters.providers.vaanivoice.calls import PhoneCall, WebCall
from dialer.adapters.providers.vaanivoice.campaigns import CampaignPlan
from dialer.adapters.providers.vaanivoice.client import VaaniVoiceApi
from dialer.ports import Clock
from tests.raw_server import StoppedClock, http_answer

KEY = "not-a-real-key"
PHONE_CALL = PhoneCall(agent_id="agent-1", contact_number="+14155550123")
PLAN = CampaignPlan(agent_id="agent-1", concurrency=2)
CAMPAIGN = {"id": "c1", "campaign_name": "October", "campaign_status": "active"}
BATCH: dict[str, Any] = {"name": "October", "agent_id": "ag_1", "agent_phone_number": "+14155550100"}
STATE = {"status": "active", "expires_at": "2026-11-21T10:00:00Z"}

Client = Any
Ask = Callable[[Client, Path], Awaitable[Any]]


@dataclass(frozen=True)
class Method:
    """One method. ``kind`` is read, again, once (never repeated), call (places one), file or socket."""

    api: type[VaaniVoiceApi] | type[VaaniApi]
    name: str
    kind: str
    ask: Ask
    good: Any = None

    @property
    def id(self) -> str:
        """For the test's name."""
        return f"{self.api.__name__}.{self.name}"

    @property
    def answer(self) -> bytes:
        """A whole good answer."""
        if isinstance(self.good, bytes):
            return http_answer(200, self.good, "content-type: audio/ogg\r\n")
        return http_answer(200, json.dumps(self.good).encode())

    @property
    def tries(self) -> int:
        """How often a failure that passes is tried."""
        return 1 if self.kind in {"once", "call"} else 4


async def every(items: AsyncIterator[Any]) -> list[Any]:
    """The whole of an iterator."""
    return [item async for item in items]


def csv_in(folder: Path) -> Path:
    """A list of one number."""
    path = folder / "contacts.csv"
    path.write_bytes(b"phone_number\n+14155550123\n")
    return path


def voice(name: str, kind: str, good: Any, ask: Ask) -> Method:
    return Method(VaaniVoiceApi, name, kind, ask, good)


def vaani(name: str, kind: str, good: Any, ask: Ask) -> Method:
    return Method(VaaniApi, name, kind, ask, good)


VOICE = [
    voice("health", "read", {"status": "healthy", "service": "x"}, lambda api, _: api.health()),
    voice(
        "calls.trigger",
        "call",
        {"success": True, "output": {"call_id": "outbound-1-a"}},
        lambda api, _: api.calls.trigger(PHONE_CALL),
    ),
    voice(
        "calls.open_browser_call",
        "call",
        {"token": "t", "room_name": "webrtc-1", "connection_url": "wss://example.test"},
        lambda api, _: api.calls.open_browser_call(WebCall(agent_id="agent-1")),
    ),
    voice("calls.history", "read", {"data": []}, lambda api, _: every(api.calls.history())),
    voice("calls.history_pages", "read", {"data": []}, lambda api, _: every(api.calls.history_pages())),
    voice("calls.details", "read", {"transcription": "Hi", "entity": {}}, lambda api, _: api.calls.details("c1")),
    voice("calls.transcript", "read", {"transcript": "AGENT: Hi"}, lambda api, _: api.calls.transcript("c1")),
    voice("calls.recording", "file", b"OggS", lambda api, _: api.calls.recording("c1")),
    voice("calls.save_recording", "file", b"OggS", lambda api, path: api.calls.save_recording("c1", path / "c1.ogg")),
    voice("calls.captions", "socket", None, lambda api, _: every(api.calls.captions("c1"))),
    voice("agents.list", "read", [], lambda api, _: every(api.agents.list())),
    voice("agents.get", "read", {"id": "agent-1"}, lambda api, _: api.agents.get("agent-1")),
    voice("agents.create", "once", {"agent_id": "agent-1"}, lambda api, _: api.agents.create("Bot")),
    voice("agents.update", "again", {"success": True}, lambda api, _: api.agents.update("a", "persona", {})),
    voice("agents.delete", "again", {"message": "deleted"}, lambda api, _: api.agents.delete("agent-1")),
    voice("sessions.create", "once", {"session_token": "t"}, lambda api, _: api.sessions.create("agent-1")),
    voice("sessions.connect", "once", {"lk_url": "wss://x", "lk_token": "t"}, lambda api, _: api.sessions.connect("t")),
    voice("sessions.get", "read", STATE, lambda api, _: api.sessions.get("t")),
    voice("sessions.disconnect", "again", STATE, lambda api, _: api.sessions.disconnect("t")),
    voice("sessions.events", "socket", None, lambda api, _: every(api.sessions.events("t"))),
    voice("campaigns.create", "once", CAMPAIGN, lambda api, _: api.campaigns.create("October", PLAN, b"phone\n")),
    voice("campaigns.list", "read", {"campaigns": [CAMPAIGN]}, lambda api, _: every(api.campaigns.list())),
    voice("campaigns.status", "read", CAMPAIGN, lambda api, _: api.campaigns.status("c1")),
    voice("campaigns.results", "read", {"campaign_id": "c1"}, lambda api, _: api.campaigns.results("c1")),
    voice("campaigns.save_results", "read", None, lambda api, path: api.campaigns.save_results("c1", path / "r.csv")),
    voice("campaigns.update", "again", CAMPAIGN, lambda api, _: api.campaigns.update("c1", PLAN)),
    voice("campaigns.start", "once", CAMPAIGN, lambda api, _: api.campaigns.start("c1")),
    *(
        voice(f"campaigns.{verb}", "again", CAMPAIGN, lambda api, _, verb=verb: getattr(api.campaigns, verb)("c1"))  # type: ignore[misc]
        for verb in ("pause", "resume", "stop", "cancel")
    ),
]
VAANI = [
    vaani(
        "calls.outbound_call",
        "call",
        {"detail": "initiated"},
        lambda api, _: api.calls.outbound_call("+14155550100", "+14155550123"),
    ),
    vaani("calls.logs", "read", {"call_logs": [], "total": 0}, lambda api, _: every(api.calls.logs())),
    vaani("calls.log_pages", "read", {"call_logs": [], "total": 0}, lambda api, _: every(api.calls.log_pages())),
    vaani("calls.get", "read", {"call_log_id": "c1"}, lambda api, _: api.calls.get("c1")),
    vaani("calls.export_csv", "file", b"call_log_id\n", lambda api, path: api.calls.export_csv(path / "logs.csv")),
    vaani("calls.save_recording", "read", None, lambda api, path: api.calls.save_recording("c1", path / "c1.ogg")),
    vaani(
        "calls.generate_token",
        "read",
        {"accessToken": "t"},
        lambda api, _: api.calls.generate_token("+14155550100", "s"),
    ),
    vaani("batches.upload", "once", {"id": "b"}, lambda api, path: api.batches.upload(csv_in(path), **BATCH)),
    vaani("batches.send", "once", {}, lambda api, _: api.batches.send("b")),
    vaani("batches.list", "read", [], lambda api, _: every(api.batches.list())),
    vaani("batches.get", "read", {"id": "b"}, lambda api, _: api.batches.get("b")),
    vaani("batches.items", "read", {"items": []}, lambda api, _: every(api.batches.items("b"))),
    vaani("batches.delete", "again", {}, lambda api, _: api.batches.delete("b")),
    vaani("agents.list", "read", [], lambda api, _: every(api.agents.list())),
    vaani("agents.get", "read", {"id": "a"}, lambda api, _: api.agents.get("a")),
    vaani("agents.create", "once", {"id": "a"}, lambda api, _: api.agents.create({"agent_name": "Bot"})),
    vaani("agents.update", "again", {"id": "a"}, lambda api, _: api.agents.update("a", {})),
    vaani("agents.delete", "again", {}, lambda api, _: api.agents.delete("a")),
    vaani("files.upload", "once", {}, lambda api, path: api.files.upload("a", csv_in(path))),
    vaani("files.list", "read", [], lambda api, _: every(api.files.list("a"))),
    vaani("files.delete", "again", {}, lambda api, _: api.files.delete("a", "f.txt")),
    vaani("files.query", "once", {"answer": "yes"}, lambda api, _: api.files.query("a", "open?")),
    vaani("numbers.list", "read", [], lambda api, _: every(api.numbers.list())),
    vaani("numbers.search", "read", [], lambda api, _: every(api.numbers.search())),
    vaani("numbers.purchase", "once", {}, lambda api, _: api.numbers.purchase("+14155550100")),
    vaani("numbers.register", "once", {}, lambda api, _: api.numbers.register("+14155550100")),
    vaani("numbers.update", "again", {}, lambda api, _: api.numbers.update("s", {})),
    vaani("numbers.delete", "again", {}, lambda api, _: api.numbers.delete("s")),
    vaani("login.log_in", "once", {"access_token": "t"}, lambda api, _: api.login.log_in("a@example.test", "p")),
    vaani("login.refresh", "once", {"access_token": "t"}, lambda api, _: api.login.refresh()),
    vaani("login.log_out", "once", {}, lambda api, _: api.login.log_out()),
]
METHODS = [*VOICE, *VAANI]

ENDPOINT = Endpoint(
    base_url="http://127.0.0.1:1",
    api_key=KEY,
    timeout_s=60.0,
    connect_timeout_s=60.0,
    read_timeout_s=60.0,
)


def client_at(method: Method, url: str, clock: Clock | None = None, **changes: Any) -> Client:
    """A client of the method's API, impatient, on a clock that stands."""
    return method.api(replace(ENDPOINT, base_url=url, **changes), clock or StoppedClock(), Random(1))


def voice_at(url: str, clock: Clock | None = None, **changes: Any) -> VaaniVoiceApi:
    """A client of api.vaanivoice.ai."""
    return VaaniVoiceApi(replace(ENDPOINT, base_url=url, **changes), clock or StoppedClock(), Random(1))


def vaani_at(url: str, clock: Clock | None = None, **changes: Any) -> VaaniApi:
    """A client of api.vaani.ai."""
    return VaaniApi(replace(ENDPOINT, base_url=url, **changes), clock or StoppedClock(), Random(1))


def public_methods(api: VaaniVoiceApi | VaaniApi) -> set[str]:
    """Every method of a client that asks the provider."""
    topics = {name: topic for name, topic in vars(api).items() if not name.startswith("_") and name != "http"}
    found = {"health"} if isinstance(api, VaaniVoiceApi) else set()
    for name, topic in topics.items():
        found |= {
            f"{name}.{member}"
            for member, value in inspect.getmembers(type(topic), inspect.isfunction)
            if not member.startswith("_")
        }
    return found - {"login.renew"}
