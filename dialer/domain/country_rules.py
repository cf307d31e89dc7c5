"""The calling rules by country and state, as data: what applies to a person who may be in these places.

Places are ISO 3166 codes, "IN" or "US-FL". What a person's places are is decided where the list is read; here the
strictest wins: every rule of every place applies at once, and what is not known falls under the rule ``unknown``.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from typing import Any

from dialer.domain.hours import Hours, Week, parse_days, parse_hours
from dialer.errors import UnknownName
from dialer.rules import calling_rules

UNKNOWN = "unknown"
HOUR_S = 3600.0
_BASES = frozenset({"rule text", "third party", "memory", "our choice"})


@dataclass(frozen=True, slots=True)
class AttemptCap:
    """At most ``attempts`` on one person in any ``within_s`` seconds; ``rule`` is the rule and version that says so."""

    attempts: int
    within_s: float
    rule: str


@dataclass(frozen=True, slots=True)
class CountryRule:
    """One rule of the table. ``on_holidays`` None: a public holiday is a day like any other."""

    rule_id: str
    version: int
    title: str
    places: tuple[str, ...]
    week: Week
    on_holidays: Hours | None
    caps: tuple[AttemptCap, ...]
    by_state: bool
    applies_to: str
    basis: str
    source: str
    checked_on: date
    notes: str = ""

    @property
    def label(self) -> str:
        """What verdicts call it, e.g. "US-FL@1"."""
        return f"{self.rule_id}@{self.version}"


@dataclass(frozen=True, slots=True)
class AppliedRule:
    """A rule that applies to a person, and the places whose holidays it means."""

    rule: CountryRule
    calendars: tuple[str, ...]


@dataclass(frozen=True)
class Rulebook:
    """All rules. ``by_id`` includes those that apply only where a campaign names them."""

    by_id: Mapping[str, CountryRule]

    def applied(self, places: Iterable[str], also: Iterable[str] = ()) -> tuple[AppliedRule, ...]:
        """Every rule for a person who may be in ``places``, by id; ``also`` are rules named by the campaign.

        Raises UnknownName for a rule in ``also`` that is not there.
        """
        known = tuple(sorted(set(places)))
        countries = {place[:2] for place in known}
        places_of = {rule_id: frozenset(known) for rule_id in map(self._named, also)}
        for place in sorted({*known, *countries}):
            for rule_id in self._of(place, known):
                own = {other for other in known if rule_id == UNKNOWN or other.startswith(place)} | {place}
                places_of[rule_id] = places_of.get(rule_id, frozenset()) | own
        if not known:
            places_of[UNKNOWN] = frozenset()
        return tuple(
            AppliedRule(self.by_id[rule_id], tuple(sorted(places_of[rule_id]))) for rule_id in sorted(places_of)
        )

    def _of(self, place: str, known: tuple[str, ...]) -> list[str]:
        """The rules for one place: a state without a rule of its own is under its country's alone."""
        own = [rule.rule_id for rule in self.by_id.values() if place in rule.places]
        if len(place) > 2:
            return own
        without_state = any(self.by_id[rule_id].by_state for rule_id in own) and not any(
            other.startswith(f"{place}-") for other in known
        )
        return [*own, UNKNOWN] if not own or without_state else own

    def _named(self, rule_id: str) -> str:
        if rule_id not in self.by_id:
            raise UnknownName(f'there is no calling rule "{rule_id}": there are {", ".join(sorted(self.by_id))}')
        return rule_id


@cache
def rulebook() -> Rulebook:
    """The rules of this version of the program."""
    return parse_rules(calling_rules())


@lru_cache(maxsize=4096)
def caps_for(places: tuple[str, ...], also: tuple[str, ...] = ()) -> tuple[AttemptCap, ...]:
    """Every attempt cap of every rule that applies; all of them hold at once. Empty: the rules set no cap."""
    return tuple(cap for applied in rulebook().applied(places, also) for cap in applied.rule.caps)


@lru_cache(maxsize=1024)
def heeds_holidays(country: str) -> bool:
    """Whether any rule of a country knows days on which nobody is called, or at other hours."""
    return any(applied.rule.on_holidays is not None for applied in rulebook().applied((country,)))


def parse_rules(text: str) -> Rulebook:
    """Read the table. Raises ValueError, CampaignFileError for one that is not complete."""
    rules = [_rule(raw) for raw in tomllib.loads(text)["rule"]]
    by_id = {rule.rule_id: rule for rule in rules}
    if len(by_id) != len(rules) or UNKNOWN not in by_id:
        raise ValueError("each rule needs an id of its own, and one of them must be `unknown`")
    return Rulebook(by_id)


def _rule(raw: dict[str, Any]) -> CountryRule:
    label = f"{raw['id']}@{raw['version']}"
    if raw["basis"] not in _BASES:
        raise ValueError(f"{label}: basis must be one of {', '.join(sorted(_BASES))}")
    return CountryRule(
        rule_id=raw["id"],
        version=raw["version"],
        title=raw["title"],
        places=tuple(raw["places"]),
        week=_week(raw["hours"]),
        on_holidays=_on_holidays(raw["holidays"]),
        caps=tuple(AttemptCap(cap["attempts"], cap["hours"] * HOUR_S, label) for cap in raw.get("caps", ())),
        by_state=raw.get("by_state", False),
        applies_to=raw["applies_to"],
        basis=raw["basis"],
        source=raw["source"],
        checked_on=raw["checked_on"],
        notes=raw.get("notes", "").strip(),
    )


def _week(raw: Mapping[str, str]) -> Week:
    week: list[Hours] = [()] * 7
    for days, hours in raw.items():
        for day in parse_days(days):
            if week[day]:
                raise ValueError(f"{days}: a day has its hours once")
            week[day] = parse_hours(hours)
    return tuple(week)  # type: ignore[return-value]


def _on_holidays(text: str) -> Hours | None:
    if text == "open":
        return None
    return () if text == "closed" else parse_hours(text)


def stale(book: Rulebook, on: date, months: int) -> tuple[CountryRule, ...]:
    """The rules nobody checked in the ``months`` before ``on``."""
    first = on.year * 12 + on.month - months
    return tuple(
        rule
        for rule in book.by_id.values()
        if (rule.checked_on.year * 12 + rule.checked_on.month, rule.checked_on.day) < (first, on.day)
    )
