"""Dialect A's login, agents, numbers, export and tokens (wire contract, sections 2.1, 2.5, 2.6 and 2.9)."""

import base64
import csv
import io
import json
import wave
from typing import Any

import pytest

from tests.simulator_support import AGENT_NUMBER, Line, line

PASSWORD = {"email": "a@example.com", "password": "right"}


async def log_in(it: Line) -> None:
    it.http.headers.pop("X-API-Key", None)
    (await it.http.post("/auth/login", json=PASSWORD)).raise_for_status()


async def test_a_login_lets_in_until_its_cookie_expires() -> None:
    async with line(key="another", vaani_token_s=60.0) as it:
        await log_in(it)
        assert (await it.http.get("/calls/logs")).status_code == 200
        it.clock.advance(60)
        refused = await it.http.get("/calls/logs")
        assert (refused.status_code, refused.json()) == (401, {"detail": "Invalid or missing token"})
        assert (await it.http.post("/auth/refresh")).json() == {"message": "Token refreshed", "expires_in": 60.0}
        assert (await it.outbound()).status_code == 200


async def test_refreshing_may_fail() -> None:
    async with line(vaani_refresh="fails") as it:
        await log_in(it)
        assert (await it.http.post("/auth/refresh")).status_code == 401
    async with line(vaani_refresh_s=10.0) as it:
        await log_in(it)
        it.clock.advance(10)
        assert (await it.http.post("/auth/refresh")).status_code == 401


async def test_one_token_is_not_the_other() -> None:
    async with line(key="another") as it:
        await log_in(it)
        refresh = it.http.cookies["refresh_token"]
        it.http.cookies.clear()
        assert (await it.http.get("/calls/logs", headers={"Cookie": f"access_token={refresh}"})).status_code == 401


async def test_a_logout_is_final() -> None:
    async with line() as it:
        await log_in(it)
        kept = dict(it.http.cookies)
        assert (await it.http.post("/auth/logout")).status_code == 200
        cookies = {"Cookie": "; ".join(f"{name}={value}" for name, value in kept.items())}
        assert (await it.http.get("/calls/logs", headers=cookies)).status_code == 401
        assert (await it.http.post("/auth/refresh", headers=cookies)).status_code == 401


async def test_the_password_may_be_checked() -> None:
    async with line(vaani_password="another") as it:
        assert (await it.http.post("/auth/login", json=PASSWORD)).status_code == 401
        assert (await it.http.post("/auth/login", json={"email": "a@example.com"})).status_code == 422


async def test_a_members_key_reads_only() -> None:
    async with line(vaani_members=("any",), vaani_keys_write=True) as it:
        refused = await it.outbound()
        assert (refused.status_code, refused.json()) == (403, {"detail": "Role not allowed"})
        assert (await it.http.delete("/agents/x")).status_code == 403
        assert (await it.http.get("/calls/logs")).status_code == 200
        assert it.simulator.books.calls == []


async def test_agents_are_made_and_changed_by_who_logged_in() -> None:
    async with line() as it:
        body = {"agent_name": "Reminder", "phone_number": "+16505550111", "temperature": 0.2}
        assert (await it.http.post("/agents", json=body)).status_code == 401
        await log_in(it)
        made = (await it.http.post("/agents", json=body)).json()
        assert (made["agent_name"], made["phone_number"], made["temperature"], made["max_tokens"]) == (
            "Reminder",
            "+16505550111",
            0.2,
            250,
        )
        assert (await it.http.post("/agents", json=body)).status_code == 409
        path = f"/agents/{made['id']}"
        assert (await it.http.put(path, json={"phone_number": "+16505550112"})).json()["temperature"] == 0.2
        assert (await it.http.put(path, json={"phone_number": AGENT_NUMBER})).status_code == 409
        assert (await it.http.get(path)).json()["phone_number"] == "+16505550112"
        assert [n["phone_number"] for n in (await it.http.get("/sip")).json()] == ["+16505550112", AGENT_NUMBER]
        assert (await it.http.delete(path)).status_code == 200
        assert (await it.outbound(agent_phone_number="+16505550112")).json() == {"detail": "Agent not found"}
        assert (await it.http.get(path)).status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"phone_number": "+16505550111"}, "agent_name"),
        ({"agent_name": "a"}, "phone_number"),
        ({"agent_name": "a", "phone_number": "1"}, "phone_number"),
        ({"agent_name": "a", "phone_number": "+16505550111", "temperature": 3}, "temperature"),
        ({"agent_name": "a", "phone_number": "+16505550111", "custom_functions": [1]}, "custom_functions"),
    ],
)
async def test_a_wrong_agent_is_invalid(body: dict[str, Any], field: str) -> None:
    async with line(vaani_keys_write=True) as it:
        answer = await it.http.post("/agents", json=body)
        assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, ["body", field])


@pytest.mark.parametrize("envelope", ["array", "agents", "items", "data"])
async def test_the_lists_envelope_is_a_switch(envelope: str) -> None:
    async with line(vaani_agents=envelope) as it:
        body = (await it.http.get("/agents")).json()
        (agent,) = body if envelope == "array" else body[envelope]
        assert agent["phone_number"] == AGENT_NUMBER


async def test_the_export_holds_what_the_list_holds() -> None:
    async with line() as it:
        for last in range(3):
            await it.outbound(f"+1415555012{last}")
            it.clock.advance(60)
        answer = await it.http.get("/calls/export-csv", params={"page_size": 1})
        assert answer.headers["content-type"].startswith("text/csv")
        rows = list(csv.DictReader(io.StringIO(answer.text)))
        listed = (await it.logs())["call_logs"]
        assert [row["called_number"] for row in rows] == ["+14155550122", "+14155550121", "+14155550120"]
        assert [json.loads(row["messages"]) for row in rows] == [item["messages"] for item in listed]
        nothing = await it.http.get("/calls/export-csv", params={"call_type": "web"})
        assert nothing.text.splitlines() == answer.text.splitlines()[:1]
        inbound = await it.http.get("/calls/logs", params={"call_direction": "inbound"})
        assert inbound.json()["total"] == 0


async def test_the_export_may_have_pages() -> None:
    async with line(vaani_export_paged=True) as it:
        for last in range(3):
            await it.outbound(f"+1415555012{last}")
        it.clock.advance(60)
        answer = await it.http.get("/calls/export-csv", params={"page_size": 2, "page": 2})
        assert len(answer.text.splitlines()) == 2
        assert (await it.http.get("/calls/export-csv", params={"page": 0})).status_code == 422


async def test_a_token_for_a_browser() -> None:
    async with line(agents=(AGENT_NUMBER,)) as it:
        query = {"phone": AGENT_NUMBER, "id": "session_001"}
        body = (await it.http.get("/calls/generate-token", params=query)).json()
        assert body["identity"] == "web_session_001"
        claims = json.loads(base64.urlsafe_b64decode(body["accessToken"].split(".")[1] + "=="))
        assert (claims["sub"], claims["exp"]) == ("web_session_001", it.clock.now() + 6 * 3600)
        missing = await it.http.get("/calls/generate-token", params={"phone": AGENT_NUMBER})
        assert (missing.status_code, missing.json()) == (400, {"detail": "Missing required query parameters"})
        stranger = await it.http.get("/calls/generate-token", params={"phone": "+16505550199", "id": "s"})
        assert stranger.status_code == 404


async def test_the_tokens_body_is_a_switch() -> None:
    async with line(vaani_web_body="token") as it:
        query = {"phone": AGENT_NUMBER, "id": "s"}
        assert set((await it.http.get("/calls/generate-token", params=query)).json()) == {"token"}


async def test_a_recording_is_behind_a_link_for_an_hour() -> None:
    async with line(vaani_recording_url=True) as it:
        await it.outbound()
        it.clock.advance(60)
        (item,) = (await it.logs())["call_logs"]
        assert f"/mv/2026/09/21/{item['call_log_id']}.ogg?" in item["recording_url"]
        heard = await it.http.get(item["recording_url"])
        with wave.open(io.BytesIO(heard.content)) as audio:
            assert audio.getnframes() == 80_000
        assert (await it.http.get(item["recording_url"] + "0")).status_code == 403
        it.clock.advance(3600)
        assert (await it.http.get(item["recording_url"])).status_code == 403
