"""Lists that programs send: looked at, mended, brought in."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.forked import run_forked
from tests.web.served import ROOT, Served, serving
from tests.xlsx_files import write_xlsx

LIST = b"name,Mobile,Cell,city\nAsha,+919000000001,x,Pune\nRavi,12,y,Goa\nAsha,+919000000001,z,Pune\n"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV = {"Content-Type": "text/csv"}
WORDS = ("rows", "queued", "duplicate", "suppressed", "invalid", "deferred")


EXAMPLE = ROOT / "examples" / "contacts.csv"


def checked_by_command(folder: Path) -> tuple[dict[str, Any], bytes]:
    """What the command says of the example, and the rejects that it writes."""
    (folder / "contacts.csv").write_bytes(EXAMPLE.read_bytes())
    environment = {"DIALER_HOME": str(folder / "home")}
    checked = json.loads(run_forked(["dialer", "check", "contacts.csv", "--json"], cwd=folder, env=environment).stdout)
    return checked, (folder / checked["rejects"]).read_bytes()


@pytest_asyncio.fixture
async def served(tmp_path: Path, ledger_url: str) -> AsyncIterator[Served]:
    """On either engine, twice behind one ledger."""
    async with serving(tmp_path, database_url=ledger_url, servers=2) as opened:
        yield opened


async def test_a_list_is_sent_looked_at_mended_and_brought_in(served: Served) -> None:
    one, other = await served.program("operator", 0), await served.program("operator", 1)

    sent = await one.post("/api/v1/imports", params={"campaign": "may"}, content=LIST, headers=CSV)
    assert sent.status_code == 201
    document = sent.json()
    at = sent.headers["location"]
    assert "more than one column could be the phone" in document["problem"]["detail"]
    assert "/tmp" not in sent.text
    assert document["header"] == ["name", "Mobile", "Cell", "city"]
    assert document["fingerprint"] == hashlib.sha256(LIST).hexdigest()

    mended = (await other.patch(at, json={"columns": {"phone": "Mobile"}})).json()
    assert mended["problem"] is None
    assert [mended["counts"][word] for word in WORDS] == [3, 1, 1, 0, 1, 0]
    assert mended["columns"] == {"phone": ["Mobile"], "name": ["name"]}
    assert [row["line"] for row in mended["rows"]] == [2, 3, 4]
    assert mended["rows"][0]["cells"] == ["Asha", "+919000000001", "x", "Pune"]
    assert mended["rows"][1]["reason"]
    rejects = (await one.get(f"{at}/rejects")).text
    assert "another row of the list has this number" in rejects
    assert rejects.startswith('﻿"name","Mobile","Cell","city","reject_line"')
    assert await served.ledger.campaigns() == []

    brought = (await one.post(f"{at}/commit")).json()
    assert [brought[word] for word in WORDS] == [3, 1, 1, 0, 1, 0]
    assert brought["status"] == "running"
    again = (await other.post(f"{at}/commit")).json()
    assert again == brought
    assert (await one.patch(at, json={"region": "IN"})).status_code == 409
    report = (await one.get("/api/v1/campaigns/rehearsal:may")).json()
    assert report["import"]["queued"] == 1


async def test_the_same_numbers_as_the_command(served: Served, tmp_path: Path) -> None:
    program = await served.program("operator")
    content = EXAMPLE.read_bytes()
    checked, rejected = checked_by_command(tmp_path)

    sent = await program.post("/api/v1/imports", params={"campaign": "june"}, content=content, headers=CSV)
    document = sent.json()

    assert document["counts"] == {word: checked[word] for word in WORDS}
    assert document["notes"] == checked["notes"]
    rejects = (await program.get(f"{sent.headers['location']}/rejects")).content
    assert rejects == rejected


@pytest.mark.parametrize(
    ("headers", "params", "content", "answer"),
    [
        (CSV, {"campaign": "x"}, b"", (422, "list-refused")),
        ({"Content-Type": "image/png"}, {"campaign": "x"}, b"abc", (415, "wrong-kind")),
        (CSV, {}, LIST, (422, "invalid")),
    ],
)
async def test_what_is_no_list_is_refused(
    served: Served, headers: dict[str, str], params: dict[str, str], content: bytes, answer: tuple[int, str]
) -> None:
    program = await served.program("operator")
    refused = await program.post("/api/v1/imports", params=params, content=content, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == answer
    assert await served.ledger.uploads.older(2**40, 10) == []


async def test_a_list_without_its_length_is_refused(served: Served) -> None:
    program = await served.program("operator")

    async def pieces() -> AsyncIterator[bytes]:
        yield LIST

    refused = await program.post("/api/v1/imports?campaign=x", content=pieces(), headers=CSV)
    assert (refused.status_code, refused.json()["code"]) == (411, "length-missing")


async def test_viewers_may_not(served: Served) -> None:
    viewer = await served.program("viewer")
    assert (await viewer.post("/api/v1/imports?campaign=x", content=LIST, headers=CSV)).status_code == 403
    assert (await viewer.get("/api/v1/imports/1")).status_code == 403
    assert (await viewer.put("/api/v1/campaigns/x", json={"agent": "a"})).status_code == 403
    assert (await viewer.post("/api/v1/campaigns/x/contacts", json={"contacts": []})).status_code in (403, 422)


async def test_a_workbook_is_read_by_its_kind_or_its_name(served: Served, tmp_path: Path) -> None:
    program = await served.program("operator")
    book = write_xlsx(tmp_path / "people.xlsx", [["name", "phone"], ["Asha", "+919000000001"]])
    content = book.read_bytes()
    named = {"Content-Disposition": "attachment; filename*=UTF-8''people%20of%20may.xlsx"}

    by_name = await program.post("/api/v1/imports?campaign=x", content=content, headers=named)
    by_kind = await program.post("/api/v1/imports?campaign=x", content=content, headers={"Content-Type": XLSX})

    assert (by_name.json()["name"], by_kind.json()["name"]) == ("people of may.xlsx", "list.xlsx")
    assert by_name.json()["counts"] == by_kind.json()["counts"]
    assert by_name.json()["counts"]["queued"] == 1


async def test_of_a_long_list_its_beginning_is_answered_at_once(served: Served) -> None:
    program = await served.program("operator")
    rows = b"".join(b"Asha,+91900%07d\n" % number for number in range(7_000))
    sent = await program.post("/api/v1/imports?campaign=long", content=b"name,phone\n" + rows, headers=CSV)
    assert (sent.json()["whole"], sent.json()["counts"]["queued"]) == (False, 5_000)
    whole = (await program.get(sent.headers["location"])).json()
    assert (whole["whole"], whole["counts"]["queued"]) == (True, 7_000)
    assert (await program.post(f"{sent.headers['location']}/commit")).json()["queued"] == 7_000


async def test_a_list_that_breaks_off_leaves_nothing(served: Served) -> None:
    program = await served.program("operator")
    host, _, port = served.addresses[0].removeprefix("http://").partition(":")
    _, writer = await asyncio.open_connection(host, int(port))
    head = (
        f"POST /api/v1/imports?campaign=x HTTP/1.1\r\nHost: {host}\r\nContent-Type: text/csv\r\nContent-Length: 900000"
        f"\r\nAuthorization: {program.headers['authorization']}\r\n\r\n"
    )
    writer.write(head.encode() + b"x" * 300_000)
    await writer.drain()
    async with asyncio.timeout(60):
        while await served.ledger.uploads.part(1, 0) is None:
            pass
    assert (await program.get("/api/v1/imports/1")).status_code == 404, "it is not whole"

    writer.close()

    async with asyncio.timeout(60):
        while await served.ledger.uploads.older(2**40, 10):
            pass
    assert await served.ledger.uploads.part(1, 0) is None


async def test_a_change_is_small(served: Served) -> None:
    program = await served.program("operator")
    sent = await program.post("/api/v1/imports?campaign=x", content=LIST, headers=CSV)
    large = {"settings": {"agent": "x" * 100_000}}
    assert (await program.patch(sent.headers["location"], json=large)).status_code == 413
