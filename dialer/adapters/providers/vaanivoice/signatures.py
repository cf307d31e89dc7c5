"""Which webhooks the secret signed: the three schemes that api.vaanivoice.ai documents or has been seen to use."""

import hmac
from collections.abc import Iterable, Mapping
from hashlib import sha256

from dialer.adapters.providers.answers.times import when
from dialer.errors import WebhookForged

SKEW_S = 300.0
"""How far a signed time may lie from ours (docs, campaign webhooks)."""

STAMPED = "x-vaani-signature"
STAMP = "x-vaani-timestamp"
PLAIN = ("x-webhook-signature", "vaani-signature")


def verify_webhook(body: bytes, headers: Mapping[str, str], secret: str, now: float, *, skew_s: float = SKEW_S) -> str:
    """Hold a webhook against the secret; ``body`` as it came, ``now`` unix seconds. Raises WebhookForged.

    Answers the name of the header, in lower case, whose signature was held against it:

    - ``X-Vaani-Signature: sha256=<hex>`` over ``<X-Vaani-Timestamp>.<body>``, refused outside ``skew_s`` seconds;
    - ``X-Webhook-Signature: sha256=<hex>`` (the prefix may be missing) over the body;
    - ``Vaani-Signature``, the same.

    Only the first keeps an old webhook from being sent again; events that come twice must do no harm.
    """
    if not secret:
        raise WebhookForged("no secret is set, so no webhook can be believed")
    lowered = {name.lower(): value.strip() for name, value in headers.items()}
    if STAMPED in lowered:
        stamp = lowered.get(STAMP, "")
        _refuse_unless_fresh(stamp, now, skew_s)
        _refuse_unless_signed(lowered[STAMPED], secret, (stamp.encode(), b".", body))
        return STAMPED
    for name in PLAIN:
        if name in lowered:
            _refuse_unless_signed(lowered[name], secret, (body,))
            return name
    raise WebhookForged("the webhook is not signed")


def signature(secret: str, *parts: bytes) -> str:
    """``sha256=<hex>`` of the parts, one after the other."""
    made = hmac.new(secret.encode(), digestmod=sha256)
    for part in parts:
        made.update(part)
    return f"sha256={made.hexdigest()}"


def _refuse_unless_signed(given: str, secret: str, parts: Iterable[bytes]) -> None:
    expected = signature(secret, *parts)
    shown = "sha256=" + given.removeprefix("sha256=").lower()
    if not hmac.compare_digest(shown.encode(), expected.encode()):
        raise WebhookForged("the webhook's signature is not of this secret")


def _refuse_unless_fresh(stamp: str, now: float, skew_s: float) -> None:
    moment = when(stamp)
    if moment is None or abs(now - moment) > skew_s:
        raise WebhookForged("the webhook's time is missing or too far from ours")
