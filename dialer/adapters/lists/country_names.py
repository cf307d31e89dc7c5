"""Countries as lists name them: ISO 3166 code, name in any of many languages, calling code, flag."""

import re
import unicodedata
from functools import cache, lru_cache
from typing import NamedTuple

import phonenumbers

_SHORT = {
    "uk": "GB", "greatbritain": "GB", "britain": "GB", "england": "GB", "scotland": "GB", "wales": "GB",
    "northernireland": "GB", "usa": "US", "america": "US", "unitedstatesofamerica": "US",
    "estadosunidosdeamerica": "US", "uae": "AE", "emirates": "AE", "ksa": "SA", "holland": "NL", "czechia": "CZ",
    "bharat": "IN", "hindustan": "IN", "korea": "KR", "republicofkorea": "KR", "korearepublicof": "KR",
    "russianfederation": "RU", "peoplesrepublicofchina": "CN", "prc": "CN", "mainlandchina": "CN", "turkiye": "TR",
    "vietnam": "VN", "ivorycoast": "CI", "burma": "MM", "eswatini": "SZ", "northmacedonia": "MK", "macau": "MO",
    "hongkongsar": "HK", "capeverde": "CV", "caboverde": "CV", "easttimor": "TL", "drc": "CD", "drcongo": "CD",
    "democraticrepublicofcongo": "CD", "congodemocraticrepublicof": "CD", "republicofcongo": "CG",
    "congobrazzaville": "CG", "congokinshasa": "CD", "brasil": "BR", "deutschland": "DE", "bruneidarussalam": "BN",
    "iranislamicrepublicof": "IR", "islamicrepublicofiran": "IR", "syrianarabrepublic": "SY", "laopdr": "LA",
    "tanzaniaunitedrepublicof": "TZ", "unitedrepublicoftanzania": "TZ", "republicofireland": "IE", "eire": "IE",
    "vaticancity": "VA", "palestinianterritories": "PS", "stateofpalestine": "PS", "slovakrepublic": "SK",
    "boliviaplurinationalstateof": "BO", "venezuelabolivarianrepublicof": "VE", "moldovarepublicof": "MD",
    "republicofmoldova": "MD", "taiwanprovinceofchina": "TW", "taiwanroc": "TW", "kyrgyzrepublic": "KG",
    "micronesiafederatedstatesof": "FM", "unitedkingdomofgreatbritainandnorthernireland": "GB", "el": "GR",
}  # fmt: skip
_TWO = frozenset({"congo"})
"""Names that two countries share."""
_CODE = re.compile(r"\(?\s*(?:\+|00)?\s*(\d(?:[ -]?\d){0,6})(?:\.0)?\s*\)?")
_FLAG = re.compile("[\U0001f1e6-\U0001f1ff]{2}")
_NORTH_AMERICA = 1


class Country(NamedTuple):
    """``region`` is the ISO 3166 code whose numbering plan is meant, ``calling_code`` its country code.

    ``place`` is the country itself: "" where there is only a calling code that several share.
    """

    region: str
    calling_code: int
    place: str


@lru_cache(maxsize=4096)
def read_country(text: str) -> Country | None:
    """The country of a cell, e.g. "IN", "IND", "India", "Indien", "+91", "0091", "91", "India (+91)"; None: no country.

    Where a name and a code stand in one cell and are not of one country, there is none.
    """
    code = _CODE.search(text)
    name = _plain(text[: code.start()] + text[code.end() :] if code else text)
    if not code:
        return None if "/" in text else _named(name)
    by_code = _of_code("".join(char for char in code[1] if char.isdecimal()))
    if not name:
        return by_code
    by_name = _named(name)
    return by_name if by_name and by_code and by_name.calling_code == by_code.calling_code else None


def _of_code(digits: str) -> Country | None:
    code = int(digits.lstrip("0") or 0)
    if code not in phonenumbers.COUNTRY_CODE_TO_REGION_CODE and digits.startswith("1") and len(digits) == 4:
        code = _NORTH_AMERICA
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(code, ())
    if not regions or regions[0] not in phonenumbers.SUPPORTED_REGIONS:
        return None
    return Country(regions[0], code, regions[0] if len(regions) == 1 else "")


def _named(name: str) -> Country | None:
    region = name.upper() if len(name) == 2 and name.isascii() and name != "uk" else _names().get(name, "")
    if region not in phonenumbers.SUPPORTED_REGIONS:
        region = _names().get(name, "")
    return Country(region, phonenumbers.country_code_for_region(region), region) if region else None


@cache
def _names() -> dict[str, str]:
    """ISO 3166 codes by plain names. The libraries' names are read when a list first needs one."""
    from holidays.registry import COUNTRIES
    from phonenumbers.geodata.locale import LOCALE_DATA

    names: dict[str, str] = {}
    for region, by_language in LOCALE_DATA.items():
        if region in phonenumbers.SUPPORTED_REGIONS:
            names.update({_plain(name): region for name in by_language.values() if not name.startswith("*")})
    names |= {entry[2].lower(): entry[1] for entry in COUNTRIES.values() if entry[1] in phonenumbers.SUPPORTED_REGIONS}
    return {name: region for name, region in (names | _SHORT).items() if name not in _TWO}


def _plain(text: str) -> str:
    """Letters alone, without case, accents and "the"; flags as their two letters."""
    text = _FLAG.sub(lambda flag: "".join(chr(ord(char) - 0x1F1E6 + ord("a")) for char in flag[0]), text)
    spread = unicodedata.normalize("NFKD", text.casefold().replace("&", " and "))
    bare = "".join(char for char in spread if not unicodedata.combining(char) and char not in "'’.")
    return "".join(word for word in re.findall(r"\w+", bare) if word != "the")
