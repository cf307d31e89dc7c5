"""Whose turn is it? An account's next calls are dealt to its campaigns, by weight.

Start-time fair queueing (Goyal, Vin, Cheng 1996): each turn of a campaign begins where its last one ended, but not
before the turn that was dealt last, and lasts ``1 / weight``; the earliest turn comes first. So campaigns with work
share by weight however many they are, a campaign that could not take its turns saves none up, and what one cannot use
the others get.
"""

import heapq
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

REMEMBERED = 4096
"""Campaigns: when more were dealt to, those that take no part any more are forgotten."""


@dataclass(frozen=True, slots=True)
class Hand:
    """A campaign that may take turns now: ``room`` is how many at most."""

    campaign_id: int
    weight: int
    room: int


@dataclass(slots=True)
class Dealer:
    """Deals the turns of one account. What it remembers is only where each campaign's last turn ended."""

    now: float = 0.0
    """Where the turn began that was dealt last, in turns of weight 1."""
    ended: dict[int, float] = field(default_factory=dict)

    def deal(self, hands: Sequence[Hand], turns: int) -> Counter[int]:
        """Campaign id -> how many of ``turns`` it gets; all are dealt while any hand has room."""
        dealt: Counter[int] = Counter()
        waiting = [
            (max(self.now, self.ended.get(hand.campaign_id, 0.0)), hand.campaign_id, hand)
            for hand in hands
            if hand.room > 0
        ]
        heapq.heapify(waiting)
        while waiting and turns > 0:
            begins, campaign_id, hand = waiting[0]
            self.now = begins
            self.ended[campaign_id] = begins + 1.0 / max(1, hand.weight)
            dealt[campaign_id] += 1
            turns -= 1
            if dealt[campaign_id] < hand.room:
                heapq.heapreplace(waiting, (self.ended[campaign_id], campaign_id, hand))
            else:
                heapq.heappop(waiting)
        if len(self.ended) > REMEMBERED:
            present = {hand.campaign_id for hand in hands}
            self.ended = {campaign_id: end for campaign_id, end in self.ended.items() if campaign_id in present}
        return dealt
