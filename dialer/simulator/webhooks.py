"""What the webhooks of a call say, flat as documented and nested as captured, and their signatures (section 3.13)."""

import hmac
from hashlib import sha256
from typing import Any, NamedTuple

from dialer.simulator import vaanivoice_rows
from dialer.simulator.books import Call
from dialer.simulator.checking import zoned
from dialer.simulator.options import Options

AFTER_TALK = 0.5
EVENTS = (
    *("call_started", "call_ringing", "user_picked_up_at", "call_rejected", "call_no_answer", "call_failed"),
    *(f"human_transfer_{step}" for step in ("initiated", "successful", "failed")),
    *("call_ended", "call_postprocessing"),
)
"""Every kind of event a call can have."""


class Event(NamedTuple):
    """One event of a call: when, its kind, and what it says beside the kind and the call."""

    at: float
    kind: str
    fields: dict[str, Any]


def events_of(call: Call, options: Options, base_url: str) -> list[Event]:
    """The events of a call from dialing to post-processing, in order."""
    life, phone = call.life, call.order.to
    found = [Event(life.dialing_at, "call_started", {"status": "dialing", "phone_number": phone})]
    if life.ringing_at is not None:
        found.append(Event(life.ringing_at, "call_ringing", {"status": "ringing"}))
    match life.outcome:
        case "busy" | "rejected":
            return [*found, Event(life.ended_at, "call_rejected", {"status": "rejected"})]
        case "no_answer":
            return [*found, Event(life.ended_at, "call_no_answer", {"status": "no_answer"})]
        case "failed":
            return [*found, Event(life.ended_at, "call_failed", {"status": "failed", "error": "SIP_404_NOT_FOUND"})]
    assert life.answered_at is not None
    ended = {"call_duration": round(life.talk_s, 3), "end_reason": "AGENT_REQUESTED_DISCONNECT"}
    return [
        *found,
        Event(life.answered_at, "user_picked_up_at", {"status": "active"}),
        *_transfer(call, options),
        Event(life.ended_at, "call_ended", ended),
        Event(life.ended_at + options.log_delay_s, "call_postprocessing", _results(call, options, base_url)),
    ]


def body_of(event: Event, call: Call, options: Options) -> dict[str, Any]:
    """The whole body of one webhook, in the shape that the switch says."""
    if options.webhook_form == "flat":
        return {"event": event.kind, "room_name": call.call_id, **event.fields}
    order = call.order
    data = {
        "call_id": call.call_id,
        "room_name": call.call_id,
        "call_type": "Outbound",
        "agent_name": order.agent,
        "phone_number": order.to,
        **event.fields,
    }
    if event.kind == "call_ended":
        data["technical_issue"] = False
    if event.kind == "call_postprocessing":
        entity = vaanivoice_rows.entity(call, options)
        data["dispositions"] = {"call_disposition": entity.get("call_disposition", "completed")}
    body = {"event": event.kind, "timestamp": zoned(event.at), "data": data}
    if not options.webhook_details:
        return body
    life = call.life
    times = {"call_started_at": life.dialing_at, "picked_up_at": life.answered_at, "call_ended_at": life.ended_at}
    data |= {name: zoned(at) for name, at in times.items() if at is not None and at <= event.at}
    return {**body, "from": order.caller_id or "+910000000000"}


def signed(scheme: str, secret: str | None, kind: str, body: bytes, now: float) -> dict[str, str]:
    """The headers that a scheme adds; none without a secret."""
    if secret is None or scheme == "none":
        return {}
    digest = _hex(secret, body)
    if scheme == "vaani-signature":
        return {"Vaani-Signature": digest}
    if scheme == "x-vaani-signature":
        stamp = str(int(now))
        return {"X-Vaani-Timestamp": stamp, "X-Vaani-Signature": "sha256=" + _hex(secret, stamp.encode() + b"." + body)}
    bare = scheme.endswith("-bare")
    return {"X-Webhook-Event": kind, "X-Webhook-Signature": digest if bare else f"sha256={digest}"}


def _transfer(call: Call, options: Options) -> list[Event]:
    if options.webhook_transfer == "none" or call.life.answered_at is None:
        return []
    at = call.life.answered_at + call.life.talk_s * AFTER_TALK
    asked = Event(at, "human_transfer_initiated", {"transfer_type": "warm", "phone_number": "+910000000001"})
    if options.webhook_transfer == "successful":
        return [asked, Event(at, "human_transfer_successful", {"agent_identity": "human-simulated"})]
    return [asked, Event(at, "human_transfer_failed", {"reason": "No answer", "sip_status": 480})]


def _results(call: Call, options: Options, base_url: str) -> dict[str, Any]:
    talk_s = round(call.life.talk_s, 3)
    return {
        "call_duration": talk_s if options.webhook_duration == "s" else round(talk_s * 1000),
        "transcript": vaanivoice_rows.transcript(call),
        "summary": vaanivoice_rows.summary(call, options),
        "entities": vaanivoice_rows.entity(call, options),
        "recording_url": f"{base_url}/api/stream/{call.call_id}",
    }


def _hex(secret: str, message: bytes) -> str:
    return hmac.new(secret.encode(), message, sha256).hexdigest()
