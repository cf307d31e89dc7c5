"""That somebody looked at what is private goes into the audit, once for each look and not for each request of it."""

from dataclasses import dataclass, field

from dialer.domain.act import By
from dialer.ports import Clock, Ledger

SAME_LOOK_S = 600.0
"""A player asks for a recording piece by piece, and a page is loaded again: this long it is one look."""
REMEMBERED = 10_000


@dataclass(frozen=True)
class NoteLooks:
    """The bookkeeper's room. It forgets with the process: then a look is noted twice."""

    ledger: Ledger
    clock: Clock
    _noted: dict[tuple[str, str, str], float] = field(default_factory=dict)

    async def note(self, by: By, act: str, campaign: str, subject: str) -> None:
        """Keep that ``by`` did this to a subject of the campaign with this handle ("": of none)."""
        look, now = (by.who, act, subject), self.clock.monotonic()
        last = self._noted.pop(look, None)
        if last is None or now - last > SAME_LOOK_S:
            await self.ledger.record_act(act, by, campaign, subject)
            last = now
        self._noted[look] = last
        if len(self._noted) > REMEMBERED:
            del self._noted[next(iter(self._noted))]
