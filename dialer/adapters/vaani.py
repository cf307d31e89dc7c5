"""The provider at api.vaani.ai (mvdocs.omind.ai/api-reference/calls).

Agents are chosen by their phone number, an accepted call need not tell an id, and a call that nobody picked up
may leave no row in the log at all.
"""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from random import Random
from typing import Any

from dialer.adapters.call_log_rows import TOKEN_KEY, call_back_at, entities, read_pages, speaks_of_voicemail, token
from dialer.adapters.placing_answers import unsuccessful
from dialer.adapters.provider_answers import Answer, Json, json_object
from dialer.adapters.provider_http import Endpoint
from dialer.adapters.provider_values import Row, number, phone, pick, text, when, word
from dialer.adapters.vaani_api.answers import LOGS_PATH, PLACE_PATH, accepts, find_call_id
from dialer.adapters.vaani_api.login import open_http
from dialer.domain.call import CallLog, CallRequest, LogPage, Placed, PlaceResult
from dialer.domain.disposition import Disposition
from dialer.errors import AnswerUnreadable
from dialer.ports import Clock, Connection, SendPermit

DIALECT = "vaani"
BASE_URL = "https://api.vaani.ai"
PAGE_SIZE = 100
DAY_S = 86_400.0

DISPOSITIONS: Mapping[str, Disposition] = {
    "completed": Disposition.ANSWERED,
    "answered": Disposition.ANSWERED,
    "ended": Disposition.ANSWERED,
    "user disconnected": Disposition.ANSWERED,
    "agent disconnected": Disposition.ANSWERED,
    "user hangup": Disposition.ANSWERED,
    "agent hangup": Disposition.ANSWERED,
    "client initiated": Disposition.ANSWERED,
    "voicemail": Disposition.VOICEMAIL,
    "voice mail": Disposition.VOICEMAIL,
    "voicemail detected": Disposition.VOICEMAIL,
    "answering machine": Disposition.VOICEMAIL,
    "no answer": Disposition.NO_ANSWER,
    "noanswer": Disposition.NO_ANSWER,
    "not answered": Disposition.NO_ANSWER,
    "unanswered": Disposition.NO_ANSWER,
    "missed": Disposition.NO_ANSWER,
    "busy": Disposition.BUSY,
    "user busy": Disposition.BUSY,
    "rejected": Disposition.REJECTED,
    "user rejected": Disposition.REJECTED,
    "declined": Disposition.REJECTED,
    "failed": Disposition.FAILED,
    "error": Disposition.FAILED,
    "cancelled": Disposition.FAILED,
    "canceled": Disposition.FAILED,
    "invalid number": Disposition.INVALID_NUMBER,
    "unallocated number": Disposition.INVALID_NUMBER,
    "blocked": Disposition.BLOCKED,
}
"""The words of ``call_end_reason``. The vendor documents none; "Completed" is its ancestor's default."""

LIVE = frozenset({"pending", "queued", "calling", "dialing", "ringing", "active", "in progress", "ongoing"})

_TALKED = frozenset({Disposition.ANSWERED, Disposition.VOICEMAIL})


class Vaani:
    """CallProvider for api.vaani.ai. Authenticates with a key, or with the session's access token as a cookie.

    A cookie that runs out is renewed once with the refresh token; when that does not help, the account halts.
    """

    silent_when_unanswered = True
    ids_are_final = False

    def __init__(self, endpoint: Endpoint, clock: Clock, random: Random) -> None:
        self._http, _ = open_http(endpoint, clock, random)
        self.account = endpoint.account or DIALECT

    async def connect(self) -> Connection:
        """A connection for one call. Raises NotSent."""
        return await self._http.connect()

    def keep_connected(self, for_s: float) -> None:
        """See to it that a connection will stand ready for so long."""
        self._http.keep_connected(for_s)

    async def place(
        self, request: CallRequest, permit: SendPermit, connection: Connection | None = None
    ) -> PlaceResult:
        """``POST /calls/outbound_call``. Accepted by an id, ``success: true`` or the documented sentence."""
        return await self._http.place(PLACE_PATH, _body(request), permit, self._placed, connection)

    def read_logs(self, since: float) -> AsyncIterator[LogPage]:
        """``GET /calls/logs`` from the day before ``since``: the zone and the edges of ``start_date`` are unknown."""
        start = datetime.fromtimestamp(since - DAY_S, UTC).date().isoformat()

        async def ask(page: int) -> Any:
            query: dict[str, str | int] = {
                "page": page,
                "page_size": PAGE_SIZE,
                "call_type": "phone",
                "start_date": start,
            }
            return await self._http.get_json(LOGS_PATH, query)

        return read_pages(ask, PAGE_SIZE, read_row)

    async def aclose(self) -> None:
        """Close every connection."""
        await self._http.aclose()

    def _placed(self, answer: Answer) -> Placed:
        body = json_object(answer)
        success, call_id = body.get("success"), find_call_id(body)
        failed = success is False or (success is None and not call_id and not accepts(body))
        if failed:
            raise unsuccessful(answer, call_id, self._http.hide)
        if success is True or success is None:
            return Placed(call_id, answer.status)
        raise AnswerUnreadable(f"HTTP {answer.status} of unknown meaning", status=answer.status)


def _body(request: CallRequest) -> Json:
    name = {"name": request.name} if request.name else {}
    return {
        "agent_phone_number": request.agent,
        "phone_number_to_dial": request.to,
        "dynamic_variables": {**name, **request.variables, TOKEN_KEY: request.token},
    }


def read_row(row: Row) -> CallLog:
    """One row of the call log. Raises ValueError when it does not say which call it is."""
    call_id = text(pick(row, "call_log_id", "call_id", "id"))
    if not call_id:
        raise ValueError("no call_log_id")
    started, ended = when(pick(row, "start_time", "Start_time")), when(pick(row, "end_time", "End_time"))
    talked = _talked(row, started, ended)
    disposition, unmapped = _disposition(row, talked, over=ended is not None)
    said = pick(row, "call_end_reason", "call_status", "status")
    found = entities(row.get("conversation_analysis"), {"disposition": row.get("disposition")})
    return CallLog(
        call_id=call_id,
        to_number=phone(pick(row, "called_number", "to_number")),
        agent=phone(row.get("agent_phone_number")) or text(row.get("agent_id")),
        started_at=started,
        ended_at=ended,
        duration_s=talked if disposition in _TALKED else None,
        disposition=disposition,
        raw_status=text(said),
        token=token(row),
        outbound=not word(pick(row, "call_direction", "direction")).startswith("in"),
        unmapped=unmapped,
        cost=number(row.get("total_cost")),
        summary=text(pick(row, "conversation_analysis", "summary")),
        recording_url=text(pick(row, "recording_url", "recording")),
        entities=found,
        callback_requested=row.get("callback_requested") is True and not row.get("callback_id"),
        callback_at=call_back_at(row, found),
    )


def _talked(row: Row, started: float | None, ended: float | None) -> float | None:
    picked = when(row.get("user_picked_up_at"))
    if picked is not None and ended is not None:
        return max(0.0, ended - picked)
    told = number(row.get("duration"))
    if told is not None:
        return max(0.0, told)
    return None if started is None or ended is None else max(0.0, ended - started)


def _disposition(row: Row, talked: float | None, over: bool) -> tuple[Disposition | None, bool]:
    said = word(pick(row, "call_end_reason", "call_status", "status"))
    known = DISPOSITIONS.get(said)
    if said in LIVE or (not over and known is None):
        return None, False
    if known is Disposition.VOICEMAIL or speaks_of_voicemail(row.get("disposition"), row.get("conversation_analysis")):
        return Disposition.VOICEMAIL, False
    if known is not None and known is not Disposition.ANSWERED:
        return known, False
    # "Completed" is written for every call, so whether anybody talked is read from the clock.
    # start_time to end_time may be ringing alone and proves nothing.
    if talked is not None and (number(row.get("duration")) is not None or row.get("user_picked_up_at")):
        return (Disposition.ANSWERED if talked > 0 else Disposition.NO_ANSWER), False
    return known, known is None
