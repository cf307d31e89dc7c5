"""How far campaigns are, for the list of them all."""

from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass, field

from dialer.domain.contact import FINAL_CONTACTS
from dialer.ports.people import PeopleView
from dialer.ports.world import Clock

KEPT_S = 2.0
SHARE = 20
"""What took long to count is counted again after so many times as long."""


@dataclass
class CountProgress:
    """The reader's room. What it remembers are counts of a moment ago, and may be lost."""

    view: PeopleView
    clock: Clock
    _counted: MutableMapping[int, tuple[float, int, int]] = field(default_factory=dict)

    async def of(self, campaign_ids: Sequence[int]) -> dict[int, tuple[int, int]]:
        """For each campaign, its people and how many of them are final."""
        now = self.clock.monotonic()
        stale = [one for one in campaign_ids if self._counted.get(one, (0.0, 0, 0))[0] <= now]
        for campaign_id in stale:
            began = self.clock.monotonic()
            counts = await self.view.by_status(campaign_id)
            ended = self.clock.monotonic()
            final = sum(count for status, count in counts.items() if status in FINAL_CONTACTS)
            kept_until = ended + max(KEPT_S, SHARE * (ended - began) * len(stale))
            self._counted[campaign_id] = (kept_until, sum(counts.values()), final)
        return {one: self._counted[one][1:] for one in campaign_ids}
