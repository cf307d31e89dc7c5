"""Answers that are given again: a request that was sent twice with one key is carried out once."""

from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256, shake_256
from json import dumps, loads

from dialer.ports.access import AccessLedger, Reply

KEPT_S = 24 * 3600.0
HEARD_EVERY_S = 30.0
"""A request that runs is heard of so often; of one that is not, the process is gone."""


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """``fingerprint`` of the request that it answers; ``status`` None: that one still runs."""

    fingerprint: str
    status: int | None
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class KeepReplies:
    """The room of those who ask again. ``asker``: the secret that somebody asked with, ``key``: what they call it.

    An answer may hold a token or a number. It is kept so that only the same asker with the same key can read it.
    """

    ledger: AccessLedger

    async def begin(self, asker: str, key: str) -> KeptAnswer | None:
        """Note that it runs: None. Else what is known of the one before, for 24 hours."""
        reply = await self.ledger.begin_reply(_name(asker, key), KEPT_S)
        if reply is None:
            return None
        body = _mixed(asker, key, b64decode(reply.body))
        return KeptAnswer(reply.fingerprint, reply.status, loads(reply.headers or "{}"), body)

    async def hear(self, asker: str, key: str) -> None:
        """It still runs."""
        await self.ledger.hear_of_reply(_name(asker, key))

    async def keep(self, asker: str, key: str, answer: KeptAnswer) -> None:
        """Its answer."""
        body = b64encode(_mixed(asker, key, answer.body)).decode()
        reply = Reply(answer.fingerprint, answer.status, dumps(dict(answer.headers)), body)
        await self.ledger.keep_reply(_name(asker, key), reply)

    async def forget(self, asker: str, key: str) -> None:
        """It changed nothing: the same request may run again."""
        await self.ledger.keep_reply(_name(asker, key), None)


def _name(asker: str, key: str) -> str:
    return sha256(f"name\n{asker}\n{key}".encode()).hexdigest()


def _mixed(asker: str, key: str, body: bytes) -> bytes:
    """The body, unreadable without ``asker``, which is kept nowhere; mixed again it is readable. A key answers one
    request of one asker, so that nothing is mixed twice with the same.
    """
    pad = shake_256(f"body\n{asker}\n{key}".encode()).digest(len(body))
    return (int.from_bytes(body, "big") ^ int.from_bytes(pad, "big")).to_bytes(len(body), "big")
