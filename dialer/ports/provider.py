"""What the rooms need from a voice-AI provider."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Protocol, runtime_checkable

from dialer.domain.call import CallLog, CallRequest, LogPage, PlaceResult


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


class Connection(Protocol):
    """A way to the provider that stands ready for one request."""

    @property
    def took_s(self) -> float:
        """How long it took to open; 0 when it was open already."""
        ...

    async def give_back(self) -> None:
        """Leave it to another request. Does nothing once a request went over it."""
        ...


@runtime_checkable
class CallProvider(Protocol):
    """A voice-AI provider: places calls and reports afterwards what they came to."""

    @property
    def account(self) -> str:
        """The account whose limits, log and halts this provider's calls share."""
        ...

    @property
    def silent_when_unanswered(self) -> bool:
        """True if an accepted call that nobody picked up may leave no row in the log."""
        ...

    @property
    def ids_are_final(self) -> bool:
        """True if the call id of an answer is the one that the log will show."""
        ...

    async def connect(self) -> Connection:
        """A connection for one call: made before the gate, so that the call can leave at once. Raises NotSent."""
        ...

    def keep_connected(self, for_s: float) -> None:
        """Keep a connection ready, in the background, for so many seconds."""
        ...

    async def place(
        self, request: CallRequest, permit: SendPermit, connection: Connection | None = None
    ) -> PlaceResult:
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


class CallArchive(Protocol):
    """What a provider keeps of past calls: for people to look at, never to decide what is dialed.

    Every method raises ProviderError.
    """

    def calls(self, since: float | None = None, until: float | None = None, agent: str = "") -> AsyncIterator[CallLog]:
        """Calls in the provider's order, of one agent if one is named, begun between two moments (unix seconds)."""
        ...

    async def call(self, call_id: str) -> CallLog:
        """One call. Raises NotFound."""
        ...

    async def transcript(self, call_id: str) -> str | None:
        """What was said; None while it is being made. Raises NotFound when there is none."""
        ...

    async def save_recording(self, call_id: str, path: Path) -> tuple[str, int]:
        """Fetch the recording into a file, going on with ``path`` + ".part" of an earlier run.

        Answers its content type and its bytes. Raises NotFound when there is none.
        """
        ...
