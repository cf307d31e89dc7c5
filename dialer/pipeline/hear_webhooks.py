"""Takes the webhooks of one account. They are hints: the call log stays the evidence.

One that says that a call is over has the log read earlier than it would be. Nothing else follows from any of them, so
that they may come early, late, twice, in any order, or never.
"""

from base64 import urlsafe_b64encode
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from hmac import compare_digest

import structlog

from dialer.errors import WebhookForged
from dialer.ports import Clock
from dialer.ports.webhooks import HeardWebhook, ReadWebhook, WebhookLedger

log = structlog.get_logger()

KEPT_S = 7 * 86_400.0
"""What is sent again within this time changes nothing."""
PATH_BYTES = 18
RING_EVERY_S = 0.5
"""So often the reader of the log is rung, however many webhooks come: a later one rings again."""
SAID_EVERY_S = 60.0


@dataclass
class HearWebhooks:
    """The room. ``read`` verifies and reads one; ``ring`` has the account's log read soon."""

    ledger: WebhookLedger
    clock: Clock
    account: str
    read: ReadWebhook
    ring: Callable[[], Awaitable[None]]
    random_bytes: Callable[[int], bytes]
    _path: str = ""
    _will_ring: bool = False
    _rung_at: float = float("-inf")
    _said_at: float = float("-inf")

    async def path(self) -> str:
        """The part of the address that only the provider is told: the same for every process and for good."""
        if not self._path:
            fresh = urlsafe_b64encode(self.random_bytes(PATH_BYTES)).decode()
            self._path = await self.ledger.path(self.account, fresh)
        return self._path

    async def is_ours(self, path: str) -> bool:
        """Whether somebody knows that part."""
        self._path = self._path or await self.ledger.path(self.account)
        return bool(self._path) and compare_digest(path.encode(errors="replace"), self._path.encode())

    async def hear(self, body: bytes, headers: Mapping[str, str]) -> bool:
        """Take one, as it came; whether the log should be read soon (``hint``). It is kept when this returns.

        Raises WebhookForged, AnswerUnreadable, and LedgerUnavailable, after which it must be sent again.
        """
        try:
            webhook = self.read(body, headers, self.clock.now())
        except WebhookForged as forged:
            self._say(str(forged))
            raise
        if not webhook.signed_by:
            await self.ledger.note_unsigned(self.account)
            return webhook.is_terminal
        return await self.ledger.hear(webhook, KEPT_S) and webhook.is_terminal

    async def hint(self) -> None:
        """Have the log read soon. Of many who ask at once, one rings, after all of them."""
        if self._will_ring:
            return
        self._will_ring = True
        try:
            await self.clock.sleep(max(0.0, self._rung_at + RING_EVERY_S - self.clock.monotonic()))
        finally:
            self._will_ring = False
        self._rung_at = self.clock.monotonic()
        await self.ring()

    async def last(self) -> HeardWebhook | None:
        """The last one that came."""
        return await self.ledger.last(self.account)

    def _say(self, why: str) -> None:
        """Once a minute: who knows the address can send as many as they like."""
        now = self.clock.monotonic()
        if now >= self._said_at + SAID_EVERY_S:
            self._said_at = now
            log.warning("webhook.refused", account=self.account, why=why)
