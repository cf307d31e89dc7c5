"""A campaign's statuses and defaults."""

import pytest

from dialer.domain.campaign import CAMPAIGN_TRANSITIONS, CampaignSpec, CampaignStatus

S = CampaignStatus


@pytest.mark.parametrize(
    ("verb", "sources", "after"),
    [
        ("start", {"draft", "scheduled", "running", "halted"}, "running"),
        ("pause", {"draft", "scheduled", "running", "paused", "halted"}, "paused"),
        ("resume", {"paused", "running"}, "running"),
        ("cancel", {"draft", "scheduled", "running", "paused", "cancelled", "halted"}, "cancelled"),
        ("halt", {"running", "scheduled", "halted"}, "halted"),
        ("finish", {"running"}, "finished"),
        ("reopen", {"draft", "finished"}, "running"),
    ],
)
def test_each_verb_leads_from_where_to_where(verb: str, sources: set[str], after: str) -> None:
    froms, to = CAMPAIGN_TRANSITIONS[verb]
    assert ({status.value for status in froms}, to.value) == (sources, after)


def test_there_are_no_other_verbs() -> None:
    assert set(CAMPAIGN_TRANSITIONS) == {"start", "pause", "resume", "cancel", "halt", "finish", "reopen"}


def test_nothing_leaves_cancelled() -> None:
    assert {after for sources, after in CAMPAIGN_TRANSITIONS.values() if S.CANCELLED in sources} == {S.CANCELLED}


def test_a_pause_is_not_ended_by_start() -> None:
    assert S.PAUSED not in CAMPAIGN_TRANSITIONS["start"][0]


def test_the_campaigns_zone_stands_in_for_a_person_without_one() -> None:
    spec = CampaignSpec("n", "a", timezone="Asia/Kolkata")
    assert spec.zones_of(("Europe/London", "UTC")) == ("Europe/London", "UTC")
    assert spec.zones_of(()) == ("Asia/Kolkata",)
    assert CampaignSpec("n", "a").zones_of(()) == ()
