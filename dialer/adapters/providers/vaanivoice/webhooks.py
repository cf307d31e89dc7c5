"""The bodies of api.vaanivoice.ai's webhooks: documented flat, seen nested, both read alike.

Webhooks are hints: they may come twice, late, before the answer to the trigger, or never. Match them by
``call_id`` (the room has the same name), else by number.
"""

import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from pydantic import AliasChoices, Field

from dialer.adapters.providers.answers.models import ApiModel, Moment, Name, Number, Object, Phone, Text
from dialer.adapters.providers.answers.values import mapping, number, text
from dialer.errors import AnswerUnreadable


class WebhookKind(StrEnum):
    """Every event the vendor documents or has been seen to send."""

    CALL_STARTED = "call_started"
    CALL_RINGING = "call_ringing"
    USER_PICKED_UP = "user_picked_up_at"
    CALL_REJECTED = "call_rejected"
    CALL_NO_ANSWER = "call_no_answer"
    CALL_FAILED = "call_failed"
    TRANSFER_INITIATED = "human_transfer_initiated"
    TRANSFER_SUCCESSFUL = "human_transfer_successful"
    TRANSFER_FAILED = "human_transfer_failed"
    CALL_ENDED = "call_ended"
    CALL_POSTPROCESSING = "call_postprocessing"
    TEST = "webhook_test"
    CAMPAIGN_STATUS_CHANGED = "campaign.status_changed"
    CAMPAIGN_COMPLETED = "campaign.completed"
    CAMPAIGN_CANCELLED = "campaign.cancelled"
    CAMPAIGN_CALL_COMPLETED = "call.completed"
    CAMPAIGN_CALL_FAILED = "call.failed"
    CAMPAIGN_CALL_NO_ANSWER = "call.no_answer"


TERMINAL = frozenset(
    {
        WebhookKind.CALL_REJECTED,
        WebhookKind.CALL_NO_ANSWER,
        WebhookKind.CALL_FAILED,
        WebhookKind.CALL_ENDED,
        WebhookKind.CAMPAIGN_CALL_COMPLETED,
        WebhookKind.CAMPAIGN_CALL_FAILED,
        WebhookKind.CAMPAIGN_CALL_NO_ANSWER,
    }
)
"""After these the call is over. ``call_rejected`` includes busy; ``call_postprocessing`` comes later."""


class WebhookEvent(ApiModel):
    """One event. ``event`` is the vendor's word; ``kind`` is None for a word that no list knows."""

    event: Name
    call_id: Text = ""
    room_name: Text = ""
    phone_number: Phone = ""
    call_type: Text = ""
    agent_name: Text = ""
    status: Text = ""
    error: Text = ""
    end_reason: Text = ""
    reason: Text = ""
    sip_status: Text = ""
    transfer_type: Text = ""
    agent_identity: Text = ""
    technical_issue: Any = None
    call_duration: Number = None
    call_duration_seconds: Number = None
    transcript: Any = None
    summary: Text = ""
    entities: Object = Field(default_factory=dict)
    dispositions: Object = Field(default_factory=dict)
    recording_url: Text = Field("", repr=False)
    started_at: Moment = Field(None, validation_alias=AliasChoices("call_started_at", "started_at"))
    picked_up_at: Moment = None
    ended_at: Moment = Field(None, validation_alias=AliasChoices("call_ended_at", "ended_at"))
    from_number: Phone = Field("", validation_alias=AliasChoices("from", "from_number"))
    campaign_id: Text = ""
    campaign_name: Text = ""
    old_status: Text = ""
    new_status: Text = ""
    stats: Object = Field(default_factory=dict)
    contact: Object = Field(default_factory=dict)
    call_status: Text = ""
    call_outcome: Text = ""
    call_tags: Any = None
    timestamp: Moment = None

    @property
    def kind(self) -> WebhookKind | None:
        """The event, if it is a known one."""
        return next((kind for kind in WebhookKind if kind == self.event), None)

    @property
    def is_terminal(self) -> bool:
        """Whether the call is over."""
        return self.kind in TERMINAL

    @property
    def duration_s(self) -> float | None:
        """Seconds of talk, where the unit is sure: ``call_ended`` and campaign calls.

        ``call_postprocessing`` says milliseconds in the docs and seconds on the wire: use the call's own times.
        """
        if self.call_duration_seconds is not None:
            return self.call_duration_seconds
        return self.call_duration if self.kind is WebhookKind.CALL_ENDED else None


def parse_webhook(body: bytes | str | Mapping[str, Any]) -> WebhookEvent:
    """An event from its body, flat or with everything under ``data``. Raises AnswerUnreadable for anything else."""
    payload: Any = body
    if isinstance(body, bytes | str):
        try:
            payload = json.loads(body)
        except (ValueError, RecursionError):
            raise AnswerUnreadable("the webhook is not JSON") from None
    if not isinstance(payload, Mapping):
        raise AnswerUnreadable("the webhook is not a JSON object")
    inner = mapping(payload.get("data"))
    flat = {**{name: value for name, value in payload.items() if name != "data"}, **inner}
    flat["event"] = payload.get("event") or inner.get("event")
    flat["call_id"] = text(flat.get("call_id")) or text(flat.get("room_name"))
    contact = mapping(flat.get("contact"))
    flat["phone_number"] = flat.get("phone_number") or contact.get("phone")
    stamp = number(flat.get("timestamp"))
    flat["timestamp"] = flat.get("timestamp") if stamp is None else stamp
    return WebhookEvent.read(flat).model_copy(update={"raw": dict(payload)})
