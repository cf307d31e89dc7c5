"""The provider at api.vaanivoice.ai (docs.vaanivoice.ai/sdk, docs.vaanivoice.ai/api-reference).

Agents are chosen by id, calls carry an id from the start, the log has every accepted call and no filters.
"""

from collections.abc import AsyncIterator, Mapping
from random import Random
from typing import Any

from dialer.adapters.providers.answers.call_log_rows import (
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
from dialer.adapters.providers.answers.values import Row, mapping, money, phone, pick, text, word
from dialer.adapters.providers.http.requests import Endpoint, ProviderHttp
from dialer.adapters.providers.vaanivoice.answers import HISTORY_PATH, TRIGGER_PATH, find_call_id, key_header
from dialer.domain.call import CallLog, CallRequest, LogPage, Placed, PlaceResult
from dialer.domain.disposition import Disposition
from dialer.errors import CallIdMissing, UsageError
from dialer.ports import Clock, Connection, SendPermit

DIALECT = "vaanivoice"
BASE_URL = "https://api.vaanivoice.ai"
PAGE_SIZE = 200

VENDOR_KEYS = frozenset({"name", "phone", "agent_name", "agent_id", "client_id"})
"""Keys the vendor itself writes into a call's metadata."""

CALL_OPTIONS = frozenset({"voice", "sip_trunk_id", "test_mode", "dnd_check_skipped", "modify_agent"})

_TALKED = frozenset({Disposition.ANSWERED, Disposition.VOICEMAIL})


class VaaniVoice:
    """CallProvider for api.vaanivoice.ai.

    ``options`` are further fields of the vendor's request, of CALL_OPTIONS only, sent with every call.
    """

    silent_when_unanswered = False
    ids_are_final = True

    def __init__(
        self, endpoint: Endpoint, clock: Clock, random: Random, options: Mapping[str, Any] | None = None
    ) -> None:
        unknown = set(options or {}) - CALL_OPTIONS
        if unknown:
            raise UsageError(f"unknown call option {min(unknown)!r}; known are {', '.join(sorted(CALL_OPTIONS))}")
        self._http = ProviderHttp(endpoint, key_header(endpoint), clock, random)
        self._options = dict(options or {})
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
        """``POST /api/trigger-call/``. A success that names no call is one too: its token or number finds it."""
        return await self._http.place(TRIGGER_PATH, self._body(request), permit, self._placed, connection)

    def read_logs(self, since: float) -> AsyncIterator[LogPage]:
        """``GET /api/call-history``; the vendor offers no filter, so ``since`` narrows nothing."""
        return read_pages(self._history, self._pages, read_row)

    async def aclose(self) -> None:
        """Close every connection."""
        await self._http.aclose()

    async def _history(self, page: int, size: int) -> Any:
        return await self._http.get_json(HISTORY_PATH, {"page": page, "page_size": size})

    def _body(self, request: CallRequest) -> Json:
        body: Json = {
            **self._options,
            "agent_id": request.agent,
            "medium": "telephony",
            "contact_number": request.to,
            "name": request.name or "Customer",
            "metadata": metadata(request),
        }
        if request.caller_id:
            body["outbound_number"] = request.caller_id
        return body

    def _placed(self, answer: Answer) -> Placed:
        body = json_object(answer)
        success, call_id = body.get("success"), find_call_id(body)
        if success is False:
            raise unsuccessful(answer, call_id, self._http.hide)
        if success is True or (call_id and success is None):
            return Placed(call_id, answer.status)
        raise CallIdMissing(f"HTTP {answer.status} that names no call", status=answer.status)


def metadata(request: CallRequest) -> dict[str, str]:
    """The variables for the agent's prompt, with our token.

    A column named like one of VENDOR_KEYS goes out as ``contact_<column>``: the vendor would overwrite it.
    """
    renamed = {f"contact_{key}": value for key, value in request.variables.items() if key in VENDOR_KEYS}
    plain = {key: value for key, value in request.variables.items() if key not in VENDOR_KEYS}
    return {**renamed, **plain, TOKEN_KEY: request.token}


def read_row(row: Row) -> CallLog:
    """One row of the call history. Raises ValueError when it does not say which call it is."""
    started = when(pick(row, "Start_time", "start_time"))
    ended = when(pick(row, "End_time", "end_time"))
    said = pick(row, "call_status")
    status = word(said)
    fields = entities(row.get("call_entity"), row.get("dispositions"), {"tag": row.get("call_eval_tag")})
    disposition, unmapped = _disposition(row, status, tells_of_voicemail(fields))
    over = ended is not None or disposition not in {None, *_TALKED}
    meta = mapping(row.get("call_metadata"))
    direction = word(pick(row, "direction", "call_type"))
    return CallLog(
        call_id=row_id(row, "call_id", "room_name", "id"),
        to_number=phone(pick(row, "to_number")) or phone(meta.get("phone")),
        agent=text(pick(row, "agent_id", "agent_name")),
        started_at=started,
        ended_at=ended,
        duration_s=_duration(row, started, ended) if over and disposition in _TALKED else None,
        disposition=disposition if over and status not in LIVE | STILL_TO_COME else None,
        raw_status=text(said),
        token=token(row),
        outbound=direction not in INBOUND and not direction.startswith("web"),
        unmapped=unmapped and over,
        cost=money(row.get("call_cost")),
        summary=text(row.get("call_summary")),
        recording_url=text(row.get("recording_api")),
        entities=fields,
        analysed=word(row.get("post_processing_status")) in ANALYSED,
        callback_requested=asks_to_be_called_back(row, fields),
        callback_at=call_back_at(row, fields),
        agent_name=text(row.get("agent_name")),
        from_number=phone(row.get("from_number")),
        presumed=disposition if disposition in _TALKED and not over and status not in STILL_TO_COME else None,
        still_to_come=status in STILL_TO_COME,
    )


def _disposition(row: Row, said: str, machine: bool) -> tuple[Disposition | None, bool]:
    """What the row says the call came to, if it is over; and whether its word is in no table."""
    known = known_word(said)
    unmapped = known is None and bool(said) and said not in LIVE | STILL_TO_COME
    if machine or known is Disposition.VOICEMAIL:
        return Disposition.VOICEMAIL, unmapped
    if is_moment(row.get("user_picked_up_at")):
        return Disposition.ANSWERED, unmapped
    if "user_picked_up_at" in row and known in {None, Disposition.ANSWERED}:
        return Disposition.NO_ANSWER, unmapped
    return known, known is None


def _duration(row: Row, started: float | None, ended: float | None) -> float | None:
    begin = when(row.get("user_picked_up_at")) or started
    if begin is not None and ended is not None:
        return max(0.0, ended - begin)
    # The vendor's own sample contradicts its clock here; used only when there is nothing else.
    milliseconds = seconds(row.get("duration_ms"))
    return None if milliseconds is None else milliseconds / 1000


ANALYSED = frozenset({"", "completed", "failed", "done", "skipped", "not required"})
"""Of a call in any other state of post-processing more may come."""
INBOUND = frozenset({"in", "inbound", "incoming", "incoming call", "inbound call"})
