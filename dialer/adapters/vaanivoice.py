"""The provider at api.vaanivoice.ai (docs.vaanivoice.ai/sdk, docs.vaanivoice.ai/api-reference).

Agents are chosen by id, calls carry an id from the start, the log has every accepted call and no filters.
"""

import re
from collections.abc import AsyncIterator, Mapping
from random import Random
from typing import Any

from dialer.adapters.call_log_rows import TOKEN_KEY, call_back_at, entities, read_pages, speaks_of_voicemail, token
from dialer.adapters.placing_answers import unsuccessful
from dialer.adapters.provider_answers import Answer, Json, json_object
from dialer.adapters.provider_http import Endpoint, ProviderHttp
from dialer.adapters.provider_values import Row, mapping, number, phone, pick, text, when, word
from dialer.adapters.vaanivoice_api.answers import HISTORY_PATH, TRIGGER_PATH, find_call_id, key_header
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

DISPOSITIONS: Mapping[str, Disposition] = {
    "user disconnected": Disposition.ANSWERED,
    "agent disconnected": Disposition.ANSWERED,
    "customer disconnected": Disposition.ANSWERED,
    "agent requested disconnect": Disposition.ANSWERED,
    "participant disconnected": Disposition.ANSWERED,
    "disconnected": Disposition.ANSWERED,
    "completed": Disposition.ANSWERED,
    "call completed": Disposition.ANSWERED,
    "ended": Disposition.ANSWERED,
    "call ended": Disposition.ANSWERED,
    "answered": Disposition.ANSWERED,
    "voicemail": Disposition.VOICEMAIL,
    "voice mail": Disposition.VOICEMAIL,
    "voicemail detected": Disposition.VOICEMAIL,
    "answering machine": Disposition.VOICEMAIL,
    "no answer": Disposition.NO_ANSWER,
    "noanswer": Disposition.NO_ANSWER,
    "call no answer": Disposition.NO_ANSWER,
    "not answered": Disposition.NO_ANSWER,
    "unanswered": Disposition.NO_ANSWER,
    "missed": Disposition.NO_ANSWER,
    "busy": Disposition.BUSY,
    "user busy": Disposition.BUSY,
    "line busy": Disposition.BUSY,
    "rejected": Disposition.REJECTED,
    "call rejected": Disposition.REJECTED,
    "declined": Disposition.REJECTED,
    "failed": Disposition.FAILED,
    "call failed": Disposition.FAILED,
    "error": Disposition.FAILED,
    "cancelled": Disposition.FAILED,
    "canceled": Disposition.FAILED,
    "invalid number": Disposition.INVALID_NUMBER,
    "unallocated number": Disposition.INVALID_NUMBER,
    "blocked": Disposition.BLOCKED,
    "dnd": Disposition.BLOCKED,
}
"""The provider's ``call_status`` words. Its pages list none but "User disconnected"; the others come from its
webhook events (guides/webhook-setup) and its campaign results (api-reference, campaign results)."""

SIP_DISPOSITIONS: Mapping[str, Disposition] = {
    "404": Disposition.INVALID_NUMBER,
    "410": Disposition.INVALID_NUMBER,
    "484": Disposition.INVALID_NUMBER,
    "604": Disposition.INVALID_NUMBER,
    "408": Disposition.NO_ANSWER,
    "480": Disposition.NO_ANSWER,
    "487": Disposition.NO_ANSWER,
    "486": Disposition.BUSY,
    "600": Disposition.BUSY,
    "603": Disposition.REJECTED,
    "607": Disposition.BLOCKED,
}
"""SIP response codes (RFC 3261 §21), as in the webhook's ``SIP_404_NOT_FOUND``; every other code is a failure."""

LIVE = frozenset(
    {"queued", "initiated", "scheduled", "started", "dialing", "ringing", "active", "in progress", "ongoing"}
)


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
        return read_pages(self._history, PAGE_SIZE, read_row)

    async def aclose(self) -> None:
        """Close every connection."""
        await self._http.aclose()

    async def _history(self, page: int) -> Any:
        return await self._http.get_json(HISTORY_PATH, {"page": page, "page_size": PAGE_SIZE})

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
    call_id = text(pick(row, "call_id", "room_name", "id"))
    if not call_id:
        raise ValueError("no call_id")
    started = when(pick(row, "Start_time", "start_time"))
    ended = when(pick(row, "End_time", "end_time"))
    disposition, unmapped = _disposition(row, over=ended is not None)
    meta = mapping(row.get("call_metadata"))
    direction = word(pick(row, "direction", "call_type"))
    found = entities(row.get("call_entity"), row.get("dispositions"), {"tag": row.get("call_eval_tag")})
    return CallLog(
        call_id=call_id,
        to_number=phone(pick(row, "to_number")) or phone(meta.get("phone")),
        agent=text(pick(row, "agent_id", "agent_name")),
        started_at=started,
        ended_at=ended,
        duration_s=_duration(row, started, ended, disposition),
        disposition=disposition,
        raw_status=text(row.get("call_status")),
        token=token(row),
        outbound=not direction.startswith(("in", "web")),
        unmapped=unmapped,
        cost=number(row.get("call_cost")),
        summary=text(row.get("call_summary")),
        recording_url=text(row.get("recording_api")),
        entities=found,
        analysed=word(row.get("post_processing_status")) != "processing",
        # With an id the provider calls back by itself.
        callback_requested=row.get("callback_requested") is True and not row.get("callback_id"),
        callback_at=call_back_at(row, found),
    )


def known_word(said: str) -> Disposition | None:
    """The disposition of a status word in ``word``'s spelling; None when the table does not know it."""
    sip = re.search(r"\bsip (\d{3})\b", said)
    if sip:
        return SIP_DISPOSITIONS.get(sip[1], Disposition.FAILED)
    return DISPOSITIONS.get(said)


def _disposition(row: Row, over: bool) -> tuple[Disposition | None, bool]:
    said = word(row.get("call_status"))
    known = known_word(said)
    if said in LIVE or (not over and known is None):
        return None, False
    if known is Disposition.VOICEMAIL or speaks_of_voicemail(row.get("call_entity"), row.get("dispositions")):
        return Disposition.VOICEMAIL, False
    if pick(row, "user_picked_up_at") is not None:
        return Disposition.ANSWERED, False
    if "user_picked_up_at" in row and over:
        return (Disposition.NO_ANSWER if known in {None, Disposition.ANSWERED} else known), False
    return known, known is None


def _duration(row: Row, started: float | None, ended: float | None, disposition: Disposition | None) -> float | None:
    if disposition not in {Disposition.ANSWERED, Disposition.VOICEMAIL}:
        return None
    begin = when(row.get("user_picked_up_at")) or started
    if begin is not None and ended is not None:
        return max(0.0, ended - begin)
    # The vendor's own sample contradicts its clock here; used only when there is nothing else.
    milliseconds = number(row.get("duration_ms"))
    return None if milliseconds is None else milliseconds / 1000
