"""What api.vaani.ai says (mvdocs.omind.ai/api-reference; the schema of a call log is documented nowhere).

No page says which zone a time without one is in: such times stay without.
"""

from datetime import datetime

from pydantic import AliasChoices, Field

from dialer.adapters.providers.answers.models import (
    ApiModel,
    List,
    Moment,
    Name,
    Number,
    Object,
    Phone,
    Text,
    Whole,
    seconds_between,
)
from dialer.adapters.providers.answers.values import mapping


class OutboundCall(ApiModel):
    """An accepted call (``POST /calls/outbound_call``). The body is undocumented: ``call_log_id`` is often empty."""

    call_log_id: Text = ""
    detail: Text = ""


class Message(ApiModel):
    """One thing said in a call."""

    speaker: Text = ""
    message: Text = ""
    at: Moment = Field(None, validation_alias=AliasChoices("timestamp", "at"))
    tokens: Whole = None


class CallLogEntry(ApiModel):
    """One call (``GET /calls/logs``, ``GET /calls/{id}``). Costs are in credits, ``duration`` is seconds."""

    call_log_id: Name = Field(validation_alias=AliasChoices("call_log_id", "call_id", "id"))
    agent_id: Text = ""
    agent_name: Text = ""
    agent_phone_number: Phone = ""
    user_id: Text = ""
    incoming_callerid: Phone = ""
    called_number: Phone = ""
    call_direction: Text = ""
    call_type: Text = ""
    start_time: Moment = None
    end_time: Moment = None
    duration: Number = None
    messages: List = Field(default_factory=list)
    llm_name: Text = ""
    stt_name: Text = ""
    tts_name: Text = ""
    total_tokens_llm: Whole = None
    total_tokens_stt: Whole = None
    total_tokens_tts: Whole = None
    cost_llm: Number = None
    cost_stt: Number = None
    cost_tts: Number = None
    platform_cost: Number = None
    total_cost: Number = None
    conversation_analysis: Text = ""
    call_end_reason: Text = ""
    recording_url: Text = Field("", validation_alias=AliasChoices("recording_url", "recording"), repr=False)
    dynamic_variables: Object = Field(default_factory=dict)

    @property
    def duration_s(self) -> float | None:
        """Seconds from the start to the end; the vendor's own number when a time is missing."""
        seconds = seconds_between(self.start_time, self.end_time)
        return self.duration if seconds is None else seconds

    @property
    def said(self) -> tuple[Message, ...]:
        """The conversation."""
        return tuple(Message.read(mapping(one)) for one in self.messages if isinstance(one, dict))

    @property
    def transcript(self) -> str:
        """The conversation as lines ``SPEAKER: text``; empty when the log holds none."""
        return "\n".join(f"{one.speaker.upper()}: {one.message}" for one in self.said)


class WebToken(ApiModel):
    """What a browser joins a LiveKit room with (``GET /calls/generate-token``)."""

    access_token: Name = Field(validation_alias=AliasChoices("accessToken", "access_token", "token"), repr=False)
    identity: Text = ""


class AgentSettings(ApiModel):
    """One agent (``GET /agents``, ``GET /agents/{id}``). Durations are seconds."""

    agent_id: Name = Field(validation_alias=AliasChoices("id", "agent_id", "_id"))
    agent_name: Text = Field("", validation_alias=AliasChoices("agent_name", "name"))
    phone_number: Phone = ""
    llm_provider: Text = Field("", validation_alias=AliasChoices("LLM_provider", "llm_provider"))
    llm_model: Text = Field("", validation_alias=AliasChoices("LLM_model", "llm_model"))
    temperature: Number = None
    max_tokens: Whole = None
    system_prompt: Text = ""
    first_message: Text = ""
    stt_provider: Text = Field("", validation_alias=AliasChoices("STT_provider", "stt_provider"))
    stt_model: Text = Field("", validation_alias=AliasChoices("STT_model", "stt_model"))
    tts_provider: Text = Field("", validation_alias=AliasChoices("TTS_provider", "tts_provider"))
    tts_voice: Text = Field("", validation_alias=AliasChoices("TTS_voice", "tts_voice"))
    max_call_duration: Number = None
    silence_timeout: Number = None
    custom_functions: List = Field(default_factory=list)


class AgentFile(ApiModel):
    """One file of an agent's knowledge (``GET /agents/{id}/files``); only its name is known of."""

    name: Name = Field(validation_alias=AliasChoices("name", "file_name", "filename"))


class Findings(ApiModel):
    """What an agent's files say (``POST /agents/{id}/query``); its schema is not documented, so see ``raw`` too."""

    answer: Text = Field("", validation_alias=AliasChoices("answer", "response"))
    results: List = Field(default_factory=list, validation_alias=AliasChoices("results", "matches", "sources"))


class Batch(ApiModel):
    """One batch job (``GET /batch/{id}``); its schema is not documented, so see ``raw`` too.

    In which zone a ``scheduled_time`` without one is, nobody says; ``timezone`` is the IANA name that came with it.
    """

    batch_id: Name = Field(validation_alias=AliasChoices("batch_id", "id", "_id"))
    name: Text = ""
    status: Text = ""
    agent_id: Text = ""
    agent_phone_number: Phone = ""
    scheduled_time: Moment = None
    timezone: Text = ""
    created_at: Moment = None


class BatchItem(ApiModel):
    """One row of a batch (``GET /batch/{id}/items``), and the one place where a call is tied to its log.

    ``status`` is pending, calling, completed or failed; ``error`` says why it failed.
    """

    item_id: Name = Field(validation_alias=AliasChoices("id", "item_id", "_id"))
    phone_number: Phone = ""
    status: Text = ""
    call_log_id: Text = ""
    dynamic_variables: Object = Field(default_factory=dict)
    error: Text = ""


class PhoneLine(ApiModel):
    """One phone number, the workspace's (``GET /sip``) or for sale (``/sip/search-numbers``); no schema documented."""

    line_id: Text = Field("", validation_alias=AliasChoices("id", "sip_id", "_id"))
    phone_number: Phone = Field("", validation_alias=AliasChoices("phone_number", "number"))
    agent_id: Text = ""


class Tokens(ApiModel):
    """A login: what the cookies of ``POST /auth/login`` or ``/auth/refresh`` hold."""

    access_token: Name = Field(repr=False)
    refresh_token: Text = Field("", repr=False)


def day_or_moment(value: str | datetime | None) -> str | None:
    """A filter's date as the vendor writes it, ISO 8601."""
    return value.isoformat() if isinstance(value, datetime) else value or None
