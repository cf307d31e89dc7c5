"""A number as the format of its cell shows it (ECMA-376 part 1, 18.8.31), where the format changes its digits.

Thousands separators, colours and currencies are left away: a number is read as a number. What adds digits, zeros in
front, a sign or marks between the digits is kept, and numbers are rounded as shown.
"""

import re
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from operator import eq, ge, gt, le, lt, ne

from dialer.adapters.lists.cell_text import EXACT_BELOW

_TOKEN = re.compile(r'"([^"]*)"|\\(.)|_.|\*.|\[([^\]]*)\]|(general)|([0#?])|(E[+-])|(.)', re.IGNORECASE | re.DOTALL)
_CONDITION = re.compile(r"(<=|>=|<>|<|>|=)\s*(-?\d+(?:\.\d+)?)")
_BUILT_IN = {1: "0", 2: "0.00", 3: "0", 4: "0.00", 9: "0%", 10: "0.00%", 37: "0", 38: "0", 39: "0.00", 40: "0.00"}


@dataclass(slots=True)
class _Section:
    """One part of a format, between semicolons.

    ``parts`` are literals, and None for each digit before the decimal point; ``zeros`` how many of those are always
    shown; ``decimals`` digits follow the point, the last ``optional`` of them where they are not 0; ``thousands`` is
    how often the number is divided by 1,000. ``general``: one place takes the number as it is; ``untold``: a notation
    that is not followed here.
    """

    parts: list[str | None] = field(default_factory=list)
    zeros: int = 0
    decimals: int = 0
    optional: int = 0
    thousands: int = 0
    percent: bool = False
    general: bool = False
    untold: bool = False
    condition: tuple[str, Decimal] | None = None

    def add(self, token: re.Match[str]) -> None:
        """Take the next piece of the format."""
        quoted, escaped, bracket, general, digit, notation, other = token.groups()
        if quoted is not None or escaped is not None:
            self.parts.append(quoted or escaped or "")
        elif bracket is not None:
            self.condition = _read_condition(bracket) or self.condition
        elif general:
            self.general = True
            self.parts.append(None)
        elif digit:
            self._add_digit(digit)
        elif notation or other in ("/", "@"):
            self.untold = True
        elif other == ".":
            self._point = True
        elif other == ",":
            self.thousands += 1
        elif other is not None:
            self.percent |= other == "%"
            self.parts.append("" if other == "%" else other)

    _point: bool = False

    def _add_digit(self, digit: str) -> None:
        self.thousands = 0
        if not self._point:
            self.parts.append(None)
            self.zeros += digit == "0"
            return
        self.decimals += 1
        self.optional = 0 if digit == "0" else self.optional + 1

    def finish(self) -> "_Section":
        """Leave away the literals that change no number: currencies, units, blanks."""
        places = [at for at, part in enumerate(self.parts) if part is None]
        inner = bool(places) and any(self.parts[places[0] : places[-1]])
        telling = any(char.isdecimal() or char == "+" for part in self.parts if part for char in part)
        if places and not inner and not telling:
            self.parts = [None] * len(places)
        return self

    def text(self, number: Decimal) -> str:
        """``number`` as it is shown."""
        number = (number * 100 if self.percent else number).scaleb(-3 * self.thousands)
        if self.general:
            before, ending = f"{abs(number):f}", ""
        else:
            rounded = f"{abs(number).quantize(Decimal(1).scaleb(-self.decimals), ROUND_HALF_UP):f}"
            before, _, after = rounded.partition(".")
            kept = after[: self.decimals - self.optional] + after[self.decimals - self.optional :].rstrip("0")
            ending = f".{kept}" if kept else ""
            before = before.lstrip("0").zfill(self.zeros) or "0"
        sign = "-" if number < 0 and (before + ending).strip("0.") else ""
        return sign + self._filled(before, ending + "%" * self.percent)

    def _filled(self, digits: str, ending: str) -> str:
        """The literals with digits between them, from the last place to the first, which takes what is left."""
        places = [at for at, part in enumerate(self.parts) if part is None]
        if not places:
            return "".join(part or "" for part in self.parts).strip()
        texts, left = [part or "" for part in self.parts], digits
        for at in reversed(places[1:]):
            texts[at], left = left[-1:], left[:-1]
        texts[places[0]] = left
        begin = next(at for at in places if texts[at])
        texts[places[-1]] += ending
        shown_from = 0 if begin == places[0] else begin
        return "".join(texts[shown_from:]).strip()


def shown(value: float, code: str) -> str | None:
    """The text that a cell with this format code shows; None where that is the number as it is kept."""
    if not code or abs(value) >= EXACT_BELOW:
        return None
    number = Decimal(f"{value:.15g}")
    section = _chosen(_sections(code), number)
    return None if section is None or section.untold else section.text(number)


def code_of(number: int, code: str | None) -> str:
    """The format code behind a format's number; "" for the general one."""
    return _BUILT_IN.get(number, "") if code is None else code


@lru_cache(maxsize=512)
def _sections(code: str) -> tuple[_Section, ...]:
    sections = [_Section()]
    for token in _TOKEN.finditer(code):
        if token[7] == ";":
            sections.append(_Section())
        else:
            sections[-1].add(token)
    return tuple(section.finish() for section in sections)


def _read_condition(text: str) -> tuple[str, Decimal] | None:
    condition = _CONDITION.fullmatch(text.strip())
    return (condition[1], Decimal(condition[2])) if condition else None


def _chosen(sections: tuple[_Section, ...], number: Decimal) -> _Section | None:
    """The section of a format that a number is shown by."""
    if any(section.condition for section in sections):
        fitting = (each for each in sections if each.condition is None or _holds(*each.condition, number))
        return next(fitting, None)
    if number < 0 and len(sections) > 1:
        return sections[1]
    return sections[2] if number == 0 and len(sections) > 2 else sections[0]


def _holds(operator: str, limit: Decimal, number: Decimal) -> bool:
    compare = {"<": lt, "<=": le, ">": gt, ">=": ge, "=": eq, "<>": ne}
    return bool(compare[operator](number, limit))
