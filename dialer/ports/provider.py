"""What the rooms need from a voice-AI provider."""

from collections.abc import AsyncIterator
from typing import Protocol

from dialer.domain.call import CallRequest, LogPage, PlaceResult


class SendPermit(Protocol):
    """The right to send, asked for twice: to wait for a slot, and at the last instant before the first byte."""

    async def slot(self, repeat: bool) -> None:
        """Wait until a request may leave; ``repeat`` for every request after the first.

        Raises SendWithdrawn when none may leave any more.
        """
        ...

    def last_instant(self) -> None:
        """Called when the connection stands and the first byte is about to leave.

        Raises SendWithdrawn when it must not.
        """
        ...


class CallProvider(Protocol):
    """A voice-AI provider: places calls and tells afterwards what they came to."""

    @property
    def account(self) -> str:
        """The account whose limits, log and halts this provider's calls share."""
        ...

    @property
    def silent_when_unanswered(self) -> bool:
        """True if an accepted call that nobody picked up may leave no row in the log at all."""
        ...

    @property
    def ids_are_final(self) -> bool:
        """True if the call id of an answer is the one that the log will show."""
        ...

    async def place(self, request: CallRequest, permit: SendPermit) -> PlaceResult:
        """Place one call. Never raises ProviderError: whatever happened is one of the four results."""
        ...

    def read_logs(self, since: float) -> AsyncIterator[LogPage]:
        """The call log from the newest row back, page by page; the caller stops when it has enough.

        ``since`` may narrow what is asked for; older rows may still come. Raises ProviderError when a page
        cannot be read: such a scan is incomplete and proves no absence.
        """
        ...

    async def aclose(self) -> None:
        """Close every connection."""
        ...
