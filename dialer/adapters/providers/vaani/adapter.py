"""The provider at api.vaani.ai (mvdocs.omind.ai/api-reference/calls).

Agents are chosen by their phone number, an accepted call need not give an id, and a call that nobody picked up
may leave no row in the log at all.
"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from random import Random
from typing import Any

from dialer.adapters.providers.answers.call_log_rows import (
    NUMBERS,
    TOKEN_KEY,
    asks_to_be_called_back,
    call_back_at,
    entities,
    read_pages,
    row_id,
    token,
)
from dialer.adapters.providers.answers.call_words import LIVE, STILL_TO_COME, known_word, tells_of_voicemail
from dialer.adapters.providers.answers.fitting_pages import FittingPages
from dialer.adapters.providers.answers.placing import unsuccessful
from dialer.adapters.providers.answers.proof import Answer, Json, json_object
from dialer.adapters.providers.answers.times import is_moment, seconds, when
from dialer.adapters.providers.answers.values import Row, money, phone, pick, text, word
from dialer.adapters.providers.http.requests import Endpoint
from dialer.adapters.providers.vaani.answers import LOGS_PATH, PLACE_PATH, accepts, find_call_id
from dialer.adapters.providers.vaani.login import open_http
from dialer.domain.call import CallLog, CallRequest, LogPage, Placed, PlaceResult
from dialer.domain.disposition import Disposition
from dialer.errors import AnswerUnreadable
from dialer.ports import Clock, Connection, SendPermit

DIALECT = "vaani"
BASE_URL = "https://api.vaani.ai"
PAGE_SIZE = 100
DAY_S = 86_400.0

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
        self._pages = FittingPages(PAGE_SIZE)

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

        async def ask(page: int, size: int) -> Any:
            query: dict[str, str | int] = {
                "page": page,
                "page_size": size,
                "call_type": "phone",
                "start_date": start,
            }
            return await self._http.get_json(LOGS_PATH, query)

        return read_pages(ask, self._pages, read_row)

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
    started, ended = when(pick(row, "start_time", "Start_time")), when(pick(row, "end_time", "End_time"))
    talked = _talked(row, started, ended)
    said = pick(row, "call_end_reason", "call_status", "status")
    analysis = pick(row, "conversation_analysis")
    fields = entities(analysis, {"disposition": row.get("disposition")})
    status = word(said)
    disposition, unmapped = _disposition(row, status, talked, tells_of_voicemail(fields))
    over = ended is not None or disposition not in {None, *_TALKED}
    return CallLog(
        call_id=row_id(row, "call_log_id", "call_id", "id"),
        to_number=next(filter(None, (phone(row.get(name)) for name in NUMBERS)), ""),
        agent=phone(row.get("agent_phone_number")) or text(row.get("agent_id")),
        started_at=started,
        ended_at=ended,
        duration_s=talked if over and disposition in _TALKED else None,
        disposition=disposition if over and status not in LIVE | STILL_TO_COME else None,
        raw_status=text(said),
        token=token(row),
        outbound=word(pick(row, "call_direction", "direction")) not in INBOUND,
        unmapped=unmapped and over,
        cost=money(row.get("total_cost")),
        summary=text(pick(row, "conversation_analysis", "summary")),
        recording_url=text(pick(row, "recording_url", "recording")),
        entities=fields,
        analysed=analysis is not None,
        callback_requested=asks_to_be_called_back(row, fields),
        callback_at=call_back_at(row, fields),
        agent_name=text(row.get("agent_name")),
        from_number=phone(pick(row, "incoming_callerid", "from_number", "caller")),
        presumed=disposition if disposition in _TALKED and not over and status not in STILL_TO_COME else None,
        still_to_come=status in STILL_TO_COME,
    )


def _talked(row: Row, started: float | None, ended: float | None) -> float | None:
    """Seconds of talk; None where it is unknown, for start to end may be ringing alone."""
    picked = when(row.get("user_picked_up_at"))
    if picked is not None and ended is not None:
        return max(0.0, ended - picked)
    talked_s = seconds(row.get("duration"))
    if talked_s is not None and started is not None and ended is not None and ended > started:
        # Nobody names the unit; no talk is longer than its call.
        lasted = ended - started
        talked_s = talked_s if talked_s <= lasted + 2.0 else min(talked_s / 1000, lasted)
    return talked_s


def _disposition(row: Row, said: str, talked: float | None, machine: bool) -> tuple[Disposition | None, bool]:
    """What the row says the call came to, if it is over; and whether its word is in no table."""
    known = known_word(said)
    unmapped = known is None and said not in LIVE | STILL_TO_COME
    if machine or known is Disposition.VOICEMAIL:
        return Disposition.VOICEMAIL, unmapped and bool(said)
    if known is not None and known is not Disposition.ANSWERED:
        return known, False
    # "Completed" is written for every call, so whether anybody talked is read from the clock, or from what was said.
    if talked is not None:
        return (Disposition.ANSWERED if talked > 0 else Disposition.NO_ANSWER), unmapped and bool(said)
    if is_moment(row.get("user_picked_up_at")) or _person_spoke(row.get("messages")):
        return Disposition.ANSWERED, unmapped and bool(said)
    return None, True


def _person_spoke(messages: object) -> bool:
    turns = messages if isinstance(messages, list) else []
    return any(isinstance(turn, dict) and word(turn.get("speaker")) in SPEAKERS for turn in turns)


SPEAKERS = frozenset({"user", "customer", "human", "caller", "callee", "person"})
INBOUND = frozenset({"in", "inbound", "incoming", "incoming call", "inbound call", "received"})
