"""A scripted CallProvider: answers as told, and keeps what it was asked."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field

from dialer.domain.call import CallLog, CallRequest, LogPage, NotPlaced, Placed, PlaceResult
from dialer.errors import ProviderError, SendWithdrawn
from dialer.ports import Connection, SendPermit


@dataclass(frozen=True)
class Connected:
    """A connection that took ``took_s`` seconds to make."""

    took_s: float = 0.0

    async def give_back(self) -> None:
        """Nothing is kept."""


@dataclass
class ScriptedProvider:
    """``answer`` makes the result of each request; ``pages`` is the log, newest page first."""

    account: str = "vaanivoice"
    silent_when_unanswered: bool = False
    ids_are_final: bool = True
    answer: Callable[[CallRequest], PlaceResult] = lambda request: Placed(f"call-{request.token[:8]}")
    pages: Sequence[LogPage | ProviderError] = ()
    sent: list[CallRequest] = field(default_factory=list)
    asked_since: list[float] = field(default_factory=list)
    pages_read: int = 0

    async def connect(self) -> Connection:
        return Connected()

    def keep_connected(self, for_s: float) -> None:
        """It always is."""

    async def place(
        self, request: CallRequest, permit: SendPermit, connection: Connection | None = None
    ) -> PlaceResult:
        try:
            await permit.slot(repeat=False)
            permit.last_instant()
        except SendWithdrawn as withdrawn:
            return NotPlaced(str(withdrawn))
        self.sent.append(request)
        return self.answer(request)

    async def read_logs(self, since: float) -> AsyncIterator[LogPage]:
        self.asked_since.append(since)
        for page in self.pages:
            if isinstance(page, ProviderError):
                raise page
            self.pages_read += 1
            yield page

    async def aclose(self) -> None:
        """Nothing is open."""


def log_row(call_id: str, to: str, at: float, **more: object) -> CallLog:
    """A row as a provider would give it; ``more`` sets any field of CallLog."""
    told: dict[str, object] = {
        "call_id": call_id, "to_number": to, "agent": "agent", "started_at": at, "ended_at": at + 20,
        "duration_s": 10.0, "disposition": None, "raw_status": "",
    }  # fmt: skip
    return CallLog(**(told | more))  # type: ignore[arg-type]
