"""What follows for the person of a call that is over, and how long the log may still add to it."""

from dataclasses import dataclass
from random import Random

from dialer.domain.call import CallLog
from dialer.domain.campaign import CampaignSpec
from dialer.domain.disposition import Disposition
from dialer.domain.redial import CallBack, Redial, Settle, after_attempt
from dialer.ports import Clock

ANALYSED_WITHIN_S = 900.0
"""How long after a call its analysis, or its cost where there is a budget, is waited for."""
TALKED = frozenset({Disposition.ANSWERED, Disposition.VOICEMAIL})


@dataclass(frozen=True)
class FollowCalls:
    """Counts from the end of the call that the provider gives, else from our clock."""

    clock: Clock
    chance: Random
    redial_scale: float

    def after(
        self, spec: CampaignSpec, disposition: Disposition, attempts_made: int, row: CallLog | None
    ) -> Redial | Settle:
        """What follows the last of ``attempts_made``; ``row``: what the log says of it, its times by our clock."""
        now = self.clock.now()
        ended_at = now if row is None or row.ended_at is None else min(row.ended_at, now)
        call_back = CallBack(row.callback_at) if row is not None and row.callback_requested else None
        luck = self.chance.random() if spec.redial.jitter_s else 0.0
        return after_attempt(
            spec.redial, disposition, attempts_made, ended_at, self.redial_scale, luck=luck, call_back=call_back
        )

    def owed_until(self, spec: CampaignSpec, row: CallLog) -> float | None:
        """Until when to wait for more about a call that is over; None when nothing is missing or the time is up."""
        missing = not row.analysed or (row.cost is None and spec.max_cost > 0)
        if row.disposition not in TALKED or not missing:
            return None
        until = (row.ended_at or self.clock.now()) + ANALYSED_WITHIN_S
        return until if until > self.clock.now() else None
