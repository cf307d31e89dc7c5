"""A phone number, parsed once, at the door.

The rules are those of libphonenumber (https://github.com/google/libphonenumber), applied strictly: a number is
taken only if it is valid, not merely possible, and nothing is dropped from the cell to make it fit.
No reason or remedy ever repeats the number.
"""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import phonenumbers
from phonenumbers import (
    Leniency,
    NumberParseException,
    PhoneMetadata,
    PhoneNumberMatcher,
    PhoneNumberType,
    shortnumberinfo,
)
from phonenumbers.timezone import UNKNOWN_TIMEZONE
from phonenumbers.tzdata import TIMEZONE_DATA, TIMEZONE_LONGEST_PREFIX

from dialer.domain.north_america import base_of
from dialer.domain.phone_spelling import (
    REMARK,
    SEVERAL,
    Unusable,
    bare,
    digits_of,
    heads,
    is_crowded,
    joined,
    malformed,
    parts_of,
    tail_of,
)

__all__ = [
    "CALLABLE_TYPES", "NO_COUNTRY", "Phone", "Unusable", "is_region", "mask", "numbers_in", "parse_phone",
    "parse_phones", "zones_of",
]  # fmt: skip
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
_PLAIN = re.compile(r"(?!.*-\d\d?$)(?:\+[1-9]|[0-9])[0-9]*(?:[ -][0-9]+)*")
"""Nothing to take off, and nothing set apart behind the number."""
_DECIMAL = re.compile(r"(\+?\d{5,})[.,](0{1,2})")
_MEXICO = 52


class Phone(NamedTuple):
    """A number that may be called.

    ``e164`` is "+" and up to 15 digits; ``region`` an ISO 3166 code; ``zones`` every IANA zone the person may
    be in, empty when it is unknown.
    """

    e164: str
    region: str
    zones: tuple[str, ...]


def parse_phone(text: str, region: str = "", countries: frozenset[str] = frozenset()) -> Phone | Unusable:
    """Read one cell.

    ``region`` (ISO 3166, "" for none) is assumed for numbers in national format; ``countries`` are the
    ISO 3166 codes that may be called, empty for all. What can be read as two numbers gives none.
    """
    if not _PLAIN.fullmatch(text):
        return _read_carefully(bare(text), region, countries)
    return _read(text, region, countries)


def _read_carefully(text: str, region: str, countries: frozenset[str]) -> Phone | Unusable:
    """A bare number in an unusual spelling: anything that may be a second number or a remark refuses it."""
    if decimal := _DECIMAL.fullmatch(text):
        return _read_decimal(decimal[1], decimal[2], region, countries)
    if fault := malformed(text):
        return _one_after_all(text, region, countries) if fault is SEVERAL else fault
    for head, verdict in heads(text):
        if _is_number(head, region):
            return verdict if verdict is REMARK else _one_after_all(text, region, countries)
    if (head := tail_of(text)) and _ends_before_tail(head, region):
        return REMARK
    phone = _read(joined(text), region, countries)
    return SEVERAL if isinstance(phone, Unusable) and is_crowded(text) else phone


def _read_decimal(text: str, fraction: str, region: str, countries: frozenset[str]) -> Phone | Unusable:
    """A number that a program wrote as 919000000001.0: no digit is lost, unless the nought is one of them."""
    phone = _read(text, region, countries)
    if isinstance(phone, Phone) and isinstance(_read(text + fraction, region, countries), Phone):
        return Unusable("a number, or one with a decimal", "format the column as text and export again", undecided=True)
    return phone


def _one_after_all(text: str, region: str, countries: frozenset[str]) -> Phone | Unusable:
    """The number that several spellings in a cell have in common."""
    read = {_read(bare(part), region, countries) for part in parts_of(text)}
    only = read.pop()
    return SEVERAL if read or isinstance(only, Unusable) else only


def _read(text: str, region: str, countries: frozenset[str]) -> Phone | Unusable:
    if len(text) <= _SHORT_DIGITS * 2 and (refusal := _short_code(text, region)):
        return refusal
    assumed = "" if text[:1] == "+" else region
    try:
        number = phonenumbers.parse(text, region or None)
    except NumberParseException as error:
        return _unparsed(error, text)
    if assumed and _reads_twice(text, region):
        code = phonenumbers.country_code_for_region(region)
        reason = (
            f'two numbers: one in national format, and one that begins with the country code {code} without its "+"'
        )
        return Unusable(reason, 'write it with "+" and the country code', undecided=True)
    return _judge(_todays(number, text), countries, assumed)


def numbers_in(text: str, region: str = "") -> list[str]:
    """Every number (E.164) that a cell may mean, for a list of people who must not be called: rather one too many."""
    text = bare(text)
    candidates = [text, joined(text), digits_of(text), *(head for head, _ in heads(text)), tail_of(text)]
    parts = parts_of(text)
    candidates += [*parts, *(_completed(first, part) for first, part in pairwise(parts))]
    if decimal := _DECIMAL.fullmatch(text):
        candidates.append(decimal[1])
    matched = [match.number for match in PhoneNumberMatcher(text, region or None, Leniency.POSSIBLE)]
    numbers = [number for each in candidates for number in _meant(each, region)]
    return list(dict.fromkeys(_e164(number) for number in [*numbers, *matched] if phonenumbers.is_valid_number(number)))


def _completed(number: str, ending: str) -> str:
    """A number with its last digits replaced, as "022 2345 6781/82" means it."""
    digits = digits_of(ending)
    return number[: -len(digits)] + digits if len(digits) < _SHORT_DIGITS else ending


def _meant(text: str, region: str) -> list[phonenumbers.PhoneNumber]:
    """Both readings of one spelling, whether in use or not."""
    spellings, digits = [text], digits_of(text).lstrip("0")
    if not region or digits.startswith(str(phonenumbers.country_code_for_region(region))):
        spellings.append(f"+{digits}")
    return [number for each in spellings if (number := _parsed(each, region)) is not None]


def _parsed(text: str, region: str) -> phonenumbers.PhoneNumber | None:
    try:
        return _todays(phonenumbers.parse(text, region or None), text)
    except NumberParseException:
        return None


def _is_number(text: str, region: str) -> bool:
    number = _parsed(text, region)
    return number is not None and phonenumbers.is_valid_number(number)


def _ends_before_tail(head: str, region: str) -> bool:
    """Whether a number ends before digits set apart. Behind a landline they are a direct line of its house."""
    number = _parsed(head, region)
    kind = PhoneNumberType.UNKNOWN if number is None else phonenumbers.number_type(number)
    return kind not in (PhoneNumberType.UNKNOWN, PhoneNumberType.FIXED_LINE)


def _reads_twice(text: str, region: str) -> bool:
    """Whether a number without a plus is one in national format, and another one with its country code.

    Where the prefix that the national format asks for (mostly 0) is left out, the other need only look like a number.
    """
    code, longest, prefix = _national(region)
    digits = digits_of(text)
    bare_digits = digits.lstrip("0")
    if not bare_digits.startswith(code) or len(bare_digits) > longest:
        return False
    national, abroad = _parsed(f"+{code}{digits}", ""), _parsed(f"+{bare_digits}", "")
    if national is None or abroad is None or _e164(national) == _e164(abroad):
        return False
    if not phonenumbers.is_valid_number(national):
        return False
    prefixed = not prefix or digits.startswith(prefix)
    return phonenumbers.is_valid_number(abroad) or (not prefixed and _looks_whole(abroad))


def _looks_whole(number: phonenumbers.PhoneNumber) -> bool:
    """Whether a number has as many digits as a landline or a mobile with its area code."""
    kinds = (PhoneNumberType.FIXED_LINE, PhoneNumberType.MOBILE)
    verdicts = (phonenumbers.is_possible_number_for_type_with_reason(number, kind) for kind in kinds)
    return phonenumbers.ValidationResult.IS_POSSIBLE in verdicts


@lru_cache(maxsize=256)
def _national(region: str) -> tuple[str, int, str]:
    """A region's country code, how many digits its longest number has in national format, and the prefix of that."""
    code = phonenumbers.country_code_for_region(region)
    metadata = PhoneMetadata.metadata_for_region(region)
    prefix = (metadata.national_prefix if metadata else None) or ""
    return str(code), max(_lengths(code, region), default=0) + len(prefix.lstrip("0")), prefix


def _todays(number: phonenumbers.PhoneNumber, text: str) -> phonenumbers.PhoneNumber:
    """A Mexican number without the 1 that mobiles had until 2019, and that WhatsApp still writes."""
    national = str(number.national_number)
    if number.country_code == _MEXICO and len(national) == 11 and digits_of(text).endswith(f"{_MEXICO}{national}"):
        number.national_number = int(national.removeprefix("1"))
    return number


def _e164(number: phonenumbers.PhoneNumber) -> str:
    return f"+{number.country_code}{phonenumbers.national_significant_number(number)}"


def parse_phones(cells: Sequence[tuple[str, str]], countries: frozenset[str] = frozenset()) -> list[Phone | Unusable]:
    """Read (cell, region) pairs, in order: the unit of work for a pool of processes."""
    return [parse_phone(text, region, countries) for text, region in cells]


def mask(phone: str) -> str:
    """The country code and the last two digits, e.g. "+91********10"; without a "+", the last two alone."""
    digits = digits_of(phone)
    keep = 2 if len(digits) > _SHORT_DIGITS else 0
    code = _country_code(digits) if keep and phone.lstrip().startswith("+") else ""
    hidden = len(digits) - len(code) - keep
    return f"{'+' if code else ''}{code}{'*' * hidden}{digits[len(digits) - keep :]}"


def is_region(code: str) -> bool:
    """Whether ``code`` is an ISO 3166 code (upper case) of a place that has phone numbers."""
    return code in phonenumbers.SUPPORTED_REGIONS


def zones_of(country_code: int, national: str, kind: int) -> tuple[str, ...]:
    """Every zone a valid number of type ``kind`` may be in, by its present name; empty when unknown.

    As ``phonenumbers.timezone.time_zones_for_number``, which would find type and digits once more. It splits an area
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
    of_area = {zone for prefix, zones in TIMEZONE_DATA.items() if prefix.startswith(prefixes) for zone in zones}
    return tuple(sorted(of_area))


def _short_code(text: str, region: str) -> Unusable | None:
    if text[0] == "+":
        return None
    digits = digits_of(text)
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


def _country_code(digits: str) -> str:
    codes = phonenumbers.COUNTRY_CODE_TO_REGION_CODE
    return next((digits[:n] for n in (1, 2, 3) if digits[:n].isdecimal() and int(digits[:n]) in codes), "")
