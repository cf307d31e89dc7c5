"""Lists as people keep them: where a stranger would be called, or somebody who said no, a row is none."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from dialer.adapters.lists.contacts import TableContacts
from dialer.domain.campaign import ContactColumns
from dialer.domain.contact import NewContact
from dialer.errors import InputFileError
from dialer.pipeline.import_contacts import CheckContacts
from dialer.ports import ImportCounts, Reject
from tests.contact_lists import csv_contacts


def listing(tmp_path: Path, text: str | bytes, name: str = "list.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


async def read(source: TableContacts) -> list[str]:
    """The number that each row gives, marked where its person must not be called, or why it gives none."""
    rows = [row async for batch in source.batches(100) for row in batch]
    return [f"{row.phone}{' barred' * bool(row.barred)}" if isinstance(row, NewContact) else row.reason for row in rows]


# which country


async def test_a_calling_code_column_completes_the_numbers(tmp_path: Path) -> None:
    path = listing(tmp_path, "name,country_code,phone\nAsha,+91,9000000001\nBob,+1,2125550123\nCy,,9000000002\n")
    source = csv_contacts(path, region="IN")
    assert await read(source) == ["+919000000001", "+12125550123", "+919000000002"]
    assert 'numbers without "+" are completed by column "country_code"' in source.notes
    assert "numbers completed with the country code of IN (--region): 2" in source.notes


@pytest.mark.parametrize(
    ("header", "cell", "phone", "want"),
    [
        ("Country", "United States", "2125550123", "+12125550123"),
        ("Country", "Atlantis", "9000000001", 'unknown region "Atlantis"'),
        ("Country", "Atlantis", "+919000000001", "+919000000001"),
        ("Country", "India", "+12125550123", "+12125550123"),
        ("Dial code", "+1", "+919000000001", "the number begins with another calling code"),
        ("Dial code", "91", "+919000000001", "+919000000001"),
        ("ISD", "0044", "020 7946 0958", "+442079460958"),
        ("Land", "Deutschland", "030 23125012", "+493023125012"),
    ],
)
async def test_a_country_column_that_nobody_named(
    tmp_path: Path, header: str, cell: str, phone: str, want: str
) -> None:
    assert await read(csv_contacts(listing(tmp_path, f"phone,{header}\n{phone},{cell}\n"), region="IN")) == [want]


async def test_two_columns_that_name_two_countries(tmp_path: Path) -> None:
    path = listing(tmp_path, "phone,Country,Dial code\n9000000001,India,+1\n9000000002,India,+91\n")
    assert await read(csv_contacts(path)) == ["the row names two countries", "+919000000002"]


async def test_names_in_the_region_column(tmp_path: Path) -> None:
    path = listing(tmp_path, "phone,where\n9000000001,India\n020 7946 0958,UK\n+919000000002,Nowhere\n")
    columns = ContactColumns(region="where")
    assert await read(csv_contacts(path, columns)) == ["+919000000001", "+442079460958", 'unknown region "Nowhere"']


async def test_columns_that_are_not_used_are_named(tmp_path: Path) -> None:
    path = listing(tmp_path, "Mobile,Home Phone,STD Code,State,ZIP\n+919000000001,022 23456789,022,MH,400001\n")
    source = csv_contacts(path)
    await read(source)
    assert set(source.notes) >= {
        'column "STD Code" is not joined to the numbers',
        'column "State" is not used for calling hours and holidays; name it under state in [contacts] to use it',
        'column "ZIP" is not used for calling hours; name it under postal_code in [contacts] to use it',
        'other columns with phone numbers are not used: "Home Phone"',
    }


# who said no


async def test_who_is_marked_is_not_called(tmp_path: Path) -> None:
    path = listing(
        tmp_path,
        "phone,DoNotCall,Consent,Status,HasOptedOutOfEmail\n+919000000001,,,new,true\n+919000000002,TRUE,,,\n"
        "+919000000003,,no,,\n+919000000004,,,Do not call,\n+919000000005,perhaps,,,\n+919000000006,false,yes,hot,\n",
    )
    source = csv_contacts(path)
    assert await read(source) == [
        "+919000000001",
        "+919000000002 barred",
        "+919000000003 barred",
        "+919000000004 barred",
        "nobody can tell whether this person may be called",
        "+919000000006",
    ]
    assert 'who is marked in column "DoNotCall" is not called' in source.notes
    assert "people marked as not to be called: 3" in source.notes


async def test_a_marked_row_bars_its_number_in_the_rows_that_follow(tmp_path: Path) -> None:
    path = listing(tmp_path, "phone,DNC\n+919000000001,x\n+919000000001,\n+919000000002,\n")
    counts = await CheckContacts(lambda _: Kept()).run(csv_contacts(path))
    assert counts == ImportCounts(rows=3, queued=1, suppressed=2)


# which row


async def test_a_row_with_a_cell_too_many_is_none_unless_all_have_it(tmp_path: Path) -> None:
    path = listing(
        tmp_path, "id,name,landline,mobile,note\n1,A,022,+919000000001,v\n2,B, C,+912223456782,+919000000002,\n"
    )
    columns = ContactColumns(phone="mobile")
    assert await read(csv_contacts(path, columns)) == ["+919000000001", "6 cells in a row of 5 columns"]
    trailing = listing(tmp_path, "name,phone\nA,+919000000001,,\nB,+919000000002,,\n", "trailing.csv")
    assert await read(csv_contacts(trailing)) == ["+919000000001", "+919000000002"]


async def test_every_duplicate_is_named_with_its_row(tmp_path: Path) -> None:
    path = listing(tmp_path, "phone,name\n+919000000001,A\n+919000000002,B\n09000000001,C\n+919000000001,D\n")
    kept = Kept()
    counts = await CheckContacts(lambda _: kept).run(csv_contacts(path, region="IN"))
    assert (counts.queued, counts.duplicate) == (2, 2)
    assert [(row.row, row.cells, row.reason) for row in kept.rows] == [
        (4, ("09000000001", "C"), "another row of the list has this number"),
        (5, ("+919000000001", "D"), "another row of the list has this number"),
    ]


async def test_damaged_text_spoils_its_own_row(tmp_path: Path) -> None:
    many = "".join(f"P{n},+9190000{n:05}\n" for n in range(20))
    path = listing(tmp_path, f"name,phone\n{many}As\0ha,+919000000001\nRavi\0,+919000000002\n")
    assert (await read(csv_contacts(path)))[-2:] == ["a cell that holds damaged text", "+919000000002"]


async def test_a_cell_longer_than_any_spreadsheet_takes(tmp_path: Path) -> None:
    path = listing(tmp_path, f"phone,note\n+919000000001,{'x' * 32_768}\n+919000000002,{'x' * 32_767}\n")
    assert await read(csv_contacts(path)) == ["a cell of more than 32,767 characters", "+919000000002"]


# which shape


@pytest.mark.parametrize(
    "text",
    [
        '"name", "phone", "city"\n"Muster, Asha", "+919000000001", "Pune"\n"Bina", "+919000000002", "Pune, MH"\n',
        "Clinic contact list\nas of March\n\nname,phone,city\nAsha,+919000000001,Pune\nBina,+919000000002,Pune\n",
        "phone;name;notes (a,b,c,d)\n+919000000001;Asha;x\n+919000000002;Bina;y\n",
        "phone;name;amount\n+919000000001;Asha;12,50\n+919000000002;Bina;7,00\n",
        "phone|name|list\n+919000000001|Asha|a;b;c\n+919000000002|Bina|a;b;c\n",
        "name,phone\nAsha,+919000000001\nBina,+919000000002\n\x1a",
        "name,phone\nAsha,+919000000001\nBina,+919000000002\x1a",
        "sep=;\nname;phone\nAsha;+919000000001\nBina;+919000000002\n",
    ],
)
async def test_shapes_that_mean_one_list(tmp_path: Path, text: str) -> None:
    source = csv_contacts(listing(tmp_path, text))
    assert await read(source) == ["+919000000001", "+919000000002"]


async def test_quotes_after_a_blank_are_no_text(tmp_path: Path) -> None:
    path = listing(tmp_path, '"name", "phone", "city"\n"Muster, Asha", "+919000000001", "Pune, MH"\n')
    (row,) = [row async for batch in csv_contacts(path).batches(9) for row in batch]
    assert isinstance(row, NewContact)
    assert (row.name, row.variables) == ("Muster, Asha", {"city": "Pune, MH"})


async def test_rows_above_the_column_names_are_said(tmp_path: Path) -> None:
    path = listing(tmp_path, "Clinic contact list\n\nname,phone\nAsha,+919000000001\n")
    assert "column names from line 3; 1 rows above it are left out" in csv_contacts(path).notes


async def test_a_data_row_is_never_taken_for_column_names(tmp_path: Path) -> None:
    path = listing(tmp_path, "name,contact,kind\nAsha,9000000001,Mobile\nBina,,Mobile\n")
    with pytest.raises(InputFileError, match="no column is known as the phone"):
        await read(csv_contacts(path))


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"<html><table><tr><td>9000000001</td></tr></table></html>", "a web page"),
        (b"\xef\xbb\xbf\n<!DOCTYPE html>\n", "a web page"),
        ("<html>".encode("utf-16"), "a web page"),
        (b'<?xml version="1.0"?><Workbook/>', "an XML file"),
        (b'[{"phone": "+919000000001"}]', "a JSON file"),
        (b"{\\rtf1 phone}", "a text document"),
        (b'sep="\nphone\n', "names no delimiter"),
    ],
)
async def test_what_is_no_list_is_called_by_its_name(tmp_path: Path, content: bytes, what: str) -> None:
    with pytest.raises(InputFileError, match=what):
        await read(csv_contacts(listing(tmp_path, content, "portal.xls")))


async def test_words_for_nothing_are_not_spoken(tmp_path: Path) -> None:
    path = listing(tmp_path, "name,phone,city\nnan,+919000000001,NULL\nNull,+919000000002,#N/A\n")
    rows = [row async for batch in csv_contacts(path).batches(9) for row in batch]
    assert [(row.name, dict(row.variables)) for row in rows if isinstance(row, NewContact)] == [
        ("", {"city": ""}),
        ("Null", {"city": ""}),
    ]


class Kept:
    """Rejects in memory."""

    def __init__(self) -> None:
        self.rows: list[Reject] = []

    def add(self, rejects: Sequence[Reject]) -> None:
        self.rows.extend(rejects)

    def close(self) -> str:
        return ""

    def discard(self) -> None:
        pass
