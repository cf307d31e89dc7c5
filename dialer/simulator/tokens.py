"""Signed tokens (JWT, HS256) under a secret that everybody may know: they open nothing but the simulator."""

import base64
import hashlib
import hmac
import json
from typing import Any

SECRET = b"simulated, not secret"
LIVEKIT_KEY = "simulated-key"
LIVEKIT_TTL_S = 6 * 3600


def signed(claims: dict[str, Any]) -> str:
    """A JWT of these claims."""
    head = _packed({"alg": "HS256", "typ": "JWT"}) + "." + _packed(claims)
    return head + "." + _text(_signature(head))


def claims_of(token: str) -> dict[str, Any] | None:
    """What a JWT of ours says, expired or not; None for anything else."""
    head, _, signature = token.rpartition(".")
    try:
        if not hmac.compare_digest(_signature(head), _bytes(signature)):
            return None
        claims: dict[str, Any] = json.loads(_bytes(head.partition(".")[2]))
    except (ValueError, UnicodeEncodeError):
        return None
    return claims


def livekit(identity: str, room: str, now: float) -> str:
    """A participant's token as LiveKit reads it; good for six hours (section 3.4)."""
    video = {"room": room, "roomJoin": True, "canPublish": True, "canSubscribe": True}
    times = {"nbf": int(now), "exp": int(now) + LIVEKIT_TTL_S}
    return signed({"iss": LIVEKIT_KEY, "sub": identity, **times, "video": video})


def _signature(head: str) -> bytes:
    return hmac.new(SECRET, head.encode(), hashlib.sha256).digest()


def _packed(part: dict[str, Any]) -> str:
    return _text(json.dumps(part, separators=(",", ":")).encode())


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
