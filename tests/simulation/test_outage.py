"""The provider is away for five minutes: nobody is lost, nothing bursts when it is back, and dialing goes on."""

import pytest

from dialer.domain.campaign import CampaignStatus
from tests.simulation.faults import CALM
from tests.simulation.oracle import story, violations
from tests.simulation.world import Plan, World, simulate

SEED, PEOPLE = 1, 40
AWAY_FROM_S, AWAY_FOR_S = 5.0, 300.0
BACK_OFF_LONGEST_S = 60.0
HALTED = f"SELECT count(*) FROM campaigns WHERE status = '{CampaignStatus.HALTED}'"


def away(kind: str) -> World:
    return simulate(
        Plan(SEED, people=PEOPLE, shared=0, faults_for_s=AWAY_FROM_S + AWAY_FOR_S, rates=CALM,
             outage=(kind, AWAY_FROM_S, AWAY_FOR_S))
    )  # fmt: skip


@pytest.mark.parametrize("kind", ["refuses", "fails", "hangs"])
def test_five_minutes_without_the_provider(kind: str) -> None:
    world = away(kind)
    outage = world.faults.outage
    assert outage is not None
    found = violations(world)
    assert not found, story(world, found)
    assert world.quiet and world.tables.rows(HALTED)[0][0] == 0
    placed = sorted(call.placed_at for call in world.books.calls)
    # Lines must be free when it goes, or nobody would call it anyway.
    assert sum(at < outage.since for at in placed) < world.limits.concurrent_calls
    assert min(at for at in placed if at >= outage.until) - outage.until <= BACK_OFF_LONGEST_S + 5.0
    # Few enough to be kind to a provider in trouble: the back-off doubles to a minute, and each of its ends lets
    # as many leave as fit into the time that an answer takes.
    tried = [sent for sent in world.books.sent if outage.since <= sent.at < outage.until]
    asked = len(tried) + world.faults.happened["refused in the outage"]
    assert 5 <= asked <= 40
    world.tables.close()
