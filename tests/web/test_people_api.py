"""People and the suppression list over the API, on both engines."""

import csv
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from dialer.domain.disposition import Disposition as D
from dialer.domain.suppression import hash_of
from tests.ledger_steps import REACHED, person, phone, running, spec
from tests.simulator_support import line
from tests.web.people_desk import Desk, open_desk


@pytest_asyncio.fixture
async def desk(tmp_path: Path, ledger_url: str) -> AsyncIterator[Desk]:
    async with open_desk(tmp_path, ledger_url) as opened:
        yield opened


async def test_people_come_in_pages_by_filter(desk: Desk) -> None:
    await desk.people()
    client = await desk.program()
    first = (await client.get("/campaigns/spring/contacts?limit=3")).json()
    assert [one["phone"] for one in first["data"]] == [phone(1), phone(2), phone(3)]
    assert first["has_more"] is True
    rest = (await client.get("/campaigns/spring/contacts", params={"limit": 3, "after": first["next"]})).json()
    assert ([one["phone"] for one in rest["data"]], rest["has_more"], rest["next"]) == ([phone(4)], False, None)
    later = (await client.get("/campaigns/spring/contacts?outcome=no_answer&waits=later")).json()["data"]
    assert [(one["phone"], one["status"], one["waits"]) for one in later] == [(phone(3), "active", "later")]
    assert (await client.get("/campaigns/spring/contacts?attempts=0")).json()["data"][0]["variables"] == {"plan": "p4"}
    assert (await client.get("/campaigns/spring/contacts?waits=nothing")).status_code == 422
    assert (await client.get("/campaigns/autumn/contacts")).status_code == 404


async def test_attempts_come_in_pages(desk: Desk) -> None:
    await desk.people()
    client = await desk.program()
    first = (await client.get("/campaigns/spring/attempts?limit=2")).json()
    assert [one["disposition"] for one in first["data"]] == ["answered", "no_answer"]
    rest = (await client.get("/campaigns/spring/attempts", params={"after": first["next"]})).json()
    assert [(one["phone"], one["state"]) for one in rest["data"]] == [(phone(3), "ended"), (phone(3), "planned")]
    assert rest["has_more"] is False


async def test_a_campaign_may_have_a_slash_in_its_name(desk: Desk) -> None:
    await running(desk.ledger, 1, "north/contacts day")
    client = await desk.program()
    assert len((await client.get("/campaigns/north%2Fcontacts%20day/contacts")).json()["data"]) == 1
    assert (await client.get("/campaigns/north/contacts day/attempts")).status_code == 404, "a slash is sent as %2F"


async def test_a_viewer_sees_no_number_and_may_change_nothing(desk: Desk) -> None:
    await desk.people()
    viewer = await desk.program("viewer")
    answers = [
        await viewer.get(path)
        for path in ("/campaigns/spring/contacts", "/campaigns/spring/attempts", "/contacts/1", "/attempts/1")
    ]
    assert [answer.status_code for answer in answers] == [200] * 4
    assert not any(phone(n) in answer.text for answer in answers for n in range(1, 5))
    assert answers[2].json()["phone"].endswith("*01")
    refused = [
        await viewer.request(method, path, json=body)
        for method, path, body in (
            ("POST", "/contacts/search", {"phone": phone(1)}),
            ("POST", "/campaigns/spring/redial", {"dispositions": ["no_answer"]}),
            ("GET", "/campaigns/spring/export", None),
            ("GET", "/attempts/1/transcript", None),
            ("GET", "/attempts/1/recording", None),
            ("GET", "/suppressions", None),
            ("POST", "/suppressions", {"phone": phone(1)}),
            ("DELETE", "/suppressions/1", None),
            ("POST", "/suppressions/import", None),
            ("GET", f"/suppressions/rejects/{'0' * 64}", None),
        )
    ]
    assert [answer.status_code for answer in refused] == [403] * len(refused)


async def test_one_person_with_every_call_and_who_looked(desk: Desk) -> None:
    campaign = await desk.people()
    await running(desk.ledger, 1, "autumn")
    client = await desk.program()
    found = (await client.post("/contacts/search", json={"phone": "(415) 555-0001", "region": "us"})).json()["data"]
    assert [one["phone"] for one in found] == [phone(1)] * 2
    await client.post("/suppressions", json={"phone": phone(1), "reason": "asked"})
    answer = await client.get(f"/contacts/{found[1]['contact_id']}")
    shown = answer.json()
    assert (shown["campaign"], shown["status"], shown["phone"]) == ("spring", "reached", phone(1))
    assert [one["campaign"] for one in shown["elsewhere"]] == ["autumn"]
    assert [one["disposition"] for one in shown["story"]][:1] == ["answered"]
    assert [event["after"] for event in shown["story"][0]["events"]] == ["queued", "dialing", "placed", "ended"]
    assert [one["reason"] for one in shown["suppressions"]] == ["asked"]
    await client.get(f"/contacts/{found[1]['contact_id']}")
    (look,) = await desk.acts("reveal", campaign.spec.handle)
    assert (look.subject, look.who.partition(" at ")[0]) == (hash_of(phone(1)), "operator program")
    attempt = (await client.get(f"/attempts/{shown['story'][0]['attempt_id']}")).json()
    assert attempt == shown["story"][0]
    assert (await client.get("/contacts/999")).status_code == 404
    assert (await client.get("/attempts/999")).status_code == 404
    assert (await client.get(f"/contacts/{10**30}")).status_code == 422


async def test_a_number_that_is_none_is_refused_and_not_repeated(desk: Desk) -> None:
    client = await desk.program()
    answer = await client.post("/contacts/search", json={"phone": "12345678901234567890"})
    assert answer.status_code == 422
    assert "12345678901234567890" not in answer.text


async def test_redial_says_who_and_why_not(desk: Desk) -> None:
    await desk.people()
    client = await desk.program()
    await client.post("/suppressions", json={"phone": phone(2), "reason": "asked"})
    asked = {"dispositions": ["no_answer", "answered"], "reason": "second week"}
    answer = (await client.post("/campaigns/spring/redial", json=asked)).json()
    assert answer == {
        "campaign": "spring", "dispositions": ["no_answer", "answered"], "people": 1,
        "skipped": {"suppressed: asked": 1},
    }  # fmt: skip
    assert (await client.post("/campaigns/spring/redial", json=asked)).json()["people"] == 0
    assert [act.why for act in await desk.acts("redial", "spring")] == ["second week"]
    wrong = await client.post("/campaigns/spring/redial", json={"dispositions": ["invalid_number"]})
    assert wrong.status_code == 422


async def test_an_export_is_what_the_command_writes(desk: Desk) -> None:
    campaign = await desk.ledger.open_campaign(spec())

    odd = person(1)
    await desk.ledger.add_contacts(
        campaign.campaign_id, [type(odd)(odd.phone, "=cmd()", 2, variables={"plan": "@x", "n": "1"}), person(2)]
    )
    client = await desk.program()
    answer = await client.get("/campaigns/spring/export")
    assert answer.headers["content-type"].startswith("text/csv")
    header, first, second = csv.reader(io.StringIO(answer.text))
    assert header[:4] == ["phone", "name", "key", "status"]
    assert header[-2:] == ["plan", "n"]
    assert first[:2] == [f"'{phone(1)}", "'=cmd()"]
    assert (first[-2:], second[-2:]) == (["'@x", "1"], ["p2", ""])
    lines = (await client.get("/campaigns/spring/export?format=jsonl")).text.splitlines()
    assert [json.loads(one)["name"] for one in lines] == ["=cmd()", "Person 2"]
    assert (await client.get("/campaigns/spring/export?rows=attempts")).text.startswith("attempt_id,phone,")
    assert [act.subject for act in await desk.acts("export", "spring")] == ["contacts", "contacts", "attempts"]


async def test_the_suppression_list_over_the_api(desk: Desk) -> None:
    campaign = await running(desk.ledger, 2)
    client = await desk.program()
    added = await client.post("/suppressions", json={"phones": [phone(1), "+1 415 555 0009"], "reason": "asked"})
    assert (added.json()["added"], added.json()["already_listed"]) == (2, 0)
    assert [one["phone"] for one in added.json()["data"]] == [phone(1), phone(9)]
    again = (await client.post("/suppressions", json={"phone": phone(1)})).json()
    assert (again["added"], again["already_listed"], again["data"][0]["reason"]) == (0, 1, "asked")
    statuses = (await client.get("/campaigns/spring/contacts?status=suppressed")).json()["data"]
    assert [one["phone"] for one in statuses] == [phone(1)]
    own = (await client.post("/suppressions", json={"phone": phone(2), "campaign": "spring"})).json()["data"][0]
    assert own["campaign"] == campaign.spec.name
    page = (await client.get("/suppressions?limit=2")).json()
    assert ([one["phone"] for one in page["data"]], page["has_more"]) == ([phone(2), phone(9)], True)
    rest = (await client.get("/suppressions", params={"after": page["next"]})).json()
    assert ([one["phone"] for one in rest["data"]], rest["has_more"]) == ([phone(1)], False)
    gone = await client.request("DELETE", f"/suppressions/{rest['data'][0]['id']}", json={"reason": "by mistake"})
    assert gone.json() == {"id": rest["data"][0]["id"], "removed": True}
    assert (await client.delete(f"/suppressions/{rest['data'][0]['id']}")).status_code == 404
    assert [(act.subject, act.why) for act in await desk.acts("unsuppress")] == [(hash_of(phone(1)), "by mistake")]
    assert (await client.post("/suppressions", json={})).status_code == 422


async def test_a_list_is_imported_and_its_rejects_can_be_fetched(desk: Desk) -> None:
    client = await desk.program()
    body = f"phone,reason\n{phone(1)},asked\nnobody,asked\n415 555 0002,\n"
    answer = await client.post("/suppressions/import?region=us&name=old.csv", content=body)
    document = answer.json()
    assert (document["added"], [one["row"] for one in document["invalid"]]) == (2, [3])
    entries = (await client.get("/suppressions")).json()["data"]
    assert [(one["phone"], one["reason"], one["source"]) for one in entries] == [
        (phone(2), "do not call", "old.csv"), (phone(1), "asked", "old.csv"),
    ]  # fmt: skip
    rejects = await client.get(document["rejects"].removeprefix("/api/v1"))
    assert "nobody" in rejects.text
    again = (await client.post("/suppressions/import?region=us&name=old.csv", content=body)).json()
    assert (again["added"], again["already_listed"]) == (0, 2)
    assert (await client.post("/suppressions/import", content=b"no,columns\n1,2\n")).status_code == 422
    assert list(desk.settings.home.glob("taken-*")) == []


@pytest.mark.parametrize("digest", ["..%2f..%2fledger.db", "0" * 64, "x"])
async def test_no_other_file_is_fetched_as_rejects(desk: Desk, digest: str) -> None:
    client = await desk.program()
    assert (await client.get(f"/suppressions/rejects/{digest}")).status_code == 404


async def test_what_was_said_in_a_call(tmp_path: Path, sqlite_ledger_url: str) -> None:
    async with line(recording_bytes=5000, recording_cuts=1) as at:
        call_id = (await at.trigger(phone(1))).json()["output"]["call_id"]
        at.clock.advance(60)
        provider = {"vaanivoice_base_url": at.simulator.url, "vaanivoice_api_key": "k", "plain_http": True}
        async with open_desk(tmp_path, sqlite_ledger_url, **provider) as desk:
            campaign = await running(desk.ledger, 1)
            call = await desk.call(campaign, D.ANSWERED, REACHED, call_id)
            client = await desk.program()
            said = (await client.get(f"/attempts/{call.attempt_id}/transcript")).json()
            assert said["text"].startswith("AGENT: ")
            path = f"/attempts/{call.attempt_id}/recording"
            whole = await client.get(path)
            assert (whole.status_code, len(whole.content), whole.headers["content-type"]) == (200, 5000, "audio/wav")
            part = await client.get(path, headers={"Range": "bytes=1000-1999"})
            assert (part.status_code, part.headers["content-range"]) == (206, "bytes 1000-1999/5000")
            assert part.content == whole.content[1000:2000]
            await _ends(client, path, at.simulator.url)
            words = {act.act: act.subject for act in [*await desk.acts("transcript"), *await desk.acts("recording")]}
            assert words == dict.fromkeys(("transcript", "recording"), f"attempt {call.attempt_id}")
            assert len(await desk.acts("recording")) == 1
            assert (await client.get("/attempts/999/recording")).status_code == 404


async def _ends(client: httpx.AsyncClient, path: str, provider: str) -> None:
    """The browser is given bytes, and never the provider's address."""
    answer = await client.get(path, headers={"Range": "bytes=-10"})
    assert len(answer.content) == 10
    assert provider not in str(answer.headers)
