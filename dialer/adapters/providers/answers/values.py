"""Single values off the wire, read as far as they can be and never further: what is not there is missing.

Text leaves here fit to be stored: no NUL, no half of a surrogate pair.
"""

import json
import math
import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from dialer.domain.matching import HIDDEN

Row = Mapping[str, Any]

NOTHING = frozenset({"", "-", "--", "none", "null", "nil", "nan", "n/a", "undefined"})
"""What programs write for a value that they do not have."""
MOST_DIGITS = 18
"""A number has fifteen at most, and perhaps a prefix; more is something else."""
LONGEST_WORD = 40
"""Longer texts are sentences, and each differs."""
_NOT_STORABLE = re.compile("[\ud800-\udfff\x00]")
_FENCE = re.compile(r"```[a-z]*\s*(.*?)```", re.DOTALL | re.IGNORECASE)
_ADDRESS = re.compile(r"(?:sips?|tel|callto|phone):([^@;>?]*)", re.IGNORECASE)
_HIDDEN_DIGITS = re.compile(r"[xX*•●#_?…]+|\.{3,}")
_E164 = re.compile(rf"\+[1-9][0-9]{{1,{MOST_DIGITS - 1}}}")
_FLOAT = re.compile(r"\d+\.0+|\d(\.\d+)?[eE]\+?\d+")
_AMOUNT = re.compile(r"\d[\d.,]*")
_THOUSANDS = re.compile(r"\d{1,3}(,\d{3})+")


def pick(row: Row, *names: str) -> Any:
    """The first of these fields that is there and holds something: not null, blank or a word such as "None"."""
    for name in names:
        value = row.get(name)
        if value is not None and not is_nothing(value):
            return value
    return None


def is_nothing(value: object) -> bool:
    """Whether a value is text that stands for no value."""
    return isinstance(value, str) and value.strip().lower() in NOTHING


def text(value: object) -> str:
    """A string or a number as text; anything else as nothing."""
    if type(value) is str:
        return storable(value.strip())
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return storable(str(value).strip())


def storable(said: str) -> str:
    """Text that every database and terminal takes: what it cannot hold becomes U+FFFD."""
    return said if said.isascii() and "\0" not in said else _NOT_STORABLE.sub("\ufffd", said)


def number(value: object) -> float | None:
    """A number, also when it came as a string."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        parsed = float(value)
    except (ValueError, OverflowError):
        return None
    return parsed if math.isfinite(parsed) else None


def money(value: object) -> float | None:
    """An amount, also with a currency beside it or around it; whether it was charged or owed, it was spent."""
    if isinstance(value, dict):
        return money(pick(value, "amount", "value", "total", "cost", "price"))
    plain = number(value)
    match = _AMOUNT.search(text(value)) if plain is None else None
    if match is not None:
        said = match[0].rstrip(".,")
        if _THOUSANDS.fullmatch(said) or said.rfind(".") > said.rfind(",") >= 0:
            said = said.replace(",", "")
        elif "," in said:
            said = said.replace(".", "").replace(",", ".")
        plain = number(said)
    return None if plain is None else abs(plain)


def phone(value: object) -> str:
    """A number as ``+`` and digits, with ``?`` for digits that are hidden; empty when there are none ("N/A").

    Also from a SIP or tel address, and from what a spreadsheet or a JSON writer made of it: a float.
    """
    if type(value) is str and _E164.fullmatch(value):
        return value
    said = text(int(value) if isinstance(value, float) and value.is_integer() else value)
    address = _ADDRESS.search(said)
    said = (address[1] if address else said.partition("@")[0]).strip()
    if _FLOAT.fullmatch(said):
        said = _whole(said)
    shown = re.sub(r"[^\d?]", "", _HIDDEN_DIGITS.sub(HIDDEN, said)).removeprefix("00")
    digits = len(shown) - shown.count(HIDDEN)
    words = sum(letter.isalpha() and letter not in "xX" for letter in said)
    return "+" + shown if 0 < digits <= MOST_DIGITS and words <= digits else ""


def _whole(said: str) -> str:
    try:
        return f"{Decimal(said):.0f}"
    except InvalidOperation:
        return said


def word(value: object) -> str:
    """A status word in one spelling: lower case, single spaces; nothing for words such as "None"."""
    said = text(value)
    return _known_spelling(said) if len(said) <= LONGEST_WORD else _spelled(said)


def _spelled(said: str) -> str:
    said = re.sub(r"[\W_]+", " ", said.lower()).strip()
    return "" if said in NOTHING else said


_known_spelling = lru_cache(maxsize=1024)(_spelled)
"""A log says the same few words in all its rows."""


def mapping(value: object) -> Row:
    """An object, also when it came as JSON in a string, or in a Markdown fence; else an empty one."""
    inner = unpacked(value)
    return inner if isinstance(inner, dict) else {}


def unpacked(value: object) -> object:
    """What a string holds that is JSON, or has JSON in a fence; everything else as it is."""
    if not isinstance(value, str):
        return value
    fence = _FENCE.search(value)
    said = (fence[1] if fence else value).strip()
    if not said.startswith(("{", "[")):
        return value
    try:
        return json.loads(said)
    except (ValueError, RecursionError):
        return value
