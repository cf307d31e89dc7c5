"""Lists that are refused whole: each message names the file, the line, the fault and the remedy."""

import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dialer.domain.campaign import ContactColumns
from dialer.errors import InputFileError
from tests.contact_lists import csv_contacts

EXPORT = "Open it and export the list as CSV (UTF-8)"
CP1252 = "If Excel on Windows wrote it, add --encoding cp1252; else save it as UTF-8"
AGAIN = "Export the list again"


async def refusal(path: Path, columns: ContactColumns | None = None, encoding: str | None = None) -> str:
    """What is said, without the directory; nothing may have been yielded before."""
    with pytest.raises(InputFileError) as refused:
        async for _ in csv_contacts(path, columns, "IN", encoding).batches(1):
            pytest.fail("a row came out of a refused list")
    return str(refused.value).replace(f"{path.parent}{os.sep}", "")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "list.csv: the file is empty. Export the list again, with a header line"),
        (b"\n \n,,\n", "list.csv: the file is empty. Export the list again, with a header line"),
        (b"name,phone\n", f"list.csv: no rows below the header. {AGAIN}"),
        (b"name,phone\n\n,\n", f"list.csv: no rows below the header. {AGAIN}"),
        (
            b'name,phone\nAsha,9000000001\n"Ravi,9000000002\nTara,9000000003\n',
            "list.csv:3: the quote opened on line 3 is not closed: it runs to the end of the file. Close or remove it",
        ),
        (
            b'name,phone\n"Asha,9000000001\nRavi,9000000002\n"Tara",9000000003\n',
            "list.csv:2: the quote opened on line 2 is not closed: the next quote, on line 4, does not end a cell."
            " Close or remove it",
        ),
        (
            b'name,phone\r"Asha",9000000001\r"Ravi,9000000002\r',
            "list.csv:3: the quote opened on line 3 is not closed: it runs to the end of the file. Close or remove it",
        ),
        (
            b'name,phone,note\nAsha,9000000001,"one\ntwo","x\n',
            "list.csv:3: the quote opened on line 3 is not closed: it runs to the end of the file. Close or remove it",
        ),
        (
            b'name,phone\n"Asha "Kit" Kite",9000000001\n',
            'list.csv:2: a quote inside a quoted cell. Write it twice ("") or take it out',
        ),
        (
            b'phone,name,city\n9000000001,"Asha,Pune\n9000000002,Ravi",Pune\n9000000003,Tara,Pune\n',
            "list.csv:2: a quoted cell of this row takes in further lines, which look like rows of the list."
            " Close the quote or take out the line breaks",
        ),
        (
            b"name,phone\nAsha,9000000001\n\0\0\0\0,9000000002\n",
            "list.csv:3: a NUL byte: this is not a text file. Export the list as CSV (UTF-8), or add"
            " --encoding utf-16-le if it is UTF-16 without a byte-order mark",
        ),
        (b"PK\x03\x04rest of a workbook", f"list.csv: a zip file or an Excel workbook, not CSV. {EXPORT}"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", f"list.csv: an old Excel workbook, not CSV. {EXPORT}"),
        (b"%PDF-1.7", f"list.csv: a PDF, not CSV. {EXPORT}"),
        (b"\x1f\x8b\x08", f"list.csv: a gzip file, not CSV. {EXPORT}"),
        (
            "name,phone\nAsha,9000000001\nJosé,9000000002\n".encode("cp1252"),
            f"list.csv:3: this line is not UTF-8 (byte 0xE9). {CP1252}",
        ),
        (
            b"name,phone\r\n" + b"Asha,9000000001\r\n" * 9000 + b"Jos\xe9,9000000002\r\n",
            f"list.csv:9002: this line is not UTF-8 (byte 0xE9). {CP1252}",
        ),
        (b"name,phone\nJos\xc3", f"list.csv:2: this line is not UTF-8 (byte 0xC3). {CP1252}"),
        (
            b"\xff\xfe" + "phone\n9000000001\n".encode("utf-16-le") + b"\x31",
            "list.csv:3: this line is not utf-16. Name the encoding it was saved in, or save it as UTF-8",
        ),
        (
            b"phone,Mobile No,Mobile_No\n1,2,3\n",
            'list.csv:1: two columns have the same name: "Mobile No" and "Mobile_No". Rename or remove one of them',
        ),
        (
            b"\nname,fav colour\nAsha,blue\n",
            'list.csv:2: no column is known as the phone; the list has: "name", "fav colour".'
            " Name it with --phone-column; if rows of title stand above the column names, take them out",
        ),
        (
            b"Asha,9000000001\nRavi,9000000002\n",
            "list.csv:1: the first line holds data, not column names. Add a header line, e.g. name,phone",
        ),
        (
            b"name,Phone,Mobile\nAsha,9000000001,9000000002\n",
            'list.csv:1: more than one column could be the phone: "Phone", "Mobile". Say which with --phone-column',
        ),
        (
            b"name,Phone 1,Phone 2\nAsha,9000000001,9000000002\n",
            'list.csv:1: more than one column could be the phone: "Phone 1", "Phone 2". Say which with --phone-column',
        ),
        (
            b"name,phone\n" + b"x" * 140_000 + b",9000000001\n",
            "list.csv:2: this row cannot be read (field larger than field limit (131072)). Export the list again",
        ),
    ],
)
async def test_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(content)
    assert await refusal(path) == message


async def test_a_column_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("name,phone,Due Date\nAsha,9000000001,x\n")
    has = 'The list has: "name", "phone", "Due Date"'
    assert await refusal(path, ContactColumns(phone="phnoe")) == (
        f'list.csv:1: no column is called "phnoe" (phone). Did you mean "phone"? {has}'
    )
    assert await refusal(path, ContactColumns(key="customer")) == (
        f'list.csv:1: no column is called "customer" (key). {has}'
    )
    assert await refusal(path, ContactColumns(variables=("due dat",))) == (
        f'list.csv:1: no column is called "due dat" (variables). Did you mean "Due Date"? {has}'
    )


async def test_an_encoding_nobody_knows(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("phone\n9000000001\n")
    assert await refusal(path, encoding="windows1252") == (
        'list.csv: no encoding is called "windows1252". Did you mean "windows_1252"?'
    )
    assert await refusal(path, encoding="hex") == (
        'list.csv: no encoding is called "hex". Common ones: utf-8, cp1252, latin-1, utf-16-le'
    )


async def test_no_such_file(tmp_path: Path) -> None:
    (tmp_path / "contacts.csv").write_text("phone\n")
    with pytest.raises(InputFileError) as refused:
        _ = csv_contacts(tmp_path / "contact.csv").notes
    near = tmp_path / "contacts.csv"
    assert str(refused.value) == f"{tmp_path / 'contact.csv'}: no such file. Did you mean {near}?"
    assert await refusal(tmp_path / "zzz") == "zzz: no such file. Check the path"


async def test_a_directory_and_a_pipe(tmp_path: Path) -> None:
    (tmp_path / "lists").mkdir()
    assert await refusal(tmp_path / "lists") == "lists: this is a directory. Name the CSV file in it"
    os.mkfifo(tmp_path / "pipe")
    assert await refusal(tmp_path / "pipe") == (
        "pipe: not a regular file. Save the list to a file first: it is read twice"
    )


@contextmanager
def unprivileged() -> Iterator[None]:
    """Root may read everything: be nobody for the block."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(pwd.getpwnam("nobody").pw_uid)
    try:
        yield
    finally:
        os.seteuid(before)


async def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("phone\n9000000001\n")
    path.chmod(0)
    with unprivileged():
        assert await refusal(path) == "list.csv: cannot be read: Permission denied. Check its permissions"
