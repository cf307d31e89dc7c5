"""What api.vaanivoice.ai says about calls and agents (docs.vaanivoice.ai/api-reference).

Times of calls are UTC although they name no zone: the number inside a call's id is the same moment in unix
seconds. All other times keep the zone they came with, or none.
"""

import re
from dataclasses import dataclass
from typing import Any

from pydantic import AliasChoices, Field

from dialer.adapters.providers.answers.models import (
    ApiModel,
    Flag,
    List,
    Moment,
    Name,
    Number,
    Object,
    Phone,
    Text,
    Utc,
    seconds_between,
)

_TURN = re.compile(r"^\s*(?:\[(?P<at>[^\]]*)\]\s*)?(?P<speaker>[A-Z][A-Za-z ]{0,20}):\s*(?P<text>.*)$")


class Health(ApiModel):
    """``GET /api/health``; ``healthy`` is the good status."""

    status: Text = ""
    service: Text = ""


class TriggeredCall(ApiModel):
    """A telephone call that was accepted (``POST /api/trigger-call/``, telephony).

    ``live_captions_url`` is the vendor's; CaptionStream goes to the configured host instead.
    """

    call_id: Name
    agent_name: Text = ""
    live_captions_url: Text = ""
    message: Text = ""


class BrowserCall(ApiModel):
    """A room for a browser (``POST /api/trigger-call/``, webrtc). ``token`` is a LiveKit token, said to live 6 h."""

    token: Name = Field(repr=False)
    room_name: Text = ""
    agent_name: Text = ""
    connection_url: Text = ""
    live_captions_url: Text = ""


class CallRecord(ApiModel):
    """One row of ``GET /api/call-history``.

    ``duration_ms`` is what the vendor says, and contradicts its own clock; ``duration_s`` and ``talk_s`` are
    computed. ``call_cost`` is in credits. ``metadata`` is what the call was triggered with, if the vendor echoes it,
    and keys of its own.
    """

    call_id: Name
    call_type: Text = ""
    direction: Text = ""
    call_status: Text = ""
    agent_name: Text = ""
    agent_id: Text = ""
    client_name: Text = ""
    client_id: Text = ""
    from_number: Phone = ""
    to_number: Phone = ""
    started_at: Utc = Field(None, validation_alias=AliasChoices("Start_time", "start_time", "started_at"))
    dialing_at: Utc = Field(None, validation_alias=AliasChoices("call_dialing_at", "dialing_at"))
    ringing_at: Utc = Field(None, validation_alias=AliasChoices("call_ringing_at", "ringing_at"))
    picked_up_at: Utc = Field(None, validation_alias=AliasChoices("user_picked_up_at", "picked_up_at"))
    ended_at: Utc = Field(None, validation_alias=AliasChoices("End_time", "end_time", "ended_at"))
    duration_ms: Number = None
    call_cost: Number = None
    call_summary: Text = ""
    call_entity: Object = Field(default_factory=dict)
    call_eval_tag: Text = ""
    call_conversation_quality: Object = Field(default_factory=dict)
    post_processing_status: Text = ""
    recording_api: Text = ""
    call_transcription: Text = ""
    metadata: Object = Field(default_factory=dict, validation_alias=AliasChoices("call_metadata", "metadata"))
    chat_history: List = Field(default_factory=list)
    callback_requested: Flag = None
    callback_id: Text = ""
    callback_status: Text = ""

    @property
    def duration_s(self) -> float | None:
        """Seconds from the start to the end, ringing included; None while the call is on."""
        return seconds_between(self.started_at, self.ended_at)

    @property
    def talk_s(self) -> float | None:
        """Seconds from the pick-up to the end; None when nobody picked up, or the row does not say."""
        return seconds_between(self.picked_up_at, self.ended_at)


@dataclass(frozen=True, slots=True)
class Turn:
    """One thing said; ``at`` is the mark in front of it as the vendor wrote it, or empty."""

    speaker: str
    text: str
    at: str = ""


class Transcript(ApiModel):
    """``GET /api/transcript/{call_id}``. ``pending`` while it is being made, and then ``text`` is empty."""

    text: Text = ""
    pending: bool = False

    @property
    def turns(self) -> tuple[Turn, ...]:
        """Who said what, from lines like ``AGENT: ...`` and ``[00:12] USER: ...``; other lines go on with the last."""
        turns: list[Turn] = []
        for line in self.text.splitlines():
            if match := _TURN.match(line):
                turns.append(Turn(match["speaker"].lower(), match["text"].strip(), match["at"] or ""))
            elif line.strip() and turns:
                last = turns.pop()
                turns.append(Turn(last.speaker, f"{last.text} {line.strip()}".strip(), last.at))
        return tuple(turns)


class CallDetails(ApiModel):
    """``GET /api/call_details/{call_id}``; ``pending`` while it is being made, and then all else is empty."""

    pending: bool = False
    transcription: Text = ""
    summary: Text = ""
    entity: Object = Field(default_factory=dict)
    evaluation: Object = Field(default_factory=dict, validation_alias=AliasChoices("conversation_eval", "evaluation"))
    tag: Text = Field("", validation_alias=AliasChoices("call_eval_tag", "tag"))


class Agent(ApiModel):
    """One agent (``GET /api/agents``, ``GET /api/agents/{id}``). ``agent_name`` is the generated slug."""

    agent_id: Name = Field(validation_alias=AliasChoices("id", "agent_id", "agent_name"))
    agent_name: Text = ""
    display_name: Text = Field("", validation_alias=AliasChoices("display_name", "agent_display_name"))
    language: Text = Field("", validation_alias=AliasChoices("agent_language", "language"))
    created_at: Moment = None


class CreatedAgent(ApiModel):
    """``POST /api/create-agent``."""

    agent_id: Name = Field(validation_alias=AliasChoices("agent_id", "id"))
    agent_name: Text = ""


class AgentUpdated(ApiModel):
    """``PATCH /api/agent/{id}/{section}``. The vendor need not say which agent it was."""

    agent_id: Text = Field("", validation_alias=AliasChoices("agent_id", "id"))
    display_name: Text = Field("", validation_alias=AliasChoices("agent_display_name", "display_name"))
    message: Text = ""


class Session(ApiModel):
    """A browser session (``POST /api/webrtc/session/create``). ``session_url`` is the page to open."""

    session_token: Name = Field(repr=False)
    session_url: Text = Field("", repr=False)
    expires_at: Moment = None


class SessionCredentials(ApiModel):
    """What a LiveKit client joins with (``POST /api/webrtc/session/connect``)."""

    lk_url: Name
    lk_token: Name = Field(repr=False)
    room_name: Text = ""


class SessionState(ApiModel):
    """``GET /api/webrtc/session/status/{token}``: created, agent_ready, active, reconnecting or ended."""

    status: Name
    expires_at: Moment = None
    ui_type: Text = ""
    room_name: Text = ""
    agent_id: Text = ""
    client_id: Text = ""
    metadata: Object = Field(default_factory=dict)
    grace_period_ends_at: Moment = None

    @property
    def is_over(self) -> bool:
        """Whether nobody can come back to it."""
        return self.status.lower() in {"ended", "expired"}


class SessionEvent(ApiModel):
    """One event of a session: agent_ready, agent_timeout, session_ended, and whatever the vendor adds."""

    event: Name = Field(validation_alias=AliasChoices("event", "type"))
    reason: Text = ""

    @property
    def is_last(self) -> bool:
        """Whether nothing follows."""
        return self.event == "session_ended"


class CaptionSegment(ApiModel):
    """One piece of live text; ``timestamp`` is unix seconds. A later segment of the same id replaces it."""

    segment_id: Text = Field("", validation_alias=AliasChoices("id", "segment_id"))
    call_id: Text = ""
    event_type: Text = ""
    speaker: Text = ""
    text: Text = ""
    timestamp: Number = None
    is_final: Flag = None
    segment_index: Number = None
    was_interrupted: Flag = None
    confidence: Number = None

    @property
    def said(self) -> tuple[str, str, bool | None]:
        """What distinguishes a new piece from a repeated one."""
        return self.segment_id, self.text, self.is_final


class CaptionEvent(ApiModel):
    """One message of the live captions: connected, history, transcript, turn_started, call_ended and others."""

    type: Name = Field(validation_alias=AliasChoices("type", "event"))
    segments: tuple[CaptionSegment, ...] = ()

    @classmethod
    def of(cls, message: dict[str, Any]) -> "CaptionEvent":
        """From a message, whose text stands in ``segment`` or, for a history, in ``segments``."""
        many = message.get("segments")
        rows = [*(many if isinstance(many, list) else []), message.get("segment")]
        segments = tuple(CaptionSegment.read(row) for row in rows if isinstance(row, dict))
        return cls.read({**message, "segments": segments})

    @property
    def is_last(self) -> bool:
        """Whether nothing follows."""
        return self.type == "call_ended"
