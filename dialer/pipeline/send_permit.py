"""The right to send one attempt's requests: each needs a slot, and none may leave too late."""

from dataclasses import dataclass

from dialer.domain.checkpoint import Passing
from dialer.errors import SendWithdrawn
from dialer.pipeline.caution import LATE, WITHDRAWN
from dialer.pipeline.doorway import Passage
from dialer.ports import Admitted, Clock, Connection, Grant, Pacer


@dataclass(frozen=True, slots=True)
class Turn:
    """What an attempt needs to pass the gate: a slot and a line, a connection, a place in the doorway.

    ``since``: when pace and lines first let it go (monotonic seconds).
    """

    grant: Grant
    connection: Connection
    passage: Passage
    since: float


class Permit:
    """SendPermit for an admitted attempt: good for ``send_within_s`` seconds after its intent."""

    def __init__(
        self,
        pacer: Pacer,
        clock: Clock,
        send_within_s: float,
        passing: Passing,
        account: str,
        admitted: Admitted,
        turn: Turn,
    ) -> None:
        self._pacer, self._clock, self._within_s, self._passing = pacer, clock, send_within_s, passing
        self._account, self._admitted, self._grant, self._passage = account, admitted, turn.grant, turn.passage
        self._admitted_at = clock.monotonic()
        self._turn_at, self._left_at = turn.since, 0.0
        self.delay_s: float | None = None
        """From its turn to the first byte; None while none left."""
        self.requests = 0

    async def slot(self, repeat: bool) -> None:
        """Wait until a request may leave. Raises SendWithdrawn."""
        self._passing("place.slot")
        held = await self._grant.slot() if not repeat else False
        while not held:
            self._refuse_late()
            left_s = self._admitted_at + self._within_s - self._clock.monotonic()
            admitted = self._admitted
            grant = await self._pacer.again(self._account, admitted.campaign_id, admitted.attempt_id, left_s)
            if grant is None:
                raise SendWithdrawn(f"{WITHDRAWN}no slot left in time")
            self._grant = grant
            held = await grant.slot()

    def last_instant(self) -> None:
        """Called when the first byte is about to leave. Raises SendWithdrawn."""
        self._refuse_late()
        if not self._grant.valid:
            raise SendWithdrawn(f"{WITHDRAWN}paused or braked")
        self._left_at = self._clock.monotonic()
        if self.delay_s is None:
            self.delay_s = self._left_at - self._turn_at
        self.requests += 1
        self._passage.leave()
        self._passing("place.first_byte")

    def since_left_s(self) -> float | None:
        """Seconds since the last request left; None where none did."""
        return self._clock.monotonic() - self._left_at if self.requests else None

    def _refuse_late(self) -> None:
        # Both clocks: the wall clock may be set back, the other one does not show what the ledger wrote.
        late = self._clock.now() >= self._admitted.dialed_at + self._within_s
        if late or self._clock.monotonic() >= self._admitted_at + self._within_s:
            raise SendWithdrawn(f"{WITHDRAWN}{LATE}")


class NoTurn(Exception):
    """An attempt cannot be dialed now, and why."""

    def __init__(self, why: str, after_s: float = 0.0) -> None:
        super().__init__(why)
        self.why, self.after_s = why, after_s
