import phonenumbers
import pytest
from phonenumbers.geodata.locale import LOCALE_DATA

from dialer.adapters.lists.country_names import read_country


@pytest.mark.parametrize(
    ("text", "region", "code", "place"),
    [
        ("IN", "IN", 91, "IN"),
        ("in", "IN", 91, "IN"),
        ("IND", "IN", 91, "IN"),
        ("India", "IN", 91, "IN"),
        (" INDIA ", "IN", 91, "IN"),
        ("Indien", "IN", 91, "IN"),
        ("भारत", "IN", 91, "IN"),
        ("UK", "GB", 44, "GB"),
        ("U.K.", "GB", 44, "GB"),
        ("United Kingdom", "GB", 44, "GB"),
        ("England", "GB", 44, "GB"),
        ("USA", "US", 1, "US"),
        ("U.S.A.", "US", 1, "US"),
        ("United States of America", "US", 1, "US"),
        ("The Gambia", "GM", 220, "GM"),
        ("Trinidad & Tobago", "TT", 1, "TT"),
        ("Korea, Republic of", "KR", 82, "KR"),
        ("Côte d’Ivoire", "CI", 225, "CI"),
        ("Cote d'Ivoire", "CI", 225, "CI"),
        ("Deutschland", "DE", 49, "DE"),
        ("Österreich", "AT", 43, "AT"),
        ("🇮🇳", "IN", 91, "IN"),
        ("+91", "IN", 91, "IN"),
        ("91", "IN", 91, "IN"),
        ("91.0", "IN", 91, "IN"),
        ("0091", "IN", 91, "IN"),
        ("(+91)", "IN", 91, "IN"),
        ("India (+91)", "IN", 91, "IN"),
        ("+91 IN", "IN", 91, "IN"),
        ("+1", "US", 1, ""),
        ("+1-242", "US", 1, ""),
        ("+44", "GB", 44, ""),
        ("+7", "RU", 7, ""),
    ],
)
def test_countries_as_lists_name_them(text: str, region: str, code: int, place: str) -> None:
    assert read_country(text) == (region, code, place)


@pytest.mark.parametrize("text", ["", "Atlantis", "Congo", "XX", "999", "+870", "India (+1)", "N/A", "Bavaria"])
def test_what_names_no_country(text: str) -> None:
    assert read_country(text) is None


@pytest.mark.parametrize("region", sorted(phonenumbers.SUPPORTED_REGIONS - {"AC", "TA", "XK", "CG"}))
def test_every_country_is_read_by_its_code_and_its_english_name(region: str) -> None:
    by_code = read_country(region)
    assert by_code is not None
    assert by_code.place == region
    names = LOCALE_DATA[region]
    english = names["en"] if not names["en"].startswith("*") else names[names["en"][1:]]
    assert read_country(english) == by_code
