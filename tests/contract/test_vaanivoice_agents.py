"""Agents, sessions and campaigns through the client of api.vaanivoice.ai: what goes out and what comes back."""

from datetime import date, time
from pathlib import Path
from urllib.parse import parse_qsl

import pytest

from dialer.adapters.providers.vaanivoice.agents import SECTIONS
from dialer.adapters.providers.vaanivoice.campaigns import CampaignPlan
from dialer.errors import CallRefused, NotFound, RequestInvalid, UsageError
from tests.provider_api import every, voice_at
from tests.provider_dialects import serving
from tests.raw_server import Line, http_answer, raw_server

AGENT = {"id": "a1", "agent_name": "acme_bot", "display_name": "Acme", "agent_language": "en", "persona": {"x": 1}}


@pytest.mark.parametrize("envelope", ["array", "data", "items", "agents"])
async def test_agents_are_listed_in_every_envelope(envelope: str) -> None:
    body = [AGENT] if envelope == "array" else {envelope: [AGENT]}
    async with raw_server(serving(body)) as server, voice_at(server.url) as api:
        (agent,) = await every(api.agents.list("acme & co"))
    assert server.requests[0].target == "/api/agents?search=acme+%26+co&page=1&page_size=100"
    assert (agent.agent_id, agent.display_name, agent.language) == ("a1", "Acme", "en")
    assert agent.raw["persona"] == {"x": 1}


async def test_agents_are_listed_to_the_last_page() -> None:
    pages = [[{"id": f"a{page}{row}"} for row in range(2)] for page in range(2)]
    async with raw_server(serving(*pages, [{"id": "a9"}])) as server, voice_at(server.url) as api:
        found = [agent.agent_id for agent in await every(api.agents.list(page_size=2))]
    assert found == ["a00", "a01", "a10", "a11", "a9"]


async def test_an_agent_is_shown_created_and_deleted() -> None:
    answers = [AGENT, {"agent_id": "a2", "agent_name": "new_bot"}, {"message": "Agent deleted successfully"}]
    async with raw_server(serving(*answers)) as server, voice_at(server.url) as api:
        assert (await api.agents.get("acme/bot")).agent_name == "acme_bot"
        assert (await api.agents.create("New", {"persona": {}})).agent_id == "a2"
        assert await api.agents.delete("a2") == "Agent deleted successfully"
    asked = [(request.method, request.target) for request in server.requests]
    assert asked == [("GET", "/api/agents/acme%2Fbot"), ("POST", "/api/create-agent"), ("DELETE", "/api/agents/a2")]
    assert server.requests[1].json() == {"agent_display_name": "New", "config": {"persona": {}}}


@pytest.mark.parametrize("section", SECTIONS)
async def test_each_section_of_an_agent_is_updated(section: str) -> None:
    async with raw_server(serving({"success": True, "message": "updated"})) as server, voice_at(server.url) as api:
        assert (await api.agents.update("a1", section, {"x": 1})).message == "updated"
    (request,) = server.requests
    assert (request.method, request.target) == ("PATCH", f"/api/agent/a1/{section}")
    assert request.json() == ({"deployment": {"x": 1}} if section == "deployment" else {"x": 1})


async def test_an_unknown_section_is_refused_here() -> None:
    async with voice_at("http://127.0.0.1:1") as api:
        with pytest.raises(UsageError, match="persona"):
            await api.agents.update("a1", "soul", {})


async def test_a_delete_whose_first_answer_was_lost_is_done_when_the_second_finds_nothing() -> None:
    async def lose_the_first(line: Line) -> None:
        await line.read_request()
        if len(server.requests) > 1:
            await line.answer(404, b'{"detail":"Agent not found"}')

    async with raw_server(lose_the_first) as server, voice_at(server.url) as api:
        assert await api.agents.delete("a1") == ""
    async with (
        raw_server(serving(http_answer(404, b'{"detail":"Agent not found"}'))) as server,
        voice_at(server.url) as api,
    ):
        with pytest.raises(NotFound):
            await api.agents.delete("a1")


async def test_what_cannot_be_written_as_json_is_refused_before_it_leaves() -> None:
    async with voice_at("http://127.0.0.1:1") as api:
        for nonsense in ({"x": object()}, {"x": float("nan")}):
            with pytest.raises(CallRefused, match="JSON"):
                await api.agents.create("Bot", nonsense)


async def test_a_session_is_created_connected_looked_at_and_ended() -> None:
    created = {"session_token": "tok/1", "session_url": "https://x/s", "expires_at": "2026-11-21T10:30:00Z"}
    joined = {"lk_url": "wss://lk", "lk_token": "lk-1", "room_name": "room_1"}
    state = {"status": "active", "expires_at": "2026-11-21T10:30:00", "metadata": {"a": 1}}
    over = {"status": "ended", "expires_at": None, "grace_period_ends_at": None}
    async with raw_server(serving(created, created, joined, state, over)) as server, voice_at(server.url) as api:
        session = await api.sessions.create("a1")
        await api.sessions.create(
            "a1", ui_type="widget", metadata={"k": "v"}, grace_period=0, session_ttl=60, initial_message="Hi"
        )
        credentials = await api.sessions.connect(session.session_token)
        found = await api.sessions.get(session.session_token)
        ended = await api.sessions.disconnect(session.session_token, explicit_end=True)
    bodies = [request.json() if request.body else None for request in server.requests]
    assert server.requests[0].target == "/api/webrtc/session/create"
    assert bodies[0] == {"agent_id": "a1", "ui_type": "fullpage", "metadata": {}}
    assert bodies[1] == {
        "agent_id": "a1",
        "ui_type": "widget",
        "metadata": {"k": "v"},
        "grace_period": 0,
        "session_ttl": 60,
        "initial_message": "Hi",
    }
    assert bodies[2] == {"session_token": "tok/1"}
    assert server.requests[3].target == "/api/webrtc/session/status/tok%2F1"
    assert bodies[4] == {"session_token": "tok/1", "explicit_end": True}
    assert session.expires_at is not None and session.expires_at.tzinfo is not None
    # Nobody says which zone a time without one is in, so it stays without.
    assert found.expires_at is not None and found.expires_at.tzinfo is None
    assert (credentials.lk_url, credentials.lk_token, session.session_url) == ("wss://lk", "lk-1", "https://x/s")
    assert (found.is_over, ended.is_over) == (False, True)
    assert "tok/1" not in repr(session) and "lk-1" not in repr(credentials)


PLAN = CampaignPlan(
    agent_id="a1",
    concurrency=2,
    from_date=date(2026, 12, 1),
    to_date=date(2026, 12, 5),
    start_time=time(4, 30),
    end_time=time(12, 0),
    days_of_week=("Monday", "Tuesday"),
    perform_dnd_check=True,
    max_retries=3,
    retry_delay_mins=30,
    notification_emails=("a@example.test", "b@example.test"),
    campaign_webhook_url="https://example.test/c",
    per_call_webhook_url="https://example.test/p",
)
FIELDS = {
    "agent_id": "a1",
    "concurrency": "2",
    "from_date": "2026-12-01",
    "to_date": "2026-12-05",
    "start_time": "04:30",
    "end_time": "12:00",
    "days_of_week": "Monday,Tuesday",
    "perform_dnd_check": "true",
    "max_retries": "3",
    "retry_delay_mins": "30",
    "notification_emails": "a@example.test,b@example.test",
    "campaign_webhook_url": "https://example.test/c",
    "per_call_webhook_url": "https://example.test/p",
}


async def test_a_campaign_is_created_with_its_file() -> None:
    answer = {"id": "c1", "campaign_name": "October", "campaign_status": "active", "call_concurrency": 2}
    async with raw_server(serving(answer)) as server, voice_at(server.url) as api:
        campaign = await api.campaigns.create("October", PLAN, b"name,phone\nAnn,+14155550123\n", "list.csv")
    (request,) = server.requests
    assert (request.method, request.target) == ("POST", "/api/campaigns/create")
    kind, _, boundary = request.headers["content-type"].partition("; boundary=")
    assert kind == "multipart/form-data"
    parts = [part.partition(b"\r\n\r\n") for part in request.body.split(b"--" + boundary.encode())[1:-1]]
    assert len(parts) == len(FIELDS) + 3
    for name, value in {**FIELDS, "campaign_name": "October", "name": "October"}.items():
        assert any(f'name="{name}"'.encode() in head and body.strip() == value.encode() for head, _, body in parts)
    head, _, body = parts[-1]
    assert b'name="csv_file"; filename="list.csv"' in head
    assert body == b"name,phone\nAnn,+14155550123\n\r\n"
    assert (campaign.campaign_id, campaign.name, campaign.status, campaign.call_concurrency) == (
        "c1",
        "October",
        "active",
        2,
    )


async def test_a_campaign_is_updated_with_a_form() -> None:
    async with raw_server(serving({"campaign_id": "c1", "status": "paused"})) as server, voice_at(server.url) as api:
        campaign = await api.campaigns.update("c1", PLAN, name="November")
    (request,) = server.requests
    assert (request.method, request.target) == ("PUT", "/api/campaigns/c1")
    assert dict(parse_qsl(request.body.decode())) == {"campaign_name": "November", **FIELDS}
    assert (campaign.campaign_id, campaign.status) == ("c1", "paused")


@pytest.mark.parametrize("verb", ["start", "pause", "resume", "stop", "cancel"])
async def test_a_campaign_is_moved(verb: str) -> None:
    async with raw_server(serving({"status": verb})) as server, voice_at(server.url) as api:
        campaign = await getattr(api.campaigns, verb)("c1")
    (request,) = server.requests
    assert (request.method, request.target, request.json()) == ("POST", f"/api/campaigns/c1/{verb}", {})
    assert (campaign.campaign_id, campaign.status) == ("c1", verb)


@pytest.mark.parametrize("envelope", ["campaigns", "data", "items"])
async def test_campaigns_are_listed_under_every_key(envelope: str) -> None:
    body = {envelope: [{"id": "c1"}], "pagination": {"total_pages": 1}}
    async with raw_server(serving(body)) as server, voice_at(server.url) as api:
        assert [one.campaign_id for one in await every(api.campaigns.list("active"))] == ["c1"]
    assert server.requests[0].target == "/api/campaigns/?page=1&page_size=100&status=active"


async def test_the_results_of_a_campaign_are_saved_without_giving_the_key_away(tmp_path: Path) -> None:
    async with raw_server(serving(http_answer(200, b"name\nAnn\n"))) as store:
        link = {"campaign_id": "c1", "results_url": f"{store.url}/r.csv?sig=1", "post_processing_status": "completed"}
        async with raw_server(serving(link)) as server, voice_at(server.url) as api:
            saved = await api.campaigns.save_results("c1", tmp_path / "r.csv")
    assert saved.path.read_bytes() == b"name\nAnn\n"
    assert store.requests[0].target == "/r.csv?sig=1"
    assert "x-api-key" not in store.requests[0].headers


async def test_the_vendors_codes_are_kept() -> None:
    early = http_answer(404, b'{"status_code":404,"error":"Not Found","message":"soon","code":"RESULTS_NOT_READY"}')
    window = http_answer(422, b'{"status_code":422,"message":"outside","code":"INVALID_TIME_WINDOW"}')
    async with raw_server(serving(early, window)) as server, voice_at(server.url) as api:
        with pytest.raises(NotFound) as caught:
            await api.campaigns.results("c1")
        assert caught.value.code == "RESULTS_NOT_READY"
        with pytest.raises(RequestInvalid) as refused:
            await api.campaigns.create("October", PLAN, b"phone\n")
        assert refused.value.code == "INVALID_TIME_WINDOW"
