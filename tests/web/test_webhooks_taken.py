"""Webhooks as they come in: what is answered, what is kept, and what nobody else gets to see."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from pydantic import SecretStr
from structlog.testing import capture_logs

from dialer.domain.access import Role
from dialer.domain.call import Placed
from tests.hook_steps import ANSWERED, NEW, OLD, hook, signed, stamped
from tests.ledger_steps import dial, outcome, running
from tests.web.door_steps import House, code_of, open_house

BODY = hook("call_ended")
LARGE = 2 * 1024 * 1024


@pytest_asyncio.fixture
async def taking(tmp_path: Path, ledger_url: str) -> AsyncIterator[House]:
    """A house that knows two secrets, on either engine."""
    secrets = SecretStr(f"{NEW}, {OLD}")
    async with open_house(
        tmp_path, ledger_url, webhook_secret=secrets, vaanivoice_api_key=SecretStr("fake-key")
    ) as opened:
        yield opened


async def send(
    house: House, body: bytes = BODY, headers: dict[str, str] | None = None, path: str = ""
) -> httpx.Response:
    secret = path or await house.console.webhooks.path()
    return await house.visitor().post(
        f"/hooks/vaanivoice/{secret}", content=body, headers=signed(body) if headers is None else headers
    )


async def kept(house: House) -> list[str]:
    return [one.event for one in await house.console.ledger.webhooks.of_calls(["room-1"])]


async def test_each_is_answered_without_a_word_and_kept_once(taking: House) -> None:
    for event in ANSWERED:
        for headers in (signed(hook(event)), signed(hook(event), OLD), signed(hook(event), header="Vaani-Signature")):
            answer = await send(taking, hook(event), headers)
            assert (answer.status_code, answer.content) == (204, b"")
    assert await kept(taking) == list(ANSWERED)


async def test_one_with_a_time_is_taken_while_it_is_fresh(taking: House) -> None:
    now = taking.console.ledger.clock.now()
    assert (await send(taking, headers=stamped(BODY, now))).status_code == 204
    assert code_of(await send(taking, headers=stamped(BODY, now - 400))) == (401, "webhook-forged")
    assert code_of(await send(taking, headers=stamped(BODY, now + 400))) == (401, "webhook-forged")


@pytest.mark.parametrize(
    ("body", "headers", "refused"),
    [
        (BODY, {}, (401, "webhook-forged")),
        (BODY, signed(BODY, "guessed"), (401, "webhook-forged")),
        (BODY + b" ", signed(BODY), (401, "webhook-forged")),
        (b"", signed(b""), (400, "bad-request")),
        (b"[]", signed(b"[]"), (400, "bad-request")),
        (b"\xff\xfe", signed(b"\xff\xfe"), (400, "bad-request")),
        (b'{"event": ""}', signed(b'{"event": ""}'), (400, "bad-request")),
        (b"[" * 100_000, signed(b"[" * 100_000), (400, "bad-request")),
    ],
)
async def test_what_is_forged_or_unreadable_is_refused_and_not_kept(
    taking: House, body: bytes, headers: dict[str, str], refused: tuple[int, str]
) -> None:
    assert code_of(await send(taking, body, headers)) == refused
    assert await kept(taking) == []
    assert await taking.console.webhooks.last() is None


async def test_as_much_as_a_long_call_says_is_taken_and_no_more(taking: House) -> None:
    whole = hook("call_postprocessing", transcript="")
    whole = hook("call_postprocessing", transcript="x" * (LARGE - len(whole)))
    assert len(whole) == LARGE
    assert (await send(taking, whole)).status_code == 204
    assert code_of(await send(taking, whole + b" ")) == (413, "too-large")


async def test_any_text_can_be_kept(taking: House) -> None:
    for odd in ("\0", "\ud800", "<b>x</b>", "🙂" * 300, "' OR 1=1 --"):
        for body in (hook(odd), hook("call_ended", odd)):
            assert (await send(taking, body)).status_code == 204


async def test_who_does_not_know_the_address_learns_nothing(taking: House) -> None:
    for path in ("a", "1" * 24, "%2e%2e", "%00", "x" * 1_500):
        assert (await send(taking, path=path)).status_code in (400, 404)
    known = await taking.console.webhooks.path()
    assert code_of(await taking.visitor().get(f"/hooks/vaanivoice/{known}")) == (405, "method-not-allowed")
    assert (await send(taking, path=f"{known}/x")).status_code == 404


async def test_what_cannot_be_kept_must_be_sent_again(taking: House) -> None:
    await taking.console.webhooks.path()
    await taking.console.ledger.aclose()
    with capture_logs() as said:
        answer = await send(taking)
    assert code_of(answer) == (503, "ledger-unavailable")
    assert answer.headers["retry-after"] == "5"
    assert "room-1" not in str(said)


async def test_the_story_says_what_came_even_before_the_call_was_known(taking: House) -> None:
    ledger = taking.console.ledger
    campaign = await running(ledger, 1)
    (call,) = await dial(ledger, campaign)
    for event in ("call_started", "call_ended"):
        await send(taking, hook(event, "call-1"), signed(hook(event, "call-1")))
    await ledger.record_sends([outcome(call, Placed("call-1"))])

    viewer = await taking.browser(Role.VIEWER)
    people = await ledger.people.of_number(call.phone)
    text = (await viewer.get(f"/people/{people[0].contact_id}")).text
    assert "webhook: call started, signed by X-Webhook-Signature" in text
    assert "webhook: call ended, signed by X-Webhook-Signature" in text
    api = await taking.program(Role.VIEWER)
    story = (await api.get(f"/api/v1/attempts/{call.attempt_id}")).json()
    assert [one["event"] for one in story["webhooks"]] == ["call_started", "call_ended"]


async def test_the_accounts_page_says_when_the_last_came_and_an_admin_where_to(taking: House) -> None:
    admin, operator = await taking.browser(Role.ADMIN), await taking.browser(Role.OPERATOR)
    before = (await admin.get("/accounts")).text
    assert "none received" in before
    path = re.search(r"/hooks/vaanivoice/([\w-]{24})<", before)
    assert path is not None
    await send(taking, path=path[1])

    for client in (admin, operator):
        text = (await client.get("/accounts")).text
        assert re.search(r"received <time [^>]*>[^<]*</time>, signed by X-Webhook-Signature", text)
        assert (path[1] in text) == (client is admin)
        assert NEW not in text
    api = await taking.program(Role.VIEWER)
    answer = await api.get("/api/v1/accounts")
    (account,) = [one for one in answer.json()["data"] if one["account"] == "vaanivoice"]
    assert (account["webhook"]["event"], account["webhook"]["signed_by"]) == ("call_ended", "X-Webhook-Signature")
    assert path[1] not in answer.text


async def test_without_a_secret_it_is_said_that_nobody_signs(house: House) -> None:
    assert (await send(house, headers={})).status_code == 204
    assert code_of(await send(house, b"nothing", {})) == (400, "bad-request")
    assert await kept(house) == []
    text = (await (await house.browser()).get("/accounts")).text
    assert "not signed: set DIALER_WEBHOOK_SECRET" in text
