"""What a CSV gives: contacts, rejects, notes. Numbers are plainly patterned (+91 90000 0...)."""

from pathlib import Path

import pytest

from dialer.adapters.lists.contacts import TableContacts
from dialer.domain.campaign import ContactColumns
from dialer.domain.contact import NewContact
from dialer.errors import InputFileError, UsageError
from dialer.ports import Reject
from tests.contact_lists import csv_contacts

KOLKATA = ("Asia/Kolkata",)
LOS_ANGELES = "America/Los_Angeles"


async def read(source: TableContacts, size: int = 100) -> list[NewContact | Reject]:
    return [row async for batch in source.batches(size) for row in batch]


def listing(tmp_path: Path, content: str | bytes) -> Path:
    path = tmp_path / "people.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def asha(row: int = 2, **variables: str) -> NewContact:
    return NewContact("+919000000001", "Asha Kite", row, "", "IN", KOLKATA, variables, ("IN",))


def ravi(row: int = 3, **variables: str) -> NewContact:
    return NewContact("+919000000002", "Ravi Pebble", row, "", "IN", KOLKATA, variables, ("IN",))


async def test_a_plain_list(tmp_path: Path) -> None:
    source = csv_contacts(
        listing(tmp_path, "name,Mobile Number,city\nAsha Kite,+91 90000 00001,Pune\nRavi Pebble,90000 00002,\n"),
        region="in",
    )
    assert await read(source) == [asha(city="Pune"), ravi(city="")]
    assert source.header == ("name", "Mobile Number", "city")
    assert source.notes == (
        'phone numbers from column "Mobile Number"',
        'names from column "name"',
        "numbers completed with the country code of IN (--region): 1",
    )


PEOPLE = "name,phone\nAsha Kite,+919000000001\nRavi Pebble,+919000000002\n"


@pytest.mark.parametrize(
    ("content", "note"),
    [
        (PEOPLE.encode(), ()),
        (PEOPLE.encode("utf-8-sig"), ()),
        (PEOPLE.encode("utf-16"), ("encoding utf-16, by its byte-order mark",)),
        (b"\xfe\xff" + PEOPLE.encode("utf-16-be"), ("encoding utf-16, by its byte-order mark",)),
        (PEOPLE.encode("utf-32"), ("encoding utf-32, by its byte-order mark",)),
        (PEOPLE.replace("\n", "\r\n").encode(), ()),
        (PEOPLE.replace("\n", "\r").encode(), ()),
        (PEOPLE.rstrip().encode(), ()),
        (PEOPLE.replace(",", ";").encode(), ("delimiter semicolon",)),
        (PEOPLE.replace(",", "\t").encode(), ("delimiter tab",)),
        (PEOPLE.replace(",", "|").encode(), ("delimiter pipe",)),
    ],
)
async def test_encodings_line_ends_and_delimiters(tmp_path: Path, content: bytes, note: tuple[str, ...]) -> None:
    source = csv_contacts(listing(tmp_path, content))
    assert await read(source) == [asha(), ravi()]
    assert source.notes[2:] == note


async def test_a_sep_line_names_the_delimiter(tmp_path: Path) -> None:
    source = csv_contacts(listing(tmp_path, "sep=;\r\n" + PEOPLE.replace(",", ";").replace("\n", "\r\n")))
    assert await read(source) == [asha(3), ravi(4)]
    assert source.notes[2:] == ("delimiter semicolon",)


async def test_an_encoding_the_user_names(tmp_path: Path) -> None:
    path = listing(tmp_path, "name;phone\nJosé Kite;+919000000001\n".encode("cp1252"))
    source = csv_contacts(path, encoding="cp1252")
    assert [row.name for row in await read(source) if isinstance(row, NewContact)] == ["José Kite"]
    assert source.notes[2:] == ("encoding cp1252", "delimiter semicolon")


async def test_a_delimiter_inside_quotes_does_not_count(tmp_path: Path) -> None:
    path = listing(tmp_path, '"a,b,c,d";phone;name\n1;+919000000001;Asha Kite\n')
    assert await read(csv_contacts(path)) == [asha(2, **{"a,b,c,d": "1"})]


async def test_quoted_line_breaks_keep_the_line_of_each_row(tmp_path: Path) -> None:
    path = listing(
        tmp_path,
        'name,phone,"home\naddress"\nAsha Kite,+919000000001,"1 Mango Lane\nPune"\n\n'
        'Ravi Pebble,+919000000002,"""x"""\n',
    )
    assert await read(csv_contacts(path)) == [
        asha(3, **{"home\naddress": "1 Mango Lane\nPune"}),
        ravi(6, **{"home\naddress": '"x"'}),
    ]


async def test_blank_rows_are_no_rows(tmp_path: Path) -> None:
    path = listing(tmp_path, "\nname,phone\n\n,,\n  , \nAsha Kite,+919000000001\n\n")
    assert await read(csv_contacts(path)) == [asha(6)]


async def test_rows_with_too_few_or_too_many_cells(tmp_path: Path) -> None:
    path = listing(
        tmp_path,
        "name,phone,city\nAsha Kite,+919000000001\nRavi Pebble,+919000000002,Pune,,\n"
        "Meera Quill,+919000000003,Pune,India\nTara\n",
    )
    assert await read(csv_contacts(path)) == [
        asha(city=""),
        Reject(
            3,
            ("Ravi Pebble", "+919000000002", "Pune", "", ""),
            "5 cells in a row of 3 columns",
            "quote cells that hold the delimiter",
        ),
        Reject(
            4,
            ("Meera Quill", "+919000000003", "Pune", "India"),
            "4 cells in a row of 3 columns",
            "quote cells that hold the delimiter",
        ),
        Reject(5, ("Tara", "", ""), "the phone number is empty", "fill it in or remove the row", "phone"),
    ]


async def test_what_a_spreadsheet_did_to_numbers(tmp_path: Path) -> None:
    path = listing(tmp_path, 'phone\n9.19E+11\n+919000000001.0\n\'+919000000001\n="+919000000001"\n')
    remedy = "format the column as text and export again"
    assert await read(csv_contacts(path)) == [
        Reject(
            2,
            ("9.19E+11",),
            "a spreadsheet turned the number into powers of ten: the digits are gone",
            remedy,
            "phone",
        ),
        NewContact("+919000000001", "", 3, "", "IN", KOLKATA, places=("IN",)),
        NewContact("+919000000001", "", 4, "", "IN", KOLKATA, places=("IN",)),
        NewContact("+919000000001", "", 5, "", "IN", KOLKATA, places=("IN",)),
    ]


async def test_a_national_number_without_a_region(tmp_path: Path) -> None:
    assert await read(csv_contacts(listing(tmp_path, "phone\n9000000001\n"))) == [
        Reject(
            2,
            ("9000000001",),
            "no country code and no region to assume",
            "write it with + or give --region, e.g. IN",
            "phone",
        )
    ]


async def test_zone_region_and_key_columns(tmp_path: Path) -> None:
    path = listing(
        tmp_path,
        "id,phone,tz,country\n"
        "a1,9000000001,,in\n"
        "a2,(212) 555-0123,America/Denver,US\n"
        "a3,+919000000001,Asia/Kolkatta,\n"
        "a4,+919000000001,9000000001,\n"
        "a5,020 7946 0123,,UK\n",
    )
    columns = ContactColumns(timezone="tz", region="Country", key="ID")
    tz_seen = ("a3", "+919000000001", "Asia/Kolkatta", "")
    assert await read(csv_contacts(path, columns)) == [
        NewContact("+919000000001", "", 2, "a1", "IN", KOLKATA, places=("IN",)),
        NewContact("+12125550123", "", 3, "a2", "US", ("America/Denver", "America/New_York"), places=("US", "US-NY")),
        Reject(4, tz_seen, 'unknown time zone "Asia/Kolkatta"', 'did you mean "Asia/Kolkata"?', "tz"),
        Reject(
            5,
            ("a4", "+919000000001", "9000000001", ""),
            "unknown time zone in this cell",
            'write "Asia/Kolkata"',
            "tz",
        ),
        NewContact("+442079460123", "", 6, "a5", "GB", ("Europe/London",), places=("GB",)),
    ]


async def test_state_and_postal_code_columns(tmp_path: Path) -> None:
    path = listing(
        tmp_path,
        "phone,st,zip\n+12125550123,Florida,\n+12125550123,,90210\n+12125550123,Floridia,\n+12125550123,,2139\n",
    )
    both = ("America/Chicago", "America/New_York")
    columns = ContactColumns(state="st", postal_code="zip", variables=())
    assert await read(csv_contacts(path, columns)) == [
        NewContact("+12125550123", "", 2, "", "US", both, places=("US", "US-FL", "US-NY")),
        NewContact("+12125550123", "", 3, "", "US", (LOS_ANGELES, "America/New_York"), places=("US", "US-CA", "US-NY")),
        Reject(
            4,
            ("+12125550123", "Floridia", ""),
            "no state of US is called so",
            "write its name or its two letters, e.g. FL",
            "st",
        ),
        Reject(
            5,
            ("+12125550123", "", "2139"),
            "no state of US has this postal code",
            "write all of it (a spreadsheet drops a leading zero) or leave it empty",
            "zip",
        ),
    ]


async def test_a_zone_that_is_trusted_goes_before_the_number(tmp_path: Path) -> None:
    path = listing(tmp_path, "phone,tz\n+12125550123,America/Los_Angeles\n+12125550123,\n")
    columns = ContactColumns(timezone="tz", trust_timezone=True)
    people = await read(csv_contacts(path, columns))
    assert [person.zones for person in people if isinstance(person, NewContact)] == [
        (LOS_ANGELES,),
        ("America/New_York",),
    ]


async def test_a_zone_column_nobody_named_is_only_mentioned(tmp_path: Path) -> None:
    source = csv_contacts(listing(tmp_path, "phone,Time Zone\n+919000000001,America/Denver\n"))
    assert await read(source) == [
        NewContact("+919000000001", "", 2, "", "IN", KOLKATA, {"Time Zone": "America/Denver"}, ("IN",))
    ]
    assert source.notes == (
        'phone numbers from column "phone"',
        "no column for the name",
        'column "Time Zone" is not used for calling hours; name it under timezone in [contacts] to use it',
    )


async def test_variables_that_are_named(tmp_path: Path) -> None:
    path = listing(tmp_path, "phone,name,city,plan\n+919000000001,Asha Kite,Pune,gold\n")
    columns = ContactColumns(variables=("Plan", "name"))
    assert await read(csv_contacts(path, columns)) == [asha(plan="gold", name="Asha Kite")]


async def test_only_countries_allowed(tmp_path: Path) -> None:
    path = listing(tmp_path, "phone\n+12125550123\n")
    assert await read(csv_contacts(path, countries=frozenset({"IN"}))) == [
        Reject(
            2,
            ("+12125550123",),
            "a number in US, which is not among the countries allowed",
            "remove the row",
            "phone",
        )
    ]


async def test_the_fingerprint_is_of_the_bytes(tmp_path: Path) -> None:
    source = csv_contacts(listing(tmp_path, PEOPLE))
    first = source.fingerprint
    assert first == csv_contacts(listing(tmp_path, PEOPLE)).fingerprint
    assert len(first) == 64
    assert first != csv_contacts(listing(tmp_path, PEOPLE + "\n")).fingerprint


async def test_a_file_that_changes_while_it_is_read(tmp_path: Path) -> None:
    path = listing(tmp_path, PEOPLE)
    source = csv_contacts(path)
    assert source.notes
    path.write_text(PEOPLE + "Tara Quill,+919000000003\n")
    with pytest.raises(InputFileError) as refused:
        await read(source)
    assert str(refused.value) == f"{path}: the file changed while it was read. Run the command again"


@pytest.mark.parametrize(("region", "hint"), [("UK", 'Did you mean "GB"?'), ("XX", "Use an ISO 3166 code, e.g. IN.")])
def test_an_unknown_region(tmp_path: Path, region: str, hint: str) -> None:
    with pytest.raises(UsageError) as refused:
        csv_contacts(tmp_path / "people.csv", region=region)
    assert str(refused.value) == f'no region is called "{region}". {hint}'


async def test_a_long_list_is_read_by_processes_in_order(tmp_path: Path) -> None:
    rows = 20_001
    path = listing(tmp_path, "phone,n\n" + "".join(f"+9190000{n:05d},{n}\n" for n in range(rows - 1)) + "12,x\n")
    read_rows = await read(csv_contacts(path), 5_000)
    good = [row for row in read_rows if isinstance(row, NewContact)]
    assert [row.variables["n"] for row in good] == [str(n) for n in range(rows - 1)]
    assert [row.row for row in good] == list(range(2, rows + 1))
    assert isinstance(read_rows[-1], Reject)


async def test_an_early_stop_leaves_no_process_behind(tmp_path: Path) -> None:
    path = listing(tmp_path, "phone\n" + "".join(f"+9190000{n:05d}\n" for n in range(25_000)))
    batches = csv_contacts(path).batches(1_000)
    async for batch in batches:
        assert len(batch) == 1_000
        break
    await batches.aclose()
