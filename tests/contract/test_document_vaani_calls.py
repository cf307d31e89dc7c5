"""Of the vendor's page mvdocs.omind.ai/api-reference/calls: who is let in, and its table of errors.

docs/providers.md links each row of the page to its test; the other rows are judged in ``test_vaani_api.py``.
"""

import pytest

from dialer.errors import AgentMissing, KeyRefused, NotFound, ProviderError, RequestInvalid
from tests.provider_api import every, vaani_at
from tests.provider_dialects import serving
from tests.raw_server import http_answer, raw_server

AGENT, PERSON = "+16505551234", "+14155559876"
LOGS = {"call_logs": [], "total": 0}


async def test_authentication_by_jwt_cookie() -> None:
    async with raw_server(serving(LOGS)) as server, vaani_at(server.url, api_key="", access_token="YOUR") as api:
        await every(api.calls.logs())
    assert server.requests[0].headers["cookie"] == "access_token=YOUR"
    assert "x-api-key" not in server.requests[0].headers


async def test_authentication_by_api_key() -> None:
    async with raw_server(serving(LOGS)) as server, vaani_at(server.url, api_key="k-1") as api:
        await every(api.calls.logs())
    assert server.requests[0].headers["x-api-key"] == "k-1"
    assert "cookie" not in server.requests[0].headers


@pytest.mark.parametrize(
    ("status", "detail", "kind", "placing"),
    [
        (400, "Invalid phone number format", RequestInvalid, True),
        (401, "Invalid or missing token", KeyRefused, False),
        (404, "Call log not found", NotFound, False),
        (404, "Agent not found", AgentMissing, True),
    ],
)
async def test_each_row_of_the_table_of_errors(
    status: int, detail: str, kind: type[ProviderError], placing: bool
) -> None:
    answer = http_answer(status, f'{{"detail":"{detail}"}}'.encode(), "retry-after: 3\r\n")
    async with raw_server(serving(answer)) as server, vaani_at(server.url) as api:
        with pytest.raises(kind) as caught:
            await (api.calls.outbound_call(AGENT, PERSON) if placing else api.calls.get("c1"))
    assert type(caught.value) is kind
    assert (caught.value.status, caught.value.retry_after_s) == (status, 3.0)
    assert detail in str(caught.value) and detail in caught.value.body
