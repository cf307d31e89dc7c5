"""A campaign's statuses and defaults."""

import pytest

from dialer.domain.campaign import (
    CAMPAIGN_TRANSITIONS,
    CampaignSpec,
    CampaignStatus,
    Schedule,
    Source,
    is_over,
    verb_now,
)

S = CampaignStatus


@pytest.mark.parametrize(
    ("verb", "sources", "after"),
    [
        ("start", {"draft", "scheduled", "running", "halted"}, "running"),
        ("pause", {"draft", "scheduled", "running", "paused", "halted"}, "paused"),
        ("resume", {"paused", "running"}, "running"),
        ("cancel", {"draft", "scheduled", "running", "paused", "cancelled", "halted"}, "cancelled"),
        ("halt", {"running", "scheduled", "halted"}, "halted"),
        ("finish", {"running", "scheduled", "paused", "halted"}, "finished"),
        ("reopen", {"draft", "finished"}, "running"),
        ("schedule", {"draft", "scheduled", "paused", "halted", "finished"}, "scheduled"),
    ],
)
def test_each_verb_leads_from_where_to_where(verb: str, sources: set[str], after: str) -> None:
    froms, to = CAMPAIGN_TRANSITIONS[verb]
    assert ({status.value for status in froms}, to.value) == (sources, after)


def test_there_are_no_other_verbs() -> None:
    assert set(CAMPAIGN_TRANSITIONS) == {"start", "pause", "resume", "cancel", "halt", "finish", "reopen", "schedule"}


def test_nothing_leaves_cancelled() -> None:
    assert {after for sources, after in CAMPAIGN_TRANSITIONS.values() if S.CANCELLED in sources} == {S.CANCELLED}


def test_a_pause_is_not_ended_by_start() -> None:
    assert S.PAUSED not in CAMPAIGN_TRANSITIONS["start"][0]


EARLY = CampaignSpec("n", "a", schedule=Schedule(start=100.0))
AGAIN = CampaignSpec("n", "a", schedule=Schedule(repeat="0 9 * * *", timezone="UTC"))


@pytest.mark.parametrize(
    ("spec", "verb", "status", "now", "meant"),
    [
        (EARLY, "reopen", S.DRAFT, 99.0, "schedule"),
        (EARLY, "reopen", S.DRAFT, 100.0, "reopen"),
        (EARLY, "resume", S.PAUSED, 99.0, "schedule"),
        (EARLY, "start", S.SCHEDULED, 99.0, "start"),
        (EARLY, "resume", S.RUNNING, 99.0, "resume"),
        (EARLY, "pause", S.RUNNING, 99.0, "pause"),
        (AGAIN, "start", S.DRAFT, 0.0, "schedule"),
        (AGAIN, "start", S.HALTED, 0.0, "schedule"),
        (AGAIN, "resume", S.PAUSED, 0.0, "schedule"),
        (AGAIN, "start", S.PAUSED, 0.0, "start"),
    ],
)
def test_before_its_start_a_campaign_is_scheduled_and_a_recurring_one_always(
    spec: CampaignSpec, verb: str, status: S, now: float, meant: str
) -> None:
    assert verb_now(verb, spec, status, now) == meant


def test_a_campaign_is_over_when_nobody_can_come_to_it_any_more() -> None:
    plain, source = CampaignSpec("n", "a"), Source("sqlite:///x", "SELECT 1", "* * * * *")
    assert is_over(plain, S.RUNNING, 0.0, fed=True)
    assert not is_over(plain, S.RUNNING, 0.0, fed=False)
    assert not is_over(plain, S.PAUSED, 0.0, fed=True)
    assert not is_over(CampaignSpec("n", "a", source=source), S.RUNNING, 0.0, fed=True)
    ending = CampaignSpec("n", "a", source=source, schedule=Schedule(end=5.0))
    assert [is_over(ending, S.PAUSED, now, fed=False) for now in (4.9, 5.0)] == [False, True]


def test_the_campaigns_zone_stands_in_for_a_person_without_one() -> None:
    spec = CampaignSpec("n", "a", timezone="Asia/Kolkata")
    assert spec.zones_of(("Europe/London", "UTC")) == ("Europe/London", "UTC")
    assert spec.zones_of(()) == ("Asia/Kolkata",)
    assert CampaignSpec("n", "a").zones_of(()) == ()
