"""What an answer to a place-call request is: a person's refusal, a full account, a mishap, or everybody's trouble."""

from random import Random

import pytest

from dialer.adapters.providers.http.requests import Endpoint
from dialer.adapters.providers.vaani.adapter import Vaani
from dialer.adapters.providers.vaanivoice.adapter import VaaniVoice
from dialer.domain.call import CallRequest, NotPlaced, Placed, PlaceResult, Refused, Unknown
from dialer.domain.disposition import Disposition
from tests.provider_dialects import Provider
from tests.raw_server import Line, Permit, StoppedClock, http_answer, raw_server

REQUEST = CallRequest("token-1", "+14155550100", "+14155550123", "Ann")
BOTH: list[type[Provider]] = [VaaniVoice, Vaani]
PAGE = b"<!DOCTYPE html><html><title>Attention: your agent was not found, too many requests</title></html>"


async def answered(
    dialect: type[Provider], status: int, body: bytes | str, headers: str = "", key: str = "not-a-real-key"
) -> PlaceResult:
    async def script(line: Line) -> None:
        await line.read_request()
        await line.write(http_answer(status, body.encode() if isinstance(body, str) else body, headers))

    async with raw_server(script) as server:
        endpoint = Endpoint(base_url=server.url, api_key=key, account="vaani", timeout_s=60.0)
        provider = dialect(endpoint, StoppedClock(), Random(1))
        try:
            return await provider.place(REQUEST, Permit())
        finally:
            await provider.aclose()


@pytest.mark.parametrize("dialect", BOTH)
@pytest.mark.parametrize("status", [400, 402, 403, 404, 409, 422, 429, 503, 200])
async def test_a_full_account_is_waited_for_whatever_the_status(dialect: type[Provider], status: int) -> None:
    words = ["Concurrency limit reached", "Too many requests", "User channel limit exceeded", "throttled"]
    if status == 402:
        return
    for word in words:
        body = f'{{"success":false,"error":"{word}"}}' if status == 200 else f'{{"detail":"{word}"}}'
        result = await answered(dialect, status, body)
        assert isinstance(result, NotPlaced) and result.throttled and not result.halt, (word, result)


@pytest.mark.parametrize(
    "body",
    [
        '{"detail":"Concurrency limit reached"}',
        '{"status":"error","message":"Too many requests"}',
        '{"statusCode":429}',
        '{"code":"RATE_LIMITED","message":"no"}',
    ],
)
async def test_a_200_that_tells_of_a_limit_is_no_call_on_vaani(body: str) -> None:
    result = await answered(Vaani, 200, body)
    assert isinstance(result, NotPlaced) and result.throttled


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ('{"detail":"Outgoing call to +14155550123 initiated successfully."}', Placed),
        ('{"call_log_id":"c-1"}', Placed),
        ('{"success":true}', Placed),
        ('{"message":"Call queued"}', Placed),
        ("{}", Unknown),
        ('{"detail":"ok"}', Placed),
        ('{"detail":"ok, but who knows"}', Unknown),
        ('{"detail":"Call could not be initiated"}', Unknown),
        ('{"status":"error","message":"E17"}', Unknown),
        ('{"detail":"something else"}', Unknown),
    ],
)
async def test_a_200_is_a_call_on_vaani_only_if_it_says_so(body: str, kind: type[PlaceResult]) -> None:
    assert isinstance(await answered(Vaani, 200, body), kind)


@pytest.mark.parametrize("dialect", BOTH)
@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 422])
@pytest.mark.parametrize(
    "words", ["Calls to this country are not enabled for your account", "not allowed for this destination"]
)
async def test_one_persons_country_is_that_persons(dialect: type[Provider], status: int, words: str) -> None:
    result = await answered(dialect, status, f'{{"detail":"{words}"}}')
    assert isinstance(result, Refused) and result.disposition is Disposition.REJECTED


@pytest.mark.parametrize("dialect", BOTH)
async def test_a_limit_of_one_number_puts_off_one_call(dialect: type[Provider]) -> None:
    for status in (400, 403, 429):
        result = await answered(
            dialect, status, '{"detail":"Daily call limit for this number"}', "retry-after: 600\r\n"
        )
        assert isinstance(result, NotPlaced)
        assert (result.throttled, result.halt, result.retry_after_s) == (False, "", 600.0)


@pytest.mark.parametrize("dialect", BOTH)
@pytest.mark.parametrize(
    ("status", "body", "account"),
    [
        (422, '{"detail":[{"loc":["body","agent_id"],"msg":"bad"}]}', False),
        (400, '{"detail":"Agent is not published"}', False),
        (404, '{"detail":"Agent not found"}', False),
        (200, '{"success":false,"error":"Agent not found"}', False),
        (400, '{"detail":"From phone number is not verified"}', False),
        (400, '{"detail":"No SIP trunk is configured for this phone number"}', False),
        (403, '{"detail":"Account suspended, contact support"}', True),
        (400, '{"detail":"Your trial has expired"}', True),
        (422, '{"detail":"KYC pending"}', True),
        (402, '{"detail":"Payment Required"}', True),
        (401, '{"detail":"Your subscription has expired"}', True),
    ],
)
async def test_known_words_halt_at_once_with_a_remedy(
    dialect: type[Provider], status: int, body: str, account: bool
) -> None:
    result = await answered(dialect, status, body)
    assert isinstance(result, NotPlaced)
    assert result.halt.endswith("then `dialer start`") and not result.doubtful
    assert result.halts_account is account


@pytest.mark.parametrize("dialect", BOTH)
@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 422])
async def test_a_page_is_no_word_of_the_api(dialect: type[Provider], status: int) -> None:
    result = await answered(dialect, status, PAGE, "content-type: text/html\r\n")
    assert isinstance(result, NotPlaced)
    assert (result.doubtful, result.halt, result.retry_after_s, result.throttled) == (True, "", 1.0, False)


@pytest.mark.parametrize("dialect", BOTH)
async def test_a_redirect_names_the_place_and_the_setting(dialect: type[Provider]) -> None:
    place = "location: https://ann:secret@new.example.invalid/api/?token=abcdef\r\n"
    for status in (301, 302, 303, 307, 308):
        result = await answered(dialect, status, "<html>moved</html>", place)
        assert isinstance(result, NotPlaced)
        assert "has moved to https://new.example.invalid/api/. Set DIALER_VAANI_BASE_URL" in result.halt
        assert "secret" not in result.halt and "abcdef" not in result.halt


@pytest.mark.parametrize("dialect", BOTH)
async def test_text_of_an_answer_can_be_stored(dialect: type[Provider]) -> None:
    answers = [(401, r'{"detail":"no \ud83d key"}'), (400, r'{"detail":"Invalid phone number \u0000\ud83d"}')]
    for status, body in answers:
        result = await answered(dialect, status, body)
        reason = getattr(result, "reason", "")
        assert "\0" not in reason and reason.encode("utf-8")
    for call_id in (r"a\u0000b", r"a\ud83d"):
        result = await answered(dialect, 200, f'{{"success":true,"call_id":"{call_id}"}}')
        assert isinstance(result, Placed) and result.call_id
        assert "\0" not in result.call_id and result.call_id.encode("utf-8")


async def test_a_short_key_is_hidden_where_it_stands_alone() -> None:
    result = await answered(VaaniVoice, 401, '{"detail":"any key: any, anyway"}', key="any")
    assert isinstance(result, NotPlaced)
    assert result.reason.endswith("*** key: ***, anyway")


async def test_a_date_is_held_against_the_answers_own() -> None:
    headers = "date: Mon, 21 Sep 2026 15:13:20 GMT\r\nretry-after: Mon, 21 Sep 2026 15:13:22 GMT\r\n"
    result = await answered(VaaniVoice, 429, "{}", headers)
    assert isinstance(result, NotPlaced) and result.retry_after_s == 2.0
