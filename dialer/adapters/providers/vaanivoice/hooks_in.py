"""A webhook of api.vaanivoice.ai as the rooms take it: verified over the body as it came, then read."""

from collections.abc import Mapping, Sequence
from hashlib import sha256

from dialer.adapters.providers.vaanivoice.signatures import PLAIN, verify_webhook
from dialer.adapters.providers.vaanivoice.webhooks import parse_webhook
from dialer.errors import WebhookForged
from dialer.ports.webhooks import Webhook

ACCOUNT = "vaanivoice"
LONGEST_WORD = 64
LONGEST_ID = 200


def read_webhook(body: bytes, headers: Mapping[str, str], now: float, *, secrets: Sequence[str]) -> Webhook:
    """Signed by one of ``secrets``; while none is set, nothing is asked of the signature.

    Raises WebhookForged, AnswerUnreadable.
    """
    header = _signed_by(body, headers, secrets, now) if secrets else ""
    event = parse_webhook(body)
    return Webhook(
        ACCOUNT,
        event.event[:LONGEST_WORD],
        event.call_id[:LONGEST_ID],
        header.title(),
        event.is_terminal,
        digest_of(header, body),
    )


def digest_of(header: str, body: bytes) -> str:
    """What two sendings of one event have in common: their times and the header of a plain signature may differ."""
    scheme = "plain" if header in PLAIN else "stamped"
    return sha256(scheme.encode() + b"\n" + body).hexdigest()


def _signed_by(body: bytes, headers: Mapping[str, str], secrets: Sequence[str], now: float) -> str:
    *others, last = secrets
    for secret in others:
        try:
            return verify_webhook(body, headers, secret, now)
        except WebhookForged:
            continue
    return verify_webhook(body, headers, last, now)
