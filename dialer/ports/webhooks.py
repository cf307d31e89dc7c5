"""What providers tell by themselves, over webhooks: hints, never evidence."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

ReadWebhook = Callable[[bytes, Mapping[str, str], float], "Webhook"]
"""A body as it came, its headers, and unix seconds. Raises WebhookForged, AnswerUnreadable."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """One event. ``event`` is the provider's word; ``signed_by`` the header with the signature, "" where no secret is
    set; ``digest`` the same for the same event, however often it is sent.
    """

    account: str
    event: str
    call_id: str
    signed_by: str
    is_terminal: bool
    digest: str


@dataclass(frozen=True, slots=True)
class HeardWebhook:
    """One that was taken, at unix seconds."""

    account: str
    event: str
    call_id: str
    signed_by: str
    received_at: float


class WebhookView(Protocol):
    """Reads what came. Both raise LedgerUnavailable."""

    async def of_calls(self, call_ids: Sequence[str]) -> list[HeardWebhook]:
        """Of these calls, over all accounts; the first that came first."""
        ...

    async def last(self, account: str) -> HeardWebhook | None:
        """The last that came, signed or not; None if there was none."""
        ...


class WebhookLedger(WebhookView, Protocol):
    """Keeps what came. All raise LedgerUnavailable."""

    async def hear(self, webhook: Webhook, keep_s: float) -> bool:
        """Keep a signed one for so long; False when it had come before. It is on disk when this returns."""
        ...

    async def note_unsigned(self, account: str) -> None:
        """One came that nobody signed, as no secret is set: of these only the last moment is kept."""
        ...

    async def path(self, account: str, fresh: str = "") -> str:
        """The part of the address that only the provider knows; ``fresh`` when there was none. "": there is none."""
        ...
