"""How carefully a provider is asked by this process: a few at first, none while nothing comes back.

Until a campaign had a call accepted, and again after every answer that is none, few of its people are asked at once:
what is wrong for everybody then shows before everybody was asked.
"""

import asyncio
from dataclasses import dataclass, field

from dialer.domain.call import NotPlaced, Placed, PlaceResult, Refused, Unknown
from dialer.domain.pacing import BackOff

AT_ONCE = 5
"""People of one campaign asked at once by this process while it is not known that calls are accepted."""
BRAKE_AFTER = 5
"""So many requests in a row without a proper answer slow the whole account down."""
HOLD_AFTER = 2
"""So many lost answers in a row, each of which may cost somebody an attempt, and the provider must prove that it
answers at all before the next."""
SLOW_S = 0.2
WITHDRAWN = "not sent: "
LATE = "the moment allowed for it has passed"


@dataclass
class Trial:
    """One campaign. ``proven``: the last answer accepted a call."""

    proven: bool = False
    asking: int = 0
    _moved: asyncio.Event = field(default_factory=asyncio.Event)

    async def enter(self, within_s: float) -> bool:
        """Wait until another of its people may be asked; False when that took too long."""
        if not self.proven and self.asking >= AT_ONCE:
            try:
                async with asyncio.timeout(within_s):
                    while not self.proven and self.asking >= AT_ONCE:
                        self._moved.clear()
                        await self._moved.wait()
            except TimeoutError:
                return False
        self.asking += 1
        return True

    def leave(self) -> None:
        """One of them is done."""
        self.asking -= 1
        self._moved.set()

    def hear(self, result: PlaceResult) -> None:
        """Take in an answer."""
        self.proven = isinstance(result, Placed)
        self._moved.set()


@dataclass
class Standing:
    """One account: what its provider answered lately."""

    failures: int = 0
    """Requests in a row without a proper answer."""
    lost: int = 0
    """Answers lost in a row."""
    late: int = 0
    """Requests in a row that came too late to be sent."""
    slow_way: bool = False
    """Connecting took so long, the last time, that a slot would pass meanwhile: it comes before the slot."""
    back_off: BackOff = field(default_factory=BackOff)
    proof: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held by the task that finds out whether the provider answers at all."""
    proved: bool = True

    @property
    def must_prove(self) -> bool:
        """Whether the provider is to show that it answers before another person is asked."""
        return self.lost >= HOLD_AFTER and not self.proved

    def connected(self, took_s: float) -> None:
        """Take in how long a connection took; 0 for one that was open already."""
        if took_s > 0:
            self.slow_way = took_s > SLOW_S

    def hear(self, result: PlaceResult, now: float) -> float:
        """Take in an answer; seconds to stop the account for, 0 for none. ``now`` is monotonic."""
        match result:
            case Placed() | Refused():
                self.failures = self.lost = self.late = 0
                self.back_off.accepted()
                return 0.0
            case NotPlaced(reason=reason) if reason.startswith(WITHDRAWN):
                self.late += reason.endswith(LATE)
                return 0.0
            case NotPlaced(throttled=True, retry_after_s=asked_s):
                self.failures += 1
                # At least the back-off: a time that proves too short must grow.
                return max(asked_s or 0.0, self.back_off.refused(now))
            case Unknown():
                self.lost += 1
                self.proved = False
        self.failures += 1
        if self.failures >= BRAKE_AFTER or self.lost >= HOLD_AFTER:
            return self.back_off.refused(now)
        return 0.0

    @property
    def is_worth_a_line(self) -> bool:
        """At the brake, and each time the run of failures has doubled."""
        return _doubled(self.failures) or (self.lost == HOLD_AFTER and self.failures < BRAKE_AFTER)

    @property
    def is_always_late(self) -> bool:
        """The same for requests that come too late."""
        return _doubled(self.late)


def _doubled(failures: int) -> bool:
    times, rest = divmod(failures, BRAKE_AFTER)
    return times > 0 and rest == 0 and times & (times - 1) == 0


@dataclass
class Caution:
    """What this process knows of every account and campaign."""

    trials: dict[int, Trial] = field(default_factory=dict)
    standings: dict[str, Standing] = field(default_factory=dict)

    def trial(self, campaign_id: int) -> Trial:
        """Of a campaign."""
        return self.trials.setdefault(campaign_id, Trial())

    def standing(self, account: str) -> Standing:
        """Of an account."""
        return self.standings.setdefault(account, Standing())
