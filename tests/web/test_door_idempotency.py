"""``Idempotency-Key``: sent twice, done once."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import APIRoute

from dialer.domain.access import Role
from dialer.web.app import Application
from dialer.web.idempotency import STEADY, honours_key
from tests.web.door_steps import House, code_of, open_house

TOKENS = "/api/v1/tokens"
NEW = {"name": "a lead form", "role": "viewer", "expires": "90d"}
KEYED = {"Idempotency-Key": "5e1b8c1e-0000-4000-8000-000000000001"}
CREATING = {"/api/v1/imports", "/api/v1/imports/{import_id}/commit", "/api/v1/campaigns/{name}/contacts",
            "/api/v1/campaigns/{name}/redial", "/api/v1/suppressions", "/api/v1/suppressions/import",
            TOKENS}  # fmt: skip


async def made(house: House) -> int:
    return sum(one.name == NEW["name"] for one in await house.console.access.tokens())


def posts(page: Application) -> list[str]:
    return [route.path for route in page.routes if isinstance(route, APIRoute) and "POST" in (route.methods or ())]


async def test_every_post_that_creates_heeds_it(house: House) -> None:
    ours = [path for path in posts(house.page) if path.startswith("/api/")]

    assert TOKENS in ours
    assert [path for path in ours if not honours_key("POST", path) and not STEADY.fullmatch(path)] == []
    assert [path for path in CREATING if not honours_key("POST", path)] == []
    assert not honours_key("POST", "/api/v1/campaigns/{name}/{verb}")
    for verb in ("start", "pause", "resume", "cancel"):
        assert not honours_key("POST", f"/api/v1/campaigns/october/{verb}")


async def test_the_document_names_it_where_it_is_heeded(house: House) -> None:
    for _ in range(2):
        for path, methods in house.page.openapi()["paths"].items():
            for method, route in methods.items():
                names = [one["name"] for one in route.get("parameters", ())]
                assert names.count("Idempotency-Key") == int(honours_key(method.upper(), path)), path


async def test_the_same_again_answers_the_same_and_does_nothing(either_house: House) -> None:
    house = either_house
    program = await house.program()
    first = await program.post(TOKENS, json=NEW, headers=KEYED)
    again = await program.post(TOKENS, json=NEW, headers=KEYED)
    quoted = await program.post(TOKENS, json=NEW, headers={"Idempotency-Key": f'"{KEYED["Idempotency-Key"]}"'})

    assert first.status_code == 201
    assert "idempotency-replayed" not in first.headers
    for answer in (again, quoted):
        assert answer.headers["idempotency-replayed"] == "true"
        assert (answer.status_code, answer.content) == (first.status_code, first.content)
        assert answer.headers["content-type"] == first.headers["content-type"]
        assert answer.headers["cache-control"] == "no-store"
    assert await made(house) == 1
    assert (await house.visitor(authorization=f"Bearer {first.json()['token']}").get("/api/v1/campaigns")).is_success


async def test_another_body_or_address_under_the_same_key_is_refused(house: House) -> None:
    program = await house.program()
    await program.post(TOKENS, json=NEW, headers=KEYED)

    for answer in (
        await program.post(TOKENS, json=NEW | {"role": "admin"}, headers=KEYED),
        await program.post(f"{TOKENS}?x=1", json=NEW, headers=KEYED),
        await program.post(TOKENS, content=json.dumps(NEW) + " ", headers=KEYED | {"Content-Type": "application/json"}),
    ):
        assert code_of(answer) == (422, "invalid")
        assert "Idempotency-Key" in answer.json()["detail"]
    assert await made(house) == 1


async def test_a_key_is_its_askers_own(house: House) -> None:
    one, other = await house.program(), house.visitor(authorization=f"Bearer {await house.token(name='other')}")
    first = await one.post(TOKENS, json=NEW, headers=KEYED)
    second = await other.post(TOKENS, json=NEW, headers=KEYED)

    assert first.json()["token_id"] != second.json()["token_id"]
    assert await made(house) == 2


async def test_who_may_not_learns_nothing_and_keeps_nothing(house: House) -> None:
    admin = await house.program()
    await admin.post(TOKENS, json=NEW, headers=KEYED)
    assert code_of(await house.visitor().post(TOKENS, json=NEW, headers=KEYED))[0] == 401
    viewer = await house.program(Role.VIEWER)
    for _ in range(2):
        refused = await viewer.post(TOKENS, json=NEW, headers=KEYED)
        assert code_of(refused) == (403, "not-allowed")
        assert "idempotency-replayed" not in refused.headers


async def test_a_revoked_token_is_answered_nothing_again(house: House) -> None:
    program = await house.program()
    first = await program.post(TOKENS, json=NEW, headers=KEYED)
    for one in await house.console.access.tokens():
        if one.name != NEW["name"]:
            await program.delete(f"{TOKENS}/{one.token_id}")

    assert first.status_code == 201
    assert (await program.post(TOKENS, json=NEW, headers=KEYED)).status_code == 401


async def test_what_was_refused_may_be_mended_under_the_same_key(house: House) -> None:
    program = await house.program()
    for wrong in (NEW | {"role": "king"}, NEW | {"expires": "soon"}, {}):
        answer = await program.post(TOKENS, json=wrong, headers=KEYED)
        assert answer.status_code == 422
        assert "idempotency-replayed" not in answer.headers

    assert (await program.post(TOKENS, json=NEW, headers=KEYED)).status_code == 201
    assert await made(house) == 1


@pytest.mark.parametrize("key", ["", " ", "x" * 256, '"', '""', "a\tb", "é", "a\x7f"])
async def test_a_key_that_is_none_is_refused(house: House, key: str) -> None:
    program = await house.program()
    answer = await program.post(TOKENS, json=NEW, headers={b"Idempotency-Key": key.encode("latin-1")})

    assert code_of(answer) == (400, "bad-request")
    assert await made(house) == 0


@pytest.mark.parametrize("key", ["x", "x" * 255, "order 17 of 3", '"x"', '"' + "y" * 255 + '"', "!~"])
async def test_a_key_may_be_any_printable_text(house: House, key: str) -> None:
    program = await house.program()
    for _ in range(2):
        assert (await program.post(TOKENS, json=NEW, headers={"Idempotency-Key": key})).status_code == 201
    assert await made(house) == 1


async def test_without_a_key_each_request_is_one(house: House) -> None:
    program = await house.program()
    for _ in range(2):
        assert (await program.post(TOKENS, json=NEW)).status_code == 201
    assert await made(house) == 2


async def test_a_pause_is_never_an_old_answer(house: House) -> None:
    program = await house.program()
    for verb, status in (("start", "running"), ("pause", "paused"), ("resume", "running"), ("pause", "paused")):
        answer = await program.post(f"/api/v1/campaigns/october/{verb}", headers=KEYED)
        assert answer.json()["status"] == status
        assert "idempotency-replayed" not in answer.headers


async def test_of_many_at_once_one_is_done(either_house: House) -> None:
    house = either_house
    program = await house.program()
    answers = await asyncio.gather(*(program.post(TOKENS, json=NEW, headers=KEYED) for _ in range(20)))

    statuses = sorted(answer.status_code for answer in answers)
    assert set(statuses) <= {201, 409}
    assert len({answer.content for answer in answers if answer.status_code == 201}) == 1
    assert await made(house) == 1


async def test_while_the_first_runs_the_second_waits_for_nothing(house: House) -> None:
    """The body of the first comes slowly; the second is answered at once."""
    program, runs, go_on = await house.program(), asyncio.Event(), asyncio.Event()

    async def slowly() -> Any:
        runs.set()  # a body is only asked for once the key is noted
        yield json.dumps(NEW).encode()[:5]
        await go_on.wait()
        yield json.dumps(NEW).encode()[5:]

    kind = KEYED | {"Content-Type": "application/json"}
    first = asyncio.create_task(program.post(TOKENS, content=slowly(), headers=kind))
    await runs.wait()
    second = await program.post(TOKENS, json=NEW, headers=KEYED)
    assert code_of(second) == (409, "conflict")
    assert second.headers["retry-after"] == "2"

    go_on.set()
    done = await first
    assert done.status_code == 201
    whole = await program.post(TOKENS, content=json.dumps(NEW), headers=kind)
    assert whole.content == done.content, "in pieces or not, it is the same body"


async def test_it_is_kept_over_a_restart(tmp_path: Path, ledger_url: str) -> None:
    async with open_house(tmp_path, ledger_url) as house:
        token = await house.token()
        first = await house.visitor(authorization=f"Bearer {token}").post(TOKENS, json=NEW, headers=KEYED)
    async with open_house(tmp_path, ledger_url) as house:
        program = house.visitor(authorization=f"Bearer {token}")
        again = await program.post(TOKENS, json=NEW, headers=KEYED)
        assert again.headers["idempotency-replayed"] == "true"
        assert again.content == first.content
        assert await made(house) == 1


async def test_two_that_serve_one_ledger_do_it_once(tmp_path: Path, ledger_url: str) -> None:
    async with open_house(tmp_path, ledger_url) as one, open_house(tmp_path, ledger_url) as two:
        headers = {"Authorization": f"Bearer {await one.token()}", **KEYED}
        doors = [one.visitor(), two.visitor()]
        answers = await asyncio.gather(*(doors[n % 2].post(TOKENS, json=NEW, headers=headers) for n in range(20)))
        assert {answer.status_code for answer in answers} <= {201, 409}
        last = [await door.post(TOKENS, json=NEW, headers=headers) for door in doors]
        assert last[0].content == last[1].content
        assert await made(one) == 1


async def test_a_session_may_use_a_key_from_our_own_page_alone(house: House) -> None:
    browser = await house.browser()
    assert (await browser.post(TOKENS, json=NEW, headers=KEYED)).status_code == 201
    assert (await browser.post(TOKENS, json=NEW, headers=KEYED)).headers["idempotency-replayed"] == "true"
    foreign = KEYED | {"Origin": "https://evil.example"}
    assert code_of(await browser.post(TOKENS, json=NEW, headers=foreign)) == (403, "not-allowed")
    assert await made(house) == 1


async def test_a_body_that_is_too_large_keeps_nothing(house: House) -> None:
    program = await house.program()
    kind = KEYED | {"Content-Type": "application/json"}

    async def pieces() -> Any:
        for _ in range(100):
            yield b" " * 1_000

    assert code_of(await program.post(TOKENS, content=pieces(), headers=kind)) == (413, "too-large")
    assert (await program.post(TOKENS, json=NEW, headers=KEYED)).status_code == 201


async def test_a_list_that_is_sent_twice_is_taken_once(either_house: House) -> None:
    """Its fingerprint is computed while it comes: nothing of it is held."""
    house = either_house
    program = await house.program(Role.OPERATOR)
    listed = b"name,Mobile Number\n" + b"".join(b"P%d,+1415555%04d\n" % (n, n) for n in range(5_000))
    kind = KEYED | {"Content-Type": "text/csv"}
    address = "/api/v1/imports?campaign=leads"
    first = await program.post(address, content=listed, headers=kind)
    again = await program.post(address, content=listed, headers=kind)
    other = await program.post(address, content=listed + b"Q,+14155559999\n", headers=kind)

    assert first.status_code == 201, first.text
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["idempotency-replayed"] == "true"
    assert code_of(other) == (422, "invalid")
    assert (await program.get(f"/api/v1/imports/{first.json()['import_id'] + 1}")).status_code == 404
