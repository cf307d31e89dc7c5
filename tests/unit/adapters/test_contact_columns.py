import pytest

from dialer.adapters.lists.columns import choose_columns
from dialer.domain.campaign import ContactColumns
from dialer.errors import InputFileError


@pytest.mark.parametrize(
    "header",
    [
        "phone",
        "Phone #",
        "PHONE_NUMBER",
        "phoneNumber",
        "Mobile Number",
        "Mobile No.",
        "mobile",
        "Contact No.",
        "Contact Number",
        "Customer Mobile Number",
        "Phone (with country code)",
        "Primary Phone",
        "Telephone",
        "Cell",
        "Cell Phone",
        "MSISDN",
        "WhatsApp",
        "WhatsApp Number",
        "Tel.",
        "Phone 1",
        "Landline",
        "Número",
        "Número de teléfono",
        "Telefone",
        "Téléphone",
        "Handy",
        "Handynummer",
        "मोबाइल नंबर",
        "手机号",
        "Телефон",
    ],
)
def test_headers_known_as_the_phone(header: str) -> None:
    assert choose_columns(("name", header, "city"), ContactColumns(), "list.csv:1").phone == 1


@pytest.mark.parametrize(
    "header", ["Policy Number", "Alternate Phone", "Contact", "Phone type", "Fax", "Phone model", "Account no", "id"]
)
def test_headers_that_are_not_the_phone(header: str) -> None:
    with pytest.raises(InputFileError):
        choose_columns(("name", header), ContactColumns(), "list.csv:1")


@pytest.mark.parametrize("other", ["WhatsApp", "Phone 2", "Home Phone", "Number", "Alternate Phone"])
def test_a_plain_phone_goes_before_a_qualified_one(other: str) -> None:
    assert choose_columns((other, "Mobile"), ContactColumns(), "list.csv:1").phone == 1


@pytest.mark.parametrize(
    ("header", "want"),
    [
        (("phone", "Full Name"), (1,)),
        (("phone", "Customer Name"), (1,)),
        (("phone", "NAME", "Contact Name"), (1,)),
        (("Last Name", "phone", "First Name"), (2, 0)),
        (("Vorname", "phone"), (0,)),
        (("phone", "username", "company name"), ()),
        (("phone", "नाम"), (1,)),
    ],
)
def test_names(header: tuple[str, ...], want: tuple[int, ...]) -> None:
    assert choose_columns(header, ContactColumns(), "list.csv:1").name == want


def test_everything_but_the_columns_in_use_is_a_variable() -> None:
    header = ("First Name", "Last Name", "phone", "", "due ", "tz")
    chosen = choose_columns(header, ContactColumns(timezone="tz"), "list.csv:1")
    assert chosen.variables == (("First Name", 0), ("Last Name", 1), ("due ", 4))
    assert chosen.timezone == 5
    assert chosen.notes == (
        'phone numbers from column "phone"',
        'names from column "First Name" and column "Last Name"',
    )


def test_vowel_signs_tell_headers_apart_and_accents_do_not() -> None:
    choose_columns(("phone", "कि", "कु"), ContactColumns(), "list.csv:1")
    choose_columns(("phone", "Amount $", "Amount €"), ContactColumns(), "list.csv:1")
    with pytest.raises(InputFileError):
        choose_columns(("phone", "Café", "cafe"), ContactColumns(), "list.csv:1")
