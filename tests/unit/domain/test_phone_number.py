"""Every number here is reserved for fiction (+1 555-01xx, +44 20 7946 0xxx) or plainly patterned (+91 90000 0...)."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.domain.phone_number import (
    Phone,
    is_region,
    mask,
    parse_phone,
    parse_phones,
)
from dialer.domain.phone_spelling import Unusable

KOLKATA = ("Asia/Kolkata",)
INDIAN = Phone("+919000000001", "IN", KOLKATA)
SEVERAL = Unusable("more than one phone number in the cell", "keep one number in the row", undecided=True)
REMARK = Unusable(
    "digits in brackets or set apart behind the number", "take them out, or write the number as one", undecided=True
)
EXTENSION = Unusable("the number has an extension, which cannot be dialed", "give a direct number")
LETTERS = Unusable("the number has letters in it", "write it in digits only")
NO_REGION = Unusable("no country code and no region to assume", "write it with + or give --region, e.g. IN")
AS_TEXT = "format the column as text and export again"


@pytest.mark.parametrize(
    "text",
    [
        "+919000000001",
        "+91 90000 00001",
        "+91-90000-00001",
        "+91.90000.00001",
        "+91 (900) 0000001",
        "9000000001",
        "09000000001",
        "919000000001",
        "0091 90000 00001",
        "'9000000001",
        "’+919000000001",
        '="9000000001"',
        '"9000000001"',
        "tel:+91-90000-00001",
        "TEL: 90000 00001",
        "  9000000001\n",
        "\u00a0+91\u00a090000\u00a000001\u00a0",
        "\u202a+91 90000 00001\u202c",
        "\u200b9000000001\ufeff",
        "＋91 9000000001",
        "९००००००००१",
        "+٩١٩٠٠٠٠٠٠٠٠١",
        "９００００００００１",
        "90000–00001",
    ],
)
def test_one_number_however_it_is_written(text: str) -> None:
    assert parse_phone(text, "IN") == INDIAN


@pytest.mark.parametrize(
    ("text", "region", "want"),
    [
        ("(212) 555-0123", "US", Phone("+12125550123", "US", ("America/New_York",))),
        ("+44 (0)20 7946 0123", "", Phone("+442079460123", "GB", ("Europe/London",))),
        ("030/123456", "DE", Phone("+4930123456", "DE", ("Europe/Berlin",))),
        ("+39 06 1234 5678", "", Phone("+390612345678", "IT", ("Europe/Rome",))),
    ],
)
def test_other_countries(text: str, region: str, want: Phone) -> None:
    assert parse_phone(text, region) == want


@pytest.mark.parametrize(
    ("text", "region", "want"),
    [
        ("", "IN", Unusable("the phone number is empty", "fill it in or remove the row")),
        (" \u00a0\u200b", "IN", Unusable("the phone number is empty", "fill it in or remove the row")),
        ("n/a", "IN", Unusable("the cell holds no phone number", "write the number in digits or remove the row")),
        (
            "9.19E+11",
            "IN",
            Unusable("a spreadsheet turned the number into powers of ten: the digits are gone", AS_TEXT),
        ),
        (
            "9,19E+11",
            "IN",
            Unusable("a spreadsheet turned the number into powers of ten: the digits are gone", AS_TEXT),
        ),
        ("1713920012.0", "DE", Unusable("a number, or one with a decimal", AS_TEXT, undecided=True)),
        ("+91 90000 00001 x12", "", EXTENSION),
        ("+91 90000 00001;ext=5", "", EXTENSION),
        ("+91 90000 00001 ext. 5", "", EXTENSION),
        ("+91 90000 00001 extension 5", "", EXTENSION),
        ("+91 90000 00001 #5", "", EXTENSION),
        ("+91 90000 00001 / 90000 00002", "", SEVERAL),
        ("9000000001, 9000000002", "IN", SEVERAL),
        ("9000000001;9000000002", "IN", SEVERAL),
        ("9000000001 or 9000000002", "IN", SEVERAL),
        ("9000000001\n9000000002", "IN", SEVERAL),
        ("+919000000001 +919000000002", "", SEVERAL),
        ("9000000001/2", "IN", SEVERAL),
        ("1-800-FLOWERS", "US", LETTERS),
        ("9000000001 (mother)", "IN", LETTERS),
        ("*67 9000000001", "IN", Unusable("the number has * or # in it", "write it without service codes")),
        (
            "90000 0000¹",
            "IN",
            Unusable("characters that do not belong in a phone number", "write it as + and digits"),
        ),
        ("112", "IN", Unusable("an emergency number", "give the person's own number")),
        ("112", "", Unusable("an emergency number", "give the person's own number")),
        ("911", "US", Unusable("an emergency number", "give the person's own number")),
        ("100", "IN", Unusable("an emergency number", "give the person's own number")),
        ("1909", "IN", Unusable("a short code in IN", "give the person's own number")),
        ("4321", "", Unusable("too short for a phone number", "give the full number, with + and the country code")),
        ("9000000001", "", NO_REGION),
        ("919000000001", "", NO_REGION),
        (
            "+91 90000",
            "",
            Unusable("too short for IN (+91): 5 digits after the country code instead of 10", "check the digits"),
        ),
        (
            "9000000",
            "IN",
            Unusable(
                "too short for IN (+91): 7 digits after the country code instead of 10",
                'check the digits; without a "+" it was read as a number in IN',
            ),
        ),
        (
            "919000000001",
            "US",
            Unusable(
                "too long for US (+1): 12 digits after the country code instead of 10",
                'check the digits; without a "+" it was read as a number in US',
            ),
        ),
        ("+91 10000 00001", "", Unusable("not a number in use in IN (+91)", "check the digits")),
        ("+0 90000 00001", "IN", Unusable("no country has this calling code", "check the digits after the +")),
        ("+999 12345678", "", Unusable("no country has this calling code", "check the digits after the +")),
        (
            "+91 90000 00001 90000 00002",
            "",
            Unusable("too long for a phone number", "check the digits; one number a row"),
        ),
        ("+1 800 555 0123", "", Unusable("a toll-free number in US", "give an ordinary number")),
        ("+1 900 555 0100", "", Unusable("a premium-rate number in US", "give an ordinary number")),
        (
            "070 1234 5678",
            "GB",
            Unusable("a personal redirect number, billed like premium rate in GB", "give an ordinary number"),
        ),
        ("+870773111632", "", Unusable("a satellite or international network number", "give a number in a country")),
    ],
)
def test_what_cannot_be_called_says_why(text: str, region: str, want: Unusable) -> None:
    assert parse_phone(text, region) == want


def test_only_the_countries_allowed() -> None:
    assert parse_phone("+919000000001", "", frozenset({"IN", "GB"})) == INDIAN
    assert parse_phone("+12125550123", "", frozenset({"IN"})) == Unusable(
        "a number in US, which is not among the countries allowed", "remove the row"
    )


def test_a_list_is_read_in_order() -> None:
    assert parse_phones([("9000000001", "IN"), ("", ""), ("9000000001", "IN")]) == [
        INDIAN,
        Unusable("the phone number is empty", "fill it in or remove the row"),
        INDIAN,
    ]


@pytest.mark.parametrize(
    ("number", "zones"),
    [
        ("+18504320001", ("America/Chicago",)),  # Pensacola, by exchange
        ("+16053420001", ("America/Denver",)),  # Rapid City, by exchange
        ("+18502010001", ("America/Chicago", "America/New_York")),  # an exchange that nobody lists
        ("+13642000001", ("America/Chicago", "America/New_York")),  # overlay of 270
        ("+19302000001", ("America/Chicago", "America/New_York")),  # overlay of 812
        ("+12125550123", ("America/New_York",)),
        ("+15204820001", ("America/Phoenix",)),
    ],
)
def test_an_area_code_that_two_zones_share(number: str, zones: tuple[str, ...]) -> None:
    phone = parse_phone(number)
    assert isinstance(phone, Phone)
    assert phone.zones == zones


@given(st.text(max_size=40), st.sampled_from(["", "IN", "US", "GB", "DE"]))
def test_any_text_gets_a_verdict_and_a_good_one_is_stable(text: str, region: str) -> None:
    verdict = parse_phone(text, region)
    if isinstance(verdict, Phone):
        assert parse_phone(verdict.e164) == verdict
        assert re.fullmatch(r"\+[1-9]\d{6,14}", verdict.e164)
    else:
        assert verdict.reason
        assert verdict.remedy


@given(st.from_regex(r"\+?[0-9 ()./,;x-]{7,24}", fullmatch=True), st.sampled_from(["", "IN", "US"]))
def test_no_reason_repeats_the_number(text: str, region: str) -> None:
    verdict = parse_phone(text, region)
    if isinstance(verdict, Unusable):
        assert not re.search(r"\d{4,}", f"{verdict.reason} {verdict.remedy}")


@pytest.mark.parametrize(
    ("phone", "masked"),
    [
        ("+919000000001", "+91********01"),
        ("+12125550123", "+1********23"),
        ("+353 1 555 0123", "+353******23"),
        ("9000000001", "********01"),
        ("112", "***"),
        ("", ""),
        ("nobody", ""),
    ],
)
def test_mask_keeps_the_country_and_two_digits(phone: str, masked: str) -> None:
    assert mask(phone) == masked


def test_regions() -> None:
    assert is_region("IN")
    assert not is_region("UK")
    assert not is_region("")
