"""One time for every process of a ledger: the database's, kept by a clock of this machine that is set by it."""

from dialer.ports import Clock

SET_EVERY_S = 10.0
TELL_FROM_S = 1.0
"""A machine whose own clock is further off says so."""


class LedgerClock:
    """The time of the database, between two looks at it by the machine's monotonic clock.

    So hosts whose clocks differ agree on leases, intents and due times, and a host whose clock is set meanwhile does
    not notice. Until it is set for the first time, it is the machine's own clock.
    """

    def __init__(self, own: Clock) -> None:
        self._own = own
        self._ahead_of_monotonic_s: float | None = None
        self._set_at = 0.0

    def now(self) -> float:
        if self._ahead_of_monotonic_s is None:
            return self._own.now()
        return self._own.monotonic() + self._ahead_of_monotonic_s

    def monotonic(self) -> float:
        return self._own.monotonic()

    async def sleep(self, seconds: float) -> None:
        await self._own.sleep(seconds)

    @property
    def is_due(self) -> bool:
        """Whether it is time to look at the database's clock again."""
        return self._ahead_of_monotonic_s is None or self._own.monotonic() - self._set_at >= SET_EVERY_S

    def set(self, theirs: float, asked_at: float, answered_at: float) -> None:
        """The database's clock showed ``theirs`` between two monotonic moments of ours."""
        self._ahead_of_monotonic_s = theirs - (asked_at + answered_at) / 2
        self._set_at = answered_at

    def own_offset_s(self) -> float:
        """How far the machine's own clock is ahead of the database's."""
        return self._own.now() - self.now()
