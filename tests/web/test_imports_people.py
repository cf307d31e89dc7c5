"""People and settings that programs give to a campaign."""

import json
import tomllib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
import pytest_asyncio

from dialer.domain.act import By
from dialer.ports import Suppression
from tests.web.served import Served, serving

REHEARSAL = {
    "provider": "simulator",
    "agent": "rehearsal",
    "window": {"days": "always", "rules": "off", "rules_reason": "nobody is called"},
}
NAME = "Größe/50 % & more"
AT = f"/api/v1/campaigns/{quote(NAME, safe='')}"


@pytest_asyncio.fixture
async def served(tmp_path: Path, ledger_url: str) -> AsyncIterator[Served]:
    """On either engine, twice behind one ledger."""
    async with serving(tmp_path, database_url=ledger_url, servers=2) as opened:
        yield opened


@pytest_asyncio.fixture
async def program(served: Served) -> httpx.AsyncClient:
    """An operator's program."""
    return await served.program("operator")


async def add(program: httpx.AsyncClient, *people: dict[str, Any]) -> list[dict[str, Any]]:
    answer = await program.post(f"{AT}/contacts", json={"contacts": people})
    assert answer.status_code == 200, answer.text
    rows: list[dict[str, Any]] = answer.json()["contacts"]
    return rows


async def test_a_campaign_is_made_started_and_given_people(served: Served, program: httpx.AsyncClient) -> None:
    made = await program.put(AT, json=REHEARSAL)
    assert (made.status_code, made.json()["status"]) == (201, "draft")
    await served.ledger.suppress([Suppression("+14155550103", "asked")], By("tests"))
    people: list[dict[str, Any]] = [
        {"phone": "+1 415 555 0101", "name": "Asha", "variables": {"city": "Pune", "age": 41}},
        {"phone": "+14155550101"},
        {"phone": "12", "name": "Ravi"},
        {"phone": "+14155550103"},
        {"phone": 919000000001, "region": "IN"},
        {"phone": "+14155550104", "timezone": "Mars/Olympus"},
        {"phone": "+14155550105", "variables": {"do not call": "yes"}},
        {"phone": "+14155550106", "variables": {"City": "a", "city": "b"}},
    ]

    rows = await add(program, *people)

    results = ["queued", "duplicate", "invalid", "suppressed", "queued", "invalid", "suppressed", "invalid"]
    assert [row["result"] for row in rows] == results
    assert [row["row"] for row in rows] == list(range(1, 9))
    assert all(row["reason"] and row["remedy"] for row in rows if row["result"] == "invalid")
    assert (await program.get(AT)).json()["status"] == "draft", "nobody is called before its start"
    assert (await program.post(f"{AT}/start")).status_code == 200
    again = await add(program, *people)
    assert [row["result"] for row in again][:2] == ["duplicate", "duplicate"]
    report = (await program.get(AT)).json()
    assert report["import"]["queued"] == 2
    assert sum(report["import"][word] for word in ("queued", "duplicate", "suppressed", "invalid", "deferred")) == 8
    shown = [one async for one in served.ledger.contact_rows(report_id(await served.ledger.campaigns()))]
    assert shown[0].variables == {"city": "Pune", "age": "41"}


def report_id(campaigns: list[Any]) -> int:
    return int(campaigns[0].campaign_id)


async def test_who_reminds_of_an_appointment_needs_its_time(program: httpx.AsyncClient) -> None:
    reminder = REHEARSAL | {"reminder": {"event": "at", "before": ["2h"]}}
    assert (await program.put(AT, json=reminder)).status_code == 201

    rows = await add(
        program,
        {"phone": "+14155550101", "event": "2099-05-01T10:00:00+05:30"},
        {"phone": "+14155550102"},
        {"phone": "+14155550103", "event": "2020-05-01T10:00:00+05:30"},
    )

    assert [row["result"] for row in rows] == ["queued", "invalid", "deferred"]


async def test_a_campaign_that_is_over_goes_on_and_a_cancelled_one_takes_nobody(
    served: Served, program: httpx.AsyncClient
) -> None:
    await program.put(AT, json=REHEARSAL)
    await program.post(f"{AT}/start")
    campaign = (await served.ledger.campaigns())[0]
    await served.ledger.move_campaign(campaign.campaign_id, "finish", "all called")

    assert (await add(program, {"phone": "+14155550101"}))[0]["result"] == "queued"
    assert (await program.get(AT)).json()["status"] == "running"

    await program.post(f"{AT}/cancel")
    refused = await program.post(f"{AT}/contacts", json={"contacts": [{"phone": "+14155550102"}]})
    assert (refused.status_code, refused.json()["code"]) == (409, "wrong-moment")


@pytest.mark.parametrize(
    "people", [[], [{"phone": "+14155550101"}] * 1001, [{"name": "x"}], [{"phone": "1", "x": "y"}]]
)
async def test_what_is_no_list_of_people_is_refused(program: httpx.AsyncClient, people: list[dict[str, str]]) -> None:
    await program.put(AT, json=REHEARSAL)
    refused = await program.post(f"{AT}/contacts", json={"contacts": people})
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid")
    assert "/body/contacts" in refused.json()["errors"][0]["pointer"]


async def test_a_change_of_what_was_changed_meanwhile_is_refused(served: Served, program: httpx.AsyncClient) -> None:
    other = await served.program("operator", 1)
    made = await program.put(AT, json=REHEARSAL, headers={"If-None-Match": "*"})
    assert made.status_code == 201
    assert (await other.put(AT, json=REHEARSAL, headers={"If-None-Match": "*"})).status_code == 412
    read = await other.get(f"{AT}/settings")
    assert read.headers["etag"] == made.headers["etag"]

    faster = REHEARSAL | {"pace": {"calls_per_second": 2}}
    first = await program.put(AT, json=faster, headers={"If-Match": made.headers["etag"]})
    late = await other.put(AT, json=REHEARSAL, headers={"If-Match": read.headers["etag"]})

    assert (first.status_code, late.status_code) == (200, 412)
    assert late.json()["code"] == "changed-meanwhile"
    assert (await other.get(f"{AT}/settings")).json()["pace"] == {"calls_per_second": 2.0}
    unknown = await program.put("/api/v1/campaigns/none", json=REHEARSAL, headers={"If-Match": "*"})
    assert unknown.status_code == 412


async def test_the_file_and_the_settings_are_the_same_thing(program: httpx.AsyncClient) -> None:
    await program.put(AT, json=REHEARSAL | {"window": {"days": "mon,wed", "hours": "10:00-12:00, 20:00-02:00+1"}})
    toml = await program.get(f"{AT}/settings", headers={"Accept": "application/toml"})
    said = (await program.get(f"{AT}/settings")).json()

    assert tomllib.loads(toml.text) == said
    assert said["window"] == {"days": "mon,wed", "hours": "10:00-12:00, 20:00-02:00+1"}
    same = await program.put(AT, content=toml.content, headers={"Content-Type": "application/toml"})
    assert (same.status_code, same.headers["etag"]) == (200, toml.headers["etag"])


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"agent": "a", "pace": {"calls_per_secnd": 1}}, "calls_per_secnd"),
        ({"agent": "a", "pace": {"calls_per_second": "fast"}}, "calls_per_second"),
        ({"provider": "simulator"}, "agent"),
        ({"agent": "a", "name": "another"}, "another"),
        ({"agent": "a", "window": []}, "window"),
        ([], "body"),
    ],
)
async def test_what_is_wrong_in_settings_is_named(program: httpx.AsyncClient, settings: Any, named: str) -> None:
    refused = await program.put(AT, content=json.dumps(settings), headers={"Content-Type": "application/json"})
    assert (refused.status_code, refused.json()["code"]) == (422, "campaign-refused")
    assert named in refused.json()["detail"]


async def test_only_an_administrator_has_another_database_read(served: Served, program: httpx.AsyncClient) -> None:
    wanted = REHEARSAL | {"source": {"url": "sqlite:///ledger.db", "query": "SELECT phone FROM contacts"}}
    assert (await program.put(AT, json=wanted)).status_code == 403
    administrator = await served.program("admin")
    assert (await administrator.put(AT, json=wanted)).status_code == 201
    assert (await program.put(AT, json=wanted | {"pace": {"weight": 2}})).status_code == 200, "it is as it was"


async def test_people_who_are_sent_twice_under_one_key_are_answered_once(
    served: Served, program: httpx.AsyncClient
) -> None:
    await program.put(AT, json=REHEARSAL)
    other = await served.program("operator", 1)
    people = {"contacts": [{"phone": "+14155550101"}]}
    key = {"Idempotency-Key": "lead-1"}

    first = await program.post(f"{AT}/contacts", json=people, headers=key)
    again = await other.post(f"{AT}/contacts", json=people, headers=key)

    assert first.json()["contacts"][0]["result"] == "queued"
    assert again.json() == first.json()
    assert again.headers["idempotency-replayed"] == "true"
