"""Calls at api.vaanivoice.ai: trigger, history, details, transcript, recording, live captions."""

import re
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

from dialer.adapters.providers.answers.models import ApiModel
from dialer.adapters.providers.answers.pages import Page, items_of, pages_of
from dialer.adapters.providers.answers.placing import unsuccessful
from dialer.adapters.providers.answers.proof import Answer, Json, json_object
from dialer.adapters.providers.answers.values import number, text
from dialer.adapters.providers.http.client import ProviderClient, segment
from dialer.adapters.providers.http.event_socket import EventSocket
from dialer.adapters.providers.http.recording_file import Recording, SavedRecording, fetch_recording, save_recording
from dialer.adapters.providers.vaanivoice.answers import HISTORY_PATH, TRIGGER_PATH, find_call_id
from dialer.adapters.providers.vaanivoice.models import (
    BrowserCall,
    CallDetails,
    CallRecord,
    CaptionEvent,
    Transcript,
    TriggeredCall,
)
from dialer.errors import CallIdMissing, NotFound, TranscriptFailed, TranscriptMissing

Started = TypeVar("Started", bound=ApiModel)

LARGEST_PAGE = 200

_MISSING = re.compile(r"transcript not found|error retrieving transcript|\b404\b", re.IGNORECASE)
_PENDING = re.compile(r"\bprocessing\b|not (yet )?(available|ready|processed)", re.IGNORECASE)
_PENDING_CHARS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class ModifyAgent:
    """Sections of the agent's configuration, merged over it for one call."""

    persona: Mapping[str, Any] | None = None
    training: Mapping[str, Any] | None = None
    experience: Mapping[str, Any] | None = None
    analysis: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneCall:
    """A telephone call to trigger. Numbers are E.164; what is None is not sent, and the vendor's default holds.

    ``metadata`` fills the prompt's variables. ``outbound_number`` is the caller id, one of the account's;
    ``test_mode`` answers with an id and calls nobody; ``dnd_check_skipped`` is the caller's own responsibility.
    """

    agent_id: str
    contact_number: str
    name: str = "Customer"
    voice: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    outbound_number: str | None = None
    sip_trunk_id: str | None = None
    test_mode: bool | None = None
    dnd_check_skipped: bool | None = None
    modify_agent: ModifyAgent | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WebCall:
    """A conversation in a browser to trigger. What is None is not sent.

    ``bg_noise_volume`` is 0 to 100 (default 60), ``voice_speed`` 0.6 to 1.4 (default 1.0); languages are codes such
    as ``hi`` (primary by default) and ``en`` (secondary by default).
    """

    agent_id: str
    metadata: Mapping[str, Any] = field(default_factory=dict)
    modify_agent: ModifyAgent | None = None
    voice_gender: Literal["male", "female"] | None = None
    primary_language: str | None = None
    secondary_language: str | None = None
    welcome_message: str | None = None
    welcome_interruptible: bool | None = None
    bg_noise_enabled: bool | None = None
    bg_noise_volume: int | None = None
    voice_speed: float | None = None


class Calls:
    """``client.calls``. Every method raises ProviderError and nothing else of the network's."""

    def __init__(self, client: ProviderClient) -> None:
        self._client, self._http = client, client.http

    async def trigger(self, call: PhoneCall) -> TriggeredCall:
        """``POST /api/trigger-call/``, telephony. One request, never repeated: two make two calls.

        NotSent, NotPlaced and CallRefused prove that nobody was called; after OutcomeUnknown see the history.
        """
        answer, body = await self._trigger("telephony", call)
        call_id = find_call_id(body)
        if body.get("success") is False:
            raise unsuccessful(answer, call_id, self._http.hide)
        if not call_id:
            raise CallIdMissing(f"HTTP {answer.status} that names no call", status=answer.status)
        return _started(TriggeredCall, body, call_id=call_id)

    async def open_browser_call(self, call: WebCall) -> BrowserCall:
        """``POST /api/trigger-call/``, webrtc: a room and a token. Nobody is called; never repeated all the same."""
        answer, body = await self._trigger("webrtc", call)
        if body.get("success") is False:
            raise unsuccessful(answer, None, self._http.hide)
        return _started(BrowserCall, body)

    def history(self, *, page_size: int = LARGEST_PAGE) -> AsyncIterator[CallRecord]:
        """``GET /api/call-history``: every call of the account; the vendor offers no filter and states no order."""
        return items_of(self.history_pages(page_size=page_size), lambda record: record.call_id)

    def history_pages(self, *, page_size: int = LARGEST_PAGE) -> AsyncIterator[Page[CallRecord]]:
        """The same page by page, at most 200 calls each."""

        async def ask(page: int) -> Any:
            return await self._client.read(HISTORY_PATH, {"page": page, "page_size": page_size})

        return pages_of(ask, page_size, CallRecord.read, lambda record: record.call_id, "call log")

    async def details(self, call_id: str) -> CallDetails:
        """``GET /api/call_details/{call_id}``. Raises NotFound."""
        answer = await self._client.answer(f"/api/call_details/{segment(call_id, 'call')}")
        body = json_object(answer)
        said, summary = text(body.get("transcription")), text(body.get("summary"))
        # Not ready is a 202, or one fixed sentence in place of every field.
        if answer.status == 202 or (isinstance(body.get("entity"), str) and said == summary):
            return CallDetails.read({"pending": True}).model_copy(update={"raw": body})
        return CallDetails.read({**body, "pending": False})

    async def transcript(self, call_id: str) -> Transcript:
        """``GET /api/transcript/{call_id}``; pending for some seconds after the end of a call.

        Raises TranscriptMissing when there is none, whether the vendor says so with a 404 as documented or inside a
        200 as observed; TranscriptFailed when a 200 reports another error.
        """
        try:
            answer = await self._client.answer(f"/api/transcript/{segment(call_id, 'call')}")
        except NotFound as missing:
            raise TranscriptMissing(str(missing), status=missing.status, code=missing.code, body=missing.body) from None
        body = json_object(answer)
        said, problem = text(body.get("transcript")), text(body.get("error"))
        if number(body.get("status_code")) == 404 or _MISSING.search(problem) or _is_missing(said):
            raise TranscriptMissing("no transcript of that call", status=answer.status)
        if problem:
            raise TranscriptFailed(f"no transcript: {self._http.hide(problem)[:200]}", status=answer.status)
        pending = answer.status == 202 or not said or bool(len(said) < _PENDING_CHARS and _PENDING.search(said))
        return Transcript.read({**body, "text": "" if pending else said, "pending": pending})

    async def recording(self, call_id: str) -> Recording:
        """``GET /api/stream/{call_id}``, whole and in memory. Raises NotFound."""
        return await fetch_recording(self._http, _stream_path(call_id))

    async def save_recording(self, call_id: str, path: Path) -> SavedRecording:
        """The same into a file, in little memory; goes on where a lost connection, or an earlier run, stopped."""
        return await save_recording(self._http, _stream_path(call_id), path)

    async def captions(self, call_id: str, *, grace_s: float = 30.0) -> AsyncGenerator[CaptionEvent, None]:
        """``/api/live-transcripts/ws/{call_id}``: what is said, while it is said, until the call ends.

        A lost socket is opened again for up to ``grace_s`` seconds; what the server then repeats is left
        out. Always goes to the configured host, whatever address the vendor's answer named: it carries the key.
        """
        socket = EventSocket(self._http, f"/api/live-transcripts/ws/{segment(call_id, 'call')}", grace_s)
        seen: set[tuple[str, str, bool | None]] = set()
        async with aclosing(socket.messages()) as messages:
            async for message in messages:
                event = CaptionEvent.of(message)
                fresh = tuple(one for one in event.segments if one.said not in seen)
                seen |= {one.said for one in fresh if one.segment_id}
                if not event.segments or fresh:
                    yield event.model_copy(update={"segments": fresh})
                if event.is_last:
                    return

    async def _trigger(self, medium: str, call: PhoneCall | WebCall) -> tuple[Answer, Json]:
        given = {name: value for name, value in asdict(call).items() if value is not None}
        if call.modify_agent is not None:
            sections = given["modify_agent"].items()
            given["modify_agent"] = {name: section for name, section in sections if section is not None}
        answer = await self._client.call(TRIGGER_PATH, {"medium": medium, **given})
        return answer, json_object(answer)


def _started(kind: type[Started], body: Json, **known: str) -> Started:
    """From an answer whose fields stand at top level (webrtc) or inside ``output`` (telephony)."""
    output = body.get("output")
    return kind.read({**body, **(output if isinstance(output, dict) else {}), **known}).model_copy(update={"raw": body})


def _stream_path(call_id: str) -> str:
    return f"/api/stream/{segment(call_id, 'call')}"


def _is_missing(said: str) -> bool:
    return said.lower().startswith(("transcript not found", "error retrieving transcript"))
