"""A phone number, parsed once, at the door.

The rules are those of libphonenumber (https://github.com/google/libphonenumber), applied strictly: a number is
taken only if it is valid, not merely possible, and nothing is dropped from the cell to make it fit.
No reason or remedy ever repeats the number.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

import phonenumbers
from phonenumbers import NumberParseException, PhoneMetadata, PhoneNumberType, shortnumberinfo
from phonenumbers.timezone import UNKNOWN_TIMEZONE
from phonenumbers.tzdata import TIMEZONE_DATA, TIMEZONE_LONGEST_PREFIX

from dialer.domain.north_america import base_of
from dialer.domain.time_zones import zones_within

CALLABLE_TYPES = frozenset(
    {
        PhoneNumberType.FIXED_LINE,
        PhoneNumberType.MOBILE,
        PhoneNumberType.FIXED_LINE_OR_MOBILE,
        PhoneNumberType.VOIP,
    }
)
"""What a person answers at an ordinary price. Personal numbers (UK 070) are billed like premium rate."""

_TYPE_NAMES = {
    PhoneNumberType.PREMIUM_RATE: "a premium-rate number",
    PhoneNumberType.TOLL_FREE: "a toll-free number",
    PhoneNumberType.SHARED_COST: "a shared-cost number",
    PhoneNumberType.UAN: "a company-wide number (UAN)",
    PhoneNumberType.PAGER: "a pager",
    PhoneNumberType.VOICEMAIL: "a voicemail access number",
    PhoneNumberType.PERSONAL_NUMBER: "a personal redirect number, billed like premium rate",
}

NO_COUNTRY = "001"
"""What libphonenumber calls numbers of no country: satellite phones, international toll-free."""

_RENAMED = {
    "Africa/Asmera": "Africa/Asmara",
    "America/Buenos_Aires": "America/Argentina/Buenos_Aires",
    "America/Godthab": "America/Nuuk",
    "Asia/Calcutta": "Asia/Kolkata",
    "Asia/Choibalsan": "Asia/Ulaanbaatar",
    "Asia/Katmandu": "Asia/Kathmandu",
    "Asia/Rangoon": "Asia/Yangon",
    "Atlantic/Faeroe": "Atlantic/Faroe",
    "Pacific/Enderbury": "Pacific/Kanton",
    "Pacific/Ponape": "Pacific/Pohnpei",
    "Pacific/Truk": "Pacific/Chuuk",
}
"""Names that the IANA database keeps for old programs only."""

_AREA_DIGITS = 4
"""The 1 of North America and an area code."""
_SHORT_DIGITS = 6
_NUMBER_DIGITS = 7
_PLAIN = re.compile(r"\+?[0-9(][0-9 ()-]+")
_LETTERLESS = re.compile(r"\+?[0-9(\[][0-9 ()\[\]./~-]*")
_WRAPPED = re.compile(r'=\s*"(.*)"', re.DOTALL)
_SCIENTIFIC = re.compile(r"[+-]?\d+(?:[.,]\d+)?[eE][+-]?\d+")
_DECIMAL = re.compile(r"\+?\d{5,}[.,]0{1,2}")
_EXTENSION = re.compile(r"(?:;\s*ext\s*=|e?xt(?:n|ension)?|[x#])[\s.:]*\d{1,8}\s*#?$", re.IGNORECASE)
_SEPARATORS = re.compile(r"[/|,;&\n\r]|\b(?:or|and|oder|ou|und)\b|(?<=\d)\s*\+", re.IGNORECASE)
_DASHES = dict.fromkeys(map(ord, "‐‑‒–—―−ー－"), "-")
_INVISIBLE = dict.fromkeys(
    [0xAD, 0x61C, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x206A), 0xFEFF]
)
_TRANSLATION = {**_DASHES, **_INVISIBLE, ord("＋"): "+", ord("﹢"): "+", ord("（"): "(", ord("）"): ")"}

_AS_TEXT = "format the column as text and export again"


class Phone(NamedTuple):
    """A number that may be called.

    ``e164`` is "+" and up to 15 digits; ``region`` an ISO 3166 code; ``zones`` every IANA zone the person may
    be in, empty when it is unknown.
    """

    e164: str
    region: str
    zones: tuple[str, ...]


class Unusable(NamedTuple):
    """A cell that gives no number to call: why, and what to do about it. Neither holds the number."""

    reason: str
    remedy: str


def parse_phone(text: str, region: str = "", countries: frozenset[str] = frozenset()) -> Phone | Unusable:
    """Read one cell.

    ``region`` (ISO 3166, "" for none) is assumed for numbers in national format; ``countries`` are the
    ISO 3166 codes that may be called, empty for all.
    """
    if not _PLAIN.fullmatch(text):
        text = _unwrap(text)
        refusal = _malformed(text)
        if refusal:
            return refusal
    if len(text) <= _SHORT_DIGITS * 2 and (refusal := _short_code(text, region)):
        return refusal
    try:
        number = phonenumbers.parse(text, region or None)
    except NumberParseException as error:
        return _unparsed(error, text)
    return _judge(number, countries, "" if text[0] == "+" else region)


def parse_phones(cells: Sequence[tuple[str, str]], countries: frozenset[str] = frozenset()) -> list[Phone | Unusable]:
    """Read (cell, region) pairs, in order: the unit of work for a pool of processes."""
    return [parse_phone(text, region, countries) for text, region in cells]


def mask(phone: str) -> str:
    """The country code and the last two digits, e.g. "+91********10"; without a "+", the last two alone."""
    digits = _digits(phone)
    keep = 2 if len(digits) > _SHORT_DIGITS else 0
    code = _country_code(digits) if keep and phone.lstrip().startswith("+") else ""
    hidden = len(digits) - len(code) - keep
    return f"{'+' if code else ''}{code}{'*' * hidden}{digits[len(digits) - keep :]}"


def is_region(code: str) -> bool:
    """Whether ``code`` is an ISO 3166 code (upper case) of a place that has phone numbers."""
    return code in phonenumbers.SUPPORTED_REGIONS


def zones_of(country_code: int, national: str, kind: int) -> tuple[str, ...]:
    """Every zone a valid number of type ``kind`` may be in, by its present name; empty when unknown.

    As ``phonenumbers.timezone.time_zones_for_number``, which would find type and digits once more. It tells an area
    code that two zones share by exchange, and gives the more common zone for exchanges it does not list; here those
    are in both, and so are the numbers of an overlay.
    """
    digits = str(country_code)
    if phonenumbers.is_number_type_geographical(kind, country_code):
        digits += national
    return _zones_of_prefix(digits[:TIMEZONE_LONGEST_PREFIX])


@lru_cache(maxsize=65536)
def _zones_of_prefix(digits: str) -> tuple[str, ...]:
    for length in range(len(digits), 0, -1):
        if zones := TIMEZONE_DATA.get(digits[:length]):
            if digits[0] == "1" and length == _AREA_DIGITS:
                zones = _zones_of_area(digits[1:_AREA_DIGITS])
            return tuple(_RENAMED.get(zone, zone) for zone in zones if zone != UNKNOWN_TIMEZONE)
    return ()


@lru_cache(maxsize=1024)
def _zones_of_area(area_code: str) -> tuple[str, ...]:
    """Every zone in which an area code, or the one it overlays, has an exchange."""
    prefixes = tuple({f"1{area_code}", f"1{base_of(area_code)}"})
    found = {zone for prefix, zones in TIMEZONE_DATA.items() if prefix.startswith(prefixes) for zone in zones}
    return tuple(sorted(found))


def _unwrap(text: str) -> str:
    """Take off what spreadsheets, web pages and phone books put around a number, and use ASCII digits."""
    text = text.translate(_TRANSLATION).strip()
    wrapped = _WRAPPED.fullmatch(text)
    text = (wrapped[1] if wrapped else text).strip().strip("'’‘\"").strip()
    if text[:4].lower() == "tel:":
        text = text[4:].strip()
    if text.isascii():
        return text
    return "".join(_ascii(char) for char in text)


def _ascii(char: str) -> str:
    if char.isspace():
        return " "
    return str(unicodedata.decimal(char)) if char.isdecimal() else char


def _malformed(text: str) -> Unusable | None:
    if not text:
        return Unusable("the phone number is empty", "fill it in or remove the row")
    if _SCIENTIFIC.fullmatch(text):
        return Unusable("a spreadsheet turned the number into powers of ten: the digits are gone", _AS_TEXT)
    if _DECIMAL.fullmatch(text):
        return Unusable("a spreadsheet turned the number into a decimal", _AS_TEXT)
    if _EXTENSION.search(text) and len(_digits(text)) > _SHORT_DIGITS:
        return Unusable("the number has an extension, which cannot be dialed", "give a direct number")
    if _several(text):
        return Unusable("more than one phone number in the cell", "keep one number in the row")
    return _foreign_characters(text)


def _several(text: str) -> bool:
    """A whole number, then more digits. A short first part is a prefix, as in "030/123456"."""
    first, *others = _SEPARATORS.split(text)
    counts = [len(_digits(part)) for part in (first, *others)]
    return any(sum(counts[:i]) >= _NUMBER_DIGITS and counts[i] for i in range(1, len(counts)))


def _foreign_characters(text: str) -> Unusable | None:
    if _LETTERLESS.fullmatch(text):
        return None
    if not _digits(text):
        return Unusable("the cell holds no phone number", "write the number in digits or remove the row")
    if any(char.isalpha() for char in text):
        return Unusable("the number has letters in it", "write it in digits only")
    if "*" in text or "#" in text:
        return Unusable("the number has * or # in it", "write it without service codes")
    return Unusable("characters that do not belong in a phone number", "write it as + and digits")


def _short_code(text: str, region: str) -> Unusable | None:
    if text[0] == "+":
        return None
    digits = _digits(text)
    if len(digits) > _SHORT_DIGITS:
        return None
    remedy = "give the person's own number"
    for place in (region,) if region else ("IN", "US", "GB", "DE", "BR"):
        if shortnumberinfo.is_emergency_number(digits, place):
            return Unusable("an emergency number", remedy)
    if not region:
        return Unusable("too short for a phone number", "give the full number, with + and the country code")
    number = phonenumbers.PhoneNumber(phonenumbers.country_code_for_region(region), int(digits or 0))
    if shortnumberinfo.is_valid_short_number_for_region(number, region):
        return Unusable(f"a short code in {region}", remedy)
    return None


def _unparsed(error: NumberParseException, text: str) -> Unusable:
    match error.error_type:
        case NumberParseException.INVALID_COUNTRY_CODE if text[0] == "+":
            return Unusable("no country has this calling code", "check the digits after the +")
        case NumberParseException.INVALID_COUNTRY_CODE:
            return Unusable("no country code and no region to assume", "write it with + or give --region, e.g. IN")
        case NumberParseException.TOO_LONG:
            return Unusable("too long for a phone number", "check the digits; one number a row")
        case _:
            return Unusable("too short for a phone number", "give the full number, with + and the country code")


def _judge(number: phonenumbers.PhoneNumber, countries: Iterable[str], assumed: str) -> Phone | Unusable:
    if number.extension:
        return Unusable("the number has an extension, which cannot be dialed", "give a direct number")
    region = phonenumbers.region_code_for_number(number) or ""
    kind = phonenumbers.number_type(number)
    if kind == PhoneNumberType.UNKNOWN:
        return _invalid(number, assumed)
    if kind not in CALLABLE_TYPES:
        return Unusable(f"{_TYPE_NAMES.get(kind, 'not an ordinary line')} in {region}", "give an ordinary number")
    if region == NO_COUNTRY:
        return Unusable("a satellite or international network number", "give a number in a country")
    if countries and region not in countries:
        return Unusable(f"a number in {region}, which is not among the countries allowed", "remove the row")
    code, national = number.country_code or 0, phonenumbers.national_significant_number(number)
    sharing = phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code]
    others = sharing[1:] if region == sharing[0] else ()
    return Phone(f"+{code}{national}", region, zones_within(region, zones_of(code, national, kind), others))


def _invalid(number: phonenumbers.PhoneNumber, assumed: str) -> Unusable:
    code = number.country_code or 0
    region = assumed or phonenumbers.region_code_for_country_code(code)
    place = f"+{code}" if region == NO_COUNTRY else f"{region} (+{code})"
    remedy = f'check the digits; without a "+" it was read as a number in {region}' if assumed else "check the digits"
    count = len(phonenumbers.national_significant_number(number))
    lengths = _lengths(code, region)
    if not lengths or count in lengths:
        return Unusable(f"not a number in use in {place}", remedy)
    fault = "too short" if count < lengths[0] else "too long" if count > lengths[-1] else "wrong length"
    usual = str(lengths[0]) if len(lengths) == 1 else f"{lengths[0]} to {lengths[-1]}"
    return Unusable(f"{fault} for {place}: {count} digits after the country code instead of {usual}", remedy)


def _lengths(country_code: int, region: str) -> list[int]:
    """How many digits ordinary lines have there, ascending."""
    metadata = PhoneMetadata.metadata_for_region_or_calling_code(country_code, region)
    kinds = (metadata.fixed_line, metadata.mobile) if metadata else ()
    return sorted({length for kind in kinds if kind for length in kind.possible_length if length > 0})


def _digits(text: str) -> str:
    return "".join(char for char in text if char.isdecimal())


def _country_code(digits: str) -> str:
    codes = phonenumbers.COUNTRY_CODE_TO_REGION_CODE
    return next((digits[:n] for n in (1, 2, 3) if digits[:n].isdecimal() and int(digits[:n]) in codes), "")
