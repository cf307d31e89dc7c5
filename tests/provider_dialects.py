"""How the wire of each dialect looks, for the contract tests of the providers."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

import pytest

from dialer.adapters.providers.http.requests import Endpoint
from dialer.adapters.providers.vaani.adapter import Vaani
from dialer.adapters.providers.vaanivoice.adapter import VaaniVoice
from dialer.domain.call import CallLog, CallRequest, LogPage
from tests.raw_server import Line, RawServer, Script, StoppedClock, http_answer, raw_server

Provider = VaaniVoice | Vaani
Row = dict[str, Any]
START, PICKED, END = "2026-11-21T10:00:00.250000", "2026-11-21T10:00:20.250000", "2026-11-21T10:01:00.250000"
START_S = 1_795_255_200.25
REQUEST = CallRequest(
    token="token-1",
    agent="+14155550100",
    to="+14155550123",
    name="Ann",
    caller_id="+14155550199",
    variables={"plan": "gold", "name": "Ann B.", "agent_id": "7"},
)


@dataclass(frozen=True)
class Dialect:
    """One provider, and how its wire looks."""

    make: type[Provider]
    accepted: bytes
    page_size: int
    row: Row
    answered: Row
    unanswered: Row
    status_key: str
    token_of: Callable[[Any], str]

    def envelope(self, rows: list[Any], page: int = 1, pages: int = 1) -> Any:
        """A page of the log, as documented."""
        paging = {"page": page, "page_size": self.page_size, "total_count": 0, "total_pages": pages}
        return {"data": rows, "pagination": {**paging, "has_next": page < pages}}


VAANIVOICE = Dialect(
    make=VaaniVoice,
    accepted=b'{"success":true,"output":{"call_id":"outbound-1795255200-0a1b2c3d"}}',
    page_size=200,
    row={
        "call_id": "c1",
        "direction": "Outbound",
        "agent_id": "agent-1",
        "to_number": "+14155550123",
        "Start_time": START,
        "End_time": END,
        "call_metadata": {"dialer_attempt_token": "token-1"},
    },
    answered={"user_picked_up_at": PICKED, "call_status": "User disconnected"},
    unanswered={"user_picked_up_at": None, "call_status": "gone"},
    status_key="call_status",
    token_of=lambda body: str(body["metadata"]["dialer_attempt_token"]),
)
VAANI = Dialect(
    make=Vaani,
    accepted=b'{"detail":"Outgoing call initiated successfully."}',
    page_size=100,
    row={
        "call_log_id": "c1",
        "call_direction": "outbound",
        "agent_phone_number": "+14155550100",
        "called_number": "+14155550123",
        "start_time": START,
        "end_time": END,
        "dynamic_variables": '{"dialer_attempt_token": "token-1"}',
    },
    answered={"duration": "40", "call_end_reason": "Completed"},
    unanswered={"duration": 0.0, "call_end_reason": "Completed"},
    status_key="call_end_reason",
    token_of=lambda body: str(body["dynamic_variables"]["dialer_attempt_token"]),
)
DIALECTS = [pytest.param(VAANIVOICE, id="vaanivoice"), pytest.param(VAANI, id="vaani")]
each_dialect = pytest.mark.parametrize("dialect", DIALECTS)


def provider_at(dialect: Dialect, server: RawServer, clock: StoppedClock | None = None) -> Provider:
    endpoint = Endpoint(base_url=server.url, api_key="not-a-real-key", timeout_s=60.0)
    return dialect.make(endpoint, clock or StoppedClock(), Random(1))


def serving(*bodies: Any) -> Script:
    """Answer the n-th request with the n-th body (bytes: a whole raw answer), and go on with the last."""
    answers = [body if isinstance(body, bytes) else http_answer(200, json.dumps(body).encode()) for body in bodies]
    served = 0

    async def serve(line: Line) -> None:
        nonlocal served
        while True:
            await line.read_request()
            await line.write(answers[min(served, len(answers) - 1)])
            served += 1

    return serve


async def pages(dialect: Dialect, *bodies: Any) -> tuple[list[LogPage], RawServer]:
    async with raw_server(serving(*bodies)) as server:
        provider = provider_at(dialect, server)
        try:
            return [page async for page in provider.read_logs(START_S)], server
        finally:
            await provider.aclose()


async def read(dialect: Dialect, changes: Mapping[str, Any]) -> CallLog:
    found, _ = await pages(dialect, dialect.envelope([{**dialect.row, **changes}]))
    return found[0].rows[0]
