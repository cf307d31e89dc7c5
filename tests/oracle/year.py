"""A year of decisions, drawn with a seed, and the two opinions on each of them."""

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from dialer.adapters.campaign_file.tables import Window
from dialer.domain.calling_window import CallingWindow
from dialer.domain.opening import SEARCH_WEEKS, WEEK_S, Closed, window_at
from tests.oracle.opinion import Campaign, may_call
from tests.oracle.tzif import DAY_S, QUARTER_S, days_from_civil, zone

FROM = days_from_civil(2027, 9, 1) * DAY_S
UNTIL = days_from_civil(2028, 11, 15) * DAY_S
"""Both changes of the clocks in both hemispheres, and the 29th of February 2028."""

PLACES: dict[str, tuple[str, ...]] = {
    "America/New_York": ("US", "US-NY"), "America/Chicago": ("US", "US-FL"), "America/Denver": ("US", "US-SD"),
    "America/Los_Angeles": ("US", "US-CA"), "America/Phoenix": ("US", "US-AZ"), "America/Anchorage": ("US", "US-AK"),
    "Pacific/Honolulu": ("US", "US-HI"), "America/Adak": ("US",), "America/Boise": ("US", "US-ID"),
    "America/Indiana/Indianapolis": ("US", "US-IN"), "America/Kentucky/Louisville": ("US", "US-KY"),
    "America/Toronto": ("CA", "CA-ON"), "America/St_Johns": ("CA", "CA-NL"), "America/Halifax": ("CA", "CA-NS"),
    "America/Sao_Paulo": ("BR",), "America/Santiago": ("CL",), "America/Havana": ("CU",), "America/Nuuk": ("GL",),
    "America/Mexico_City": ("MX",), "America/Asuncion": ("PY",), "Europe/London": ("GB",), "Europe/Paris": ("FR",),
    "Europe/Berlin": ("DE", "DE-BY"), "Europe/Lisbon": ("PT",), "Europe/Istanbul": ("TR",), "Europe/Dublin": ("IE",),
    "Africa/Casablanca": ("MA",), "Africa/Cairo": ("EG",), "Asia/Kolkata": ("IN",), "Asia/Kathmandu": ("NP",),
    "Asia/Gaza": ("PS",), "Asia/Tehran": ("IR",), "Asia/Tokyo": ("JP",), "Australia/Sydney": ("AU",),
    "Australia/Lord_Howe": ("AU", "AU-NSW"), "Australia/Adelaide": ("AU", "AU-SA"), "Pacific/Auckland": ("NZ",),
    "Pacific/Chatham": ("NZ",), "Pacific/Apia": ("WS",), "Antarctica/Troll": ("NO",),
}  # fmt: skip
ZONES = tuple(PLACES)

CAMPAIGNS = (
    Campaign(),
    Campaign("mon-fri", "09:00-12:00, 14:00-20:00", holidays="IN, US-FL"),
    Campaign("always", rules="strict"),
    Campaign("fri-sun", "20:00-02:30+1", rules="off", blackout=("2028-02-29", "2027-12-24"), holidays="GB"),
    Campaign("mon-sun", "00:00-24:00", rules="off", lead_s=0),
    Campaign("mon-sun", "00:30-04:00, 22:15-00:00+1", rules="off", lead_s=60),
    Campaign("mon-sun", "08:00-21:00", also_rules=("IN-RBI",), blackout=("2028-02-29",)),
    Campaign("mon-sat", "09:00-20:00", timezone="Europe/London", lead_s=600),
    Campaign("tue,thu", "01:30-03:10", rules="off", lead_s=0, holidays="DE-BY"),
)


@dataclass
class Score:
    """What was compared, and every disagreement in words."""

    decisions: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def told(self) -> str:
        """One line for each kind, and the sum."""
        lines = [f"{count:9,} {kind}" for kind, count in sorted(self.kinds.items())]
        zones = f"{len(ZONES)} zones, {len(CAMPAIGNS)} campaigns"
        return "\n".join([*lines, f"{self.decisions:9,} decisions, {zones}: {len(self.wrong)} disagreements"])


def replay(seed: int, decisions: int, walked: int) -> Score:
    """Draw and compare. For one in ``walked`` of the closed decisions every minute until the opening is looked at."""
    chance, score = random.Random(seed), Score()
    windows = [_window(campaign) for campaign in CAMPAIGNS]
    people: list[tuple[str, ...]] = [(name,) for name in ZONES for _ in range(2)]
    people += [tuple(chance.sample(ZONES, chance.choice((2, 2, 3)))) for _ in range(20)]
    changes = {name: tuple(changes_of(name)) for name in ZONES}
    while score.decisions < decisions:
        number = chance.randrange(len(CAMPAIGNS))
        zones = chance.choice(people)
        places = tuple(sorted({place for name in zones for place in PLACES[name]}))
        if chance.random() < 0.05:
            places = ()
        at, kind = _moment(chance, changes[zones[0]], zones[0])
        score.decisions += 1
        score.kinds[kind] += 1
        verdict = window_at(windows[number], zones, at, places)
        expected = may_call(CAMPAIGNS[number], zones, places, at)
        case = f"{CAMPAIGNS[number]} {zones} {places} at {at} ({kind})"
        score.kinds["open" if expected else "shut"] += 1
        if isinstance(verdict, Closed) is expected:
            score.wrong.append(f"{case}: dialer says {verdict}, oracle says {'open' if expected else 'shut'}")
        elif isinstance(verdict, Closed):
            _next_opening(score, chance, CAMPAIGNS[number], (zones, places, at, verdict.opens_at), case, walked)
    return score


def _next_opening(
    score: Score,
    chance: random.Random,
    campaign: Campaign,
    asked: tuple[tuple[str, ...], tuple[str, ...], int, float | None],
    case: str,
    walked: int,
) -> None:
    """The opening named is open, the second before it is not, and nothing before it is."""
    zones, places, at, opens_at = asked
    if opens_at is None:
        before = [chance.randrange(at, at + (SEARCH_WEEKS - 1) * WEEK_S) for _ in range(20)]
        score.kinds["never open"] += 1
    else:
        if not may_call(campaign, zones, places, int(opens_at)):
            score.wrong.append(f"{case}: not open at {opens_at}, the opening the dialer names")
        before = [int(opens_at) - 1, *(chance.randrange(at, int(opens_at)) for _ in range(3))]
        if chance.randrange(walked) == 0:
            before += range(at - at % 60 + 60, int(opens_at), 60)
            score.kinds["openings walked to minute by minute"] += 1
    missed = next((moment for moment in before if moment > at and may_call(campaign, zones, places, moment)), None)
    if missed is not None:
        score.wrong.append(f"{case}: open at {missed}, before {opens_at}")


def _window(campaign: Campaign) -> CallingWindow:
    raw = {
        "days": campaign.days,
        "hours": campaign.hours,
        "holidays": campaign.holidays,
        "blackout": list(campaign.blackout),
        "lead": f"{campaign.lead_s}s",
        "rules": campaign.rules,
        "rules_reason": "the oracle",
        "also_rules": list(campaign.also_rules),
    }
    return Window.model_validate(raw | {"timezone": campaign.timezone}).window()


def changes_of(name: str) -> Iterator[int]:
    """When the clocks of a zone change in the year, to the minute."""
    here = zone(name)
    for day in range(FROM, UNTIL, DAY_S):
        if here.offset(day) != here.offset(day + DAY_S):
            yield next(at for at in range(day, day + DAY_S + 1, QUARTER_S) if here.offset(at) != here.offset(day))


def _moment(chance: random.Random, changes: tuple[int, ...], name: str) -> tuple[int, str]:
    draw = chance.random()
    if draw < 0.2 and changes:
        return chance.choice(changes) + chance.choice((-1, 0, 1, *(60 * n for n in range(-300, 300)))), "near a change"
    if draw < 0.35:
        return days_from_civil(2028, 2, 29) * DAY_S + chance.randrange(-DAY_S // 2, DAY_S * 3 // 2), "near the leap day"
    if draw < 0.45:
        day = days_from_civil(*chance.choice(((2027, 12, 24), (2028, 1, 1), (2027, 12, 25), (2028, 7, 4))))
        return day * DAY_S + chance.randrange(-DAY_S, 2 * DAY_S), "near a holiday"
    if draw < 0.7:
        local = chance.randrange(FROM // DAY_S, UNTIL // DAY_S) * DAY_S + chance.choice(range(0, DAY_S, 900))
        return local - zone(name).offset(local) + chance.choice((-120, -60, -1, 0, 1)), "on the quarter of an hour"
    return chance.randrange(FROM, UNTIL), "at any time"
