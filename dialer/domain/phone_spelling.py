"""How people, spreadsheets and phone books write one number: what may be around and between its digits.

Nothing here knows which numbers exist. No reason or remedy ever repeats the number.
"""

import re
import unicodedata
from typing import NamedTuple

_AS_TEXT = "format the column as text and export again"
_FEW_DIGITS = 6
_WRAPPED = re.compile(r'=\s*"(.*)"', re.DOTALL)
_LABEL = re.compile(
    r"(?:(?:tel|telephone|phone|mobile|mob|cell|whatsapp|callto|sms|ph)\b[\s.:]*|[pmtc]\s*:)\s*(?=[+\d(\[])",
    re.IGNORECASE,
)
_PLUS = re.compile(r"[(\[\s]*\+[+\s()\[\]]*(?:0\s*0[\s()\[\]]*)?")
"""A plus in brackets, written twice, before a blank, or before the 00 that stands for it."""
_BETWEEN = re.compile(r"\s*[/|,;~\t\r\n]+\s*")
_BEHIND = " \t\r\n,;/|.:-"
_LETTERLESS = re.compile(r"\+?[0-9(\[][0-9 ()\[\]./|,;~\t\r\n-]*")
_SCIENTIFIC = re.compile(r"[+-]?\d+(?:[.,]\d+)?[eE][+-]?\d+")
_EXTENSION = re.compile(r"(?:;\s*ext\s*=|e?xt(?:n|ension)?|[x#])[\s.:]*\d{1,8}\s*#?$", re.IGNORECASE)
_OTHER_NUMBER = re.compile(r"&|:::|\b(?:or|and|oder|ou|und|y|o|e)\b|(?<=.)\s*\+", re.IGNORECASE)
_LAST_BRACKET = re.compile(r"(?<=\d)[\s)\]]*[(\[]\s*\d[^()\[\]]*[)\]\s]*$")
_BRACKET = re.compile(r"[(\[]\s*\d")
_TAIL = re.compile(r"(?:\s*[.-]\s*|\s{2,})\d{1,2}$")
_NUMBER_DIGITS = 7

_DASHES = dict.fromkeys(map(ord, "‐‑‒–—―−ー－ｰ─━﹘﹣⁃⁻₋"), "-")
_DOTS = dict.fromkeys(map(ord, "．·・･•∙⋅"), ".")
_SLASHES = dict.fromkeys(map(ord, "／∕⁄"), "/")
_INVISIBLE = dict.fromkeys(
    [0xAD, 0x34F, 0x61C, 0x180E, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x206A), 0xFEFF]
)
_PAIRS = str.maketrans("＋﹢⁺➕（）［］＃＊，；：｜～〜∼", "++++()[]#*,;:|~~~")
_TRANSLATION = {**_DASHES, **_DOTS, **_SLASHES, **_INVISIBLE, **_PAIRS}


class Unusable(NamedTuple):
    """A cell that gives no number to call: why, and what to do about it. Neither holds the number.

    ``undecided``: it holds several numbers, and only the owner of the list knows which one is meant.
    """

    reason: str
    remedy: str
    undecided: bool = False


SEVERAL = Unusable("more than one phone number in the cell", "keep one number in the row", undecided=True)
REMARK = Unusable(
    "digits in brackets or set apart behind the number", "take them out, or write the number as one", undecided=True
)


def bare(text: str) -> str:
    """The number without what spreadsheets, web pages and phone books put around it; digits are ASCII.

    A plus stands first and alone, however it was written.
    """
    text = text.translate(_TRANSLATION).strip()
    wrapped = _WRAPPED.fullmatch(text)
    text = (wrapped[1] if wrapped else text).strip().strip("'’‘\"").strip()
    if not text.isascii():
        text = "".join(map(_ascii, text))
    text = text[label.end() :] if (label := _LABEL.match(text)) else text
    text = _PLUS.sub("+", text, count=1) if _PLUS.match(text) else text
    return text.rstrip(_BEHIND).lstrip(" ,;|")


def malformed(text: str) -> Unusable | None:
    """What is wrong with a bare number, whatever numbers exist."""
    if not text:
        return Unusable("the phone number is empty", "fill it in or remove the row")
    if _SCIENTIFIC.fullmatch(text):
        return Unusable("a spreadsheet turned the number into powers of ten: the digits are gone", _AS_TEXT)
    if _EXTENSION.search(text) and len(digits_of(text)) > _FEW_DIGITS:
        return Unusable("the number has an extension, which cannot be dialed", "give a direct number")
    if any(_holds_more(text, mark.start()) for mark in _OTHER_NUMBER.finditer(text)):
        return SEVERAL
    if _ends_in_remark(text):
        return REMARK
    return _foreign_characters(text)


def heads(text: str) -> list[tuple[str, Unusable]]:
    """The text before each mark that may end a number, and what the cell is if the number ends there."""
    marks = [(mark.start(), SEVERAL) for mark in _BETWEEN.finditer(text)]
    marks += [(mark.start(), REMARK) for mark in _BRACKET.finditer(text)]
    parts = [(text[:at].rstrip(), verdict) for at, verdict in sorted(marks, key=lambda mark: mark[0])]
    return [(head, verdict) for head, verdict in parts if len(digits_of(head)) > _FEW_DIGITS]


def tail_of(text: str) -> str:
    """The text before one or two digits that are set apart at the end; "" when none are."""
    tail = _TAIL.search(text)
    return text[: tail.start()] if tail else ""


def joined(text: str) -> str:
    """A bare number without the marks between its groups."""
    return _BETWEEN.sub(" ", text)


def parts_of(text: str) -> list[str]:
    """A cell with several numbers, cut at every mark that may separate two."""
    cut = _BETWEEN.sub("\0", _OTHER_NUMBER.sub(lambda mark: "\0+" if "+" in mark[0] else "\0", text))
    return [part.strip() for part in cut.split("\0") if digits_of(part)]


def is_crowded(text: str) -> bool:
    """Whether a mark has enough digits for a number before it, and more digits behind it."""
    return any(_holds_more(text, mark.start()) for mark in _BETWEEN.finditer(text))


def digits_of(text: str) -> str:
    """The decimal digits alone."""
    return "".join(char for char in text if char.isdecimal())


def _ends_in_remark(text: str) -> bool:
    """Whether digits in brackets end the cell, and enough come before them: "+91 (90000 00001)" is one number."""
    if not (last := _LAST_BRACKET.search(text)):
        return False
    before, inside = len(digits_of(text[: last.start()])), len(digits_of(last[0]))
    return before >= _NUMBER_DIGITS or (before > 4 >= inside)


def _holds_more(text: str, at: int) -> bool:
    return len(digits_of(text[:at])) >= _NUMBER_DIGITS and bool(digits_of(text[at:]))


def _ascii(char: str) -> str:
    if char.isspace():
        return " "
    return str(unicodedata.decimal(char)) if char.isdecimal() else char


def _foreign_characters(text: str) -> Unusable | None:
    if _LETTERLESS.fullmatch(text):
        return None
    if not digits_of(text):
        return Unusable("the cell holds no phone number", "write the number in digits or remove the row")
    if any(char.isalpha() for char in text):
        return Unusable("the number has letters in it", "write it in digits only")
    if "*" in text or "#" in text:
        return Unusable("the number has * or # in it", "write it without service codes")
    return Unusable("characters that do not belong in a phone number", "write it as + and digits")
