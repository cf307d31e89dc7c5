"""Signed tokens (JWT, HS256) under a secret that everybody may know: they open nothing but the simulator."""

import json
from typing import Any

import jwt

SECRET = b"simulated, and known to everybody who reads this"
LIVEKIT_KEY = "simulated-key"
LIVEKIT_TTL_S = 6 * 3600
_JWS = jwt.PyJWS()


def signed(claims: dict[str, Any]) -> str:
    """A JWT of these claims."""
    return jwt.encode(claims, SECRET)


def claims_of(token: str) -> dict[str, Any] | None:
    """What a JWT of ours says, expired or not; None for anything else."""
    try:
        claims: dict[str, Any] = json.loads(_JWS.decode(token, SECRET, ["HS256"]))
    except (jwt.InvalidTokenError, ValueError):
        return None
    return claims


def livekit(identity: str, room: str, now: float) -> str:
    """A participant's token as LiveKit reads it; good for six hours (section 3.4)."""
    video = {"room": room, "roomJoin": True, "canPublish": True, "canSubscribe": True}
    times = {"nbf": int(now), "exp": int(now) + LIVEKIT_TTL_S}
    return signed({"iss": LIVEKIT_KEY, "sub": identity, **times, "video": video})
