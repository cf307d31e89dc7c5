"""What a value of a campaign may be, as types: for keys of the file, and for options of the command line.

A check raises ValueError with what follows the key and the value in the message: ``must read like "15m"``. One that
raises CampaignFileError says all of it itself.
"""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date, datetime
from difflib import get_close_matches
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator

from dialer.adapters.providers.registry import installed
from dialer.domain.campaign_name import plain_name
from dialer.domain.country_rules import rulebook
from dialer.domain.cron import next_moment
from dialer.domain.limits import PRESETS
from dialer.domain.opening import LONGEST_LEAD_S
from dialer.domain.phone_number import is_region
from dialer.domain.time_zones import zone_flaw
from dialer.errors import CampaignFileError

DURATION = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,12})?) ?([smhd])")
UNITS_S = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
LONGEST_S = 3660 * 86400.0
FIRST_YEAR, LAST_YEAR = 2000, 2200


@dataclass(frozen=True, slots=True)
class Bounds:
    """From ``least`` to ``most``; 0 besides where ``none`` says what it means."""

    least: float
    most: float
    none: str = ""

    def __call__(self, number: Any) -> Any:
        """The number. Raises ValueError for one that is out of bounds."""
        if self.least <= number <= self.most or (self.none and number == 0):
            return number
        raise ValueError(f"must be a number {self}")

    def __str__(self) -> str:
        none = f", or 0 ({self.none})" if self.none else ""
        return f"from {number_text(self.least)} to {number_text(self.most)}{none}"


def number_text(number: float) -> str:
    """A number as people read it, and not longer than a line."""
    whole = isinstance(number, int) or (number.is_integer() and abs(number) < 1e15)
    text = f"{number:,}" if whole else f"{number:g}"
    return text.removesuffix(".0") if len(text) <= 40 else f"{text[:20]}..."


def parse_duration(text: object) -> float:
    """Seconds from ``"90s"``, ``"15m"``, ``"2h"`` or ``"1d"``. Raises ValueError."""
    parts = DURATION.fullmatch(text.strip()) if isinstance(text, str) else None
    if parts is None:
        raise ValueError('must read like "15m", "2h" or "1d"')
    seconds = float(parts[1]) * UNITS_S[parts[2]]
    if seconds > LONGEST_S:
        raise ValueError("is longer than ten years")
    return seconds


def _within_a_day(seconds: float) -> float:
    if seconds > LONGEST_LEAD_S:
        raise ValueError("must be a day at most")
    return seconds


def _none_if_empty(parse: Callable[[object], Any]) -> BeforeValidator:
    return BeforeValidator(lambda text: None if text == "" else parse(text))


def _moment(text: object) -> float:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ValueError('must be a time with its zone, e.g. "2027-03-01T09:00:00+05:30"')
    if not FIRST_YEAR <= moment.year < LAST_YEAR:
        raise ValueError("is no time to wait for: leave it out")
    return moment.timestamp()


def _day(text: object) -> date:
    try:
        return date.fromisoformat(str(text))
    except ValueError:
        raise ValueError('must read like "2027-12-24"') from None


def _one_of(choices: Collection[str]) -> AfterValidator:
    def check(word: str) -> str:
        if word and word not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}")
        return word

    return AfterValidator(check)


def _provider(name: str) -> str:
    if name and name not in installed():
        near = get_close_matches(name, installed(), n=1, cutoff=0.0)
        raise ValueError(f'must be one of {", ".join(sorted(installed()))}: did you mean "{near[0]}"?')
    return name


def _cron(expression: str) -> str:
    try:
        if expression:
            next_moment(expression, "UTC", 0.0)
    except ValueError as wrong:
        raise ValueError(f"is no cron expression: {wrong}") from None
    return expression


def _zone(name: str) -> str:
    if name and (flaw := zone_flaw(name)):
        raise ValueError(flaw)
    return name


def _country(code: str) -> str:
    if code and not is_region(code.upper()):
        raise ValueError("is no country: write its ISO 3166 code, e.g. IN")
    return code.upper()


def _word(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be empty")
    return text


def _rule(rule: str) -> str:
    if rule not in rulebook().by_id:
        named = ", ".join(sorted(rule.rule_id for rule in rulebook().by_id.values() if not rule.places))
        raise CampaignFileError(f'[window] also_rules: there is no rule "{rule}"; rules to name are {named}')
    return rule


def _name(text: str) -> str:
    try:
        return plain_name(text)
    except ValueError as wrong:
        raise CampaignFileError(f"the campaign's name {wrong}: choose another, with --name") from None


Rate = Annotated[float, AfterValidator(Bounds(0.00001, 100_000, "no limit"))]
Count = Annotated[int, AfterValidator(Bounds(1, 1_000_000, "no limit"))]
Weight = Annotated[int, AfterValidator(Bounds(1, 1_000_000))]
Attempts = Annotated[int, AfterValidator(Bounds(1, 1_000))]
Most = Annotated[int, AfterValidator(Bounds(1, 1_000, "as max_attempts"))]
Rows = Annotated[int, AfterValidator(Bounds(1, 1_000_000_000))]
Cost = Annotated[float, AfterValidator(Bounds(1e-6, 1e12, "no limit"))]
Duration = Annotated[float, BeforeValidator(parse_duration)]
Lead = Annotated[Duration, AfterValidator(_within_a_day)]
DurationOrNone = Annotated[float | None, _none_if_empty(parse_duration)]
MomentOrNone = Annotated[float | None, _none_if_empty(_moment)]
Day = Annotated[date, BeforeValidator(_day)]
Cron = Annotated[str, AfterValidator(_cron)]
Zone = Annotated[str, AfterValidator(_zone)]
Country = Annotated[str, AfterValidator(_country)]
Word = Annotated[str, AfterValidator(_word)]
Rule = Annotated[str, AfterValidator(_rule)]
Name = Annotated[str, AfterValidator(_name)]
Provider = Annotated[str, AfterValidator(_provider)]
Preset = Annotated[str, _one_of(PRESETS)]
