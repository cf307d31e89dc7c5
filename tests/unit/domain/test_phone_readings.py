"""One number in many spellings, two numbers in one spelling, and what is set apart behind a number."""

from collections.abc import Iterator
from random import Random

import phonenumbers
import pytest
from hypothesis import settings
from phonenumbers import PhoneNumberType

from dialer.domain.phone_number import Phone, numbers_in, parse_phone
from dialer.domain.phone_spelling import REMARK, SEVERAL, Unusable


@pytest.mark.parametrize(
    ("text", "region", "want"),
    [
        ("(+44) 20 7946 0958", "", "+442079460958"),
        ("[+44] 20 7946 0958", "", "+442079460958"),
        ("+ 44 20 7946 0958", "", "+442079460958"),
        ("++44 20 7946 0958", "", "+442079460958"),
        ("+00 44 20 7946 0958", "", "+442079460958"),
        ("+(44) 20 7946 0958", "", "+442079460958"),
        ("( + 44 ) (0) 20 7946 0958", "", "+442079460958"),
        ("⁺44 20 7946 0958", "", "+442079460958"),
        ("+91 (90000 00001)", "", "+919000000001"),
        ("+49 (0) 6221 / 541234", "", "+496221541234"),
        ("+43 (0) 7242 / 12345", "", "+43724212345"),
        ("0049/6221/541234", "DE", "+496221541234"),
        ("1-212-555/0123", "US", "+12125550123"),
        ("9000000001,", "IN", "+919000000001"),
        ("9000000001;", "IN", "+919000000001"),
        ("9000000001 /", "IN", "+919000000001"),
        ("p:+442079460958", "", "+442079460958"),
        ("whatsapp:+919000000001", "", "+919000000001"),
        ("Tel.: 020 7946 0958", "GB", "+442079460958"),
        ("callto:+442079460958", "", "+442079460958"),
        ("+91 90000\t00001", "", "+919000000001"),
        ("+91 90000\n00001", "", "+919000000001"),
        ("03ｰ1234ｰ5678", "JP", "+81312345678"),
        ("03─1234─5678", "JP", "+81312345678"),
        ("020・7946・0958", "GB", "+442079460958"),
        ("+52 1 55 1234 5678", "", "+525512345678"),
        ("5215512345678", "MX", "+525512345678"),
        ("9000000001 ::: +919000000001", "IN", "+919000000001"),
        ("9000000001.0", "IN", "+919000000001"),
        ("+919000000001,00", "", "+919000000001"),
        ("+49 30 23125-12", "", "+49302312512"),
    ],
)
def test_spellings_that_mean_one_number(text: str, region: str, want: str) -> None:
    phone = parse_phone(text, region)
    assert isinstance(phone, Phone), phone
    assert phone.e164 == want


@pytest.mark.parametrize(
    "text",
    [
        "+49 171 3920012 (2)",
        "+49 171 3920012 [2]",
        "+49 171 3920012 （２）",
        "+49 171 3920012 (2",
        "+49 171 3920012 (2) 1",
        "+49 30 23125012 (12)",
        "+49 171 3920012 -2",
        "+49 171 3920012 - 12",
        "+49 171 3920012  2",
        "+43 664 1234567 (2)",
        "+46 70 123 45 67 (2)",
        "+62 812 3456 789 (2)",
    ],
)
def test_digits_behind_a_number_are_not_dialed(text: str) -> None:
    assert parse_phone(text) == REMARK


@pytest.mark.parametrize(
    ("text", "region"),
    [
        ("9000000001 ::: 9000000002", "IN"),
        ("+919000000001 / +919000000002", ""),
        ("022-23456781/82", "IN"),
        ("+86 138 0013 8000~1", ""),
        ("+49 30 23125012 / 13", ""),
        ("+1 212 555 0123,,12", ""),
    ],
)
def test_several_numbers(text: str, region: str) -> None:
    assert parse_phone(text, region) == SEVERAL


@pytest.mark.parametrize(
    ("text", "region"),
    [
        ("491713920012", "DE"),
        ("4917604069012", "DE"),
        ("0491713920012", "DE"),
        ("49 171 3920012", "DE"),
        ("468247478", "SE"),
        ("62218350000", "ID"),
        ("3906111111", "IT"),
        ("1713920012.0", "DE"),
    ],
)
def test_two_readings_give_none_and_the_owner_of_the_list_decides(text: str, region: str) -> None:
    verdict = parse_phone(text, region)
    assert isinstance(verdict, Unusable)
    assert verdict.undecided


@pytest.mark.parametrize("kind", [PhoneNumberType.FIXED_LINE, PhoneNumberType.MOBILE], ids=["fixed", "mobile"])
def test_no_country_takes_a_number_for_another_one_with_its_code_or_without(kind: int) -> None:
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        for number in _samples(region, kind):
            e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
            for text in (
                e164.removeprefix("+"),
                phonenumbers.national_significant_number(number),
                phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL),
            ):
                verdict = parse_phone(text, region)
                assert isinstance(verdict, Unusable) or verdict.e164 == e164, (region, text)


def _samples(region: str, kind: int) -> Iterator[phonenumbers.PhoneNumber]:
    """Valid numbers of a region: the example of a kind, and others that share its first digits."""
    example = phonenumbers.example_number_for_type(region, kind)
    if example is None:
        return
    yield example
    chance, digits = Random(region), phonenumbers.national_significant_number(example)
    for _ in range(settings().max_examples // 3):
        kept = chance.randrange(1, len(digits))
        text = digits[:kept] + "".join(chance.choices("0123456789", k=len(digits) - kept))
        number = phonenumbers.parse(f"+{example.country_code}{text}", None)
        if phonenumbers.is_valid_number_for_region(number, region):
            yield number


@pytest.mark.parametrize(
    ("text", "region", "want"),
    [
        ("491713920012", "DE", {"+49491713920012", "+491713920012"}),
        ("98765 43212 (M)", "IN", {"+919876543212"}),
        ("+919000000003 / +919000000004", "IN", {"+919000000003", "+919000000004"}),
        ("022-23456781/82", "IN", {"+912223456781", "+912223456782"}),
        ("+49 171 3920012 (2)", "", {"+491713920012", "+4917139200122"}),
        ("Asha 9000000001, mother 9000000002", "IN", {"+919000000001", "+919000000002"}),
        ("+919000000001 ext. 5", "", {"+919000000001"}),
        ("919000000001", "", {"+919000000001"}),
        ("nobody", "IN", set()),
        ("12345", "IN", set()),
    ],
)
def test_every_number_that_a_cell_may_mean(text: str, region: str, want: set[str]) -> None:
    assert set(numbers_in(text, region)) == want
