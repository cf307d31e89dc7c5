"""Which country a row's number belongs to, by what the row says."""

from collections.abc import Sequence
from typing import NamedTuple

from dialer.adapters.lists.country_names import Country, read_country
from dialer.domain.phone_spelling import bare, digits_of


class RowCountry(NamedTuple):
    """``region`` (ISO 3166, "" for none) completes a number without a plus; ``country`` is that of the person."""

    region: str = ""
    country: str = ""


class Contradiction(NamedTuple):
    """Cells that name no country, or two: the column at fault, why, and what to do about it."""

    column: int
    reason: str
    remedy: str


NO_COUNTRY = RowCountry()
_KNOWN = "use an ISO 3166 code, a name or a calling code, e.g. IN, India, +91"


def country_of(cells: Sequence[str], named: int | None, seen: Sequence[int], phone: str) -> RowCountry | Contradiction:
    """What the columns with a country or calling code say.

    ``named`` is the one that the campaign file names: it must be readable. Those ``seen`` by their header matter for
    numbers without a plus; a calling code must never be another than that of the number.
    """
    countries: list[tuple[int, Country]] = []
    for column in seen if named is None else (named, *seen):
        text = cells[column].strip()
        country = read_country(text) if text else None
        if country is not None:
            countries.append((column, country))
        elif text and (column == named or not _has_code(phone)):
            return Contradiction(column, f"unknown region {_shown(text)}", _KNOWN)
    if not countries:
        return NO_COUNTRY
    return _agreed(countries, cells, named, phone)


def _agreed(
    countries: Sequence[tuple[int, Country]], cells: Sequence[str], named: int | None, phone: str
) -> RowCountry | Contradiction:
    if _has_code(phone):
        digits = digits_of(bare(phone))
        for column, country in countries:
            if digits_of(cells[column]) and not digits.startswith(str(country.calling_code)):
                return Contradiction(
                    column, "the number begins with another calling code", "correct the one or the other"
                )
    elif len({country.calling_code for _, country in countries}) > 1:
        return Contradiction(
            countries[1][0], "the row names two countries", 'correct one, or write the number with "+"'
        )
    place = next((country.place for column, country in countries if column == named), "")
    region = next((country.place for _, country in countries if country.place), "") or countries[0][1].region
    return RowCountry(region, place)


def _has_code(phone: str) -> bool:
    """Whether a number names its country itself."""
    return phone[:1] == "+" or bare(phone)[:1] == "+"


def _shown(value: str) -> str:
    """A value that may be printed: a column named by mistake may hold phone numbers."""
    private = sum(char.isdecimal() for char in value) > 4 or len(value) > 40
    return "in this cell" if private else f'"{value}"'
