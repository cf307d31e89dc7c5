"""Which rules apply to a person, and what the table must hold."""

from datetime import date

import pytest

from dialer.domain.country_rules import AttemptCap, caps_for, parse_rules, rulebook, stale
from dialer.errors import CampaignFileError, UnknownName
from dialer.rules import calling_rules

DAY_S = 86400.0
STRICTEST = (
    AttemptCap(1, DAY_S, "unknown@1"),
    AttemptCap(3, 7 * DAY_S, "unknown@1"),
    AttemptCap(6, 30 * DAY_S, "unknown@1"),
)
ONE_RULE = """
[[rule]]
id = "unknown"
version = 1
title = "A place nobody knows"
places = []
hours = { mon-fri = "10:00-18:00" }
holidays = "closed"
applies_to = "all"
basis = "our choice"
source = "none"
checked_on = 2026-11-22
"""


def labels(*places: str, also: tuple[str, ...] = ()) -> list[str]:
    return [applied.rule.label for applied in rulebook().applied(places, also)]


@pytest.mark.parametrize(
    ("places", "expected"),
    [
        (("IN",), ["IN@1"]),
        (("US", "US-FL"), ["US@1", "US-FL@1"]),
        (("US-FL",), ["US@1", "US-FL@1"]),
        (("US", "US-WI"), ["US@1"]),
        (("CA", "CA-QC"), ["CA@1"]),
        (("US",), ["US@1", "unknown@1"]),
        (("BR",), ["unknown@1"]),
        ((), ["unknown@1"]),
        (("IN", "BR"), ["IN@1", "unknown@1"]),
        (("US", "US-NY", "US-FL"), ["US@1", "US-FL@1"]),
    ],
)
def test_every_rule_of_every_place_applies(places: tuple[str, ...], expected: list[str]) -> None:
    assert labels(*places) == expected


def test_a_rule_means_the_holidays_of_its_own_places() -> None:
    calendars = {applied.rule.rule_id: applied.calendars for applied in rulebook().applied(("US", "US-AL", "FR"))}
    assert calendars == {"US": ("US", "US-AL"), "US-AL": ("US-AL",), "FR": ("FR",)}
    (unknown,) = rulebook().applied(("BR", "PY"))
    assert unknown.calendars == ("BR", "PY"), "what is not known is held to every holiday"


def test_a_campaign_may_name_more_rules() -> None:
    assert labels("IN", also=("IN-RBI",)) == ["IN@1", "IN-RBI@1"]
    assert caps_for(("US", "US-NY"), ("US-REG-F",)) == (AttemptCap(7, 7 * DAY_S, "US-REG-F@1"),)
    with pytest.raises(UnknownName, match='there is no calling rule "REG-F"'):
        labels("US", also=("REG-F",))


def test_caps_of_all_places_hold_at_once() -> None:
    assert caps_for(("IN",)) == ()
    assert caps_for(("FR", "US", "US-FL")) == (AttemptCap(4, 30 * DAY_S, "FR@1"), AttemptCap(3, DAY_S, "US-FL@1"))
    assert caps_for(()) == STRICTEST
    assert caps_for(("US",)) == STRICTEST


def test_every_rule_can_be_read_by_a_lawyer() -> None:
    for rule in rulebook().by_id.values():
        assert rule.version >= 1
        assert all((rule.title, rule.applies_to, rule.source)), rule.label
        assert any(rule.week), f"{rule.label} would never let anybody be called"
        assert rule.checked_on >= date(2026, 11, 22), rule.label


def test_a_place_has_one_rule() -> None:
    places = [place for rule in rulebook().by_id.values() for place in rule.places]
    assert len(places) == len(set(places))


def test_rules_grow_stale() -> None:
    book = parse_rules(ONE_RULE)
    assert stale(book, date(2027, 5, 22), 6) == ()
    assert [rule.rule_id for rule in stale(book, date(2027, 5, 23), 6)] == ["unknown"]
    assert [rule.rule_id for rule in stale(book, date(2028, 1, 1), 12)] == ["unknown"]


@pytest.mark.parametrize(
    ("was", "becomes", "why"),
    [
        ('id = "unknown"', 'id = "other"', "one of them must be `unknown`"),
        ('"our choice"', '"hearsay"', "basis must be one of"),
        ("10:00-18:00", "18:00-10:00", "opening before closing|must open before closing"),
        ('mon-fri = "10:00-18:00"', 'mon-fri = "10:00-18:00", fri = "10:00-12:00"', "a day has its hours once"),
    ],
)
def test_a_table_with_a_mistake_is_refused(was: str, becomes: str, why: str) -> None:
    with pytest.raises((ValueError, CampaignFileError), match=why):
        parse_rules(ONE_RULE.replace(was, becomes))


def test_the_table_is_one_file_in_the_package() -> None:
    assert calling_rules().startswith("# When people may be called")
