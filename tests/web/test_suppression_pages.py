"""The suppression list on the page: look, add, remove, import."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest_asyncio

from dialer.domain.contact import ContactStatus
from dialer.domain.suppression import hash_of
from dialer.ports import Suppression
from tests.ledger_steps import contact, phone, running
from tests.web.people_desk import Desk, links, open_desk, said


@pytest_asyncio.fixture
async def desk(tmp_path: Path, sqlite_ledger_url: str) -> AsyncIterator[Desk]:
    async with open_desk(tmp_path, sqlite_ledger_url) as opened:
        yield opened


async def add(browser: httpx.AsyncClient, number: str, **more: str) -> httpx.Response:
    return await browser.post("/suppressions/add", data={"phone": number, **more})


async def test_a_number_is_added_looked_for_and_removed(desk: Desk) -> None:
    campaign = await running(desk.ledger, 1)
    browser = await desk.browser()
    assert "The list is empty." in said(await browser.get("/suppressions"))
    page = await add(browser, "415 555 0001", region="us", reason="asked")
    assert "Added." in said(page)
    assert phone(1) not in page.text
    assert (await contact(desk.ledger, campaign, phone(1))).status is ContactStatus.SUPPRESSED
    assert "was on the list already" in said(await add(browser, phone(1)))
    page = await browser.post("/suppressions/search", data={"phone": phone(1)})
    assert "asked console all" in said(page)
    assert "555" not in str(page.url)
    assert "is not on the list" in said(await browser.post("/suppressions/search", data={"phone": phone(2)}))
    (remove,) = links(page, "/suppressions/")
    assert "off the list?" in said(await browser.get(remove))
    assert (await browser.post(remove, data={"reason": " "})).status_code == 422
    assert "Removed." in said(await browser.post(remove, data={"reason": "by mistake"}))
    assert [(act.subject, act.why) for act in await desk.acts("unsuppress")] == [(hash_of(phone(1)), "by mistake")]
    assert (await browser.post(remove, data={"reason": "again"})).status_code == 404


async def test_a_hash_may_be_listed_and_is_found_by_its_number(desk: Desk) -> None:
    browser = await desk.browser()
    page = await add(browser, hash_of(phone(3)))
    assert hash_of(phone(3))[:15] in said(page)
    assert hash_of(phone(3)) not in page.text
    page = await browser.post("/suppressions/search", data={"phone": phone(3)})
    assert len(links(page, "/suppressions/")) == 1


async def test_the_list_in_pages(desk: Desk) -> None:
    await desk.ledger.suppress([Suppression(phone(n), "asked") for n in range(1, 131)])
    browser = await desk.browser()
    first = await browser.get("/suppressions")
    (older,) = links(first, "/suppressions?before=")
    second = await browser.get(older)
    removes = [one for page in (first, second) for one in links(page, "/suppressions/")]
    assert (len(removes), len(set(removes))) == (130, 130)
    assert links(second, "/suppressions?before=") == []


async def test_a_list_is_imported_with_its_rejects(desk: Desk) -> None:
    browser = await desk.browser()
    body = f"phone,reason\n{phone(1)},asked\nnobody,asked\n".encode()
    page = await browser.post("/suppressions/import", files={"list_file": ("../old list.csv", body, "text/csv")})
    assert "1 added, 0 were on the list already." in said(page)
    assert "1 row could not be read" in said(page)
    (rejects,) = links(page, "/suppressions/rejects/")
    assert "nobody" in (await browser.get(rejects)).text
    (entry,) = await desk.ledger.people.suppressions(2**62, 10)
    assert (entry.entry.reason, entry.entry.source) == ("asked", "old list.csv")
    empty = await browser.post("/suppressions/import", files={"list_file": ("x.csv", b"", "text/csv")})
    assert empty.status_code == 422


async def test_a_viewer_sees_no_list(desk: Desk) -> None:
    browser = await desk.browser("viewer")
    assert (await browser.get("/suppressions")).status_code == 403
    assert (await add(browser, phone(1))).status_code == 403
    assert await desk.ledger.people.suppressions(2**62, 10) == []


async def test_what_a_killed_process_left_of_a_list_is_taken_away(desk: Desk) -> None:
    left, young = desk.settings.home / "taken-old", desk.settings.home / "taken-young"
    for folder in (left, young):
        folder.mkdir()
        (folder / "list.csv").write_text(phone(1))
    os.utime(left, (1.0, 1.0))
    browser = await desk.browser()
    await browser.post("/suppressions/import", files={"list_file": ("x.csv", f"phone\n{phone(1)}\n", "text/csv")})
    assert [folder.exists() for folder in (left, young)] == [False, True]
