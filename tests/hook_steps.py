"""Webhooks as vaanivoice sends them, signed."""

import hmac
import json
from collections.abc import Awaitable, Callable
from functools import partial
from hashlib import sha256

from dialer.adapters.providers.vaanivoice.hooks_in import ACCOUNT, read_webhook
from dialer.pipeline.hear_webhooks import HearWebhooks
from dialer.ports import Clock
from dialer.ports.webhooks import WebhookLedger

OLD, NEW = "the-old-secret", "the-new-secret"
ANSWERED = ("call_started", "call_ringing", "user_picked_up_at", "call_ended", "call_postprocessing")
NO_ANSWER = ("call_started", "call_ringing", "call_no_answer")
REJECTED = ("call_started", "call_rejected")


def hook(event: str, call_id: str = "room-1", **more: object) -> bytes:
    """A body as documented."""
    return json.dumps({"event": event, "room_name": call_id, **more}).encode()


def signed(body: bytes, secret: str = NEW, header: str = "X-Webhook-Signature") -> dict[str, str]:
    """Its headers."""
    return {header: "sha256=" + hmac.new(secret.encode(), body, sha256).hexdigest()}


def stamped(body: bytes, at: float, secret: str = NEW) -> dict[str, str]:
    """The headers of one that is signed with its time."""
    stamp = str(int(at))
    return {"X-Vaani-Timestamp": stamp, **signed(f"{stamp}.".encode() + body, secret, "X-Vaani-Signature")}


def hearing(
    ledger: WebhookLedger, clock: Clock, ring: Callable[[], Awaitable[None]], secrets: tuple[str, ...] = (NEW, OLD)
) -> HearWebhooks:
    """The room, with bytes that are always the same."""
    return HearWebhooks(ledger, clock, ACCOUNT, partial(read_webhook, secrets=secrets), ring, bytes)
