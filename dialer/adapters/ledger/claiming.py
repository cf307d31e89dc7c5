"""Looking for people who may be called now, among many who may not: page by page, each in a commit of its own."""

from collections.abc import Mapping

from dialer.adapters.ledger import feed
from dialer.adapters.ledger.store import Store
from dialer.adapters.ledger.turns import in_turns
from dialer.ports import Clock, QueuedAttempt

LOOK_AT_ONCE = 50
LOOKS = 40
LOOK_S = 0.25
"""Who may not be called now costs no slot: so many pages are searched for others in one claim, for so long."""


async def claim_due(store: Store, clock: Clock, wanted: Mapping[int, int], lease_s: float) -> list[list[QueuedAttempt]]:
    """As ``Ledger.claim_due``."""
    claimed: dict[int, list[QueuedAttempt]] = {campaign_id: [] for campaign_id in wanted}
    wants = [feed.Want(campaign_id, most, most) for campaign_id, most in wanted.items()]
    until = clock.monotonic() + LOOK_S
    for _ in range(LOOKS):
        claims = await in_turns(store, clock, feed.claim_due, wants, lease_s, at_once=1)
        looked = list(zip(wants, claims, strict=True))
        for want, got in looked:
            claimed[want.campaign_id] += got.attempts
        wants = [
            feed.Want(want.campaign_id, want.most - len(got.attempts), LOOK_AT_ONCE) for want, got in looked if got.more
        ]
        if not wants or clock.monotonic() >= until:
            break
    return list(claimed.values())
